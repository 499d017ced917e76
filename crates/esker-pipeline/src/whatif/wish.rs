//! What people ask for of a what-if: to apply it, to take that back, to move it to another base.
//!
//! Only edits go from one line of history to another, never what was computed from them. All of it is put together
//! in one PUT that is refused if something it was decided on has changed; then it is decided anew.

use std::collections::BTreeSet;

use bytes::Bytes;
use esker_wire::edit::{Deed, Edit};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides::{self, Override};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Expect, Get, Item, Put};
use esker_wire::whatif::state::{Answer, Conflict, State};
use esker_wire::whatif::{self, ABOUT, About, Ask, Side, Wish};
use jiff::Timestamp;

use crate::commits::{newest, resolve};
use crate::edit::{self, Decision, Outcome, merge, merge_whole};
use crate::run::Halt;

use super::Project;
use super::case::{Case, passing};
use super::change::{by_resource, item};

/// How often it is tried to be faster than others who put on `main`.
const TRIES_MAX: usize = 10;

/// A content with the revision that gave it.
type Version = Option<(Bytes, Revision, Option<String>)>;

/// Why a wish is not granted, in one line.
type Refusal = String;

/// Does what is asked for; none if the what-if has become another by it.
pub(super) fn grant(
    case: &Case<'_>,
    in_force: &Project,
    state: &State,
) -> Result<Option<Answer>, Halt> {
    let Some(ask) = &case.about.ask else {
        return Ok(state.answer.clone());
    };
    let number = ask.number;
    let done = match ask.what {
        Wish::Apply => apply(case, in_force, ask)?,
        Wish::Undo => undo(case, state, ask)?,
        Wish::Rebase(onto) => match rebase(case, ask, onto)? {
            Done::Refused(why) => Done::Refused(why),
            Done::Conflicts(conflicts) => Done::Conflicts(conflicts),
            Done::At(_) => return Ok(None),
        },
    };
    let refused = |summary| Answer { number, summary, ..Answer::default() };
    Ok(Some(match done {
        Done::At(revision) => Answer { number, revision: Some(revision), ..Answer::default() },
        Done::Refused(why) => refused(why),
        Done::Conflicts(conflicts) => {
            let count = conflicts.len();
            let summary =
                if count == 1 { "1 conflict".to_owned() } else { format!("{count} conflicts") };
            Answer { conflicts, ..refused(summary) }
        }
    }))
}

/// What came of a wish.
enum Done {
    At(Revision),
    Refused(Refusal),
    Conflicts(Vec<Conflict>),
}

/// Makes the changes on `main`.
fn apply(case: &Case<'_>, in_force: &Project, ask: &Ask) -> Result<Done, Halt> {
    let about = &case.about;
    if !about.files.is_empty() {
        let files = about.files.join(", ");
        let why = format!(
            "{files}: other programs are not applied: write them into the project's folder"
        );
        return Ok(Done::Refused(why));
    }
    let pulled: BTreeSet<&Resource> =
        in_force.definition.sources.iter().map(|source| &source.output).collect();
    if let Some(input) = about.inputs.iter().find(|input| pulled.contains(input)) {
        let why = format!(
            "{input} is replaced as a whole, and the next pull would take that back: change its source instead"
        );
        return Ok(Done::Refused(why));
    }
    let made = in_force.definition.stages.iter().flat_map(|stage| &stage.outputs);
    let made: BTreeSet<&Resource> = made.chain(pulled).collect();
    let put = |case: &Case<'_>, head: Revision| -> Result<Plan, Halt> {
        let mut plan = Plan::default();
        for resource in resources(about) {
            let merged = merged(case, (&resource, ask), (about.base, head))?;
            let merged = match merged {
                Ok(merged) => merged,
                Err(why) => return Ok(Plan { refused: Some(why), ..plan }),
            };
            if made.contains(&resource) {
                let held = held(case, &resource, head)?;
                plan.overridden(case, (&resource, ask), &merged, held);
            }
            plan.take(&resource, merged);
        }
        Ok(plan)
    };
    let verb = "apply";
    on_main(case, ask, verb, put)
}

/// Takes back what was applied last.
fn undo(case: &Case<'_>, state: &State, ask: &Ask) -> Result<Done, Halt> {
    let Some(applied) = state.answer.as_ref().and_then(|answer| answer.revision) else {
        return Ok(Done::Refused("it was not applied, so there is nothing to undo".to_owned()));
    };
    let parent =
        format!("{applied}~1").parse().map(|at| resolve(case.caller(), Branch::main(), at));
    let Ok(Some(parent)) = parent.map_err(|_| ()).and_then(|found| found.map_err(|_| ())) else {
        return Ok(Done::Refused(format!("{applied} is not on main any more")));
    };
    let put = |case: &Case<'_>, head: Revision| -> Result<Plan, Halt> {
        let mut plan = Plan::default();
        for resource in resources(&case.about) {
            let then = version(case, &resource, parent)?;
            let after = version(case, &resource, applied)?;
            let now = version(case, &resource, head)?;
            let merged = whole(&resource, (&after, &now, &then), ask);
            match merged {
                Ok(merged) => plan.take(&resource, Merged { now, ..merged }),
                Err(why) => return Ok(Plan { refused: Some(why), ..plan }),
            }
            if let Some((name, all, revision)) = held(case, &resource, head)? {
                let before = held(case, &resource, parent)?.map_or(Vec::new(), |(_, all, _)| all);
                let kept: Vec<Override> =
                    all.iter().filter_map(|one| without(case.id, one, &before)).collect();
                if kept != all {
                    plan.overrides(name, &kept, Some(revision));
                }
            }
        }
        Ok(plan)
    };
    on_main(case, ask, "undo", put)
}

/// What an override is without a what-if: of one that this has made, that in whose place it came, if there was one.
fn without(id: &str, one: &Override, before: &[Override]) -> Option<Override> {
    let is_mine = |one: &Override| one.what_if.as_deref() == Some(id);
    if !is_mine(one) {
        return Some(one.clone());
    }
    let is_set = |one: &Override| matches!(one.edit.deed, Deed::Set(_));
    let mut same = before.iter().filter(|old| old.edit.at == one.edit.at && !is_mine(old));
    same.find(|old| is_set(old) && is_set(one)).cloned()
}

/// Begins the what-if anew at another commit of `main`.
fn rebase(case: &Case<'_>, ask: &Ask, onto: Revision) -> Result<Done, Halt> {
    let about = &case.about;
    let mut plan = Plan::default();
    for resource in resources(about) {
        match merged(case, (&resource, ask), (about.base, onto))? {
            Ok(merged) => plan.take(&resource, merged),
            Err(why) => return Ok(Done::Refused(why)),
        }
    }
    if !plan.conflicts.is_empty() {
        return Ok(Done::Conflicts(plan.conflicts));
    }
    let is_theirs = |at: usize| ask.settle.contains(&(at + 1, Side::Theirs));
    let edits = about.edits.iter().enumerate().filter(|(at, _)| !is_theirs(*at));
    let edits: Vec<Edit> = edits.map(|(_, edit)| edit.clone()).collect();
    let new = About { base: onto, edits, ask: None, ..about.clone() };
    let bytes = match new.to_bytes() {
        Ok(bytes) => bytes,
        Err(fault) => return Ok(Done::Refused(fault.message)),
    };
    let name: Resource = ABOUT.parse().expect("it is a resource");
    let first = item(&name, bytes.into(), None);
    let mut items = vec![Item { if_head: Some(Expect::Revision(case.revision())), ..first }];
    for input in &about.inputs {
        let Ok(at) = whatif::input(input) else { continue };
        let whole = plan.items.iter().find(|item| item.resource == *input);
        if let Some(content) = whole.and_then(|item| item.content.clone()) {
            items.push(item(&at, content, None));
        } else if let Some((bytes, ..)) = own(case, &at)? {
            items.push(item(&at, bytes, None));
        }
    }
    for path in &about.files {
        let Ok(at) = whatif::file(path) else { continue };
        if let Some((bytes, ..)) = own(case, &at)? {
            items.push(item(&at, bytes, None));
        }
    }
    let message = Some(format!("what-if {}: onto {}", case.id, onto.short()));
    let (author, base) = (ask.by.clone(), Some(onto));
    let branch = case.bench.branch.clone();
    let put = Put { items, branch, message, author, provenance: None, base };
    match case.ask(&put)? {
        Ok(stored) => Ok(Done::At(stored.revision)),
        Err(fault) if fault.code == Code::NotFound => Ok(Done::Refused(fault.message)),
        Err(fault) => Err(passing(fault)),
    }
}

/// Puts on `main` what is decided on its newest commit; again if that moves meanwhile.
fn on_main(
    case: &Case<'_>,
    ask: &Ask,
    verb: &str,
    decide: impl Fn(&Case<'_>, Revision) -> Result<Plan, Halt>,
) -> Result<Done, Halt> {
    for _ in 0..TRIES_MAX {
        case.line.heed()?;
        let head = newest(case.caller(), Branch::main()).map_err(passing)?;
        let Some(head) = head else {
            return Ok(Done::Refused("the store is empty".to_owned()));
        };
        let plan = decide(case, head)?;
        if let Some(why) = plan.refused {
            return Ok(Done::Refused(why));
        }
        if !plan.conflicts.is_empty() {
            return Ok(Done::Conflicts(plan.conflicts));
        }
        if plan.items.is_empty() {
            return Ok(Done::At(head));
        }
        let why = ask.why.as_ref().map(|why| format!("\n\n{why}")).unwrap_or_default();
        let message = Some(format!("{verb} what-if {}: {}{why}", case.id, case.about.title));
        let author = ask.by.clone().or_else(|| case.about.owner.clone());
        let (branch, provenance, base) = (Branch::main(), None, None);
        let put = Put { items: plan.items, branch, message, author, provenance, base };
        match case.ask(&put)? {
            Ok(stored) => return Ok(Done::At(stored.revision)),
            Err(fault) if fault.code == Code::Conflict => {}
            Err(fault) if is_final(&fault) => return Ok(Done::Refused(fault.message)),
            Err(fault) => return Err(passing(fault)),
        }
    }
    Ok(Done::Refused(format!("main has moved {TRIES_MAX} times meanwhile: ask again")))
}

/// Whether to say no at once. So does a store that is not written, an excavation for example: somebody waits, and a wish
/// that comes true much later is nobody's any more.
fn is_final(fault: &Fault) -> bool {
    matches!(fault.code, Code::BadRequest | Code::TooLarge | Code::NotWritable)
}

/// What is to be put, or what stands against it.
#[derive(Default)]
struct Plan {
    items: Vec<Item>,
    conflicts: Vec<Conflict>,
    refused: Option<Refusal>,
}

/// The changes of one resource on what is there now.
struct Merged {
    now: Version,
    /// The new content; none if it stays.
    content: Option<Bytes>,
    /// The edits and what became of them; none of a content that is replaced as a whole.
    outcomes: Vec<(usize, Edit, Outcome)>,
    conflicts: Vec<Conflict>,
}

impl Plan {
    fn take(&mut self, resource: &Resource, merged: Merged) {
        self.conflicts.extend(merged.conflicts);
        if let Some(content) = merged.content {
            let (revision, content_type) =
                merged.now.map_or((None, None), |(_, revision, kind)| (Some(revision), kind));
            let if_head = Some(revision.map_or(Expect::Absent, Expect::Revision));
            self.items.push(Item { if_head, ..item(resource, content, content_type) });
        }
    }

    /// Has the changes made again whenever the resource is made again.
    fn overridden(
        &mut self,
        case: &Case<'_>,
        (resource, ask): (&Resource, &Ask),
        merged: &Merged,
        held: Option<(Resource, Vec<Override>, Revision)>,
    ) {
        let Some(name) = overrides::of(resource) else {
            return;
        };
        let (mut all, revision) = held.map_or((Vec::new(), None), |(_, all, at)| (all, Some(at)));
        let known = all.clone();
        for (_, edit, outcome) in &merged.outcomes {
            if let Outcome::Applied { before } = outcome {
                let new = Override {
                    edit: edit.clone(),
                    before: Some(before.clone()),
                    by: ask.by.clone().or_else(|| case.about.owner.clone()),
                    why: ask.why.clone().or_else(|| Some(case.about.title.clone())),
                    since: Timestamp::now(),
                    what_if: Some(case.id.to_owned()),
                };
                overrides::add(&mut all, new);
            }
        }
        if all != known {
            self.overrides(name, &all, revision);
        }
    }

    fn overrides(&mut self, name: Resource, all: &[Override], revision: Option<Revision>) {
        let content = match all {
            [] => None,
            all => match overrides::write(all) {
                Ok(bytes) => Some(bytes.into()),
                Err(fault) => {
                    self.refused = Some(fault.message);
                    return;
                }
            },
        };
        let if_head = Some(revision.map_or(Expect::Absent, Expect::Revision));
        self.items.push(Item { resource: name, content, if_head, content_type: None });
    }
}

/// Everything that a what-if changes by hand.
fn resources(about: &About) -> BTreeSet<Resource> {
    by_resource(&about.edits).into_keys().chain(about.inputs.iter().cloned()).collect()
}

/// The changes of a resource, made on what it is at another commit of `main`.
fn merged(
    case: &Case<'_>,
    (resource, ask): (&Resource, &Ask),
    (base, onto): (Revision, Revision),
) -> Result<Result<Merged, Refusal>, Halt> {
    let (then, now) = (version(case, resource, base)?, version(case, resource, onto)?);
    let numbers = by_resource(&case.about.edits).remove(resource).unwrap_or_default();
    if case.about.inputs.contains(resource) {
        let mine = own(case, resource)?;
        let merged = whole(resource, (&then, &now, &mine), ask);
        return Ok(merged.map(|merged| Merged { now, ..merged }));
    }
    let edits: Vec<Edit> = numbers.iter().map(|at| case.about.edits[*at].clone()).collect();
    let settled = numbers.iter().enumerate().filter_map(|(place, at)| {
        let side = ask.settle.iter().rev().find(|(number, _)| *number == at + 1)?.1;
        Some((place + 1, decision(side)))
    });
    let Some((bytes, ..)) = &now else {
        return Ok(Err(format!("{resource} is not on main any more")));
    };
    let settled: Vec<_> = settled.collect();
    let merged = match merge(content(&then), bytes, &edits, &settled) {
        Ok(merged) => merged,
        Err(refused) => return Ok(Err(format!("cannot change {resource}: {}", refused.why))),
    };
    let mut conflicts = Vec::new();
    for (at, outcome) in numbers.iter().zip(&merged.outcomes) {
        if let Outcome::Conflict(one) = outcome {
            let address = case.about.edits[*at].at.to_string();
            conflicts.push(conflict(at + 1, address, one));
        }
    }
    let changed = (merged.content != *bytes).then(|| merged.content.into());
    let outcomes = numbers.iter().zip(edits).zip(merged.outcomes);
    let outcomes = outcomes.map(|((at, edit), outcome)| (*at, edit, outcome)).collect();
    Ok(Ok(Merged { now, content: changed, outcomes, conflicts }))
}

/// A content that is replaced as a whole, merged with what is there now.
fn whole(
    resource: &Resource,
    (then, now, mine): (&Version, &Version, &Version),
    ask: &Ask,
) -> Result<Merged, Refusal> {
    let nothing =
        |content| Merged { now: None, content, outcomes: Vec::new(), conflicts: Vec::new() };
    let bytes = |version: &Version| version.as_ref().map(|(bytes, ..)| bytes.clone());
    let side = ask.settle.iter().rev().find(|(number, _)| *number == 0).map(|(_, side)| *side);
    if bytes(mine) == bytes(now) || side == Some(Side::Theirs) {
        return Ok(nothing(None));
    }
    if bytes(then) == bytes(now) || side == Some(Side::Mine) {
        return Ok(nothing(bytes(mine)));
    }
    let theirs = bytes(now).unwrap_or_default();
    let mine = bytes(mine).unwrap_or_default();
    let merged = merge_whole(content(then), &theirs, &mine, &[])
        .map_err(|refused| format!("cannot merge {resource}: {}", refused.why))?;
    let conflicts = merged.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Conflict(one) => Some(conflict(0, resource.to_string(), one)),
        _ => None,
    });
    let conflicts: Vec<Conflict> = conflicts.collect();
    Ok(Merged { conflicts, ..nothing(Some(merged.content.into())) })
}

fn decision(side: Side) -> Decision {
    match side {
        Side::Mine => Decision::Mine,
        Side::Theirs => Decision::Theirs,
    }
}

fn conflict(edit: usize, at: String, one: &edit::Conflict) -> Conflict {
    let (base, theirs, mine) = (one.base.clone(), one.theirs.clone(), one.mine.clone());
    Conflict { edit, at, kind: one.clash.to_string(), base, theirs, mine }
}

fn content(version: &Version) -> edit::Content<'_> {
    match version {
        Some((bytes, _, content_type)) => {
            edit::Content { content_type: content_type.as_deref(), ..edit::Content::new(bytes) }
        }
        None => edit::Content::new(b""),
    }
}

/// A resource at a commit of `main`.
fn version(case: &Case<'_>, resource: &Resource, at: Revision) -> Result<Version, Halt> {
    get(case, resource, (Branch::main(), At::from(at)))
}

/// A resource on the what-if's own branch.
fn own(case: &Case<'_>, resource: &Resource) -> Result<Version, Halt> {
    get(case, resource, (case.bench.branch.clone(), At::head()))
}

fn get(case: &Case<'_>, resource: &Resource, (branch, at): (Branch, At)) -> Result<Version, Halt> {
    let get = Get { at, branch, ..Get::head(resource.clone()) };
    match case.ask(&get)? {
        Ok(content) => {
            let entry = content.entry;
            Ok(content.bytes.map(|bytes| (bytes, entry.revision, entry.content_type)))
        }
        Err(fault) if fault.code == Code::NotFound => Ok(None),
        Err(fault) => Err(passing(fault)),
    }
}

/// The overrides of a resource at a commit of `main`, if there are any: where they are, what they are, and since when.
fn held(
    case: &Case<'_>,
    resource: &Resource,
    at: Revision,
) -> Result<Option<(Resource, Vec<Override>, Revision)>, Halt> {
    let Some(name) = overrides::of(resource) else {
        return Ok(None);
    };
    let Some((bytes, revision, _)) = version(case, &name, at)? else {
        return Ok(None);
    };
    let all = overrides::read(&bytes).map_err(|fault| {
        tracing::warn!(%fault, %name, "cannot be read");
        Halt::Again(fault.to_string())
    })?;
    Ok(Some((name, all, revision)))
}
