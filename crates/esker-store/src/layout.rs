//! A store's folder: how it is made, recognised and held.
//!
//! It is a bare git repository. Beside what git keeps there is `esker/` with `lock` (held while a process
//! writes; its content is that process's id), `epoch` (the last start's number), `journal` and
//! `journal.old` (what may not have reached its place yet), `uploads/` (large contents on their way), `damaged/`
//! and `tmp/`; large contents lie in `lfs/objects`.

use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files;
use crate::refs;

/// The number of the last start.
const EPOCH: &str = "esker/epoch";
/// The folders of a new store. `esker` comes first: it marks the folder as ours until all is there.
const FOLDERS: [&str; 5] = ["esker/tmp", "objects/info", "objects/pack", "refs/heads", "refs/tags"];
/// What git is told of a store. Clones may leave out contents: a history's are mostly never looked at.
pub(crate) const CONFIG: &str = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n\
                                 [uploadpack]\n\tallowFilter = true\n";
/// The files of a new store; `HEAD` comes last, for with it git knows the folder.
const FILES: [(&str, &str); 3] = [
    (
        "description",
        "A store of esker: every version of every resource. Read it with git; write it with esker.\n",
    ),
    ("config", CONFIG),
    ("HEAD", "ref: refs/heads/main\n"),
];

/// Makes the folder if there is none, or goes on making it. Tells whether it is esker's own; a folder that
/// holds something else stays as it was.
pub(crate) fn make(dir: &Path) -> Result<bool, Error> {
    let ours = dir.join("esker").is_dir() || is_empty(dir)?;
    if ours {
        let _alone = alone(dir)?;
        for folder in FOLDERS {
            files::make_folder(&dir.join(folder))?;
        }
        for (name, text) in FILES {
            let path = dir.join(name);
            if !path.exists() {
                files::write_file(dir, &path, text.as_bytes())?;
            }
        }
        if !dir.join(EPOCH).exists() {
            // An earlier start may have made what is there and failed before it was on disk.
            sync(dir)?;
        }
    }
    recognise(dir)?;
    Ok(ours)
}

/// Keeps others from making the same store at the same time, by the folder it is in. Where folders cannot be locked
/// nobody is kept.
fn alone(dir: &Path) -> Result<Option<File>, Error> {
    let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) else {
        return Ok(None);
    };
    files::make_folder(above)?;
    let folder = File::open(above).ok().filter(|folder| folder.lock().is_ok());
    Ok(folder)
}

/// Waits until the names of a new store's folders are on disk.
fn sync(dir: &Path) -> Result<(), Error> {
    let above = dir.parent().into_iter();
    let folders = FOLDERS.iter().flat_map(|folder| Path::new(folder).ancestors().skip(1));
    let folders: BTreeSet<PathBuf> =
        above.map(Path::to_owned).chain(folders.map(|folder| dir.join(folder))).collect();
    folders.iter().try_for_each(|folder| files::sync_folder(folder))
}

/// Refuses to begin a store anew where something has been stored: its branch `main` is gone, not its history.
pub(crate) fn check_new(dir: &Path) -> Result<(), Error> {
    let holds =
        |path: &str| fs::read_dir(dir.join(path)).is_ok_and(|mut found| found.next().is_some());
    let is_used = holds("objects/pack")
        || dir.join("esker/index/main").exists()
        || !refs::names(dir, "refs/")?.is_empty();
    if !is_used {
        return Ok(());
    }
    let reason = "its branch main is gone, but not what was stored; `esker repair` looks for it, or put it back with \
                  `git update-ref refs/heads/main REVISION`";
    Err(Error::NotAStore { dir: dir.to_owned(), reason: reason.to_owned() })
}

/// Makes what esker needs beside what git keeps: a clone has none of it.
pub(crate) fn complete(dir: &Path) -> Result<(), Error> {
    files::make_folder(&files::temporary(dir))
}

/// Refuses a folder that is not a bare git repository of the kind esker can read.
pub(crate) fn recognise(dir: &Path) -> Result<(), Error> {
    let not =
        |reason: &str| Err(Error::NotAStore { dir: dir.to_owned(), reason: reason.to_owned() });
    if dir.exists() && !dir.is_dir() {
        return not("it is not a folder");
    }
    if !dir.is_dir() {
        return not("there is no such folder");
    }
    if !(dir.join("objects").is_dir() && dir.join("refs").is_dir() && dir.join("HEAD").is_file()) {
        return not("it is no git repository");
    }
    let path = dir.join("config");
    let config = fs::read_to_string(&path).map_err(Error::read(&path))?;
    let config = config.to_ascii_lowercase();
    if config.contains("reftable") || config.contains("sha256") {
        return not("its git format is another one (sha256 or reftable)");
    }
    Ok(())
}

/// Whether there is nothing there: no folder, or an empty one.
fn is_empty(dir: &Path) -> Result<bool, Error> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(Error::read(dir)(error)),
    }
}

/// A store held for this process.
pub(crate) struct Hold(File);

impl Drop for Hold {
    /// Lets go at once, even where a child program that is just being started shares the open file.
    fn drop(&mut self) {
        drop(self.0.unlock());
    }
}

/// Holds the store for this process.
pub(crate) fn hold(dir: &Path) -> Result<Hold, Error> {
    let path = dir.join("esker/lock");
    let mut file = files::open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(held(dir, &mut file)),
        Err(TryLockError::Error(error)) => return Err(Error::write(&path)(error)),
    }
    let hold = Hold(file);
    files::set_length(&hold.0, &path, 0)?;
    let text = format!("{}\n", std::process::id());
    files::write_at(&hold.0, &path, (0, text.as_bytes()))?;
    Ok(hold)
}

fn held(dir: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let holder = match read {
        Ok(_) if !text.trim().is_empty() => format!("process {}", text.trim()),
        _ => "another process".to_owned(),
    };
    Error::Held { dir: dir.to_owned(), holder }
}

/// The number of this start: larger than every earlier one, whatever the clock says.
pub(crate) fn next_epoch(dir: &Path, now_ns: u64) -> Result<u64, Error> {
    let path = dir.join(EPOCH);
    let last = match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().unwrap_or(0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(Error::read(&path)(error)),
    };
    let epoch = now_ns.max(last + 1);
    files::write_file(dir, &path, format!("{epoch}\n").as_bytes())?;
    Ok(epoch)
}

#[cfg(test)]
mod tests;
