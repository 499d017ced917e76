//! `esker restore`: a project's store, made again from a mirror.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use esker_pipeline::definition::FILE;
use esker_store::mirror;
use indicatif::ProgressBar;

use crate::cli::Restore;
use crate::project::{Place, Project};
use crate::say::{self, hinted};
use crate::stop::Stop;

/// How often the progress bar shows that it lives.
const LIVES_EVERY: Duration = Duration::from_millis(100);

/// Restores a store; what it made is removed again if it cannot.
pub(crate) fn restore(place: &Place, restore: &Restore) -> Result<()> {
    let start = place.start()?;
    let remote = restore.url.under(&Place::here()?);
    let folder = restore.folder.clone().or_else(|| remote.name()).ok_or_else(|| {
        hinted(format!("{remote} names no folder"), "name one: `esker restore URL DIR`")
    })?;
    let dir = start.join(&folder);
    let store = Project { dir: dir.clone() }.store();
    if store.exists() {
        let hint = "name another folder, or move that store away";
        return Err(hinted(format!("{} holds a store already", dir.display()), hint));
    }
    let stop = Stop::on_signals()?;
    let made = Made::make(&dir)?;
    let project = Project { dir: dir.canonicalize()? };
    project.hidden()?;
    let bar = ProgressBar::new_spinner().with_message(format!("fetching {remote}"));
    bar.enable_steady_tick(LIVES_EVERY);
    let halt = Arc::new(move || stop.is_pulled());
    let restored = mirror::restore::restore(&project.store(), &remote, halt, &mut |line| {
        bar.set_message(line.to_owned());
    });
    bar.finish_and_clear();
    let restored = restored.map_err(|error| {
        hinted(error.to_string(), "nothing was restored; mend that, then try again")
    })?;
    made.keep();
    say::note(format!("restored {} commits into {}", restored.commits, project.store().display()));
    if let Some(lacks) = restored.lacks {
        say::note(format!("but {lacks}; then run `git lfs fetch --all` in the store"));
    }
    let name = folder.display();
    if project.dir.join(FILE).is_file() {
        say::note(format!("next: `esker up {name}`"));
    } else {
        say::note(format!(
            "next: put {FILE} and the programs it runs into {name}, then `esker up {name}`"
        ));
    }
    Ok(())
}

/// The folders made, as far as they were not there: removed again unless they are kept.
struct Made {
    folders: Vec<PathBuf>,
}

impl Made {
    fn make(dir: &Path) -> Result<Self> {
        let hidden = dir.join(".esker");
        let above = dir.ancestors().map(PathBuf::from);
        let folders = std::iter::once(hidden).chain(above).take_while(|dir| !dir.exists());
        let made = Self { folders: folders.collect() };
        std::fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        Ok(made)
    }

    fn keep(mut self) {
        self.folders.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for folder in &self.folders {
            // Of ours there is one small file in it; what others have put there meanwhile stays.
            drop(std::fs::remove_file(folder.join(".gitignore")));
            drop(std::fs::remove_dir(folder));
        }
    }
}
