//! Waiting until a what-if is computed, by the runner that works here or, if none does, by this very command.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use esker_pipeline::whatif::alone::{Alone, Options};
use esker_wire::whatif::state::{Answer, Outcome, State};
use indicatif::ProgressBar;

use crate::endpoints::Endpoints;
use crate::project::{Place, Project};
use crate::reach::Hub;
use crate::say::{self, hinted};
use crate::stop::Stop;

use super::{Case, show, touched};

/// How long between two looks: the shortest, the longest, and else this part of what was waited already.
const LOOK: Duration = Duration::from_millis(1);
const LOOK_MAX: Duration = Duration::from_millis(50);
const LOOK_PART: u32 = 10;
/// After how long a person is shown that something is waited for, and how often it is looked whether anybody works.
const SHOWN: Duration = Duration::from_secs(1);
/// After how long it is told that nobody has said anything.
const SILENT: Duration = Duration::from_secs(10);

/// Who computes.
enum Who {
    /// The runner of this project.
    Runner(Project),
    /// Whoever works where the hub is.
    Elsewhere,
    /// This command.
    Here(Box<Alone>),
}

/// What waits.
pub(super) struct Waiting<'a> {
    place: &'a Place,
    hub: &'a Hub,
    begun: Instant,
    stop: Stop,
    json: bool,
}

impl<'a> Waiting<'a> {
    /// Ready to wait from now on.
    pub(super) fn of(place: &'a Place, hub: &'a Hub, json: bool) -> Result<Self> {
        Ok(Self { place, hub, begun: Instant::now(), stop: Stop::on_signals()?, json })
    }

    /// Waits until what a what-if says of itself is settled, unless it is not to, and tells what has come of it.
    pub(super) fn tell(&self, case: &Case, no_wait: bool) -> Result<ExitCode> {
        let case = if no_wait {
            if !self.json && is_idle(self.place) {
                say::note("no runner works here: it is computed when one does");
            }
            case.again(self.hub)?
        } else {
            match self.settle(case)? {
                Some(case) => case,
                None => return Ok(ExitCode::FAILURE),
            }
        };
        if self.json {
            say::json(&show::as_json(self.hub, &case)?)?;
        }
        let Some(state) = case.settled() else {
            return Ok(ExitCode::SUCCESS);
        };
        if !self.json {
            self.came_of_it(&case, state)?;
        }
        let is_well = state.outcome == Outcome::Done;
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Waits for the state of what it says now; none if a person did not want to wait.
    pub(super) fn settle(&self, case: &Case) -> Result<Option<Case>> {
        self.until(case, |now| now.settled().is_some())
    }

    /// Waits for the answer to what was asked for; none if a person did not want to wait.
    pub(super) fn answer(&self, case: &Case, number: u64) -> Result<Option<Case>> {
        self.until(case, |now| {
            let is_moved = now.about.base != case.about.base;
            let is_answered = answer(now).is_some_and(|answer| answer.number == number);
            // Who amends it, or wishes for something else, takes the wish back.
            let is_gone = now.about.ask.as_ref().is_none_or(|ask| ask.number != number);
            is_answered || ((is_moved || is_gone) && now.settled().is_some())
        })
    }

    fn until(&self, case: &Case, holds: impl Fn(&Case) -> bool) -> Result<Option<Case>> {
        let mut who = self.who()?;
        let (since, mut looked, mut spinner) =
            (Instant::now(), Instant::now(), None::<ProgressBar>);
        let mut is_told = false;
        loop {
            let now = case.again(self.hub)?;
            if holds(&now) {
                clear(spinner);
                return Ok(Some(now));
            }
            if looked.elapsed() > SHOWN {
                looked = Instant::now();
                spinner.get_or_insert_with(|| spin(&case.id));
                who = self.who_now(who)?;
            }
            if !is_told && matches!(who, Who::Elsewhere) && self.begun.elapsed() > SILENT {
                is_told = true;
                say::note("nobody has answered yet: does a runner work there?");
            }
            if self.stop.wait((since.elapsed() / LOOK_PART).clamp(LOOK, LOOK_MAX)) {
                clear(spinner);
                let id = &case.id;
                say::note(match who {
                    Who::Here(_) => {
                        format!("{id} is left as it is; it is computed when a runner works here")
                    }
                    _ => format!("{id} goes on being computed; see: esker whatif show {id}"),
                });
                return Ok(None);
            }
        }
    }

    /// Who is to compute; this command itself if there is nobody else.
    fn who(&self) -> Result<Who> {
        if self.place.hub.is_some() {
            return Ok(Who::Elsewhere);
        }
        let project = self.place.project()?;
        if Endpoints::read(&project).has_runner() {
            return Ok(Who::Runner(project));
        }
        let esker = std::env::current_exe().context("cannot find this program's own file")?;
        let (dir, caller) = (project.dir, self.hub.caller());
        let alone = Alone::start(Options { dir, esker, caller })
            .map_err(|error| hinted(error.to_string(), error.hint()))?;
        Ok(Who::Here(Box::new(alone)))
    }

    /// The same a while later: a runner that is gone computes nothing.
    fn who_now(&self, who: Who) -> Result<Who> {
        match who {
            Who::Runner(project) if !Endpoints::read(&project).has_runner() => Err(hinted(
                "the runner that worked here has ended",
                "nothing is lost: it goes on when one works here again",
            )),
            Who::Here(alone) => {
                alone.ring();
                Ok(Who::Here(alone))
            }
            who => Ok(who),
        }
    }

    fn came_of_it(&self, case: &Case, state: &State) -> Result<()> {
        let took = self.begun.elapsed();
        if !state.skipped.is_empty() {
            say::note(format!("left out for their effects: {}", state.skipped.join(", ")));
        }
        if state.outcome == Outcome::Done {
            let told = touched::told(self.hub, case, state)?;
            say::note(format!("done in {}: {told}", duration(took)));
            return Ok(());
        }
        if state.outcome == Outcome::Invalid {
            let id = &case.id;
            say::note(format!(
                "it is kept as {id}: esker whatif amend {id}, with --drop N to take an edit back; or esker whatif discard {id}"
            ));
        }
        let failures = state.runs.iter().filter_map(|run| run.failure.as_ref());
        if let Some(again) = failures.filter_map(|failure| failure.not_before).min() {
            say::note(format!("a runner tries it again at {}", say::time(again)));
        }
        Err(hinted(
            format!("{}: {}", case.id, summary(state)),
            match state.hint.as_str() {
                "" => format!("esker whatif show {}", case.id),
                hint => hint.to_owned(),
            },
        ))
    }
}

/// Whether nobody computes.
pub(in crate::commands) fn is_idle(place: &Place) -> bool {
    let project = place.project().ok();
    place.hub.is_none() && !project.is_some_and(|project| Endpoints::read(&project).has_runner())
}

/// Why it came no further.
pub(super) fn summary(state: &State) -> &str {
    match (state.summary.as_str(), state.outcome) {
        ("", Outcome::Invalid) => "the changes cannot be made",
        ("", _) => "a stage failed",
        (summary, _) => summary,
    }
}

/// The answer to the last wish, if there was one.
pub(super) fn answer(case: &Case) -> Option<&Answer> {
    case.state.as_ref().and_then(|state| state.answer.as_ref())
}

/// `14 ms`, `2.5 s`.
pub(super) fn duration(time: Duration) -> String {
    match time.as_millis() {
        ms @ ..10_000 => format!("{ms} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

/// Takes away what a person was shown.
fn clear(spinner: Option<ProgressBar>) {
    if let Some(spinner) = spinner {
        spinner.finish_and_clear();
    }
}

/// Shows a person that something is waited for; nothing where standard error is no terminal.
fn spin(id: &str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(format!("computing {id}"));
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}
