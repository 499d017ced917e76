//! `esker problems`: what failed and why, and once more from the start.

use std::process::ExitCode;

use anyhow::Result;
use esker_pipeline::definition::Definition;
use esker_pipeline::{record, rejected};
use esker_wire::name::Branch;
use esker_wire::record::{DEFINITION, RunRecord};
use esker_wire::snapshot::{Get, List};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::{Problems, ProblemsCommand};
use crate::endpoints::Endpoints;
use crate::project::Place;
use crate::reach::Hub;
use crate::say::{self, DIM, hinted};

/// Lists what failed, or asks for another try.
pub(crate) fn problems(place: &Place, problems: &Problems) -> Result<ExitCode> {
    let hub = Hub::find(place)?;
    let (records, warned): (Vec<_>, Vec<_>) =
        told(&hub)?.into_iter().partition(|record| record.failure.is_some());
    if let Some(ProblemsCommand::Retry { stage }) = &problems.what {
        retry(&hub, &records, stage)?;
        return Ok(ExitCode::SUCCESS);
    }
    if problems.json {
        let behind = Behind::find(place);
        let told = records.iter().chain(&warned);
        say::json(&Value::from(told.map(|one| problem_json(one, &behind)).collect::<Vec<_>>()))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !hub.is_own() && place.hub.is_none() && !Endpoints::read(&place.project()?).has_runner() {
        say::note("no runner works here: nothing is pulled or computed until one starts");
    }
    if records.is_empty() {
        say::note("no problems");
    }
    let behind = Behind::find(place);
    for warning in warned.iter().flat_map(|record| &record.warnings) {
        say::line(format!("warning: {warning}"))?;
    }
    for record in &records {
        let Some(failure) = &record.failure else {
            continue;
        };
        let times =
            if failure.count > 1 { format!(", {} times", failure.count) } else { String::new() };
        say::line(format!(
            "{}: {}  {DIM}since {}{times}{DIM:#}",
            record.stage,
            failure.summary,
            say::time(failure.since)
        ))?;
        if let Some(at) = failure.not_before {
            say::line(format!("  next try at {}", say::time(at)))?;
        }
        for line in failure.detail.lines() {
            say::line(format!("  {DIM}|{DIM:#} {line}"))?;
        }
        let stages = behind.of(&record.stage);
        if !stages.is_empty() {
            say::line(format!("  behind, on the last good version: {}", stages.join(", ")))?;
        }
        if !failure.hint.is_empty() {
            say::line(format!("  hint: {}", failure.hint))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is behind because of whom, as far as there is a definition here that tells.
struct Behind(Option<Definition>);

impl Behind {
    fn find(place: &Place) -> Self {
        Self(place.project().ok().and_then(|project| Definition::load(&project.dir).ok()))
    }

    /// The stages below one that failed.
    fn of(&self, stage: &str) -> Vec<&str> {
        let below = self.0.iter().flat_map(|definition| definition.below(stage));
        below.map(|stage| stage.name.as_str()).collect()
    }
}

/// The records of runs that failed, or that checks warn of, by stage. One that cannot be read, which a later esker may have written, is
/// told and left out.
fn told(hub: &Hub) -> Result<Vec<RunRecord>> {
    let mut told = Vec::new();
    for entry in hub.listing(List { prefix: "run/".to_owned(), ..List::all(Branch::records()) })? {
        let get = Get { branch: Branch::records(), ..Get::head(entry.resource) };
        let content = hub.call(&get)?;
        match RunRecord::from_bytes(&content.bytes.unwrap_or_default()) {
            Ok(record) if record.failure.is_some() || !record.warnings.is_empty() => {
                told.push(record);
            }
            Ok(_) => {}
            Err(fault) => say::note(format!("skipping {}: {fault}", get.resource)),
        }
    }
    Ok(told)
}

/// The branch with what was refused when a stage failed.
pub(super) fn rejected(hub: &Hub, stage: &str) -> Result<Branch> {
    let failed = told(hub)?.into_iter().find(|one| one.stage == stage && one.failure.is_some());
    let branch = failed.as_ref().and_then(rejected::branch);
    branch.ok_or_else(|| {
        let hint = "`esker problems` lists what failed; what was refused earlier is on the \
            branches refs/esker/rejected/… of the store";
        hinted(format!("nothing of {stage} is refused just now"), hint)
    })
}

/// Asks the runner to run a stage again, although nothing has changed.
fn retry(hub: &Hub, records: &[RunRecord], stage: &str) -> Result<()> {
    if stage == DEFINITION {
        let hint = "edit the file: it is read again when it is saved";
        return Err(hinted(format!("{DEFINITION} is not run"), hint));
    }
    let Some(failed) = records.iter().find(|record| record.stage == stage) else {
        let known: Vec<&str> = records.iter().map(|record| record.stage.as_str()).collect();
        let hint = match known.as_slice() {
            [] => "there are no problems".to_owned(),
            known => format!("problems are: {}", known.join(", ")),
        };
        return Err(hinted(format!("{stage} has no problem"), hint));
    };
    hub.call(&record::put(&record::again(failed, Timestamp::now()))?)?;
    say::note(format!("{stage} will run again"));
    if hub.is_own() {
        say::note("no hub runs here: it will when `esker up` starts");
    }
    Ok(())
}

fn problem_json(record: &RunRecord, behind: &Behind) -> Value {
    let failure = record.failure.as_ref();
    json!({
        "stage": record.stage,
        "run_key": record.run_key,
        "ended": record.ended.to_string(),
        "summary": failure.map(|failure| &failure.summary),
        "hint": failure.map(|failure| &failure.hint),
        "detail": failure.map(|failure| &failure.detail),
        "count": failure.map(|failure| failure.count),
        "since": failure.map(|failure| failure.since.to_string()),
        "not_before": failure.and_then(|failure| failure.not_before).map(|time| time.to_string()),
        "behind": failure.map_or(Vec::new(), |_| behind.of(&record.stage)),
        "warnings": record.warnings,
        "inputs": record.inputs.iter().map(super::input_json).collect::<Vec<_>>(),
    })
}
