//! The way back: a store made from a mirror, whole and checked, or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use esker_wire::remote::Remote;

use super::Halt;
use super::fetch;
use super::git::{self, Git};
use super::large;
use super::push;
use crate::error::Error;
use crate::files;
use crate::store::Store;

/// How long git may say nothing: a check of a large store takes its time.
const SILENCE_MAX: Duration = Duration::from_secs(600);

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// How many commits, of the data and of everything else.
    pub commits: u64,
    /// What is not there, and why.
    pub lacks: Option<String>,
}

/// A repository under way, removed unless it is put in its place.
struct Half(PathBuf);

impl Drop for Half {
    fn drop(&mut self) {
        // What cannot be removed is swept by the next try.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Makes the store in `dir`, where nothing may be yet, from a mirror: every commit, the runs' records, tags and large
/// contents. `told` hears how it goes on.
///
/// # Errors
/// If the mirror cannot be fetched or is no sound store, or the folder cannot be written. Then nothing is left.
pub fn restore(
    dir: &Path,
    remote: &Remote,
    halt: Halt,
    told: &mut dyn FnMut(&str),
) -> Result<Restored, Error> {
    make(dir, remote, halt, told, &|_| Ok(()))
}

/// As [`restore`]; `finish` adds what is to be there from the first moment.
pub(super) fn make(
    dir: &Path,
    remote: &Remote,
    halt: Halt,
    told: &mut dyn FnMut(&str),
    finish: &dyn Fn(&Path) -> Result<(), Error>,
) -> Result<Restored, Error> {
    if fs::symlink_metadata(dir).is_ok() {
        let reason = "there is something already; nothing was restored".to_owned();
        return Err(Error::NotAStore { dir: dir.to_owned(), reason });
    }
    sweep(dir);
    let half = Half(half_of(dir, std::process::id()));
    let git = Git { dir: half.0.clone(), silence_max: SILENCE_MAX, halt };
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent).map_err(Error::write(parent))?;
    }
    git.ask(&["init", "--bare", "-q", "--template=", "--initial-branch=main"], String::new())?;
    // As every store has it: clones may leave out contents.
    git.ask(&["config", "uploadpack.allowFilter", "true"], String::new())?;
    let wrong = |reason: String| Error::Git { deed: format!("read a store from {remote}"), reason };
    fetch::fetch(&git, remote, told).map_err(|trouble| wrong(trouble.text().to_owned()))?;
    told("checking");
    if let Some(finding) = Store::check_git(&half.0).into_iter().next() {
        return Err(wrong(finding.message));
    }
    let fsck = ["fsck", "--strict", "--no-dangling", "--progress"];
    let checked = git.run(&fsck, String::new(), told)?;
    if !checked.success {
        return Err(wrong(format!("git fsck: {}", git::complaint(&checked.stderr))));
    }
    let lacks = large::fetch(&git, remote).err();
    let commits = push::count(&git, &push::heads(&git)?, &push::Heads::new())?;
    finish(&half.0)?;
    sync(&half.0)?;
    fs::rename(&half.0, dir).map_err(Error::write(dir))?;
    files::sync_parent(dir)?;
    Ok(Restored { commits, lacks })
}

/// Waits until all of it is on disk: git itself does not.
fn sync(dir: &Path) -> Result<(), Error> {
    let folder = fs::File::open(dir).map_err(Error::write(dir))?;
    rustix::fs::syncfs(&folder).map_err(|error| Error::write(dir)(error.into()))
}

/// Where a store is made, by this process.
fn half_of(dir: &Path, pid: u32) -> PathBuf {
    dir.with_extension(format!("{pid}.half"))
}

/// Removes what killed processes have left half made.
fn sweep(dir: &Path) {
    let entries = dir.parent().and_then(|parent| fs::read_dir(parent).ok());
    for entry in entries.into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_suffix(".half").and_then(|name| name.rsplit('.').next()?.parse().ok());
        let Some(pid) = pid.filter(|pid: &u32| half_of(dir, *pid) == path) else {
            continue;
        };
        if !Path::new("/proc").join(pid.to_string()).exists() {
            drop(fs::remove_dir_all(path));
        }
    }
}
