//! Large contents, which git holds only pointers to: brought along with the commits that name them.
//!
//! They lie in `lfs/objects/AA/BB/ID`, as git-lfs has them. To and from a repository on this machine they are
//! linked or copied; elsewhere git-lfs carries them.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use esker_wire::remote::Remote;

use super::git::{self, Git};

/// Where they lie in a repository.
const FOLDER: &str = "lfs/objects";
/// How many are named to git-lfs at once.
const NAMED_MAX: usize = 200;
/// What a pointer begins with.
const POINTER: &str = "version https://git-lfs.github.com/spec/v1";

/// The large contents that are known to be in a mirror.
#[derive(Debug, Default)]
pub(crate) struct Sent(BTreeSet<String>);

impl Sent {
    /// Brings to the mirror what is not there yet; why not, if something is left.
    pub(crate) fn push(&mut self, git: &Git, remote: &Remote) -> Result<(), String> {
        let here = objects(&git.dir).map_err(|error| cannot(&error.to_string()))?;
        let left: Vec<String> = here.difference(&self.0).cloned().collect();
        if left.is_empty() {
            return Ok(());
        }
        match remote.local() {
            Some(path) => {
                let Some(there) = repository(path) else {
                    // Git says so better.
                    return Ok(());
                };
                copy(&git.dir, &there, &left).map_err(|error| cannot(&error.to_string()))?;
            }
            None => {
                for ids in left.chunks(NAMED_MAX) {
                    let mut args = vec!["lfs", "push", "--object-id", remote.as_given()];
                    args.extend(ids.iter().map(String::as_str));
                    lfs(git, &args)?;
                }
            }
        }
        self.0 = here;
        Ok(())
    }
}

/// Brings every large content here; what to do, if it cannot be done.
pub(crate) fn fetch(git: &Git, remote: &Remote) -> Result<(), String> {
    if let Some(path) = remote.local() {
        let Some(from) = repository(path) else {
            return Ok(());
        };
        let copied = objects(&from)
            .and_then(|ids| copy(&from, &git.dir, &ids.into_iter().collect::<Vec<_>>()));
        return copied.map_err(|error| cannot(&error.to_string()));
    }
    let grep = ["grep", "-q", "-F", "-e", POINTER, "refs/heads/main"];
    let holds_pointers = git.run(&grep, String::new(), &mut |_| {}).is_ok_and(|ran| ran.success);
    if holds_pointers { lfs(git, &["lfs", "fetch", "--all", remote.as_given()]) } else { Ok(()) }
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
fn repository(path: &Path) -> Option<PathBuf> {
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

fn place(repository: &Path, id: &str) -> PathBuf {
    repository.join(FOLDER).join(&id[..2]).join(&id[2..4]).join(id)
}

/// Links or copies them, each whole or not at all.
fn copy(from: &Path, to: &Path, ids: &[String]) -> io::Result<()> {
    for id in ids {
        let (source, target) = (place(from, id), place(to, id));
        if target.exists() {
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        let linked = fs::hard_link(&source, &target);
        if linked.is_ok() || target.exists() {
            continue;
        }
        let half = target.with_extension(format!("{}.half", std::process::id()));
        let copied = fs::copy(&source, &half)
            .and_then(|_| fs::File::open(&half)?.sync_all())
            .and_then(|()| fs::rename(&half, &target));
        if copied.is_err() {
            drop(fs::remove_file(&half));
        }
        copied?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
