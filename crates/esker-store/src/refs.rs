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

/// What git takes for blank at the end of a file; there are more.
pub(crate) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];

/// The full name of a branch's reference.
pub(crate) fn of_branch(branch: &Branch) -> String {
    if branch.is_main() { "refs/heads/main".to_owned() } else { format!("{BRANCHES}{branch}") }
}

/// The branch of a reference, if it is one of a branch.
pub(crate) fn branch_of(name: &String) -> Option<Branch> {
    match name.strip_prefix(BRANCHES) {
        Some(branch) => branch.parse().ok(),
        None => (name == "refs/heads/main").then(Branch::main),
    }
}

/// What a reference names, if it exists.
pub(crate) fn read(git_dir: &Path, name: &str) -> Result<Option<Revision>, Error> {
    let path = git_dir.join(name);
    match fs::read_to_string(&path) {
        Ok(text) => parse(&path, text.trim_end_matches(BLANKS)).map(Some),
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

/// The files below a folder, as references are kept, by their paths.
pub(crate) fn loose_names(git_dir: &Path, prefix: &str) -> Result<Vec<String>, Error> {
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

/// Whether git takes a text for a reference's full name.
pub(crate) fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.ends_with(".lock")
    };
    let odd = |letter: char| letter.is_control() || " ~^:?*[\\\u{fffd}".contains(letter);
    let is_odd = text.contains(odd) || text.contains("..") || text.contains("@{");
    text.starts_with("refs/") && !is_odd && text.split('/').all(part)
}

/// Whether git can read `packed-refs`, which it refuses as a whole; also if there is none.
pub(crate) fn is_packed_sound(git_dir: &Path) -> bool {
    let path = git_dir.join("packed-refs");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return is_absent(&error),
    };
    let is_sound = |(number, line): (usize, &str)| {
        if let Some(peeled) = line.strip_prefix('^') {
            return number > 0 && parse(&path, peeled).is_ok();
        }
        let named = line.split_once(' ').filter(|(_, name)| is_name(name));
        number == 0 && line.starts_with("# pack-refs with: ")
            || named.is_some_and(|(id, _)| parse(&path, id).is_ok())
    };
    text.lines().enumerate().all(is_sound) && (text.is_empty() || text.ends_with('\n'))
}

/// Every reference there is, by its full name, with what is wrong with those that cannot be read.
pub(crate) fn survey(git_dir: &Path) -> Result<BTreeMap<String, Result<Revision, Error>>, Error> {
    let path = git_dir.join("packed-refs");
    let text = match fs::read(&path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if is_absent(&error) => String::new(),
        Err(error) => return Err(Error::read(&path)(error)),
    };
    let mut found = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with(['#', '^'])) {
        let (id, name) = line.split_once(' ').unwrap_or((line, "packed-refs"));
        found.insert(name.to_owned(), parse(&path, id));
    }
    for name in loose_names(git_dir, "refs/")? {
        let path = git_dir.join(&name);
        let read = fs::read_to_string(&path).map_err(Error::read(&path));
        found.insert(name, read.and_then(|text| parse(&path, text.trim_end_matches(BLANKS))));
    }
    Ok(found)
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
