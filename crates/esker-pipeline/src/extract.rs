//! A project as the store keeps it, put into a folder: the definition and the programs of a commit of the branch
//! `project`.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;
use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::project::{self, ABOUT, About, Tool};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, List};

use crate::commits::DEADLINE;
use crate::definition::{Definition, Stage};
use crate::engine::heads::list;
use crate::engine::keeper::tool;
use crate::fingerprint::{Fingerprints, code_files};

/// Who may read and run a program that may be run.
const EXECUTABLE: u32 = 0o755;

/// Why a project cannot be put into a folder.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store does not give it.
    #[error("cannot read the project at {0}: {1}")]
    Store(Revision, Fault),
    /// A path that leads elsewhere.
    #[error("the project at {0} holds {1:?}, which is no path inside a folder")]
    Outside(Revision, String),
    /// This machine does not let it.
    #[error("cannot write {}: {why}", path.display())]
    Machine {
        /// What was to be written.
        path: PathBuf,
        /// Why it cannot be.
        why: io::Error,
    },
}

/// Writes the files of a project into a folder that exists; gives what it depends on besides.
///
/// # Errors
/// [`Error`]; what was written until then stays.
pub fn extract(caller: &Caller, revision: Revision, dir: &Path) -> Result<About, Error> {
    let fault = |fault| Error::Store(revision, fault);
    let at = At::from(revision);
    let all = List { at: at.clone(), ..List::all(project::branch()) };
    let listing = list(caller, all).map_err(fault)?;
    let mut about = About::default();
    for entry in listing.entries {
        let branch = project::branch();
        let get = Get { at: at.clone(), branch, ..Get::head(entry.resource.clone()) };
        let content = caller.call_blocking(&get, DEADLINE).map_err(fault)?;
        let bytes = content.bytes.unwrap_or_default();
        if entry.resource.as_str() == ABOUT {
            about = About::from_bytes(&bytes).map_err(fault)?;
        } else if let Some(path) = project::path(&entry.resource) {
            write(dir, &path, &bytes).map_err(|error| match error {
                None => Error::Outside(revision, path.clone()),
                Some(why) => Error::Machine { path: dir.join(&path), why },
            })?;
        }
    }
    if about == About::default() {
        let what = format!("there is no {ABOUT} at {revision}");
        return Err(fault(Fault::new(Code::NotFound, what)));
    }
    for path in &about.executable {
        let full = dir.join(path);
        if is_inside(path) && full.exists() {
            let mode = fs::Permissions::from_mode(EXECUTABLE);
            let set = fs::set_permissions(&full, mode);
            set.map_err(|why| Error::Machine { path: full, why })?;
        }
    }
    Ok(about)
}

/// Whether a stage can be run as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All that it is run by is as it was then, as far as is known.
    Same,
    /// A program outside the project is another than then.
    ToolDiffers(Tool, Tool),
    /// A program outside the project is not there.
    ToolMissing(String),
    /// Files of it are not kept, and why not.
    CodeMissing(Vec<(String, String)>),
}

/// How each stage of a project that was put into a folder stands to what there was, in the definition's order.
pub fn verdicts(dir: &Path, definition: &Definition, about: &About) -> Vec<(String, Verdict)> {
    let mut fingerprints = Fingerprints::default();
    let stages = definition.stages.iter();
    stages
        .map(|stage| (stage.name.clone(), verdict(dir, stage, about, &mut fingerprints)))
        .collect()
}

fn verdict(dir: &Path, stage: &Stage, about: &About, fingerprints: &mut Fingerprints) -> Verdict {
    let files = code_files(dir, &stage.program);
    let is_missing = |path: &str| files.iter().any(|file| file.as_path() == Path::new(path));
    let named = |path: &str| stage.program.argv.iter().any(|word| word == path);
    let left_out = about.left_out.iter().filter(|(path, _)| is_missing(path) || named(path));
    let left_out: Vec<_> = left_out.cloned().collect();
    if !left_out.is_empty() {
        return Verdict::CodeMissing(left_out);
    }
    let stamp = stage.stamp.as_ref().and_then(|stamp| stamp.argv.first());
    for word in stage.program.argv.first().into_iter().chain(stamp) {
        let Some(now) = tool(dir, word, fingerprints) else {
            continue;
        };
        if now.path.is_empty() && now.hash.is_empty() {
            return Verdict::ToolMissing(word.clone());
        }
        let then = about.tools.iter().find(|then| then.name == *word);
        if let Some(then) = then.filter(|then| then.hash != now.hash) {
            return Verdict::ToolDiffers(then.clone(), now);
        }
    }
    Verdict::Same
}

/// Writes a file below a folder.
///
/// # Errors
/// None if the path leads elsewhere; else why it cannot be written.
pub(crate) fn write(dir: &Path, path: &str, bytes: &Bytes) -> Result<(), Option<io::Error>> {
    if !is_inside(path) {
        return Err(None);
    }
    let full = dir.join(path);
    if let Some(folder) = full.parent() {
        fs::create_dir_all(folder).map_err(Some)?;
    }
    fs::write(full, bytes).map_err(Some)
}

/// Whether a path leads to something inside the folder that it begins in, and to nothing that git or esker keep there.
fn is_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    let is_kept = |part: &str| ["git", "esker"].iter().any(|name| is_hidden(part, name));
    !path.is_empty()
        && parts.all(|part| matches!(part, Component::Normal(_)))
        && !path.split('/').any(is_kept)
}

/// Whether a part of a path is a dot and this name, in any case: there are disks that make no difference.
fn is_hidden(part: &str, name: &str) -> bool {
    part.strip_prefix('.').is_some_and(|rest| rest.eq_ignore_ascii_case(name))
}
