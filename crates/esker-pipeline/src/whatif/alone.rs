//! What-ifs where no runner works: for as long as a command waits for one.

use std::path::PathBuf;
use std::sync::Arc;

use esker_bus::caller::Caller;
use esker_wire::name::Branch;
use esker_wire::project;
use tempfile::TempDir;

use crate::commits::newest;
use crate::definition::Definition;
use crate::engine::{Error, host, machine};
use crate::fingerprint::Fingerprints;
use crate::run::Bench;

use super::{Project, WhatIfs};

/// What to work on, and what with.
#[derive(Debug)]
pub struct Options {
    /// The project's folder.
    pub dir: PathBuf,
    /// This very program, as [`crate::engine::Options::esker`].
    pub esker: PathBuf,
    /// The snapshot service.
    pub caller: Caller,
}

/// Works on what-ifs until it is dropped. A runner that starts meanwhile does no harm: whoever puts first is the one.
#[derive(Debug)]
pub struct Alone {
    what_ifs: WhatIfs,
    /// It is removed only when nothing works there any more.
    _scratch: TempDir,
}

impl Alone {
    /// Begins with whatever is not settled.
    ///
    /// # Errors
    /// An unusable definition, a folder that cannot be used.
    pub fn start(options: Options) -> Result<Self, Error> {
        let Options { dir, esker, caller } = options;
        let definition = Arc::new(Definition::load(&dir).map_err(Error::Definition)?);
        let prints = Arc::new(Fingerprints::default().take(&dir, &definition));
        let scratch = tempfile::Builder::new().prefix("esker-what-if-").tempdir();
        let scratch = scratch.map_err(machine("make a folder for", dir.clone()))?;
        // Only such a what-if needs it as replaces files, and it is told if it is not known.
        let revision = newest(&caller, project::branch()).ok().flatten();
        let bench = Bench {
            dir: dir.clone(),
            branch: Branch::main(),
            guard: None,
            esker,
            caller,
            host: host(),
            scratch: scratch.path().to_owned(),
            memo: Arc::default(),
            load: Arc::default(),
            recall: Arc::default(),
        };
        let what_ifs = WhatIfs::open(&bench);
        let what_ifs = what_ifs.map_err(machine("start a thread for", dir.clone()))?;
        what_ifs.door().adopt(Project { dir, definition, prints, revision, _lease: None });
        Ok(Self { what_ifs, _scratch: scratch })
    }

    /// Has it look: something was asked for.
    pub fn ring(&self) {
        self.what_ifs.door().ring();
    }
}
