//! Projects of the past, and such with other files, each in a folder of its own until room is needed.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::SystemTime;

use bytes::Bytes;
use esker_bus::caller::Caller;
use esker_wire::revision::Revision;

use crate::definition::Definition;
use crate::extract;
use crate::fingerprint::Fingerprints;
use crate::key::sha256;

use super::Project;

/// Where the folders are, in the project's own.
const FOLDER: &str = ".esker/projects";
/// How many are kept.
const KEPT_MAX: usize = 16;

/// The folders there are.
#[derive(Debug)]
pub(super) struct Shelf {
    root: PathBuf,
    /// Who needs which; held while a folder is made or removed.
    lent: Mutex<HashMap<PathBuf, Weak<()>>>,
}

impl Shelf {
    pub(super) fn new(dir: &Path) -> Self {
        Self { root: dir.join(FOLDER), lent: Mutex::default() }
    }

    /// A project as it was kept at a commit, with these files in place of its own.
    ///
    /// # Errors
    /// In words, if it cannot be read, written or used.
    pub(super) fn open(
        &self,
        caller: &Caller,
        revision: Revision,
        files: &[(String, Bytes)],
    ) -> Result<Project, String> {
        let mut name = revision.to_string();
        if !files.is_empty() {
            let all = files.iter().map(|(path, bytes)| format!("{path}\n{}\n", sha256(bytes)));
            name = format!("{name}-{}", &sha256(all.collect::<String>().as_bytes())[..16]);
        }
        let dir = self.root.join(name);
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        lent.retain(|_, lease| lease.strong_count() > 0);
        if !dir.is_dir() {
            self.tidy(|folder| lent.contains_key(folder));
            let made = self.make(caller, revision, (&dir, files));
            made.map_err(|error| {
                format!("cannot have the project of {}: {error}", revision.short())
            })?;
        }
        let lease = lent.get(&dir).and_then(Weak::upgrade).unwrap_or_default();
        lent.insert(dir.clone(), Arc::downgrade(&lease));
        // Those that were used last are the last to go.
        let used = fs::File::open(&dir).and_then(|folder| folder.set_modified(SystemTime::now()));
        used.unwrap_or_else(|error| tracing::debug!(%error, "an old project looks unused"));
        let definition = Definition::load(&dir).map_err(|defects| {
            let first = defects.iter().find(|defect| defect.is_error());
            format!(
                "the definition cannot be used: {}",
                first.map(ToString::to_string).unwrap_or_default()
            )
        })?;
        let prints = Arc::new(Fingerprints::default().take(&dir, &definition));
        let (definition, revision) = (Arc::new(definition), Some(revision));
        Ok(Project { dir, definition, prints, revision, _lease: Some(lease) })
    }

    /// Makes a folder whole and durable under another name, and gives it its own only then.
    fn make(
        &self,
        caller: &Caller,
        revision: Revision,
        (dir, files): (&Path, &[(String, Bytes)]),
    ) -> Result<(), String> {
        let text = |error: io::Error| error.to_string();
        fs::create_dir_all(&self.root).map_err(text)?;
        let making =
            tempfile::Builder::new().prefix("new-").tempdir_in(&self.root).map_err(text)?;
        extract::extract(caller, revision, making.path()).map_err(|error| error.to_string())?;
        for (path, bytes) in files {
            extract::write(making.path(), path, bytes).map_err(|error| match error {
                Some(error) => format!("{path}: {error}"),
                None => format!(
                    "no program of the project says that it reads {path}, which leads out of it or to what git and esker keep"
                ),
            })?;
        }
        let folder = fs::File::open(making.path()).map_err(text)?;
        rustix::fs::syncfs(&folder).map_err(|error| error.to_string())?;
        fs::rename(making.path(), dir).map_err(text)
    }

    /// Makes room: those that were used longest ago go, if nobody needs them.
    fn tidy(&self, is_needed: impl Fn(&Path) -> bool) {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut folders: Vec<(SystemTime, PathBuf)> = entries
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        folders.sort();
        let over = folders.len().saturating_sub(KEPT_MAX - 1);
        let unneeded = folders.into_iter().filter(|(_, folder)| !is_needed(folder));
        for (_, folder) in unneeded.take(over) {
            if let Err(error) = fs::remove_dir_all(&folder) {
                tracing::warn!(folder = %folder.display(), %error, "cannot remove an old project");
            }
        }
    }
}
