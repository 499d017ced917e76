//! References as git keeps them: loose files, and the packed file that `git gc` makes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use esker_wire::name::Branch;
use esker_wire::revision::Revision;

use crate::error::Error;

/// Where the tags are.
pub(crate) const TAGS: &str = "refs/tags/";

/// Where every branch but `main` is.
pub(crate) const BRANCHES: &str = "refs/esker/";

/// The full name of a branch's reference.
pub(crate) fn of_branch(branch: &Branch) -> String {
    if branch.is_main() { "refs/heads/main".to_owned() } else { format!("{BRANCHES}{branch}") }
}

/// What a reference names, if it exists.
pub(crate) fn read(git_dir: &Path, name: &str) -> Result<Option<Revision>, Error> {
    let path = git_dir.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => parse(&path, text.trim_end()).map(Some),
        Err(error) if is_absent(&error) => Ok(packed(git_dir)?.remove(name)),
        Err(error) => Err(Error::read(&path)(error)),
    }
}

/// The names of the references below `prefix` (a folder, with its slash), without it.
pub(crate) fn names(git_dir: &Path, prefix: &str) -> Result<BTreeSet<String>, Error> {
    let found = packed(git_dir)?.into_keys().chain(loose_names(git_dir, prefix)?);
    Ok(found.filter_map(|name| name.strip_prefix(prefix).map(str::to_owned)).collect())
}

/// The name among `names` that `name` cannot be beside, for git keeps references as files in folders: `v1/x`
/// where `v1` is, and the other way round.
pub(crate) fn clash<'a>(
    name: &str,
    mut names: impl Iterator<Item = &'a String>,
) -> Option<&'a String> {
    let below = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.starts_with('/'))
    };
    names.find(|known| below(known, name) || below(name, known))
}

fn loose_names(git_dir: &Path, prefix: &str) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    let mut folders = vec![prefix.trim_end_matches('/').to_owned()];
    while let Some(folder) = folders.pop() {
        let path = git_dir.join(&folder);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => continue,
            Err(error) => return Err(Error::read(&path)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(Error::read(&path))?;
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().map_err(Error::read(&path))?.is_dir() {
                folders.push(name);
            } else if !name.ends_with(".lock") {
                found.push(name);
            }
        }
    }
    Ok(found)
}

/// The references of `packed-refs`: lines `ID NAME`, comments, and `^ID` for what a tag names.
fn packed(git_dir: &Path) -> Result<BTreeMap<String, Revision>, Error> {
    let path = git_dir.join("packed-refs");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if is_absent(&error) => return Ok(BTreeMap::new()),
        Err(error) => return Err(Error::read(&path)(error)),
    };
    let lines = text.lines().filter(|line| !line.starts_with(['#', '^']));
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(id, name)| Ok((name.to_owned(), parse(&path, id)?)))
        .collect()
}

fn parse(path: &Path, text: &str) -> Result<Revision, Error> {
    text.parse()
        .map_err(|error| Error::read(path)(io::Error::new(io::ErrorKind::InvalidData, error)))
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
}

#[cfg(test)]
mod tests;
