//! Large contents, which git holds only pointers to: brought along with the commits that name them.
//!
//! They lie in `lfs/objects/AA/BB/ID`, as git-lfs has them. To and from a repository on this machine they are
//! copied, and checked; elsewhere git-lfs carries them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use esker_wire::pointer::ContentId;
use esker_wire::remote::Remote;

use super::git::{self, Git};
use crate::error::Error;
use crate::files;
use crate::large;

/// Where they lie in a repository.
const FOLDER: &str = "lfs/objects";
/// How many are named to git-lfs at once.
const NAMED_MAX: usize = 200;

/// The large contents that are known to be in a mirror.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    there: BTreeSet<String>,
    damaged: Damaged,
}

/// What was found damaged where it was to be copied from, and of when that was: it is not read again before it has
/// changed.
type Damaged = BTreeMap<PathBuf, (SystemTime, String)>;

impl Sent {
    /// Brings to the mirror what is not there yet; why not, if something is left.
    pub(crate) fn push(&mut self, git: &Git, remote: &Remote) -> Result<(), String> {
        let here = objects(&git.dir).map_err(|error| cannot(&error.to_string()))?;
        let left: Vec<String> = here.difference(&self.there).cloned().collect();
        if left.is_empty() {
            return Ok(());
        }
        match remote.local() {
            Some(path) => {
                let Some(there) = repository(path) else {
                    // Git says so better.
                    return Ok(());
                };
                copy(git, (&git.dir, &there), &left, &mut self.damaged)?;
            }
            None => {
                for ids in left.chunks(NAMED_MAX) {
                    let mut args = vec!["lfs", "push", "--object-id", remote.as_given()];
                    args.extend(ids.iter().map(String::as_str));
                    lfs(git, &args)?;
                }
            }
        }
        self.there = here;
        Ok(())
    }
}

/// Brings every large content here; what to do, if it cannot be done.
pub(crate) fn fetch(git: &Git, remote: &Remote) -> Result<(), String> {
    if let Some(path) = remote.local() {
        let Some(from) = repository(path) else {
            return Ok(());
        };
        let ids = objects(&from).map_err(|error| cannot(&error.to_string()))?;
        let ids: Vec<String> = ids.into_iter().collect();
        return copy(git, (&from, &git.dir), &ids, &mut Damaged::new());
    }
    // Every commit changes that file which stores a resource's first large content.
    let first = ["rev-list", "--max-count=1", "--all", "--", large::ATTRIBUTES];
    let has_some = git.ask(&first, String::new()).is_ok_and(|found| !found.is_empty());
    if has_some { lfs(git, &["lfs", "fetch", "--all", remote.as_given()]) } else { Ok(()) }
}

fn lfs(git: &Git, args: &[&str]) -> Result<(), String> {
    let ran =
        git.run(args, String::new(), &mut |_| {}).map_err(|error| cannot(&error.to_string()))?;
    if ran.success {
        return Ok(());
    }
    Err(if ran.stderr.contains("'lfs' is not a git command") {
        cannot("git-lfs is not installed here")
    } else {
        cannot(&git::complaint(&ran.stderr))
    })
}

fn cannot(reason: &str) -> String {
    format!("cannot bring the large contents: {reason}")
}

/// The repository's own folder, of one with or without a work tree.
pub(crate) fn repository(path: &Path) -> Option<PathBuf> {
    let candidates = [path.join(".git"), path.to_owned()];
    candidates.into_iter().find(|dir| dir.join("objects").is_dir())
}

/// The names of the large contents in a repository.
fn objects(repository: &Path) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut folders = vec![repository.join(FOLDER)];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                found.insert(name);
            }
        }
    }
    Ok(found)
}

pub(crate) fn place(repository: &Path, id: &str) -> PathBuf {
    repository.join(FOLDER).join(&id[..2]).join(&id[2..4]).join(id)
}

/// Copies them, each whole and checked or not at all; why not, if something is left. One that is damaged where it is
/// copied from is left out.
fn copy(
    git: &Git,
    (from, to): (&Path, &Path),
    ids: &[String],
    damaged: &mut Damaged,
) -> Result<(), String> {
    let mut left = None;
    for id in ids {
        if (git.halt)() {
            return Err(cannot("it was to end"));
        }
        match copy_one((from, to), id, damaged) {
            Ok(()) => {}
            Err(Error::Content { id, reason }) => {
                left.get_or_insert(format!("the large content {id} {reason}"));
            }
            Err(error) => return Err(cannot(&error.to_string())),
        }
    }
    left.map_or(Ok(()), |reason| Err(cannot(&reason)))
}

fn copy_one((from, to): (&Path, &Path), id: &str, damaged: &mut Damaged) -> Result<(), Error> {
    let (source, target) = (place(from, id), place(to, id));
    let Ok(content) = ContentId::from_digits(id) else {
        return Ok(());
    };
    let there = match fs::metadata(&source) {
        Ok(there) => there,
        // Removed meanwhile, for nobody names it or it is in the bucket.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::read(&source)(error)),
    };
    if fs::metadata(&target).is_ok_and(|here| is_copy(&there, &here)) {
        return Ok(());
    }
    let modified = there.modified().map_err(Error::read(&source))?;
    if let Some((_, reason)) = damaged.get(&source).filter(|(when, _)| *when == modified) {
        return Err(Error::Content { id: content, reason: reason.clone() });
    }
    if let Some(folder) = target.parent() {
        files::make_folder(folder)?;
        sweep(folder, id);
    }
    let half = half_of(&target, std::process::id());
    let copied = large::copy::copy(&source, (&half, &target), content);
    if let Err(Error::Content { reason, .. }) = &copied {
        damaged.insert(source, (modified, reason.clone()));
    }
    copied
}

/// Whether one file may be a copy of the other. A second name of it, as earlier versions gave, is none: what
/// damages the one damages the other.
fn is_copy(one: &Metadata, other: &Metadata) -> bool {
    one.len() == other.len() && (one.dev(), one.ino()) != (other.dev(), other.ino())
}

/// What is not whole yet, written by this process.
fn half_of(target: &Path, pid: u32) -> PathBuf {
    target.with_extension(format!("{pid}.half"))
}

/// Removes what killed processes have left of a content.
fn sweep(folder: &Path, id: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(id).and_then(|rest| rest.strip_prefix('.'));
        let pid: Option<u32> = pid.and_then(|rest| rest.strip_suffix(".half")?.parse().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            drop(fs::remove_file(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests;
