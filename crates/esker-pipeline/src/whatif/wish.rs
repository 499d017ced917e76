//! What people ask for of a what-if: to apply it, to take that back, to move it to another base.
//!
//! Only edits go from one line of history to another, never what was computed from them. All of it is put together
//! in one PUT that is refused if something it was decided on has changed; then it is decided anew.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use esker_wire::edit::Edit;
use esker_wire::edit::address::Address;
use esker_wire::fault::{Code, Fault};
use esker_wire::name::{Branch, Resource};
use esker_wire::overrides::{self, Override};
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Expect, Item, Put};
use esker_wire::whatif::state::{self, Answer, Conflict, State};
use esker_wire::whatif::{self, ABOUT, About, Ask, STATE, Side, Wish};
use jiff::Timestamp;

use crate::commits::newest;
use crate::edit::{self, Clash, Decision, Outcome, merge, merge_whole};
use crate::run::Halt;

use super::Project;
use super::back::{self, undo};
use super::case::{self, Case, passing};
use super::change::{by_resource, item};
use super::found::{Found, Held, held, own, renamed, version};

/// How often it is tried to be faster than others who put on `main`.
const TRIES_MAX: usize = 10;

/// Why a wish is not granted, in one line.
pub(super) type Refusal = String;

/// Does what is asked for and says so in the state; not so if the what-if has become another by it.
pub(super) fn grant(case: &Case<'_>, in_force: &Project, state: &mut State) -> Result<bool, Halt> {
    let Some(ask) = &case.about.ask else {
        return Ok(true);
    };
    let done = match ask.what {
        Wish::Apply => apply(case, in_force, (state, ask))?,
        Wish::Undo => undo(case, state, ask)?,
        Wish::Rebase(onto) => rebase(case, (state, ask), onto)?,
    };
    let mut answer = Answer { number: ask.number, ..Answer::default() };
    match done {
        Done::Rebased => return Ok(false),
        Done::At(revision) => {
            answer.revision = Some(revision);
            state.applied = Some(revision).filter(|_| ask.what == Wish::Apply);
        }
        Done::Nothing(head) => {
            answer.revision = Some(head);
            answer.summary = "nothing was left to do: main says so already".to_owned();
            state.applied = state.applied.filter(|_| ask.what == Wish::Apply);
        }
        Done::Refused(why) => answer.summary = why,
        Done::Conflicts(conflicts) => {
            let count = conflicts.len();
            answer.summary =
                if count == 1 { "1 conflict".to_owned() } else { format!("{count} conflicts") };
            answer.conflicts = conflicts;
        }
    }
    state.answer = Some(answer);
    Ok(true)
}

/// What came of a wish.
pub(super) enum Done {
    /// This commit of `main` did it.
    At(Revision),
    /// At this commit of `main` nothing was left to do.
    Nothing(Revision),
    Rebased,
    Refused(Refusal),
    Conflicts(Vec<Conflict>),
}

/// Makes the changes on `main`.
fn apply(case: &Case<'_>, in_force: &Project, (state, ask): (&State, &Ask)) -> Result<Done, Halt> {
    let about = &case.about;
    if !about.files.is_empty() {
        let files = about.files.join(", ");
        let why = format!(
            "{files}: other programs are not applied: write them into the project's folder"
        );
        return Ok(Done::Refused(why));
    }
    if state.outcome == state::Outcome::Invalid && !about.inputs.is_empty() {
        return Ok(Done::Refused(format!("its changes cannot be made: {}", state.summary)));
    }
    let sources = in_force.definition.sources.iter().map(|source| &source.output);
    let made = in_force.definition.stages.iter().flat_map(|stage| &stage.outputs);
    let mut made: BTreeSet<&Resource> = made.chain(sources).collect();
    // The definition may say names that are older than those of now.
    let renamed = renamed(case)?;
    let now = renamed.iter().filter(|(older, _)| made.contains(older)).map(|(_, now)| now);
    let now: Vec<&Resource> = now.collect();
    made.extend(now);
    if let Some(input) = about.inputs.iter().find(|input| made.contains(input)) {
        let why = format!(
            "{input} is replaced as a whole, and the next run would take that back: change what it is made from instead"
        );
        return Ok(Done::Refused(why));
    }
    let streams = in_force.definition.sources.iter().filter(|source| source.has_streams());
    let streams: Vec<_> = streams.collect();
    let pulled = resources(about).into_iter().find_map(|resource| {
        let source = streams.iter().find(|source| source.output.is_above(&resource))?;
        Some((resource, source.name.clone()))
    });
    if let Some((resource, source)) = pulled {
        let why =
            format!("{resource} is a stream of {source}, whose next pull would take that back");
        return Ok(Done::Refused(why));
    }
    let put = |case: &Case<'_>, head: Revision| -> Result<Plan, Halt> {
        let mut plan = Plan::default();
        for resource in resources(about) {
            let merged = merged(case, (&resource, ask), (about.base, head))?;
            let merged = match merged {
                Ok(merged) => merged,
                Err(why) => return Ok(Plan { refused: Some(why), ..plan }),
            };
            // It may have been given another name since the base.
            let called = merged.now.as_ref().map_or(&resource, |now| &now.resource).clone();
            if made.contains(&called) {
                let held = match held(case, &called, head)? {
                    Ok(held) => held,
                    Err(why) => return Ok(Plan { refused: Some(why), ..plan }),
                };
                if held.is_none() {
                    plan.keep_beneath(case, (&called, head), &merged)?;
                }
                plan.overridden(case, (&called, ask), &merged, held);
            }
            plan.take(&resource, merged);
        }
        Ok(plan)
    };
    let all: Vec<Resource> = resources(about).into_iter().collect();
    if let Some(done) = back::done(case, (&all, about.base), ask)? {
        return Ok(Done::At(done));
    }
    on_main(case, (ask, "apply"), put)
}

/// Begins the what-if anew at another commit of `main`.
fn rebase(case: &Case<'_>, (state, ask): (&State, &Ask), onto: Revision) -> Result<Done, Halt> {
    let about = &case.about;
    // Where changes could not be made, what is replaced as a whole is still without its edits.
    let is_made = state.outcome != state::Outcome::Invalid;
    let (mut conflicts, mut contents) = (Vec::new(), BTreeMap::new());
    for resource in resources(about) {
        if about.inputs.contains(&resource) && !is_made {
            continue;
        }
        match merged(case, (&resource, ask), (about.base, onto))? {
            Ok(merged) => {
                conflicts.extend(merged.conflicts);
                let now = merged.now.map(|now| now.bytes);
                contents.insert(resource, merged.content.unwrap_or(now));
            }
            Err(why) => return Ok(Done::Refused(why)),
        }
    }
    if !conflicts.is_empty() {
        return Ok(Done::Conflicts(conflicts));
    }
    let is_theirs = |at: usize| ask.settle.contains(&(at + 1, Side::Theirs));
    // The edits of what is replaced as a whole are in its new content.
    let is_in = |edit: &Edit| is_made && about.inputs.contains(&edit.at.resource);
    let edits = about.edits.iter().enumerate();
    let edits = edits.filter(|(at, edit)| !is_theirs(*at) && !is_in(edit));
    let edits: Vec<Edit> = edits.map(|(_, edit)| edit.clone()).collect();
    let mut new = About { base: onto, edits, ask: None, ..about.clone() };
    new.inputs.retain(|input| contents.get(input).is_none_or(Option::is_some));
    let bytes = match new.to_bytes() {
        Ok(bytes) => bytes,
        Err(fault) => return Ok(Done::Refused(fault.message)),
    };
    let name: Resource = ABOUT.parse().expect("it is a resource");
    let first = item(&name, bytes.into(), None);
    let mut items = vec![Item { if_head: Some(Expect::Revision(case.revision())), ..first }];
    for input in &new.inputs {
        let Ok(at) = whatif::input(input) else { continue };
        match contents.get(input).cloned().flatten() {
            Some(content) => items.push(item(&at, content, None)),
            None => items.extend(own(case, &at)?.map(|own| item(&at, own.bytes, None))),
        }
    }
    for path in &about.files {
        let Ok(at) = whatif::file(path) else { continue };
        items.extend(own(case, &at)?.map(|own| item(&at, own.bytes, None)));
    }
    if state.applied.is_some() {
        // What was applied can be taken back all the same.
        let kept = State { applied: state.applied, ..case::invalid(state.about, "", "") };
        let name: Resource = STATE.parse().expect("it is a resource");
        items.push(item(&name, kept.to_bytes().into(), None));
    }
    let message = Some(format!("what-if {}: onto {}", case.id, onto.short()));
    let (author, base) = (ask.by.clone(), Some(onto));
    let branch = case.bench.branch.clone();
    let put = Put { items, branch, message, author, provenance: None, base };
    match case.ask(&put)? {
        Ok(_) => Ok(Done::Rebased),
        Err(fault) if fault.code == Code::NotFound => Ok(Done::Refused(fault.message)),
        Err(fault) => Err(passing(fault)),
    }
}

/// Puts on `main` what is decided on its newest commit; again if that moves meanwhile.
pub(super) fn on_main(
    case: &Case<'_>,
    (ask, verb): (&Ask, &str),
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
            return Ok(Done::Nothing(head));
        }
        let why = ask.why.as_ref().map(|why| format!("\n\n{why}")).unwrap_or_default();
        let title = &case.about.title;
        let which = back::which(case, ask.number);
        let message = Some(format!("{verb} what-if {}: {title}{why}\n\n{which}", case.id));
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
pub(super) struct Plan {
    pub(super) items: Vec<Item>,
    pub(super) conflicts: Vec<Conflict>,
    pub(super) refused: Option<Refusal>,
}

/// The changes of one resource on what is there now.
pub(super) struct Merged {
    pub(super) now: Option<Found>,
    /// What it is to be, which may be nothing; none if it stays.
    pub(super) content: Option<Option<Bytes>>,
    /// The edits and what became of them; none of a content that is replaced as a whole.
    pub(super) outcomes: Vec<(usize, Edit, Outcome)>,
    pub(super) conflicts: Vec<Conflict>,
}

impl Plan {
    pub(super) fn take(&mut self, resource: &Resource, merged: Merged) {
        self.conflicts.extend(merged.conflicts);
        if let Some(content) = merged.content {
            let (resource, if_head, content_type) = match merged.now {
                Some(now) => (now.resource, Expect::Revision(now.revision), now.content_type),
                None => (resource.clone(), Expect::Absent, None),
            };
            self.items.push(Item { resource, content, if_head: Some(if_head), content_type });
        }
    }

    /// Has the changes made again whenever the resource is made again.
    fn overridden(
        &mut self,
        case: &Case<'_>,
        (resource, ask): (&Resource, &Ask),
        merged: &Merged,
        held: Option<Held>,
    ) {
        let Some(name) = overrides::of(resource) else {
            return;
        };
        let (mut all, revision) = held.map_or((Vec::new(), None), |(all, at)| (all, Some(at)));
        let known = all.clone();
        for (_, edit, outcome) in &merged.outcomes {
            if let Outcome::Applied { before } = outcome {
                let mut edit = edit.clone();
                edit.at.resource = resource.clone();
                let new = Override {
                    edit,
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

    /// Keeps what was made before it is changed; where it was changed before it is kept already.
    fn keep_beneath(
        &mut self,
        case: &Case<'_>,
        (resource, head): (&Resource, Revision),
        merged: &Merged,
    ) -> Result<(), Halt> {
        let (Some(name), Some(now)) = (overrides::beneath(resource), &merged.now) else {
            return Ok(());
        };
        if merged.content.is_none() || version(case, &name, head)?.is_some() {
            return Ok(());
        }
        let kept = item(&name, now.bytes.clone(), now.content_type.clone());
        self.items.push(Item { if_head: Some(Expect::Absent), ..kept });
        Ok(())
    }

    pub(super) fn overrides(
        &mut self,
        name: Resource,
        all: &[Override],
        revision: Option<Revision>,
    ) {
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
pub(super) fn resources(about: &About) -> BTreeSet<Resource> {
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
    let Some(Found { bytes, .. }) = &now else {
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
    let changed = (merged.content != *bytes).then(|| Some(merged.content.into()));
    let outcomes = numbers.iter().zip(edits).zip(merged.outcomes);
    let outcomes = outcomes.map(|((at, edit), outcome)| (*at, edit, outcome)).collect();
    Ok(Ok(Merged { now, content: changed, outcomes, conflicts }))
}

/// A content that is replaced as a whole, merged with what is there now. Who is right is asked only where both have
/// changed the same.
pub(super) fn whole(
    resource: &Resource,
    (then, now, mine): (&Option<Found>, &Option<Found>, &Option<Found>),
    ask: &Ask,
) -> Result<Merged, Refusal> {
    let becomes =
        |content| Merged { now: None, content, outcomes: Vec::new(), conflicts: Vec::new() };
    let bytes = |version: &Option<Found>| version.as_ref().map(|found| found.bytes.clone());
    let (was, theirs, new) = (bytes(then), bytes(now), bytes(mine));
    if new == theirs || new == was {
        return Ok(becomes(None));
    }
    if was == theirs {
        return Ok(becomes(Some(new)));
    }
    let side = ask.settle.iter().rev().find(|(number, _)| *number == 0).map(|(_, side)| *side);
    let (Some(theirs), Some(new)) = (&theirs, &new) else {
        let told = |content: &Option<Bytes>| match content {
            Some(bytes) => format!("{} bytes", bytes.len()),
            None => "nothing".to_owned(),
        };
        let clash = if new.is_none() { Clash::RemovedAndEdited } else { Clash::EditedAndRemoved };
        let (base, theirs, mine) = (told(&was), told(&theirs), told(&new));
        let one = edit::Conflict { place: None, clash, base, theirs, mine };
        return Ok(match side {
            Some(Side::Mine) => becomes(Some(new)),
            Some(Side::Theirs) => becomes(None),
            None => {
                Merged { conflicts: vec![conflict(0, resource.to_string(), &one)], ..becomes(None) }
            }
        });
    };
    let merge = |decided: &[(usize, Decision)]| {
        merge_whole(content(then), theirs, new, decided)
            .map_err(|refused| format!("cannot merge {resource}: {}", refused.why))
    };
    let open = |weighed: &edit::Weighed| -> Vec<(usize, edit::Conflict)> {
        let all = (1..).zip(&weighed.outcomes);
        all.filter_map(|(number, outcome)| match outcome {
            Outcome::Conflict(one) => Some((number, one.clone())),
            _ => None,
        })
        .collect()
    };
    let merged = merge(&[])?;
    let conflicts = open(&merged);
    let Some(side) = side.filter(|_| !conflicts.is_empty()) else {
        let at = |one: &edit::Conflict| match one.place.clone() {
            Some(place) => Address { resource: resource.clone(), place }.to_string(),
            None => resource.to_string(),
        };
        let told = conflicts.iter().map(|(_, one)| conflict(0, at(one), one));
        let conflicts = told.collect();
        return Ok(Merged { conflicts, ..becomes(Some(Some(merged.content.into()))) });
    };
    let decided: Vec<_> = conflicts.iter().map(|(number, _)| (*number, decision(side))).collect();
    let merged = merge(&decided)?;
    Ok(becomes(Some(match open(&merged).is_empty() {
        true => Some(merged.content.into()),
        // What was removed there cannot be changed: it is brought back with all the rest.
        false => Some(new.clone()),
    })))
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

fn content(version: &Option<Found>) -> edit::Content<'_> {
    match version {
        Some(Found { bytes, content_type, .. }) => {
            edit::Content { content_type: content_type.as_deref(), ..edit::Content::new(bytes) }
        }
        None => edit::Content::new(b""),
    }
}
