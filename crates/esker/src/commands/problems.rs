//! `esker problems`: what failed and why; once more from the start; known, or out of sight for a while.

mod said;
mod show;

use std::process::ExitCode;

use anyhow::Result;
use esker_pipeline::definition::Definition;
use esker_pipeline::{record, rejected};
use esker_wire::name::{Branch, Resource};
use esker_wire::provenance::Input;
use esker_wire::record::{DEFINITION, RunRecord};
use esker_wire::snapshot::{Get, List};
use esker_wire::stance::Stance;
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::{Problems, ProblemsCommand, ProblemsList};
use crate::endpoints::Endpoints;
use crate::project::Place;
use crate::reach::Hub;
use crate::say::{self, hinted};

/// The fewest digits of an id that name a problem.
const ID_MIN: usize = 4;

/// A record of what failed, or of what checks warn of, and what people have said of it.
struct Problem {
    record: RunRecord,
    /// The resource that keeps it.
    at: Resource,
    id: String,
    /// That it is known.
    ack: Option<Stance>,
    /// That it is to be out of sight.
    mute: Option<Stance>,
}

impl Problem {
    /// Whether somebody should look at it.
    fn is_open(&self) -> bool {
        self.record.failure.is_some() && self.ack.is_none() && self.mute.is_none()
    }

    /// The version that a stage which sees every version has failed for and gone on behind.
    fn passed_over(&self) -> Option<&Input> {
        let is_over = self.at.as_str().starts_with("skipped/");
        self.record.inputs.first().filter(|_| is_over)
    }

    fn short(&self) -> &str {
        &self.id[..record::ID_SHOWN]
    }
}

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
        say::json(&Value::from(told.map(|one| show::json(one, &behind)).collect::<Vec<_>>()))?;
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
    let (stances, now) = (said::all(hub)?, Timestamp::now());
    let problem = |(at, record): (Resource, RunRecord)| {
        let held = |prefix: &str| {
            let mut of = stances.iter().filter(|stance| stance.said.prefix() == prefix);
            of.find(|stance| stance.holds(&record, now)).cloned()
        };
        let (ack, mute) = (held("ack/"), held("mute/"));
        Problem { id: record::id(&record), ack, mute, at, record }
    };
    Ok(told(hub)?.into_iter().map(problem).collect())
}

/// The problem a person names: by its stage, or by the first digits of its id.
fn named<'a>(all: &'a [Problem], name: &str) -> Result<&'a Problem> {
    let of_stage: Vec<&Problem> = all.iter().filter(|one| one.record.stage == name).collect();
    match of_stage.as_slice() {
        [] => {}
        [one] => return Ok(one),
        several => {
            let ids: Vec<&str> = several.iter().map(|one| one.short()).collect();
            let hint = format!("name one by its id: {}", ids.join(", "));
            return Err(hinted(format!("{name} has {} problems", ids.len()), hint));
        }
    }
    let begins = |problem: &&Problem| name.len() >= ID_MIN && problem.id.starts_with(name);
    let found: Vec<&Problem> = all.iter().filter(begins).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let known: Vec<&str> = all.iter().map(|one| one.record.stage.as_str()).collect();
            let hint = match known.as_slice() {
                [] => "there are no problems".to_owned(),
                known => format!("problems are: {}", known.join(", ")),
            };
            Err(hinted(format!("{name} has no problem"), hint))
        }
        several => {
            let stages: Vec<&str> = several.iter().map(|one| one.record.stage.as_str()).collect();
            let hint = format!("name one by its stage: {}", stages.join(", "));
            Err(hinted(format!("several problems begin with {name}"), hint))
        }
    }
}

/// The records of runs that failed, or that checks warn of, and where each is kept: of the last run of each stage,
/// then of versions that were passed over. One that cannot be read, which a later esker may have written, is told and
/// left out.
fn told(hub: &Hub) -> Result<Vec<(Resource, RunRecord)>> {
    let mut told: Vec<(Resource, RunRecord)> = Vec::new();
    for prefix in ["run/", "skipped/"] {
        let list = List { prefix: prefix.to_owned(), ..List::all(Branch::records()) };
        for entry in hub.listing(list)? {
            let get = Get::listed(&entry, Branch::records());
            let content = hub.call(&get)?;
            let record = match RunRecord::from_bytes(&content.bytes.unwrap_or_default()) {
                Ok(record) => record,
                Err(fault) => {
                    say::note(format!("skipping {}: {fault}", get.resource));
                    continue;
                }
            };
            let tells = record.failure.is_some() || !record.warnings.is_empty();
            let known = told.iter().any(|(_, one)| record::id(one) == record::id(&record));
            if tells && !known {
                told.push((get.resource, record));
            }
        }
    }
    Ok(told)
}

/// The branch with what was refused when a stage failed.
pub(super) fn rejected(hub: &Hub, stage: &str) -> Result<Branch> {
    let failed = told(hub)?
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

/// The failing stage of a problem; what only warns, and the definition, do not run.
fn failing(problem: &Problem) -> Result<&RunRecord> {
    let record = &problem.record;
    if record.failure.is_none() {
        let hint = "it only warns: its outputs are published";
        return Err(hinted(format!("{} has not failed", record.stage), hint));
    }
    Ok(record)
}

/// Asks the runner to run a stage again, although nothing has changed.
fn retry(hub: &Hub, problem: &Problem) -> Result<()> {
    let failed = failing(problem)?;
    if failed.stage == DEFINITION {
        let hint = "edit the file: it is read again when it is saved";
        return Err(hinted(format!("{DEFINITION} is not run"), hint));
    }
    hub.call(&record::put_as(problem.at.clone(), &record::again(failed, Timestamp::now())))?;
    say::note(format!("{} will run again", failed.stage));
    if hub.is_own() {
        say::note("no hub runs here: it will when `esker up` starts");
    }
    Ok(())
}
