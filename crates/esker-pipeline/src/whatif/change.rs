//! The contents that a what-if changes by hand.
//!
//! What nobody makes within the what-if is changed itself. What a stage makes is not: the stage makes it anew, and the
//! changes are overrides of that, as they will be on `main` when they are applied.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use esker_wire::edit::{Edit, Noted};
use esker_wire::fault::Code;
use esker_wire::name::Resource;
use esker_wire::overrides::{self, Override};
use esker_wire::revision::At;
use esker_wire::snapshot::{Content, Get, Item};
use esker_wire::whatif;

use crate::definition::Definition;
use crate::edit::{self, Outcome, Refused, weigh};
use crate::run::Halt;

use super::case::{Case, passing};

/// The changes as items of one PUT.
pub(super) struct Changed {
    pub(super) items: Vec<Item>,
    /// The resources that are not what the base or a stage makes of them.
    pub(super) edited: Vec<Resource>,
    /// The edits, each with what it has found.
    pub(super) found: Vec<Noted>,
}

/// Why changes cannot be made, and what to do.
pub(super) type Refusal = (String, String);

/// Makes the changes; resources that were changed before and are not now become what they were.
pub(super) fn make(
    case: &Case<'_>,
    definition: &Definition,
    before: &[Resource],
) -> Result<Result<Changed, Refusal>, Halt> {
    let about = &case.about;
    let mut found: Vec<Noted> = about.edits.iter().map(|edit| (edit.clone(), None)).collect();
    let mut items = Vec::new();
    let edited = by_resource(&about.edits);
    let made: BTreeSet<&Resource> =
        definition.stages.iter().flat_map(|stage| &stage.outputs).collect();
    for (resource, numbers) in &edited {
        let edits: Vec<Noted> = numbers.iter().map(|at| found[*at].clone()).collect();
        if made.contains(resource) {
            match overridden(case, resource, &edits)? {
                Ok(item) => items.push(item),
                Err(refusal) => return Ok(Err(refusal)),
            }
            continue;
        }
        let content = match content(case, resource)? {
            Ok(content) => content,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (bytes, content_type) = content;
        let content_type = content_type.as_deref();
        let whole = edit::Content { content_type, ..edit::Content::new(&bytes) };
        match weigh(whole, &edits) {
            Ok(weighed) => {
                for (at, outcome) in numbers.iter().zip(weighed.outcomes) {
                    if let Outcome::Applied { before } = outcome {
                        found[*at].1 = Some(before);
                    }
                }
                items.push(item(resource, weighed.content.into(), content_type.map(str::to_owned)));
            }
            Err(refused) => {
                let number = refused.number.checked_sub(1).and_then(|place| numbers.get(place));
                return Ok(Err(refusal(resource, (refused, number))));
            }
        }
    }
    for resource in about.inputs.iter().filter(|input| !edited.contains_key(*input)) {
        match content(case, resource)? {
            Ok((bytes, content_type)) => items.push(item(resource, bytes, content_type)),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    let mut edited: Vec<Resource> = edited.into_keys().collect();
    edited.extend(about.inputs.iter().cloned());
    edited.sort_unstable();
    edited.dedup();
    for resource in before.iter().filter(|before| !edited.contains(before)) {
        match restored(case, resource, made.contains(resource))? {
            Ok(item) => items.push(item),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    Ok(Ok(Changed { items, edited, found }))
}

/// An edit that cannot be made, by its number among all.
fn refusal(resource: &Resource, (refused, place): (Refused, Option<&usize>)) -> Refusal {
    let which = place.map_or(String::new(), |place| format!("edit {}: ", place + 1));
    let hint = format!("see what there is: esker get {resource}");
    (format!("{which}cannot change {resource}: {}", refused.why), hint)
}

/// The edits of each resource, by their places in the list.
pub(super) fn by_resource(edits: &[Edit]) -> BTreeMap<Resource, Vec<usize>> {
    let mut all: BTreeMap<Resource, Vec<usize>> = BTreeMap::new();
    for (at, edit) in edits.iter().enumerate() {
        all.entry(edit.at.resource.clone()).or_default().push(at);
    }
    all
}

/// The overrides of what a stage makes: those of the base, and these edits whatever they find.
fn overridden(
    case: &Case<'_>,
    resource: &Resource,
    edits: &[Noted],
) -> Result<Result<Item, Refusal>, Halt> {
    let Some(held) = overrides::of(resource) else {
        let why = format!("{resource} cannot be changed: its name is too long for overrides");
        return Ok(Err((why, "give it a shorter name".to_owned())));
    };
    let then = match read(case, &held, At::from(case.about.base))? {
        Ok(then) => then,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut all = match then.map(|content| overrides::read(&content.bytes.unwrap_or_default())) {
        None => Vec::new(),
        Some(Ok(all)) => all,
        Some(Err(fault)) => return Ok(Err((fault.message, fault.hint))),
    };
    all.extend(edits.iter().map(|(edit, _)| Override {
        edit: edit.clone(),
        before: None,
        by: case.about.owner.clone(),
        why: None,
        since: case.about.created,
        what_if: Some(case.id.to_owned()),
    }));
    Ok(match overrides::write(&all) {
        Ok(bytes) => Ok(item(&held, bytes.into(), None)),
        Err(fault) => Err((fault.message, fault.hint)),
    })
}

/// What a resource has before it is edited: what it is replaced by, or what it has at the base.
fn content(
    case: &Case<'_>,
    resource: &Resource,
) -> Result<Result<(Bytes, Option<String>), Refusal>, Halt> {
    let found = match case.about.inputs.contains(resource) {
        true => match whatif::input(resource) {
            Ok(input) => read(case, &input, At::head())?,
            Err(error) => return Ok(Err((error.to_string(), "give it a shorter name".to_owned()))),
        },
        false => read(case, resource, At::from(case.about.base))?,
    };
    Ok(match found {
        Err(refusal) => Err(refusal),
        Ok(Some(content)) => Ok((content.bytes.unwrap_or_default(), content.entry.content_type)),
        Ok(None) => {
            let why = format!("there is no {resource} at the base {}", case.about.base.short());
            let near = near(case, resource)?.into_iter().next();
            let hint = near.map_or_else(
                || format!("name a resource of then: esker ls --at {}", case.about.base.short()),
                |near| format!("did you mean {near}?"),
            );
            Err((why, hint))
        }
    })
}

/// Names of resources like one that is not there.
fn near(case: &Case, resource: &Resource) -> Result<Vec<String>, Halt> {
    let get = Get { at: At::from(case.about.base), ..Get::head(resource.clone()) };
    Ok(case.ask(&get)?.map_or_else(|fault| fault.candidates, |_| Vec::new()))
}

/// The item that makes a resource what it was at the base.
fn restored(
    case: &Case<'_>,
    resource: &Resource,
    is_made: bool,
) -> Result<Result<Item, Refusal>, Halt> {
    let resource = match is_made {
        true => overrides::of(resource).unwrap_or_else(|| resource.clone()),
        false => resource.clone(),
    };
    Ok(match read(case, &resource, At::from(case.about.base))? {
        Err(refusal) => Err(refusal),
        Ok(None) => Ok(Item { content: None, ..item(&resource, Bytes::new(), None) }),
        Ok(Some(content)) => {
            let bytes = content.bytes.unwrap_or_default();
            Ok(item(&resource, bytes, content.entry.content_type))
        }
    })
}

/// A content on the branch; none if there is none. What is too large cannot be changed.
pub(super) fn read(
    case: &Case<'_>,
    resource: &Resource,
    at: At,
) -> Result<Result<Option<Content>, Refusal>, Halt> {
    let branch = case.bench.branch.clone();
    let get = Get { at, branch, ..Get::head(resource.clone()) };
    match case.ask(&get)? {
        Ok(content) => Ok(Ok(Some(content))),
        Err(fault) if fault.code == Code::NotFound => Ok(Ok(None)),
        Err(fault) if fault.code == Code::TooLarge => {
            let hint = "replace it as a whole: esker whatif new --input RESOURCE=FILE";
            Ok(Err((format!("cannot change {resource}: {}", fault.message), hint.to_owned())))
        }
        Err(fault) => Err(passing(fault)),
    }
}

pub(super) fn item(resource: &Resource, content: Bytes, content_type: Option<String>) -> Item {
    let (resource, content) = (resource.clone(), Some(content));
    Item { resource, content, if_head: None, content_type }
}
