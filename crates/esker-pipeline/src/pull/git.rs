//! Reading a file or folder of a git repository, as of a ref: the user's git fetches it, and knows keys and proxies.
//!
//! Nothing of the repository is kept; of a large one little is fetched, as far as its server can leave things out.

mod listing;

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use esker_wire::stacked;
use serde_json::{Value, json};

use crate::definition::Program;
use crate::definition::folder::Pattern;
use crate::definition::pull::Git;
use crate::run::failure::Broken;
use crate::run::{self, Halt, Made, SCRATCH, file, output};

use self::listing::{Entry, choose, contents, entries};
use super::secrets::Secrets;
use super::{Errand, state};

/// The variables that git and ssh are given besides those of every program.
const VARIABLES: [&str; 14] = [
    "ALL_PROXY",
    "GIT_CONFIG_GLOBAL",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSH_AUTH_SOCK",
    "XDG_CONFIG_HOME",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// What git says when it is not let in.
const REFUSALS: [&str; 3] =
    ["Authentication failed", "Permission denied", "could not read Username"];
/// What git says of a server that sends it elsewhere.
const REDIRECTS: [&str; 4] = ["error: 301", "error: 302", "error: 307", "error: 308"];
/// What git says of what may pass by itself.
const PASSES: [&str; 9] = [
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Could not resolve host",
    "Failed to connect",
    "early EOF",
    "error: 429",
    "error: 5",
    "unexpected disconnect",
];

/// A repository being asked.
struct Asked<'a> {
    errand: &'a Errand<'a>,
    git: &'a Git,
    secrets: Secrets,
    until: Instant,
}

pub(super) fn fetch(errand: &Errand<'_>, git: &Git) -> Result<Made, Halt> {
    let until = Instant::now() + errand.pull.timeout;
    let asked = Asked { errand, git, secrets: secrets(errand, git), until };
    let known = state::known(errand)?;
    let url = git.remote.under(&errand.bench.dir);
    let (reference, commit) = asked.resolve(url.as_given())?;
    if known.as_ref().and_then(|known| known.get("commit")).and_then(Value::as_str) == Some(&commit)
    {
        return Err(Halt::Unchanged);
    }
    let folder = errand.bench.dir.join(SCRATCH);
    std::fs::create_dir_all(&folder)?;
    let folder = tempfile::Builder::new().prefix("git-").tempdir_in(folder)?;
    let repository = folder.path().display().to_string();
    asked.run(&["init", "--quiet", "--bare", &repository], Bytes::new())?;
    let at = ["-C", repository.as_str()];
    asked.run(&[&at[..], &["remote", "add", "origin", url.as_given()]].concat(), Bytes::new())?;
    let fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", "--filter=blob:none", "origin"];
    asked.run(&[&at[..], &fetch, &[&reference]].concat(), Bytes::new())?;
    let bytes = asked.content(&at)?;
    if bytes.is_empty() && !errand.source.allow_empty {
        return Err(output::empty(errand.source.output.as_str()).into());
    }
    let content_type = file::content_type(&git.path);
    state::made(errand, known.as_ref(), (bytes, content_type), json!({ "commit": commit }))
}

/// What git is given so that it asks nobody, and who it says it is.
fn secrets(errand: &Errand<'_>, git: &Git) -> Secrets {
    let mut secrets = errand.secrets.clone();
    secrets.give("LC_ALL", "C");
    secrets.give("GIT_TERMINAL_PROMPT", "0");
    secrets.give("GIT_ASKPASS", "true");
    if std::env::var_os("GIT_SSH_COMMAND").is_none() && std::env::var_os("GIT_SSH").is_none() {
        secrets.give("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    if let Some(ca) = &git.ca {
        secrets.give("GIT_SSL_CAINFO", &errand.bench.dir.join(ca).display().to_string());
    }
    if let Some((user, secret)) = &git.login {
        let pair = STANDARD.encode(format!("{user}:{}", secrets.of(secret)));
        secrets.hide(&pair);
        secrets.give("GIT_CONFIG_COUNT", "2");
        secrets.give("GIT_CONFIG_KEY_0", "http.extraHeader");
        secrets.give("GIT_CONFIG_VALUE_0", &format!("Authorization: Basic {pair}"));
        // Where it is sent, git sends its headers too.
        secrets.give("GIT_CONFIG_KEY_1", "http.followRedirects");
        secrets.give("GIT_CONFIG_VALUE_1", "false");
    }
    secrets
}

impl Asked<'_> {
    /// The ref that is meant, by its whole name, and its commit.
    fn resolve(&self, url: &str) -> Result<(String, String), Halt> {
        let wanted = &self.git.reference;
        if wanted.len() == 40 && wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok((wanted.clone(), wanted.to_ascii_lowercase()));
        }
        let peeled = format!("{wanted}^{{}}");
        let told = self.run(&["ls-remote", "--", url, wanted, &peeled], Bytes::new())?;
        choose(&String::from_utf8_lossy(&told), wanted).ok_or_else(|| {
            let summary = format!("{} has no branch or tag {wanted}", self.git.remote);
            Broken::new(summary, "correct its `ref`").into()
        })
    }

    /// What the path is, as a content.
    fn content(&self, at: &[&str]) -> Result<Bytes, Halt> {
        let path = &self.git.path;
        let (folder, pattern) = split(path);
        let listed = match pattern {
            None if path == "." => Vec::new(),
            None => self.list(at, &["FETCH_HEAD", "--", path])?,
            Some(_) => Vec::new(),
        };
        match (listed.as_slice(), pattern) {
            ([file], None) if file.is_file => {
                let bytes = self.read(at, std::slice::from_ref(file))?.remove(0);
                check_pointer(path, &bytes)?;
                Ok(file::convert(&bytes, path, &self.git.sheets)?)
            }
            ([only], None) if !only.is_folder => {
                let summary = format!("{path} of {} is no file and no folder", self.git.remote);
                Err(Broken::new(summary, "it may be a link or a submodule; name a file").into())
            }
            ([], None) if path != "." => {
                let summary =
                    format!("{} has no {path} at {}", self.git.remote, self.git.reference);
                Err(Broken::new(summary, "correct its `path`, or its `ref`").into())
            }
            _ => self.stack(at, folder),
        }
    }

    /// The files of a folder, as one stacked stream.
    fn stack(&self, at: &[&str], folder: &str) -> Result<Bytes, Halt> {
        let pattern = Pattern::parse(&self.git.path).map_err(|why| Broken::new(why, ""))?;
        let tree = match folder {
            "." => "FETCH_HEAD".to_owned(),
            folder => format!("FETCH_HEAD:{folder}"),
        };
        let mut files = self.list(at, &[&tree])?;
        files.retain(|file| file.is_file && pattern.matches(&file.name));
        let contents = self.read(at, &files)?;
        let mut all = Vec::new();
        for (file, bytes) in files.iter().zip(contents) {
            check_pointer(&file.name, &bytes)?;
            let text = file::convert(&bytes, &file.name, &[])?;
            stacked::write(&mut all, &file.name, &file::check_text(&file.name, text)?);
        }
        Ok(all.into())
    }

    fn list(&self, at: &[&str], what: &[&str]) -> Result<Vec<Entry>, Halt> {
        let told = self.run(&[at, &["ls-tree", "-z"], what].concat(), Bytes::new())?;
        Ok(entries(&told))
    }

    /// The contents of some files; what is not here yet is fetched.
    fn read(&self, at: &[&str], files: &[Entry]) -> Result<Vec<Bytes>, Halt> {
        let ids: String = files.iter().map(|file| format!("{}\n", file.id)).collect();
        let told = self.run(&[at, &["cat-file", "--batch"]].concat(), ids.into())?;
        contents(&told, files.len()).ok_or_else(|| {
            let summary = format!("cannot read {}: git gives less than it says", self.git.remote);
            Broken::new(summary, "").temporary().into()
        })
    }

    fn run(&self, words: &[&str], input: Bytes) -> Result<Bytes, Halt> {
        let left = self.until.saturating_duration_since(Instant::now());
        let words = ["git"].iter().chain(words).map(|word| (*word).to_owned());
        let program = Program {
            timeout: left,
            output_max: self.errand.pull.output_max,
            env: VARIABLES.map(str::to_owned).to_vec(),
            ..Program::new(words.collect())
        };
        let Errand { bench, line, run, .. } = self.errand;
        let printed =
            run::execute_with(bench, run, (&program, &self.secrets), (input.into(), line));
        printed.map_err(|halt| self.told(halt))
    }

    /// What git says, as of the repository rather than of a command.
    fn told(&self, halt: Halt) -> Halt {
        let Halt::Broken(broken) = halt else {
            return halt;
        };
        let lines = broken.detail.lines().map(str::trim);
        let fatal = lines.filter_map(|line| line.strip_prefix("fatal: ")).next();
        let Some(why) = fatal else {
            let summary = format!("cannot read {}: {}", self.git.remote, broken.summary);
            return Halt::Broken(Broken { summary, ..broken });
        };
        let summary = format!("cannot read {}: {why}", self.git.remote);
        let is_told = |words: &[&str]| words.iter().any(|word| broken.detail.contains(word));
        let hint = match () {
            () if is_told(&REFUSALS) => {
                "see its `token`, or the keys of the user that esker runs as"
            }
            () if is_told(&REDIRECTS) => {
                "it leads elsewhere, and what lets esker in goes nowhere else: write that address"
            }
            () => "try it: git ls-remote",
        };
        let passes = is_told(&PASSES);
        let broken = Broken { summary, hint: hint.to_owned(), ..broken };
        Halt::Broken(if passes { broken.temporary() } else { broken })
    }
}

/// A path's folder and, if it has one, what its files are called.
fn split(path: &str) -> (&str, Option<&str>) {
    match path.rsplit_once('/') {
        Some((folder, name)) if name.contains(['*', '?']) => (folder, Some(name)),
        None if path.contains(['*', '?']) => (".", Some(path)),
        _ => (path, None),
    }
}

fn check_pointer(name: &str, bytes: &Bytes) -> Result<(), Broken> {
    if !bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
        return Ok(());
    }
    let summary = format!("{name} is kept with git-lfs, of which git gives the pointer alone");
    Err(Broken::new(summary, "fetch it with a program: run = [\"sh\", \"-c\", \"…\"]"))
}

#[cfg(test)]
mod tests;
