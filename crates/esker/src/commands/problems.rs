//! `esker problems`: what failed and why; once more from the start; known, or out of sight for a while.

mod said;
mod show;

use std::process::ExitCode;

use anyhow::Result;
use esker_pipeline::definition::Definition;
use esker_pipeline::rejected;
use esker_web::problems::json;
use esker_wire::name::{Branch, Resource};
use esker_wire::problem::{self, Problem, named};
use esker_wire::record::RunRecord;
use esker_wire::snapshot::{Get, List};
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::{Problems, ProblemsCommand, ProblemsList};
use crate::commands::put::author;
use crate::endpoints::Endpoints;
use crate::project::Place;
use crate::reach::Hub;
use crate::say::{self, hinted};

/// Lists what failed, shows one, asks for another try, or says something of it.
pub(crate) fn problems(place: &Place, problems: &Problems) -> Result<ExitCode> {
    let hub = Hub::find(place)?;
    let all = find(&hub)?;
    match &problems.what {
        None => return list(place, (&hub, &all), &problems.list),
        Some(ProblemsCommand::List(asked)) => return list(place, (&hub, &all), asked),
        Some(ProblemsCommand::Show { problem, json }) => {
            show::one(named(&all, problem)?, &Behind::find(place), *json)?;
        }
        Some(ProblemsCommand::Retry { problem }) => retry(&hub, named(&all, problem)?)?,
        Some(ProblemsCommand::Ack(ack)) => said::ack(&hub, named(&all, &ack.problem)?, ack)?,
        Some(ProblemsCommand::Mute(mute)) => said::mute(&hub, named(&all, &mute.problem)?, mute)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what is to be seen; fails if asked to, and if there is what nobody knows of yet.
fn list(place: &Place, (hub, all): (&Hub, &[Problem]), asked: &ProblemsList) -> Result<ExitCode> {
    let (shown, muted): (Vec<_>, Vec<_>) =
        all.iter().partition(|problem| asked.all || problem.mute.is_none());
    let behind = Behind::find(place);
    if asked.json {
        let (failed, warned): (Vec<_>, Vec<_>) =
            shown.iter().partition(|problem| problem.record.failure.is_some());
        let told = failed.into_iter().chain(warned);
        say::json(&Value::from(
            told.map(|one| json::problem(one, &behind.of(&one.record.stage))).collect::<Vec<_>>(),
        ))?;
        return Ok(code(asked, all));
    }
    if !hub.is_own() && place.hub.is_none() && !Endpoints::read(&place.project()?).has_runner() {
        say::note("no runner works here: nothing is pulled or computed until one starts");
    }
    if !shown.iter().any(|problem| problem.record.failure.is_some()) {
        say::note("no problems");
    }
    for warning in shown.iter().flat_map(|problem| &problem.record.warnings) {
        say::line(format!("warning: {warning}"))?;
    }
    for problem in &shown {
        show::brief(problem, &behind)?;
    }
    if !muted.is_empty() {
        say::note(format!("{} muted: `esker problems --all` shows them too", muted.len()));
    }
    Ok(code(asked, all))
}

fn code(asked: &ProblemsList, all: &[Problem]) -> ExitCode {
    let is_open = asked.exit_code && all.iter().any(Problem::is_open);
    if is_open { ExitCode::FAILURE } else { ExitCode::SUCCESS }
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

/// Everything to be told, by stage, with what people have said of it.
fn find(hub: &Hub) -> Result<Vec<Problem>> {
    Ok(problem::all(records(hub)?, &said::all(hub)?, Timestamp::now()))
}

/// The records of runs, and where each is kept. One that cannot be read, which a later esker may have written, is told
/// and left out.
fn records(hub: &Hub) -> Result<Vec<(Resource, RunRecord)>> {
    let mut records = Vec::new();
    for prefix in problem::PREFIXES {
        let list = List { prefix: prefix.to_owned(), ..List::all(Branch::records()) };
        for entry in hub.listing(list)? {
            let get = Get::listed(&entry, Branch::records());
            let content = hub.call(&get)?;
            match RunRecord::from_bytes(&content.bytes.unwrap_or_default()) {
                Ok(record) => records.push((get.resource, record)),
                Err(fault) => say::note(format!("skipping {}: {fault}", get.resource)),
            }
        }
    }
    Ok(records)
}

/// The branch with what was refused when a stage failed.
pub(super) fn rejected(hub: &Hub, stage: &str) -> Result<Branch> {
    let failed = records(hub)?
        .into_iter()
        .map(|(_, record)| record)
        .find(|one| one.stage == stage && one.failure.is_some());
    let branch = failed.as_ref().and_then(rejected::branch);
    branch.ok_or_else(|| {
        let hint = "`esker problems` lists what failed; what was refused earlier is on the \
            branches refs/esker/rejected/… of the store";
        hinted(format!("nothing of {stage} is refused just now"), hint)
    })
}

/// Asks the runner to run a stage again, although nothing has changed.
fn retry(hub: &Hub, problem: &Problem) -> Result<()> {
    hub.call(&problem.retry(author(), Timestamp::now())?)?;
    say::note(format!("{} will run again", problem.record.stage));
    if hub.is_own() {
        say::note("no hub runs here: it will when `esker up` starts");
    }
    Ok(())
}
