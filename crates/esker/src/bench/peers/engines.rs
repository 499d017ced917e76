//! Engines for tables, out of Python's packages: found on this machine, or installed in a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{installed, said};

/// Has one of them sort a file.
const SORT: &str = include_str!("../../../benches/sort_engine.py");

/// An engine: what people call it, its package, and what to do if it is missing.
pub(crate) struct Engine {
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    lacking: &'static str,
}

/// All of them.
pub(crate) const ENGINES: [Engine; 2] = [
    Engine { name: "DuckDB", package: "duckdb", lacking: "no duckdb for Python: --install" },
    Engine { name: "Polars", package: "polars", lacking: "no polars for Python: --install" },
];

/// The Python that has each, where it was found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Engines {
    pythons: [Option<PathBuf>; 2],
    script: PathBuf,
    has_gnu: bool,
}

impl Engines {
    /// Looks for them; also what they say of themselves.
    pub(crate) fn find(dir: &Path, install: bool) -> Result<(Self, Vec<(&'static str, String)>)> {
        let script = dir.join("sort_engine.py");
        fs::write(&script, SORT)?;
        let mut versions = Vec::new();
        let mut pythons = [const { None }; 2];
        for (engine, place) in ENGINES.iter().zip(&mut pythons) {
            let ask = |python: &Path| said(Command::new(python).arg(&script).arg(engine.package));
            let mut python = PathBuf::from("python3");
            let mut version = ask(&python);
            if version.is_none() && install {
                python = installed(dir, engine.package)?.join("python3");
                version = ask(&python);
            }
            if let Some(version) = version {
                versions.push((engine.package, version));
                *place = Some(python);
            }
        }
        let gnu = said(Command::new("sort").arg("--version"));
        let gnu = gnu.and_then(|text| text.lines().next()?.rsplit(' ').next().map(str::to_owned));
        let has_gnu = gnu.is_some();
        versions.extend(gnu.map(|version| ("sort", version)));
        Ok((Self { pythons, script, has_gnu }, versions))
    }

    /// Whether there is GNU sort.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn gnu(&self) -> Result<(), &'static str> {
        if self.has_gnu { Ok(()) } else { Err("no sort: install coreutils") }
    }

    /// What has one of [`ENGINES`] sort a file of CSV by its column `key`: the file, the other, and how much memory in
    /// bytes are still to be said.
    ///
    /// # Errors
    /// What is missing, as a reason.
    pub(crate) fn sort(&self, number: usize) -> Result<Command, &'static str> {
        let python = self.pythons[number].as_ref().ok_or(ENGINES[number].lacking)?;
        let mut command = Command::new(python);
        command.arg(&self.script).arg(ENGINES[number].package);
        Ok(command)
    }
}
