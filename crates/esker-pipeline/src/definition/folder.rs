//! `folder = "drop/*.csv"`: the files of a folder whose names are as wanted.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most files of a folder.
const FILES_MAX: usize = 10_000;

/// A folder, and what its files are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    folder: String,
    /// `*` stands for any characters, `?` for one.
    name: String,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "*" => f.write_str(&self.folder),
            name => write!(f, "{}/{name}", self.folder),
        }
    }
}

impl Pattern {
    /// Reads `drop`, or `drop/*.csv`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let example = "write for example \"drop\" or \"drop/*.csv\"";
        let (folder, name) = match text.rsplit_once('/') {
            Some((folder, name)) if has_wildcard(name) => (folder, name),
            None if has_wildcard(text) => (".", text),
            _ => (text.trim_end_matches('/'), "*"),
        };
        if folder.is_empty() || text.contains(['\0', '\n']) {
            return Err(format!("{text:?} names no folder; {example}"));
        }
        if has_wildcard(folder) {
            return Err(format!("{text:?}: only the file's name may have a `*` or `?`; {example}"));
        }
        Ok(Self { folder: folder.to_owned(), name: name.to_owned() })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        Path::new(&self.folder)
    }

    /// Whether a file of the folder is wanted; hidden ones and those of editors are not.
    pub(crate) fn matches(&self, name: &str) -> bool {
        !name.contains('\n') && self.means(name)
    }

    /// Whether a name is one of those meant, though perhaps none that a stream can have.
    fn means(&self, name: &str) -> bool {
        let is_ours = !name.starts_with(['.', '~']) && !name.ends_with('~');
        is_ours && is_like(name, &self.name)
    }

    /// The files that are there, by name. A link that leads out of the folder is none.
    pub(crate) fn files(&self, dir: &Path) -> io::Result<Vec<(String, PathBuf)>> {
        let folder = dir.join(&self.folder).canonicalize()?;
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, name) = (entry.path(), entry.file_name());
            let shown = name.to_string_lossy();
            if !self.means(&shown) || !path.is_file() {
                continue;
            }
            // What cannot be a stream's name is told rather than left out.
            let is_plain = |name: &&str| !name.contains(char::is_control);
            let Some(name) = name.to_str().filter(is_plain).map(str::to_owned) else {
                let why = format!("the name {shown:?} is not UTF-8, or holds control characters");
                return Err(io::Error::other(why));
            };
            // Whoever may put a file there need not be one who may read what a link leads to.
            if entry.file_type()?.is_symlink() && !path.canonicalize()?.starts_with(&folder) {
                continue;
            }
            files.push((name, path));
            if files.len() > FILES_MAX {
                return Err(io::Error::other(format!("it has more than {FILES_MAX} files")));
            }
        }
        files.sort();
        Ok(files)
    }
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether a text is as a pattern says, going back to the last `*` where it is not.
pub(super) fn is_like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) =
        (text.chars().collect(), pattern.chars().collect());
    let (mut at, mut of) = (0, 0);
    let mut star = None;
    while at < text.len() {
        match pattern.get(of) {
            Some('*') => {
                star = Some((of, at));
                of += 1;
            }
            Some(c) if *c == '?' || *c == text[at] => {
                (at, of) = (at + 1, of + 1);
            }
            _ => match star {
                Some((back, from)) => {
                    star = Some((back, from + 1));
                    (at, of) = (from + 1, back + 1);
                }
                None => return false,
            },
        }
    }
    pattern[of..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests;
