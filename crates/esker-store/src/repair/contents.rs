//! Large contents that are damaged or missing: brought from clones and mirrors that have them whole.

use std::path::{Path, PathBuf};

use super::{ASIDE, move_aside};
use crate::check::Finding;
use crate::deep::{Lost, git_dir_of};
use crate::error::Error;
use crate::files;
use crate::large::{copy, file_of, place};

/// What was done about them, or would be.
#[derive(Default)]
pub(super) struct Mended {
    pub(super) steps: Vec<String>,
    /// What stays.
    pub(super) left: Vec<Finding>,
}

/// Brings what is lost from the repositories `from`; with `is_dry` it only tells what would be brought.
pub(super) fn mend(
    (dir, from): (&Path, &[PathBuf]),
    lost: &[Lost],
    is_dry: bool,
    told: &mut dyn FnMut(&str),
) -> Mended {
    let mut done = Mended::default();
    for (index, one) in lost.iter().enumerate() {
        told(&format!("{index} of {} large contents looked for", lost.len()));
        match source(dir, from, one, is_dry) {
            Ok(source) if source.is_some() || one.is_here && one.is_in_bucket => {
                let step = if is_dry { Ok(()) } else { put(dir, one, source.as_deref()) };
                done.note(dir, one, (source, step));
            }
            Ok(_) => done.left.push(one.finding.clone()),
            Err(error) => done.left.push(with(&one.finding, &error)),
        }
    }
    done
}

impl Mended {
    fn note(
        &mut self,
        dir: &Path,
        one: &Lost,
        (source, step): (Option<PathBuf>, Result<(), Error>),
    ) {
        if let Err(error) = step {
            self.left.push(with(&one.finding, &error));
            return;
        }
        let id = one.pointer.id;
        if one.is_here {
            self.steps.push(format!("move {} to {ASIDE}", file_of(dir, id).display()));
        }
        self.steps.push(match source {
            Some(source) => format!("bring the large content {id} from {}", source.display()),
            None => format!("leave the large content {id} to the bucket, which has it"),
        });
    }
}

/// Where a content is whole, if anywhere; unless it is only asked, it is on disk here by then, under another name.
fn source(
    dir: &Path,
    from: &[PathBuf],
    one: &Lost,
    is_dry: bool,
) -> Result<Option<PathBuf>, Error> {
    let id = one.pointer.id;
    let mut failed = None;
    for repository in from {
        let path = file_of(&git_dir_of(repository)?, id);
        if !path.is_file() {
            continue;
        }
        let tried = match is_dry {
            true => copy::check(&path, id),
            false => copy::whole(&path, &half(dir, one), id),
        };
        match tried {
            Ok(()) => return Ok(Some(path)),
            Err(error) => drop(failed.get_or_insert(error)),
        }
    }
    failed.map_or(Ok(None), Err)
}

/// Puts what was brought in its place, and what was there aside.
fn put(dir: &Path, one: &Lost, source: Option<&Path>) -> Result<(), Error> {
    if one.is_here {
        move_aside(dir, &file_of(dir, one.pointer.id))?;
    }
    source.map_or(Ok(()), |_| place(dir, &half(dir, one), one.pointer.id))
}

fn half(dir: &Path, one: &Lost) -> PathBuf {
    files::temporary(dir).join(format!("repair-{}", one.pointer.id.digits()))
}

fn with(finding: &Finding, error: &Error) -> Finding {
    let Finding { message, hint } = finding;
    Finding { message: format!("{message}; {error}"), hint: hint.clone() }
}

#[cfg(test)]
mod tests;
