//! A project as the store keeps it, put into a folder: the definition and the programs of a commit of the branch
//! `project`.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::project::{self, ABOUT, About};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, List};

use crate::commits::DEADLINE;
use crate::engine::heads::list;

/// Who may read and run a program that may be run.
const EXECUTABLE: u32 = 0o755;

/// Why a project cannot be put into a folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not give it.
    #[error("cannot read the project at {0}: {1}")]
    Store(Revision, Fault),
    /// A path that leads elsewhere.
    #[error("the project at {0} holds {1:?}, which is no path inside a folder")]
    Outside(Revision, String),
    /// This machine does not let it.
    #[error("cannot write {}: {why}", path.display())]
    Machine {
        /// What was to be written.
        path: PathBuf,
        /// Why it cannot be.
        why: io::Error,
    },
}

/// Writes the files of a project into a folder that exists; gives what it depends on besides.
///
/// # Errors
/// [`Error`]; what was written until then stays.
pub fn extract(caller: &Caller, revision: Revision, dir: &Path) -> Result<About, Error> {
    let fault = |fault| Error::Store(revision, fault);
    let at = At::from(revision);
    let all = List { at: at.clone(), ..List::all(project::branch()) };
    let listing = list(caller, all).map_err(fault)?;
    let mut about = About::default();
    for entry in listing.entries {
        let branch = project::branch();
        let get = Get { at: at.clone(), branch, ..Get::head(entry.resource.clone()) };
        let content = caller.call_blocking(&get, DEADLINE).map_err(fault)?;
        let bytes = content.bytes.unwrap_or_default();
        if entry.resource.as_str() == ABOUT {
            about = About::from_bytes(&bytes).map_err(fault)?;
        } else if let Some(path) = project::path(&entry.resource) {
            write(dir, &path, &bytes).map_err(|error| match error {
                None => Error::Outside(revision, path.clone()),
                Some(why) => Error::Machine { path: dir.join(&path), why },
            })?;
        }
    }
    if about == About::default() {
        let what = format!("there is no {ABOUT} at {revision}");
        return Err(fault(Fault::new(Code::NotFound, what)));
    }
    for path in &about.executable {
        let full = dir.join(path);
        if is_inside(path) && full.exists() {
            let mode = fs::Permissions::from_mode(EXECUTABLE);
            let set = fs::set_permissions(&full, mode);
            set.map_err(|why| Error::Machine { path: full, why })?;
        }
    }
    Ok(about)
}

/// Writes a file below a folder.
///
/// # Errors
/// None if the path leads elsewhere; else why it cannot be written.
pub(crate) fn write(dir: &Path, path: &str, bytes: &Bytes) -> Result<(), Option<io::Error>> {
    if !is_inside(path) {
        return Err(None);
    }
    let full = dir.join(path);
    if let Some(folder) = full.parent() {
        fs::create_dir_all(folder).map_err(Some)?;
    }
    fs::write(full, bytes).map_err(Some)
}

/// Whether a path leads to something inside the folder that it begins in.
fn is_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}
