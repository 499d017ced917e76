//! What the project's files are, as hashes: the programs' code and the file sources' contents.
//!
//! A file is read again only when its size, times or inode differ. A file changed within the last moments is
//! read again even so: two changes within one tick of the file system's clock look the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use esker_wire::name::Resource;
use sha2::{Digest, Sha256};

use crate::definition::folder::Pattern;
use crate::definition::gate::{Check, Gate, Guards, Judge, Severity};
use crate::definition::secret::Secret;
use crate::definition::{Definition, Origin, Program};
use crate::key::{Print, hex, sha256};
use crate::open;
use crate::sheets::FILE_MAX;

/// The most files of one program's code.
const CODE_FILES_MAX: usize = 10_000;
/// The largest file of code that is read whole; of a larger one the size and time count.
const CODE_FILE_MAX: u64 = 64 << 20;
/// The largest program outside the project that is read whole.
const TOOL_FILE_MAX: u64 = 512 << 20;
/// How long ago a change must be for the file's times to be trusted.
const TICK: Duration = Duration::from_secs(2);

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    size: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The stamp of the file a path leads to; none if there is no such file.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        metadata.is_file().then(|| Self::of(&metadata))
    }

    /// Whether the file has not changed for this long.
    pub(crate) fn has_rested(&self, rest: Duration) -> bool {
        let seconds = u64::try_from(self.changed.0).unwrap_or(0);
        let nanoseconds = u32::try_from(self.changed.1).unwrap_or(0);
        let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        match SystemTime::now().duration_since(changed) {
            Ok(age) => age >= rest,
            // The clock was set back; there is nothing to wait for.
            Err(ahead) => ahead.duration() > rest,
        }
    }
}

/// The hashes known so far.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints {
    known: HashMap<PathBuf, (Stamp, String)>,
}

impl Fingerprints {
    /// What every source and stage of a definition depends on besides its inputs.
    pub(crate) fn take(&mut self, dir: &Path, definition: &Definition) -> BTreeMap<String, Print> {
        let mut prints: BTreeMap<String, Print> = definition
            .programs()
            .map(|(name, program)| (name.to_owned(), self.of_program(dir, program)))
            .collect();
        for source in &definition.sources {
            let print = match &source.origin {
                Origin::File { path, .. } => {
                    Print { file: self.of_source(&dir.join(path)), ..Print::default() }
                }
                Origin::Folder(pattern) => {
                    Print { file: self.of_pattern(dir, pattern), ..Print::default() }
                }
                Origin::Pull(pull) => {
                    let file = pull.file().and_then(|path| self.of_source(&dir.join(path)));
                    Print { env: of_secrets(dir, &pull.secrets()), file, ..Print::default() }
                }
                Origin::Run(_) | Origin::Tap(_) => continue,
            };
            prints.insert(source.name.clone(), print);
        }
        for (name, gate) in definition.gates() {
            let hash = self.of_gate(dir, gate);
            prints.entry(name.to_owned()).or_default().gate = hash;
        }
        prints
    }

    /// The hash of a gate, as it is written and with what its files hold.
    fn of_gate(&mut self, dir: &Path, gate: &Gate) -> String {
        let mut hash = Sha256::new();
        let Guards { rows_min, rows_drop_max, row_delta_max } = gate.guards;
        let shares = [rows_drop_max, row_delta_max].map(|share| share.map(|share| share.0));
        hash.update(format!("{rows_min:?} {shares:?}\n"));
        for check in &gate.checks {
            let (what, content) = match &check.judge {
                Judge::File(path) => {
                    let content = self.of_file(&dir.join(path), CODE_FILE_MAX);
                    (format!("{path:?}"), content.unwrap_or_else(|| "missing".to_owned()))
                }
                Judge::Run(program) => (format!("{:?}", program.argv), self.of_code(dir, program)),
            };
            let Check { output, stream, severity, .. } = check;
            let severity = match severity {
                Severity::Error => "error",
                Severity::Warn => "warn",
            };
            let output = output.as_ref().map(Resource::as_str);
            hash.update(format!("{what} {content} {output:?} {stream:?} {severity}\n"));
        }
        hex(&hash.finalize())
    }

    fn of_program(&mut self, dir: &Path, program: &Program) -> Print {
        let value = |name: &String| {
            let value = std::env::var_os(name);
            let hash = value.map(|value| sha256(value.as_encoded_bytes()));
            (name.clone(), hash)
        };
        let secrets: Vec<&Secret> = program.secrets.iter().map(|(_, secret)| secret).collect();
        let env = program.env.iter().map(value).chain(of_secrets(dir, &secrets));
        Print { code: self.of_code(dir, program), env: env.collect(), ..Print::default() }
    }

    /// The hash over the names and contents of a program's files.
    fn of_code(&mut self, dir: &Path, program: &Program) -> String {
        let mut hash = Sha256::new();
        let files = code_files(dir, program);
        for path in &files {
            let content = self.of_file(&dir.join(path), CODE_FILE_MAX);
            let content = content.unwrap_or_else(|| "missing".to_owned());
            hash.update(path.as_os_str().as_encoded_bytes());
            hash.update(format!("\n{content}\n"));
        }
        if files.is_empty() {
            return String::new();
        }
        hex(&hash.finalize())
    }

    /// The hash of a program outside the project.
    pub(crate) fn of_tool(&mut self, path: &Path) -> Option<String> {
        self.of_file(path, TOOL_FILE_MAX)
    }

    fn of_source(&mut self, path: &Path) -> Option<String> {
        self.of_file(path, FILE_MAX)
    }

    fn of_pattern(&mut self, dir: &Path, pattern: &Pattern) -> Option<String> {
        let files = pattern.files(dir).ok()?.into_iter();
        let hashes: Vec<_> = files.map(|(name, path)| (name, self.of_source(&path))).collect();
        Some(of_folder(&hashes))
    }

    /// The hash of a file's content; what stands for it if it is larger than `read_max`; none if it cannot be
    /// read.
    fn of_file(&mut self, path: &Path, read_max: u64) -> Option<String> {
        let stamp = Stamp::at(path)?;
        if stamp.size > read_max {
            return Some(format!("{} bytes of {:?}", stamp.size, stamp.modified));
        }
        if let Some((known, hash)) = self.known.get(path)
            && *known == stamp
        {
            return Some(hash.clone());
        }
        let hash = hash_file(path, read_max).ok()?;
        if stamp.has_rested(TICK) {
            self.known.insert(path.to_owned(), (stamp, hash.clone()));
        }
        Some(hash)
    }
}

/// The hash over the names and contents of a folder's files.
pub(crate) fn of_folder(files: &[(String, Option<String>)]) -> String {
    let mut hash = Sha256::new();
    for (name, content) in files {
        hash.update(format!("{name}\n{}\n", content.as_deref().unwrap_or("missing")));
    }
    hex(&hash.finalize())
}

/// Which secrets are there: one that comes lets what failed without it run again. What they are is nobody's to see.
fn of_secrets(dir: &Path, secrets: &[&Secret]) -> Vec<(String, Option<String>)> {
    let known = |secret: &Secret| secret.is_there(dir).then(|| "set".to_owned());
    secrets.iter().map(|secret| (secret.to_string(), known(secret))).collect()
}

fn hash_file(path: &Path, read_max: u64) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = open::regular(path)?.take(read_max);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// The files that are a program's code, relative to the project's folder: those it declares, or the words of
/// its command that name one inside the project.
pub(crate) fn code_files(dir: &Path, program: &Program) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    match &program.code {
        Some(paths) => {
            for path in paths {
                collect(dir, Path::new(path), &mut files);
            }
        }
        None => {
            let words = program.argv.iter().map(Path::new);
            files.extend(words.filter_map(|word| inside(dir, word)));
        }
    }
    files
}

/// A word of a command as a file of the project, if it is one. A link that leads out of it is none.
fn inside(dir: &Path, word: &Path) -> Option<PathBuf> {
    // Most words name nothing, which is found out at the least cost.
    fs::symlink_metadata(dir.join(word)).ok()?;
    let dir = dir.canonicalize().ok()?;
    let path = dir.join(word).canonicalize().ok()?;
    let relative = path.strip_prefix(&dir).ok()?;
    path.is_file().then(|| relative.to_owned())
}

/// Adds a file, or what a folder holds. Links inside folders are not followed, and what programs write beside
/// their code is left out, or every run would make the next one necessary.
fn collect(dir: &Path, path: &Path, files: &mut BTreeSet<PathBuf>) {
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        if files.len() >= CODE_FILES_MAX {
            return;
        }
        let Ok(metadata) = fs::symlink_metadata(dir.join(&path)) else {
            // A declared file that is missing counts as such.
            files.insert(path);
            continue;
        };
        if !metadata.is_dir() {
            files.insert(path);
            continue;
        }
        let entries = fs::read_dir(dir.join(&path)).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name());
        let ours = names.filter(|name| {
            let name = name.to_string_lossy();
            !(name.starts_with('.') || name == "__pycache__" || name.ends_with(".pyc"))
        });
        waiting.extend(ours.map(|name| path.join(name)));
    }
}

/// The files of the project's own pages.
pub(crate) fn app_files(dir: &Path, definition: &Definition) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    if let Some(app) = &definition.web.app {
        collect(dir, Path::new(app), &mut files);
    }
    files
}

/// The folders whose changes may concern a definition: its own, and those of its files and code.
pub(crate) fn folders(dir: &Path, definition: &Definition) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::from([dir.to_owned()]);
    let mut add = |path: &Path| {
        if let Some(parent) = dir.join(path).parent().filter(|parent| parent.is_dir()) {
            folders.insert(parent.to_owned());
        }
    };
    for source in &definition.sources {
        match &source.origin {
            Origin::File { path, .. } => add(Path::new(path)),
            // Of any file in it, its folder is what is watched.
            Origin::Folder(pattern) => add(&pattern.folder().join("*")),
            Origin::Pull(pull) => pull.file().into_iter().for_each(&mut add),
            Origin::Run(_) | Origin::Tap(_) => {}
        }
    }
    for check in definition.gates().flat_map(|(_, gate)| &gate.checks) {
        match &check.judge {
            Judge::File(path) => add(Path::new(path)),
            Judge::Run(program) => code_files(dir, program).iter().for_each(|path| add(path)),
        }
    }
    for (_, program) in definition.programs() {
        code_files(dir, program).iter().for_each(|path| add(path));
    }
    app_files(dir, definition).iter().for_each(|path| add(path));
    folders
}

#[cfg(test)]
mod tests;
