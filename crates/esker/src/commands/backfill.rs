//! `esker backfill`: a stage's history computed anew with its program of now, beside what there is.

mod adopt;
mod book;
mod recomputed;
mod show;
mod versions;
mod work;

use std::process::ExitCode;

use anyhow::Result;
use esker_pipeline::past::Past;
use esker_wire::backfill::About;
use esker_wire::name::Branch;
use esker_wire::snapshot::Resolve;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::{Backfill, BackfillCommand};
use crate::commands::drop_branch;
use crate::commands::past::{self, Wanted};
use crate::project::Place;
use crate::reach::{Hub, version};
use crate::say::{self, hinted};
use crate::stop::Stop;
use book::Book;
pub(super) use recomputed::recomputed;
use versions::Span;
use work::{Tally, Work};

/// How much less than others the programs of a backfill get of the processor.
const NICE: i32 = 15;

/// Computes history anew, or looks after what was computed.
pub(crate) fn backfill(place: &Place, asked: &Backfill) -> Result<ExitCode> {
    let Some(what) = &asked.what else {
        return compute(place, asked);
    };
    let hub = Hub::find(place)?;
    match what {
        BackfillCommand::List { json } => show::list(&hub, *json)?,
        BackfillCommand::Show { id, json } => show::show(&hub, &Book::find(&hub, id)?, *json)?,
        BackfillCommand::Adopt { id, json } => {
            let adopted = adopt::adopt(&hub, &mut Book::find(&hub, id)?)?;
            if *json {
                say::json(&adopted.to_json())?;
            }
        }
        BackfillCommand::Drop { id } => drop_it(&hub, &Book::find(&hub, id)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn compute(place: &Place, asked: &Backfill) -> Result<ExitCode> {
    let project = place.project()?;
    let definition = past::definition(&project.dir)?;
    let jobs = asked.jobs.map_or((definition.jobs / 2).max(1), |jobs| jobs as usize);
    let stop = Stop::on_signals()?;
    let hub = Hub::find(place)?;
    let stage = asked.stage.clone().unwrap_or_default();
    let wanted = Wanted { dir: project.dir, stage, with: None, recall: true };
    let past = past::open(&hub, definition, wanted)?;
    check(&past)?;
    let span = span(&hub, asked)?;
    let mut about = about(&past);
    let versions = versions::all(&hub, &about, &span)?;
    let Some(first) = versions.first() else {
        say::note("there is no version to compute from");
        return Ok(ExitCode::SUCCESS);
    };
    about.from = span.from.as_ref().map(|_| first.commit);
    let mut book = Book::begin(&hub, &past.id(first.commit), &about)?;
    if rustix::process::nice(NICE).is_err() {
        say::note("the programs run like any other: they cannot be given less of the processor");
    }
    let (hub, past, versions, stop) = (&hub, &past, versions.as_slice(), &stop);
    let tally = work::work(Work { hub, past, book: &mut book, versions, stop }, jobs)?;
    finish(hub, &mut book, (asked, tally, versions.len()))
}

/// Refuses a stage whose results depend on more than the versions of its inputs.
fn check(past: &Past) -> Result<()> {
    let stage = past.stage();
    if !stage.program.previous {
        return Ok(());
    }
    let what = format!("cannot compute {} anew: it reads what it made before", stage.name);
    Err(hinted(
        what,
        "what comes of it depends on when it ran; `esker replay` runs it as it was then",
    ))
}

/// What the command line says, as revisions: a date means the same however often it is asked.
fn span(hub: &Hub, asked: &Backfill) -> Result<Span> {
    let read = |text: &Option<String>| text.as_deref().map(version).transpose();
    let span = Span { from: read(&asked.from)?, to: read(&asked.to)? };
    if let Some(to) = &span.to {
        hub.call(&Resolve { at: to.clone(), branch: Branch::main(), zone: None })?;
    }
    Ok(span)
}

fn about(past: &Past) -> About {
    let stage = past.stage();
    About {
        stage: stage.name.clone(),
        inputs: stage.inputs.clone(),
        optional: stage.ways.optional.clone(),
        outputs: stage.outputs.clone(),
        from: None,
        begun: Timestamp::now(),
        adopted: None,
    }
}

/// Tells how it went, and adopts it if that is wanted and all went well.
fn finish(
    hub: &Hub,
    book: &mut Book,
    (asked, tally, count): (&Backfill, Tally, usize),
) -> Result<ExitCode> {
    let id = book.id.clone();
    let Tally { made, failed, left } = tally;
    let is_whole = failed == 0 && left == 0;
    let adopted = match asked.adopt && is_whole {
        true => Some(adopt::adopt(hub, book)?),
        false => None,
    };
    if asked.json {
        say::json(&json!({
            "id": id,
            "branch": book.branch.as_str(),
            "versions": count,
            "made": made,
            "failed": failed,
            "left": left,
            "adopted": adopted.as_ref().map(adopt::Adopted::to_json),
        }))?;
    } else {
        say::line(&id)?;
    }
    let good = count - failed - left;
    say::note(format!("{good} of {count} versions have a result, {made} of them new"));
    if failed > 0 {
        say::note(format!("{failed} failed: they are tried again when the same is run again"));
    }
    if left > 0 {
        say::note(format!("stopped: {left} are left; run the same again to go on"));
    }
    if asked.adopt && !is_whole {
        say::note(format!("nothing is adopted; `esker backfill adopt {id}` adopts what there is"));
    }
    if !asked.adopt && is_whole {
        say::note(format!("see: esker backfill show {id}; use it: esker backfill adopt {id}"));
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Removes a backfill.
fn drop_it(hub: &Hub, book: &Book) -> Result<()> {
    drop_branch(hub, &book.branch)?;
    say::note(format!("the backfill {} is gone", book.id));
    Ok(())
}
