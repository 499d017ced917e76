//! Taking back what was applied, and what of a wish was done before whoever did it could say so.

use std::collections::BTreeSet;

use esker_wire::name::{Branch, Resource};
use esker_wire::overrides::{self, Override};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Entry, Filter, LOG_MAX, Log};
use esker_wire::whatif::Ask;
use esker_wire::whatif::state::State;

use crate::commits::resolve;
use crate::run::Halt;

use super::case::{Case, passing};
use super::found::{held, version};
use super::wish::{Done, Merged, Plan, on_main, resources, whole};

/// How many pages of a resource's log are looked through.
const PAGES_MAX: usize = 20;

/// What the message of a commit of `main` says that grants a wish.
pub(super) fn which(case: &Case<'_>, number: u64) -> String {
    format!("{}{number}.", which_of(case))
}

/// How that begins, whichever wish it was. There may have been others of the same id.
fn which_of(case: &Case<'_>) -> String {
    format!("What-if: {} of {}, wish ", case.id, case.about.created)
}

/// The commit of `main` after a base that granted a wish, if one did.
pub(super) fn done(
    case: &Case<'_>,
    (all, base): (&[Resource], Revision),
    ask: &Ask,
) -> Result<Option<Revision>, Halt> {
    let found = newest(case, (all, base), &which(case, ask.number))?;
    Ok(found.map(|entry| entry.revision))
}

/// The newest version of these resources after a base whose commit says this.
fn newest(
    case: &Case<'_>,
    (all, base): (&[Resource], Revision),
    says: &str,
) -> Result<Option<Entry>, Halt> {
    let filter =
        Filter { since: Some(At::from(base)), grep: Some(says.to_owned()), ..Filter::default() };
    let mut found: Option<Entry> = None;
    for resource in all {
        let (resource, filter) = (Some(resource.clone()), filter.clone());
        let mut log = Log { resource, filter, ..Log::newest(1) };
        for _ in 0..PAGES_MAX {
            // What never was on `main` was not changed there.
            let Ok(page) = case.ask(&log)? else { break };
            if let Some(entry) = page.entries.into_iter().next() {
                found = found.filter(|found| found.time >= entry.time).or(Some(entry));
                break;
            }
            let Some(next) = page.next else { break };
            log.after = Some(next);
        }
    }
    Ok(found)
}

/// What was applied and not taken back. Whoever was killed, or changed under its hands, may not have said so.
fn applied(case: &Case<'_>, state: &State) -> Result<Option<Revision>, Halt> {
    if state.applied.is_some() {
        return Ok(state.applied);
    }
    let all: Vec<Resource> = resources(&case.about).into_iter().collect();
    let says = which_of(case);
    let found = newest(case, (&all, case.about.base), &says)?;
    Ok(found.filter(|entry| entry.summary.starts_with("apply ")).map(|entry| entry.revision))
}

/// Takes back what was applied last.
pub(super) fn undo(case: &Case<'_>, state: &State, ask: &Ask) -> Result<Done, Halt> {
    let Some(applied) = applied(case, state)? else {
        return Ok(Done::Refused("it was not applied, so there is nothing to undo".to_owned()));
    };
    let gone = || Done::Refused(format!("{applied} is not on main any more"));
    let Ok(at) = format!("{applied}~1").parse() else {
        return Ok(gone());
    };
    let Some(parent) = resolve(case.caller(), Branch::main(), at).map_err(passing)? else {
        return Ok(gone());
    };
    let changed = changed(case, (parent, applied))?;
    let all: Vec<Resource> = changed.iter().cloned().collect();
    if let Some(done) = done(case, (&all, applied), ask)? {
        return Ok(Done::At(done));
    }
    on_main(case, (ask, "undo"), |case, head| {
        let mut plan = Plan::default();
        // Whoever makes a resource that is not overridden any more sees to what is kept beneath.
        for resource in changed.iter().filter(|resource| !overrides::is_beneath(resource)) {
            if let Some(output) = overrides::whose(resource) {
                let now = match held(case, &output, head)? {
                    Ok(now) => now,
                    Err(why) => return Ok(Plan { refused: Some(why), ..plan }),
                };
                let (then, after) =
                    (in_force(case, &output, parent)?, in_force(case, &output, applied)?);
                let (now, revision) = now.map_or((Vec::new(), None), |(all, at)| (all, Some(at)));
                let kept = without((&then, &after), &now);
                if kept != now {
                    plan.overrides(resource.clone(), &kept, revision);
                }
                continue;
            }
            if is_over(case, resource, (parent, applied, head))? {
                continue;
            }
            let then = version(case, resource, parent)?;
            let after = version(case, resource, applied)?;
            let now = version(case, resource, head)?;
            match whole(resource, (&after, &now, &then), ask) {
                Ok(merged) => plan.take(resource, Merged { now, ..merged }),
                Err(why) => return Ok(Plan { refused: Some(why), ..plan }),
            }
        }
        Ok(plan)
    })
}

/// All overrides of a resource at a commit; none of what cannot be read.
fn in_force(case: &Case<'_>, output: &Resource, at: Revision) -> Result<Vec<Override>, Halt> {
    let held = held(case, output, at)?.ok().flatten();
    Ok(held.map_or_else(Vec::new, |(all, _)| all))
}

/// Whether a commit overrode a resource, and none of that is in force any more: whoever makes it says what it is.
fn is_over(
    case: &Case<'_>,
    output: &Resource,
    (parent, commit, head): (Revision, Revision, Revision),
) -> Result<bool, Halt> {
    let (then, after) = (in_force(case, output, parent)?, in_force(case, output, commit)?);
    let now = in_force(case, output, head)?;
    let came: Vec<&Override> = after.iter().filter(|one| !is_in(&then, one)).collect();
    // Another may have taken its place, on top of it.
    let is_there = |one: &&Override| now.iter().any(|known| known.edit.at == one.edit.at);
    Ok(!came.is_empty() && !came.iter().any(is_there))
}

/// Whether one is among these. One that was kept since is applied whatever it finds, and still the same.
fn is_in(all: &[Override], one: &Override) -> bool {
    let same = |known: &Override| Override { before: one.before.clone(), ..known.clone() } == *one;
    all.iter().any(same)
}

/// What a commit has changed.
fn changed(
    case: &Case<'_>,
    (parent, commit): (Revision, Revision),
) -> Result<BTreeSet<Resource>, Halt> {
    let filter = Filter { since: Some(At::from(parent)), ..Filter::default() };
    let log = Log { at: At::from(commit), filter, ..Log::newest(LOG_MAX) };
    let page = case.ask(&log)?.map_err(passing)?;
    let its = page.entries.into_iter().filter(|entry| entry.revision == commit);
    Ok(its.map(|entry| entry.resource).collect())
}

/// Overrides of now without those that a commit brought, and with those whose place they took.
fn without((then, after): (&[Override], &[Override]), now: &[Override]) -> Vec<Override> {
    let came = |one: &&Override| is_in(after, one) && !is_in(then, one);
    let went = then.iter().filter(|one| !is_in(after, one));
    let kept = now.iter().filter(|one| !came(one)).cloned();
    let kept: Vec<Override> = kept.collect();
    // Of what is in force at the same place now, only what came is taken back.
    let is_free = |one: &&Override| !kept.iter().any(|known| known.edit.at == one.edit.at);
    let back: Vec<Override> = went.filter(is_free).cloned().collect();
    kept.into_iter().chain(back).collect()
}
