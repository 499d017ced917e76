//! `esker repair`: a damaged store, made whole again.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anstyle::AnsiColor;
use anyhow::Result;
use esker_pipeline::definition;
use esker_store::check::Finding;
use esker_store::mirror;
use esker_store::repair;
use esker_store::store::Store;
use esker_wire::remote::Remote;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cli::Repair;
use crate::project::{Place, Project};
use crate::say::{self, hinted};
use crate::stop::Stop;

/// How often the progress bar shows that it lives.
const LIVES_EVERY: Duration = Duration::from_millis(100);

/// Where objects may be fetched from: repositories on this machine, some of them fetched for this.
#[derive(Default)]
struct Sources {
    paths: Vec<PathBuf>,
    /// Removed at the end.
    fetched: Vec<TempDir>,
}

/// Says what is wrong and what would be done, or does it; fails if something stays wrong.
pub(crate) fn repair(place: &Place, repair: &Repair) -> Result<ExitCode> {
    let project = place.project()?;
    let dir = project.store();
    if !dir.exists() {
        let hint = "`esker restore URL` makes a store again from a mirror";
        return Err(hinted(format!("there is no store {}", dir.display()), hint));
    }
    if let Some(branch) = &repair.accept {
        Store::accept(&dir, branch)?;
        say::note(format!(
            "{branch} is now what git says it is; what it was stays as kept/{branch}"
        ));
        return Ok(ExitCode::SUCCESS);
    }
    let bar = ProgressBar::new_spinner().with_message("reading the store");
    bar.enable_steady_tick(LIVES_EVERY);
    let sources = fetch(&project, &repair.from, &bar)?;
    let mut told = |line: &str| bar.set_message(line.to_owned());
    let definition = definition::check(&project.dir).0;
    let blobs = definition.as_ref().and_then(|definition| definition.store.blobs.as_ref());
    let repaired = repair::repair(&dir, blobs, &sources.paths, !repair.yes, &mut told);
    bar.finish_and_clear();
    drop(sources.fetched);
    let repaired = repaired?;
    let is_well = repaired.left.is_empty() && (repair.yes || repaired.found.is_empty());
    if repair.json {
        say::json(&json!({
            "done": repair.yes,
            "found": findings(&repaired.found),
            "steps": repaired.steps,
            "left": findings(&repaired.left),
        }))?;
    } else {
        print(&repaired, repair.yes)?;
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn findings(findings: &[Finding]) -> Vec<Value> {
    let value = |finding: &Finding| json!({ "says": finding.message, "hint": finding.hint });
    findings.iter().map(value).collect()
}

fn print(repaired: &repair::Repair, is_done: bool) -> Result<()> {
    let (green, red) = (AnsiColor::Green.on_default(), AnsiColor::Red.on_default().bold());
    if repaired.found.is_empty() {
        return Ok(say::line(format!("{green}ok{green:#}     nothing is wrong"))?);
    }
    for finding in &repaired.found {
        say::line(format!("{red}wrong{red:#}  {}", finding.message))?;
    }
    let what = if is_done { "done" } else { "to do" };
    for step in &repaired.steps {
        say::line(format!("{green}{what:<5}{green:#}  {step}"))?;
    }
    for finding in &repaired.left {
        say::line(format!("{red}stays{red:#}  {}", finding.message))?;
        say::line(format!("       hint: {}", finding.hint))?;
    }
    if !is_done {
        say::note("nothing was changed; `esker repair --yes` does it");
    }
    Ok(())
}

/// Names the repositories to take objects from; what is not on this machine is fetched.
fn fetch(project: &Project, remotes: &[Remote], bar: &ProgressBar) -> Result<Sources> {
    let mut sources = Sources::default();
    let here = Place::here()?;
    let mut stop = None;
    for remote in remotes {
        let remote = remote.under(&here);
        if let Some(path) = remote.local().filter(|path| path.is_dir()) {
            sources.paths.push(path.to_owned());
            continue;
        }
        if remote.local().is_some_and(|path| !path.exists()) {
            let hint = "name a clone or mirror: a folder from here, or a URL";
            return Err(hinted(format!("there is no repository {remote}"), hint));
        }
        let stop: &Stop = match &mut stop {
            Some(stop) => stop,
            none => none.insert(Stop::on_signals()?),
        };
        let (folder, stop) = (TempDir::new_in(project.hidden()?)?, stop.clone());
        let path = folder.path().join("mirror.git");
        let halt = Arc::new(move || stop.is_pulled());
        bar.set_message(format!("fetching {remote}"));
        let mut told = |line: &str| bar.set_message(line.to_owned());
        let restored = mirror::restore::restore(&path, &remote, halt, &mut told)?;
        if let Some(lacks) = restored.lacks {
            bar.suspend(|| say::note(format!("{remote}: {lacks}")));
        }
        sources.paths.push(path);
        sources.fetched.push(folder);
    }
    Ok(sources)
}
