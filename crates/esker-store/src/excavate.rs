//! Excavations: a store as it was at a revision, to be looked at and asked what if, without a touch of the original.
//!
//! A private folder has references of its own and takes every object from the original, by git's
//! `objects/info/alternates`; large contents are read from there too. `main` ends at the revision. Only what-ifs are
//! written, into the private folder.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::project;
use esker_wire::revision::Revision;

use crate::commit::{Commit, IDENTITY};
use crate::error::Error;
use crate::files;
use crate::layout;
use crate::objects::{Kind, Objects};
use crate::refs;
use crate::store::{Options, Store};
use crate::trailers;

/// Where a repository names those that it takes objects from.
const ALTERNATES: &str = "objects/info/alternates";
/// What a plain clone has of the branches it was cloned from.
const TRACKED: &str = "refs/remotes/origin/";
/// Where an excavation says at which revision it ends.
const UNTIL: &str = "esker/until";
/// How far alternates of alternates are followed.
const DEPTH_MAX: usize = 5;

/// The repository of a store or of a plain clone of one: the folder itself, or what its `.git` is or names.
///
/// # Errors
/// If it is no git repository that esker can read.
pub fn repository(from: &Path) -> Result<PathBuf, Error> {
    let mut found = from.to_owned();
    let inner = from.join(".git");
    if inner.is_dir() {
        found = inner;
    } else if inner.is_file() {
        let text = fs::read_to_string(&inner).map_err(Error::read(&inner))?;
        let named = text.trim().strip_prefix("gitdir: ").map(|named| from.join(named));
        found = named.ok_or_else(|| not(from, "its .git names no repository"))?;
    }
    let common = found.join("commondir");
    if common.is_file() {
        // A further work tree: what all have in common is elsewhere.
        let text = fs::read_to_string(&common).map_err(Error::read(&common))?;
        found = found.join(text.trim());
    }
    layout::recognise(&found)?;
    if found.join("shallow").exists() {
        return Err(not(from, "its history is cut off: run `git fetch --unshallow` in it first"));
    }
    fs::canonicalize(&found).map_err(Error::read(&found))
}

/// Opens a store, or a plain clone of one, for reading, whoever else has it open: so a date, a tag or a short revision
/// can be resolved before it is excavated.
///
/// # Errors
/// If it is neither.
pub fn open_original(from: &Path, options: Options) -> Result<Store, Error> {
    Store::open_read_only(&repository(from)?, options)
}

/// Makes a private store folder `dir`, where nothing may be yet, that ends at a revision of the store or clone `from`,
/// whoever opens it.
///
/// # Errors
/// If `from` is no store, has no such commit, or the folder cannot be written.
pub fn excavate_into(dir: &Path, from: &Path, until: Revision) -> Result<(), Error> {
    let original = repository(from)?;
    let is_there = Objects::open(&original)?.read(until)?;
    if is_there.is_none_or(|object| object.kind != Kind::Commit) {
        let reason = format!("it has no commit {until}; if it was stored just now, try again");
        return Err(not(from, &reason));
    }
    let objects = original.join("objects");
    let alternates = objects.to_str().filter(|path| !path.contains('\n'));
    let alternates = alternates.ok_or_else(|| not(from, "its path cannot be named to git"))?;
    if fs::read_dir(dir).is_ok_and(|mut found| found.next().is_some()) {
        return Err(not(dir, "there is something in it already"));
    }
    layout::make(dir)?;
    files::write_file(dir, &dir.join(ALTERNATES), format!("{alternates}\n").as_bytes())?;
    let mut packed = String::new();
    for (name, id) in references(&original, until)? {
        packed.push_str(&format!("{id} {name}\n"));
    }
    let index = original.join("esker/index/main");
    if let Ok(bytes) = fs::read(&index) {
        // So that not every commit need be read; what it has beyond is left out.
        let copy = dir.join("esker/index/main");
        copy.parent().map_or(Ok(()), files::make_folder)?;
        files::write_file(dir, &copy, &bytes)?;
    }
    files::write_file(dir, &dir.join(UNTIL), format!("{until}\n").as_bytes())?;
    files::write_file(dir, &dir.join("packed-refs"), packed.as_bytes())
}

/// The revision at which an excavation ends; none of any other store.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn until(git_dir: &Path) -> Result<Option<Revision>, Error> {
    let path = git_dir.join(UNTIL);
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse() {
            Ok(until) => Ok(Some(until)),
            Err(_) => Err(not(git_dir, "its esker/until is no revision")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::read(&path)(error)),
    }
}

/// What an excavation's references are: `main` at the revision, the project that was in force there, and all tags. Runs
/// are remembered by no more than what they left: what is recorded of them is of later ones too.
fn references(original: &Path, until: Revision) -> Result<BTreeMap<String, Revision>, Error> {
    let mut found = BTreeMap::new();
    for (name, id) in refs::survey(original)? {
        if let Some(id) = id.ok().filter(|_| name.starts_with(refs::TAGS)) {
            found.insert(name, id);
        }
    }
    let objects = Objects::open(original)?;
    let commit = objects.read(until)?.and_then(|object| Commit::from_bytes(&object.bytes).ok());
    let commit = commit.filter(|commit| commit.committer == IDENTITY);
    let then = commit.and_then(|commit| trailers::read(&commit.message).project);
    if let Some(then) = then
        && objects.read(then)?.is_some()
    {
        found.insert(refs::of_branch(&project::branch()), then);
    }
    found.insert(refs::of_branch(&Branch::main()), until);
    Ok(found)
}

/// The name by which a plain clone knows a branch of where it comes from.
pub(crate) fn tracked(name: &str) -> Option<String> {
    let branch = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix(refs::BRANCHES))?;
    Some(format!("{TRACKED}{branch}"))
}

/// The repositories that one takes objects from, and those that these do.
pub(crate) fn originals(git_dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut next = vec![git_dir.to_owned()];
    for _ in 0..DEPTH_MAX {
        let mut named = Vec::new();
        for dir in &next {
            let text = fs::read_to_string(dir.join(ALTERNATES)).unwrap_or_default();
            let paths = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            let paths = paths.map(|path| dir.join("objects").join(path));
            named.extend(paths.filter_map(|path| path.parent().map(Path::to_owned)));
        }
        named.retain(|dir| !found.contains(dir));
        found.extend(named.iter().cloned());
        next = named;
    }
    found
}

fn not(dir: &Path, reason: &str) -> Error {
    Error::NotAStore { dir: dir.to_owned(), reason: reason.to_owned() }
}

impl Store {
    /// Refuses what an excavation does not take: it is to stay as it was, but for what-ifs.
    pub(crate) fn check_excavation(&self, branch: &Branch) -> Result<(), Fault> {
        let Some(until) = self.options.until.filter(|_| !is_what_if(branch)) else {
            return Ok(());
        };
        let message =
            format!("this is an excavation of {until}: it is read-only; what-ifs are allowed");
        Err(Fault::new(Code::NotWritable, message)
            .hint("put on a branch whatif/… of it, or in the original"))
    }

    /// Refuses an excavation whose `main` does not end where it is to.
    pub(crate) fn check_until(&mut self) -> Result<(), Error> {
        let Some(until) = self.options.until else {
            return Ok(());
        };
        let head = self.history(&Branch::main())?.head().map(|step| step.revision);
        if head == Some(until) {
            return Ok(());
        }
        Err(not(&self.dir, &format!("its branch main has no commit {until}")))
    }
}

/// Whether a branch holds what would be, if.
pub(crate) fn is_what_if(branch: &Branch) -> bool {
    branch.as_str().starts_with("whatif/")
}
