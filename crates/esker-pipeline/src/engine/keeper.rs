//! Keeps the project in the store as it is in force: what a later run of the same would need, on the branch `project`.
//!
//! It is kept before anything runs, so that every commit of `main` names the definition and the programs it was made by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use esker_bus::caller::Caller;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Resource;
use esker_wire::project::{self, ABOUT, About, Tool};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Item, List, Put};
use sha1::{Digest as _, Sha1};

use crate::commits::{DEADLINE, newest};
use crate::definition::gate::Judge;
use crate::definition::secret::Secret;
use crate::definition::{Definition, FILE, Origin, Program};
use crate::fingerprint::{Fingerprints, app_files, code_files};
use crate::open;
use crate::run::ENGINE;
use crate::whatif::{Door, Project};

use super::library::Library;
use super::{heads, host};

/// The largest file that is kept, in bytes.
const FILE_MAX: u64 = 8 * 1024 * 1024;
/// The most files that are kept: one PUT takes no more, with what is said of them.
const FILES_MAX: usize = 900;

/// The project as the store keeps it.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Whether it may be another one than the store has.
    is_due: bool,
    /// Tells the what-ifs what is in force.
    what_ifs: Option<Door>,
    /// The contents on the branch, by the resources that hold them; none if it was not looked.
    kept: Option<BTreeMap<Resource, Revision>>,
    /// The branch's newest commit.
    at: Option<Revision>,
    fingerprints: Fingerprints,
}

impl Keeper {
    pub(super) fn new(what_ifs: Option<Door>) -> Self {
        let (kept, at, fingerprints) = (None, None, Fingerprints::default());
        Self { is_due: true, what_ifs, kept, at, fingerprints }
    }

    /// The project's files may have changed.
    pub(super) fn touched(&mut self) {
        self.is_due = true;
    }

    /// Brings the branch in line with what is in force, if that may have changed: nothing runs by what is not kept.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn keep(
        &mut self,
        caller: &Caller,
        (dir, library): (&Path, &Library),
        is_bad: bool,
    ) -> Result<(), Fault> {
        if !self.is_due {
            return Ok(());
        }
        self.put(caller, (dir, library.definition()), is_bad)?;
        self.is_due = false;
        if let Some(what_ifs) = &self.what_ifs {
            what_ifs.adopt(Project {
                dir: dir.to_owned(),
                definition: Arc::clone(library.definition()),
                prints: Arc::new(library.prints().clone()),
                revision: self.at,
                _lease: None,
            });
        }
        Ok(())
    }

    /// Puts what is another. While the definition's file is unusable, what is kept of it stays: the last good one is in
    /// force.
    fn put(
        &mut self,
        caller: &Caller,
        (dir, definition): (&Path, &Definition),
        is_bad: bool,
    ) -> Result<(), Fault> {
        let mut wanted = self.wanted(dir, definition);
        let mut kept = match self.kept.take() {
            Some(kept) => kept,
            None => self.read(caller)?,
        };
        if is_bad {
            wanted.retain(|resource, _| !is_definition(resource));
            kept.retain(|resource, _| !is_definition(resource));
        }
        let mut items: Vec<Item> = wanted
            .iter()
            .filter(|(resource, (blob, _))| kept.get(*resource) != Some(blob))
            .map(|(resource, (_, bytes))| item(resource, Some(bytes.clone())))
            .collect();
        let gone = kept.keys().filter(|resource| !wanted.contains_key(*resource));
        items.extend(gone.map(|resource| item(resource, None)));
        if !items.is_empty() {
            let put = Put { message: Some(message(&items)), ..to_branch(items) };
            match caller.call_blocking(&put, DEADLINE) {
                Ok(stored) => self.at = Some(stored.revision),
                // Somebody has put on it meanwhile, or there is too much: whoever runs still runs.
                Err(fault) if matches!(fault.code, Code::TooLarge | Code::BadRequest) => {
                    tracing::warn!(%fault, "the project is not kept: it cannot be excavated later");
                }
                Err(fault) => return Err(fault),
            }
        }
        self.kept = Some(wanted.into_iter().map(|(name, (blob, _))| (name, blob)).collect());
        Ok(())
    }

    fn read(&mut self, caller: &Caller) -> Result<BTreeMap<Resource, Revision>, Fault> {
        self.at = newest(caller, project::branch())?;
        let listing = heads::list(caller, List::all(project::branch()))?;
        let entries = listing.entries.into_iter();
        Ok(entries.filter_map(|entry| Some((entry.resource, entry.blob?))).collect())
    }

    /// Everything that is to be on the branch.
    fn wanted(&mut self, dir: &Path, definition: &Definition) -> BTreeMap<Resource, Kept> {
        let mut about = About { engine: ENGINE.to_owned(), host: host(), ..About::default() };
        let mut wanted = BTreeMap::new();
        let secrets = secrets(definition);
        for path in files(dir, definition) {
            if let Some(why) = unkept(dir, &path, (definition, &secrets)) {
                about.left_out.push((path.to_string_lossy().into_owned(), why.to_owned()));
                continue;
            }
            let Some(text) = path.to_str() else {
                let why = "its name is not UTF-8".to_owned();
                about.left_out.push((path.to_string_lossy().into_owned(), why));
                continue;
            };
            match read(&dir.join(&path), wanted.len()).and_then(|(bytes, may_run)| {
                let resource = project::resource(text).map_err(|error| error.to_string())?;
                Ok((resource, bytes, may_run))
            }) {
                Ok((resource, bytes, may_run)) => {
                    about.executable.extend(may_run.then(|| text.to_owned()));
                    wanted.insert(resource, (blob(&bytes), bytes));
                }
                Err(why) => about.left_out.push((text.to_owned(), why)),
            }
        }
        about.tools = tools(dir, definition, &mut self.fingerprints);
        let about = Bytes::from(about.to_bytes());
        wanted.insert(ABOUT.parse().expect("it is a resource"), (blob(&about), about));
        wanted
    }
}

fn is_definition(resource: &Resource) -> bool {
    project::path(resource).is_some_and(|path| path == FILE)
}

/// A content and the id that git gives it.
type Kept = (Revision, Bytes);

fn item(resource: &Resource, content: Option<Bytes>) -> Item {
    Item { resource: resource.clone(), content, if_head: None, content_type: None }
}

fn to_branch(items: Vec<Item>) -> Put {
    let (branch, provenance, base) = (project::branch(), None, None);
    Put { items, branch, message: None, author: None, provenance, base }
}

fn message(items: &[Item]) -> String {
    let paths: Vec<String> =
        items.iter().filter_map(|item| project::path(&item.resource)).collect();
    match paths.as_slice() {
        [] => "the project's programs are others".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    }
}

/// The definition, and every file inside the project that decides what its runs make, by its path from there.
pub(crate) fn files(dir: &Path, definition: &Definition) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::from([PathBuf::from(FILE)]);
    for program in programs(definition) {
        files.extend(code_files(dir, program));
    }
    for check in definition.gates().flat_map(|(_, gate)| &gate.checks) {
        if let Judge::File(path) = &check.judge {
            files.insert(path.into());
        }
    }
    for source in &definition.sources {
        if let Origin::Pull(pull) = &source.origin {
            files.extend(pull.file().map(Path::to_owned));
        }
    }
    files.extend(app_files(dir, definition));
    files.retain(|path| dir.join(path).exists());
    files
}

/// Why a file of the project is not kept, if it is not: what the store has, every clone of it has for good.
fn unkept(
    dir: &Path,
    path: &Path,
    (definition, secrets): (&Definition, &BTreeSet<PathBuf>),
) -> Option<&'static str> {
    if path == Path::new(FILE) {
        return None;
    }
    let is_secret = |secret: &PathBuf| dir.join(path) == dir.join(secret);
    if secrets.iter().any(is_secret) {
        return Some("it is a secret");
    }
    let hides = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with('.');
    if path.iter().any(hides) {
        return Some("its name begins with a dot");
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    if SECRETIVE.iter().any(|word| name.contains(word)) {
        return Some("it is called like a secret");
    }
    let is_declared = programs(definition)
        .any(|program| program.code.is_some() && code_files(dir, program).contains(path));
    let is_judge = definition
        .gates()
        .flat_map(|(_, gate)| &gate.checks)
        .any(|check| matches!(&check.judge, Judge::File(file) if Path::new(file) == path));
    let is_page = definition.web.app.as_ref().is_some_and(|app| path.starts_with(app));
    if is_declared || is_judge || is_page || is_program(&dir.join(path)) {
        return None;
    }
    Some("it is an argument that is no program; name it in `code` to have it kept")
}

/// What the names of files hold that are likely to be secrets.
const SECRETIVE: [&str; 9] =
    ["secret", "credential", "password", "passwd", "token", ".pem", ".key", ".p12", ".pfx"];

/// What the names of programs and of what programs are made of end with.
const ENDINGS: [&str; 19] = [
    "awk", "bash", "c", "go", "hs", "java", "jl", "jq", "js", "lua", "php", "pl", "py", "r", "rb",
    "rs", "sed", "sh", "sql",
];

/// Whether a file is most likely a program.
fn is_program(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let is_known = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
    let may_run = |at: fs::Metadata| at.permissions().mode() & 0o111 != 0;
    is_known || fs::metadata(path).is_ok_and(may_run)
}

/// The files that secrets are in, as they are written.
fn secrets(definition: &Definition) -> BTreeSet<PathBuf> {
    let programs = programs(definition).flat_map(|program| &program.secrets);
    let programs = programs.map(|(_, secret)| secret);
    let told = definition.told_secrets().map(|(_, secret)| secret);
    let pulled = definition.sources.iter().filter_map(|source| match &source.origin {
        Origin::Pull(pull) => Some(pull.secrets()),
        _ => None,
    });
    let pulled: Vec<_> = pulled.flatten().collect();
    programs.chain(told).chain(pulled).filter_map(Secret::file).collect()
}

/// Everything that is run: programs, those that print an essence, and those that check.
fn programs(definition: &Definition) -> impl Iterator<Item = &Program> {
    let stamps = definition.sources.iter().filter_map(|source| source.stamp.as_ref());
    let stamps = stamps.chain(definition.stages.iter().filter_map(|stage| stage.stamp.as_ref()));
    let checks = definition.gates().flat_map(|(_, gate)| &gate.checks);
    let checks = checks.filter_map(|check| match &check.judge {
        Judge::Run(program) => Some(&**program),
        Judge::File(_) => None,
    });
    definition.programs().map(|(_, program)| program).chain(stamps).chain(checks)
}

/// What a file holds, and whether it may be run.
fn read(path: &Path, count: usize) -> Result<(Bytes, bool), String> {
    if count >= FILES_MAX {
        return Err(format!("over {FILES_MAX} files"));
    }
    let file = open::regular(path).map_err(|error| error.to_string())?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if metadata.len() > FILE_MAX {
        return Err(format!("{} bytes, at most {FILE_MAX} are kept", metadata.len()));
    }
    let mut bytes = Vec::new();
    file.take(FILE_MAX).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok((bytes.into(), metadata.permissions().mode() & 0o111 != 0))
}

/// The programs outside the project, each once.
fn tools(dir: &Path, definition: &Definition, fingerprints: &mut Fingerprints) -> Vec<Tool> {
    let words = programs(definition).filter_map(|program| program.argv.first());
    let words: BTreeSet<&String> = words.collect();
    words.into_iter().filter_map(|word| tool(dir, word, fingerprints)).collect()
}

/// A program as it is found now; none if it is a file of the project.
pub(crate) fn tool(dir: &Path, word: &str, fingerprints: &mut Fingerprints) -> Option<Tool> {
    let (name, nothing) = (word.to_owned(), String::new());
    if word == "esker" {
        return Some(Tool { name, path: nothing, hash: ENGINE.to_owned() });
    }
    let Some(path) = found(dir, word) else {
        return Some(Tool { name, path: nothing.clone(), hash: nothing });
    };
    if dir.canonicalize().is_ok_and(|dir| path.starts_with(dir)) {
        return None;
    }
    let hash = fingerprints.of_tool(&path).unwrap_or_default();
    Some(Tool { name, path: path.to_string_lossy().into_owned(), hash })
}

/// Where a command's first word leads.
fn found(dir: &Path, word: &str) -> Option<PathBuf> {
    if word.contains('/') {
        return fs::canonicalize(dir.join(word)).ok();
    }
    let path = std::env::var_os("PATH")?;
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|at| at.is_file() && at.permissions().mode() & 0o111 != 0)
    };
    let found = std::env::split_paths(&path).map(|folder| folder.join(word)).find(is_program);
    found.and_then(|path| fs::canonicalize(path).ok())
}

/// The id that git gives a content.
fn blob(bytes: &[u8]) -> Revision {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    Revision::from_bytes(hash.finalize().into())
}
