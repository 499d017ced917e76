//! Servers that bulk data is measured against, or needs: found on this machine, or out of Debian's packages, which are
//! unpacked in a folder of their own and not installed.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::said;
use crate::bench::process;

/// What to do about a missing Redis.
const NO_REDIS: &str = "no redis-server: --install, on Debian";

/// What to do about a missing memcached.
const NO_MEMCACHED: &str = "no memcached: --install, on Debian";

/// What to do about a missing Consul.
const NO_CONSUL: &str = "no consul: put it into the PATH, or name it in ESKER_CONSUL";

/// A program, and where the libraries are that came with it.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    libraries: Option<PathBuf>,
}

impl Program {
    fn named(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), libraries: None }
    }

    /// To start it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    /// What stands behind a word in what it says of itself.
    fn version(&self, argument: &str, before: &str) -> Option<String> {
        let text = said(self.command().arg(argument))?;
        let (_, rest) = text.split_once(before)?;
        rest.split_whitespace().next().map(str::to_owned)
    }
}

/// The servers that were found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Servers {
    redis: Option<Program>,
    memcached: Option<Program>,
    consul: Option<Program>,
}

impl Servers {
    /// Looks for them; also what they say of themselves.
    pub(crate) fn find(dir: &Path, install: bool) -> Result<(Self, Vec<(&'static str, String)>)> {
        let mut servers = Self::default();
        let mut versions = Vec::new();
        let ask = |program: &Program| program.version("--version", "v=");
        servers.redis = found("redis-server", (dir, install), ask)?.map(|(program, version)| {
            versions.push(("redis-server", version));
            program
        });
        let ask = |program: &Program| program.version("--version", "memcached ");
        servers.memcached = found("memcached", (dir, install), ask)?.map(|(program, version)| {
            versions.push(("memcached", version));
            program
        });
        let consul = std::env::var_os("ESKER_CONSUL").unwrap_or_else(|| OsString::from("consul"));
        let consul = Program::named(consul);
        if let Some(version) = consul.version("version", "Consul v") {
            versions.push(("consul", version));
            servers.consul = Some(consul);
        }
        Ok((servers, versions))
    }

    /// Redis.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn redis(&self) -> Result<&Program, &'static str> {
        self.redis.as_ref().ok_or(NO_REDIS)
    }

    /// Memcached.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn memcached(&self) -> Result<&Program, &'static str> {
        self.memcached.as_ref().ok_or(NO_MEMCACHED)
    }

    /// Consul.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn consul(&self) -> Result<&Program, &'static str> {
        self.consul.as_ref().ok_or(NO_CONSUL)
    }
}

/// A program of the package with its name, and what `ask` learns of it.
fn found(
    name: &str,
    (dir, install): (&Path, bool),
    ask: impl Fn(&Program) -> Option<String>,
) -> Result<Option<(Program, String)>> {
    let here = Program::named(name);
    if let Some(version) = ask(&here) {
        return Ok(Some((here, version)));
    }
    if !install {
        return Ok(None);
    }
    let program = installed(dir, name)?;
    Ok(ask(&program).map(|version| (program, version)))
}

/// A program out of Debian's package with its name, with the packages it needs that are not there.
fn installed(dir: &Path, name: &str) -> Result<Program> {
    let dir = dir.join(name);
    fs::create_dir(&dir)?;
    let mut download = Command::new("apt-get");
    download.args(["install", "--quiet", "--yes", "--download-only", "--no-install-recommends"]);
    // Nothing of the system is changed, so that its lock is not needed.
    download.args(["-o", "Debug::NoLocking=1", "-o"]);
    download.arg(format!("Dir::Cache::archives={}", dir.display()));
    process::output(download.arg(name))?;
    let root = dir.join("root");
    for entry in fs::read_dir(&dir)? {
        let package = entry?.path();
        if package.extension().is_some_and(|ending| ending == "deb") {
            process::output(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&root))?;
        }
    }
    let libraries = fs::read_dir(root.join("usr/lib")).into_iter().flatten().flatten();
    let is_ours = |path: &PathBuf| path.to_string_lossy().ends_with("-linux-gnu");
    let libraries = libraries.map(|entry| entry.path()).find(is_ours);
    Ok(Program { path: root.join("usr/bin").join(name), libraries })
}
