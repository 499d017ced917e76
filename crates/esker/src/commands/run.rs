//! `esker run`: what is stale is run, once, here or by the runner that works here; then it ends.

mod news;
mod scope;

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use esker_pipeline::engine::outlook::Outlook;
use esker_pipeline::engine::status::{Kind, Part, Status};
use esker_pipeline::plan::State;
use esker_pipeline::record;
use esker_wire::problem;
use esker_wire::record::{Ended, RunRecord};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::Run;
use crate::endpoints::Endpoints;
use crate::planes::{self, once::Once};
use crate::project::{Place, Project};
use crate::reach::Hub;
use crate::say::{self, DIM, hinted};
use news::News;
use scope::Scope;

/// How soon a change is seen.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long a status may take to follow what has run.
const STATUS_MAX: Duration = Duration::from_secs(5);
/// How long the store may be of no use.
const STORE_MAX: Duration = Duration::from_secs(60);

/// Who runs: this process, or another one that is watched.
enum Runner {
    Here(Box<Once>),
    There(Project, Box<Outlook>),
}

/// Runs what is to be run, waits for it, and tells how it went.
pub(crate) fn run(place: &Place, asked: &Run) -> Result<ExitCode> {
    let project = place.project()?;
    let definition = planes::definition(&project)?;
    let scope = Scope::of(&definition, asked)?;
    let is_elsewhere = Endpoints::read(&project).has_runner();
    let once = if is_elsewhere { None } else { Some(Once::serve(place, &project)?) };
    let hub = Hub::find(place)?;
    let (news, records) = News::begin(&hub)?;
    let since = ask(&hub, &scope, &records, asked.force)?;
    let runner = match once {
        Some(mut once) => {
            once.run(scope.wanted.clone())?;
            Runner::Here(Box::new(once))
        }
        None => {
            let outlook = Outlook::open(&project.dir, hub.caller());
            let outlook =
                outlook.map_err(|_| hinted("the definition is bad", "run: esker check"))?;
            Runner::There(project, Box::new(outlook))
        }
    };
    let mut job = Job {
        hub,
        scope,
        news,
        since,
        runner,
        heard: None,
        shown: BTreeMap::new(),
        is_told: !asked.json,
    };
    let ended = job.wait();
    if let Runner::Here(once) = job.runner {
        once.end();
    }
    tell(&job.scope, &job.news, &*ended?, asked.json)
}

/// Asks for what would not run by itself: what has failed, and with `--force` what is named. When each was asked.
fn ask(
    hub: &Hub,
    scope: &Scope,
    records: &BTreeMap<String, RunRecord>,
    force: bool,
) -> Result<BTreeMap<String, Timestamp>> {
    let has_failed = |name: &&String| {
        let record = records.get(*name);
        record.is_some_and(|record| record.ended == Ended::Problem)
    };
    let mut names: BTreeSet<&String> = scope.wanted.iter().filter(has_failed).collect();
    if force {
        names.extend(&scope.targets);
    }
    let now = Timestamp::now();
    for name in &names {
        let record = records.get(*name);
        let again =
            record.map_or_else(|| record::first(name, now), |record| problem::again(record, now));
        hub.call(&record::put(&again)?)?;
    }
    Ok(names.into_iter().map(|name| (name.clone(), now)).collect())
}

/// What is being waited for.
struct Job {
    hub: Hub,
    scope: Scope,
    news: News,
    /// What was asked for, and when.
    since: BTreeMap<String, Timestamp>,
    runner: Runner,
    /// When the last news came, and the status of that moment.
    heard: Option<(Instant, Arc<Status>)>,
    /// What was last shown of each part.
    shown: BTreeMap<String, String>,
    is_told: bool,
}

impl Job {
    /// Waits until nothing is left to do.
    fn wait(&mut self) -> Result<Arc<Status>> {
        let mut usable = Instant::now();
        loop {
            let status = self.look()?;
            if self.hear()? {
                self.heard = Some((Instant::now(), Arc::clone(&status)));
            }
            self.show(&status);
            if self.is_settled(&status) {
                return Ok(status);
            }
            match &status.store {
                None => usable = Instant::now(),
                Some(why) if usable.elapsed() > STORE_MAX => {
                    return Err(hinted(
                        format!("cannot use the store: {why}"),
                        "run: esker doctor",
                    ));
                }
                Some(_) => {}
            }
            if self.rest() {
                return Err(hinted("interrupted", "what was not done is still to be done"));
            }
        }
    }

    /// Whether nothing is left to do. A source that has run counts as done even while it runs again, but not by a
    /// status from before its end: that knows neither of its failure nor of what is to follow.
    fn is_settled(&self, status: &Arc<Status>) -> bool {
        let is_once = |part: &Part| {
            let record = self.news.ran.get(&part.name);
            part.kind == Kind::Source && record.is_some_and(|record| record.failure.is_none())
        };
        let is_older = self
            .heard
            .as_ref()
            .is_some_and(|(when, known)| Arc::ptr_eq(known, status) && when.elapsed() < STATUS_MAX);
        self.scope.is_settled(status, |_| false)
            || (!is_older && self.scope.is_settled(status, is_once))
    }

    fn look(&mut self) -> Result<Arc<Status>> {
        match &mut self.runner {
            Runner::Here(once) => Ok(once.status().unwrap_or_default()),
            Runner::There(project, outlook) => {
                if !Endpoints::read(project).has_runner() {
                    let hint = "`esker run` again runs the rest";
                    return Err(hinted("the runner that worked here has ended", hint));
                }
                Ok(outlook.look()?)
            }
        }
    }

    fn rest(&self) -> bool {
        match &self.runner {
            Runner::Here(once) => once.wait(LOOK_EVERY),
            Runner::There(..) => {
                std::thread::sleep(LOOK_EVERY);
                false
            }
        }
    }

    /// Tells of the runs that have ended; whether there are any. One that had begun before it was asked for is not the one asked for.
    fn hear(&mut self) -> Result<bool> {
        let ended_since = self.news.read(&self.hub).context("cannot read the records of runs")?;
        let has_news = !ended_since.is_empty();
        for record in ended_since {
            let asked = self.since.get(&record.stage);
            if asked.is_some_and(|asked| record.started < *asked) {
                self.hub.call(&record::put(&problem::again(&record, Timestamp::now()))?)?;
            }
            if self.is_told && self.scope.wanted.contains(&record.stage) {
                say::line(ended(&record))?;
            }
        }
        Ok(has_news)
    }

    /// Shows how far programs are, and what waits for another try.
    fn show(&mut self, status: &Status) {
        for part in self.scope.parts(status) {
            let text = match (&part.state, &part.progress) {
                (State::Running, Some(progress)) => format!("{}: {progress}", part.name),
                (State::Retry(at), _) => format!("{}: next try at {}", part.name, say::time(*at)),
                _ => continue,
            };
            if self.is_told && self.shown.get(&part.name) != Some(&text) {
                say::note(format!("{DIM}{text}{DIM:#}"));
            }
            self.shown.insert(part.name.clone(), text);
        }
    }
}

/// A run that has ended, on one line.
fn ended(record: &RunRecord) -> String {
    let outputs = record.outputs.iter();
    let outputs = outputs.map(|output| format!("{} {}", output.resource, output.revision.short()));
    let how = match (&record.failure, record.ended) {
        (Some(failure), _) => format!("failed: {}", failure.summary),
        (None, Ended::Unchanged) => "unchanged".to_owned(),
        (None, _) => format!("stored {}", outputs.collect::<Vec<_>>().join(", ")),
    };
    format!("{}: {how}  {DIM}({} ms){DIM:#}", record.stage, record.duration_ms)
}

/// How it went; fails if something did.
fn tell(scope: &Scope, news: &News, status: &Status, as_json: bool) -> Result<ExitCode> {
    let of = |wanted: fn(&State) -> bool| -> Vec<&Part> {
        scope.parts(status).filter(|part| wanted(&part.state)).collect()
    };
    let failed = of(|state| matches!(state, State::Problem | State::Retry(_)));
    let waiting = of(|state| matches!(state, State::Waiting(_)));
    let in_vain: Vec<&Part> =
        waiting.iter().copied().filter(|part| is_named(scope, part)).collect();
    let is_well = failed.is_empty() && in_vain.is_empty();
    if as_json {
        say::json(&as_value(news, (&failed, &waiting), is_well))?;
        return Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for part in &waiting {
        if let State::Waiting(what) = &part.state {
            say::note(format!("{} waits {what}", part.name));
        }
    }
    let names = |parts: &[&Part]| {
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        names.join(", ")
    };
    if !failed.is_empty() {
        let what = format!("{} failed", names(&failed));
        return Err(hinted(what, "`esker problems` tells why; `esker run` tries again"));
    }
    if !in_vain.is_empty() {
        let hint = "`esker put` brings what is missing, or a source that makes it";
        return Err(hinted(format!("cannot run {}", names(&in_vain)), hint));
    }
    if news.ran.keys().all(|name| !scope.wanted.contains(name)) {
        say::note("nothing to do: all is fresh; --force runs it nevertheless");
    }
    Ok(ExitCode::SUCCESS)
}

fn is_named(scope: &Scope, part: &Part) -> bool {
    !scope.is_all && scope.targets.contains(&part.name)
}

fn as_value(news: &News, (failed, waiting): (&[&Part], &[&Part]), is_well: bool) -> Value {
    let ran = news.ran.values().map(|record| {
        let failure = record.failure.as_ref();
        json!({
            "stage": record.stage,
            "ended": record.ended.to_string(),
            "run_key": record.run_key,
            "started": record.started.to_string(),
            "duration_ms": record.duration_ms,
            "outputs": record.outputs.iter().map(super::input_json).collect::<Vec<_>>(),
            "summary": failure.map(|failure| &failure.summary),
        })
    });
    let failed = failed.iter().map(|part| json!({ "stage": part.name, "summary": part.failure }));
    let waiting = waiting.iter().map(|part| {
        let what = if let State::Waiting(what) = &part.state { what.as_str() } else { "" };
        json!({ "stage": part.name, "waits": what })
    });
    json!({
        "ok": is_well,
        "ran": ran.collect::<Vec<_>>(),
        "failed": failed.collect::<Vec<_>>(),
        "waiting": waiting.collect::<Vec<_>>(),
    })
}
