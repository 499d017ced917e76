//! The definition in force and the project's files, as they are found on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::definition::defect::Defect;
use crate::definition::{Definition, FILE};
use crate::fingerprint::{self, Fingerprints, Stamp, app_files};
use crate::key::Print;

/// How long the definition may be missing: editors remove a file for a moment when they save it.
const MISSING_MAX: Duration = Duration::from_secs(1);

/// What reading the definition again has found.
#[derive(Debug)]
pub(super) enum Turn {
    /// Nothing new.
    Same,
    /// A new definition is in force.
    New,
    /// The file is unusable; the last good one stays in force.
    Bad(Vec<Defect>),
}

/// The definition in force, and what its files are.
pub(super) struct Library {
    dir: PathBuf,
    definition: Arc<Definition>,
    stamp: Option<Stamp>,
    missing_since: Option<Instant>,
    fingerprints: Fingerprints,
    prints: BTreeMap<String, Print>,
    /// The project's own pages.
    pages: BTreeMap<PathBuf, Option<Stamp>>,
}

impl Library {
    pub(super) fn open(dir: &Path) -> Result<Self, Vec<Defect>> {
        let stamp = Stamp::at(&dir.join(FILE));
        let definition = Definition::load(dir)?;
        let mut fingerprints = Fingerprints::default();
        let prints = fingerprints.take(dir, &definition);
        let pages = pages(dir, &definition);
        Ok(Self {
            dir: dir.to_owned(),
            definition: Arc::new(definition),
            stamp,
            missing_since: None,
            fingerprints,
            prints,
            pages,
        })
    }

    pub(super) fn definition(&self) -> &Arc<Definition> {
        &self.definition
    }

    pub(super) fn prints(&self) -> &BTreeMap<String, Print> {
        &self.prints
    }

    /// Looks at the files again; true if one that matters has changed.
    pub(super) fn look(&mut self) -> bool {
        let prints = self.fingerprints.take(&self.dir, &self.definition);
        let pages = pages(&self.dir, &self.definition);
        let changed = prints != self.prints || pages != self.pages;
        (self.prints, self.pages) = (prints, pages);
        changed
    }

    /// Reads the definition again if its file has changed.
    pub(super) fn turn(&mut self) -> Turn {
        let stamp = Stamp::at(&self.dir.join(FILE));
        if stamp.is_none() && !self.is_missed() {
            return Turn::Same;
        }
        if stamp.is_some() {
            self.missing_since = None;
        }
        if stamp == self.stamp {
            return Turn::Same;
        }
        self.stamp = stamp;
        match Definition::load(&self.dir) {
            Ok(definition) => {
                self.definition = Arc::new(definition);
                self.look();
                Turn::New
            }
            Err(defects) => Turn::Bad(defects),
        }
    }

    fn is_missed(&mut self) -> bool {
        let since = *self.missing_since.get_or_insert_with(Instant::now);
        since.elapsed() > MISSING_MAX
    }

    /// The folders to watch.
    pub(super) fn folders(&self) -> BTreeSet<PathBuf> {
        fingerprint::folders(&self.dir, &self.definition)
    }
}

/// The project's own pages as they lie there: what is kept of the project has them.
fn pages(dir: &Path, definition: &Definition) -> BTreeMap<PathBuf, Option<Stamp>> {
    let files = app_files(dir, definition).into_iter();
    files.map(|path| (path.clone(), Stamp::at(&dir.join(path)))).collect()
}
