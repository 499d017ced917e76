//! Where a project is, and what lies in its hidden folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use esker_pipeline::definition::FILE;

use crate::say::hinted;

/// What the command line says about where to work.
pub(crate) struct Place {
    /// `-C DIR`.
    pub(crate) dir: Option<PathBuf>,
    /// `--hub ADDRESS`.
    pub(crate) hub: Option<String>,
}

/// A project's folder.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// The folder with `esker.toml`.
    pub(crate) dir: PathBuf,
}

impl Place {
    /// The project here, or in a folder above, as git finds a repository.
    pub(crate) fn project(&self) -> Result<Project> {
        let start = self.start()?;
        let found = start.ancestors().find(|dir| dir.join(FILE).is_file());
        let dir = found.ok_or_else(|| {
            hinted(
                format!("no {FILE} in {} or any folder above", start.display()),
                "go to the project, name its folder with -C DIR, or start one with `esker init`",
            )
        })?;
        Ok(Project { dir: dir.to_path_buf() })
    }

    /// The project in exactly this folder, or where `-C` says.
    pub(crate) fn project_in(&self, folder: Option<&Path>) -> Result<Project> {
        let Some(folder) = folder else {
            return self.project();
        };
        let dir = self.start()?.join(folder);
        let dir = dir.canonicalize().with_context(|| format!("cannot open {}", dir.display()))?;
        if !dir.join(FILE).is_file() {
            let hint = format!("`esker init -C {}` writes one", folder.display());
            return Err(hinted(format!("no {FILE} in {}", dir.display()), hint));
        }
        Ok(Project { dir })
    }

    /// The folder that paths of the command line are meant from: where it was typed, not where `-C` says.
    pub(crate) fn here() -> Result<PathBuf> {
        std::env::current_dir().context("cannot tell which folder this is")
    }

    /// The folder to start from.
    pub(crate) fn start(&self) -> Result<PathBuf> {
        let dir = self.dir.clone().unwrap_or_else(|| PathBuf::from("."));
        dir.canonicalize().with_context(|| format!("cannot open {}", dir.display()))
    }
}

impl Project {
    /// The hidden folder: everything of esker's own. Made if it is missing.
    pub(crate) fn hidden(&self) -> Result<PathBuf> {
        let hidden = self.dir.join(".esker");
        let make = || -> std::io::Result<()> {
            std::fs::create_dir_all(&hidden)?;
            let ignore = hidden.join(".gitignore");
            if !ignore.exists() {
                // A project is often a git repository itself; the store is none of its content.
                std::fs::write(ignore, "*\n")?;
            }
            Ok(())
        };
        make().with_context(|| format!("cannot make {}", hidden.display()))?;
        Ok(hidden)
    }

    /// The snapshot store.
    pub(crate) fn store(&self) -> PathBuf {
        self.dir.join(".esker/store.git")
    }

    /// Where a running hub and web server say how to reach them.
    pub(crate) fn endpoints(&self) -> PathBuf {
        self.dir.join(".esker/endpoints.json")
    }
}
