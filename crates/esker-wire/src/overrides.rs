//! Overrides: edits of what a source or stage makes, applied again to everything that it makes later.
//!
//! Those of `raw/plan` are the resource `overrides/raw/plan` on `main`: an input of whoever makes `raw/plan`. Each notes
//! what it found when it was made; what is made later and says something else is not overridden in silence. As long as
//! there are some, `overridden/raw/plan` is what was made: whoever makes it starts from that, and it counts again when
//! they are gone.

pub mod book;

use jiff::Timestamp;

use crate::edit::{self, BadEdits, Before, Deed, Edit};
use crate::fault::{Code, Fault};
use crate::message::{self, Section};
use crate::name::{NAME_MAX, Resource};
use crate::stacked;

/// What the names of resources that hold overrides begin with.
pub const PREFIX: &str = "overrides/";

/// What the names of resources begin with that hold what was made before overrides changed it.
pub const BENEATH: &str = "overridden/";

/// One edit that is applied again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// What is changed.
    pub edit: Edit,
    /// What was there when it was made; if that is not said it is applied whatever is there.
    pub before: Option<Before>,
    /// Who made it: `name <mail>`.
    pub by: Option<String>,
    /// Why.
    pub why: Option<String>,
    /// Since when it is.
    pub since: Timestamp,
    /// The what-if that it was made in.
    pub what_if: Option<String>,
}

/// The resource that holds a resource's overrides; none if its name would be too long, or for overrides themselves.
pub fn of(resource: &Resource) -> Option<Resource> {
    beside(PREFIX, resource)
}

/// A resource that lies beside another; there are all of those or none.
fn beside(prefix: &str, resource: &Resource) -> Option<Resource> {
    let is_long = resource.as_str().len() + PREFIX.len().max(BENEATH.len()) > NAME_MAX;
    if is_long || is_beside(resource) {
        return None;
    }
    format!("{prefix}{resource}").parse().ok()
}

/// The resource that holds what was made as a resource before its overrides changed it; there is one where it has some.
pub fn beneath(resource: &Resource) -> Option<Resource> {
    beside(BENEATH, resource)
}

/// Whether a resource is one that [`of`] or [`beneath`] names: it belongs to another.
pub fn is_beside(resource: &Resource) -> bool {
    resource.as_str().starts_with(PREFIX) || is_beneath(resource)
}

/// Whether a resource is one that [`beneath`] names.
pub fn is_beneath(resource: &Resource) -> bool {
    resource.as_str().starts_with(BENEATH)
}

/// The resource whose overrides a resource holds, if it holds some.
pub fn whose(resource: &Resource) -> Option<Resource> {
    resource.as_str().strip_prefix(PREFIX)?.parse().ok()
}

/// A resource's overrides with one more. One that gives the same address another text takes the place of the one before:
/// what that had found is what counts.
pub fn add(all: &mut Vec<Override>, new: Override) {
    let is_set = |one: &Override| matches!(one.edit.deed, Deed::Set(_));
    let same = all.iter_mut().rev().find(|one| one.edit.at == new.edit.at);
    match same.filter(|one| is_set(one) && is_set(&new)) {
        Some(one) => {
            let before = one.before.take();
            *one = Override { before, ..new };
        }
        None => all.push(new),
    }
}

/// As stacked streams, one for each.
///
/// # Errors
/// `too-large` if there are too many.
pub fn write(all: &[Override]) -> Result<Vec<u8>, Fault> {
    let too_large = |error: BadEdits| {
        Fault::new(Code::TooLarge, format!("cannot write overrides: {error}"))
            .hint("change the source instead")
    };
    let mut out = Vec::new();
    for one in all {
        let why = one.why.as_ref().map(|why| why.replace(['\n', '\r'], " "));
        let section = Section::new("about")
            .with("since", one.since)
            .with_some("by", one.by.as_deref())
            .with_some("why", why)
            .with_some("what-if", one.what_if.as_deref());
        let fields = section.fields.iter().map(|(key, value)| format!("{key}: {value}\n"));
        let mut inner = Vec::new();
        stacked::write(&mut inner, &section.name, fields.collect::<String>().as_bytes());
        let edit = edit::write(&[(one.edit.clone(), one.before.clone())]).map_err(too_large)?;
        stacked::write(&mut inner, "edit", &edit);
        stacked::write(&mut out, "override v1", &inner);
    }
    edit::check_size(all.len(), out.len()).map_err(too_large)?;
    Ok(out)
}

/// Reads [`write()`].
///
/// # Errors
/// `bad-request` naming the first that is not right, by its number from 1.
pub fn read(bytes: &[u8]) -> Result<Vec<Override>, Fault> {
    let streams = stacked::parse(bytes).map_err(|error| wrong(0, &error.to_string()))?;
    edit::check_size(streams.len(), bytes.len()).map_err(|error| wrong(0, &error.to_string()))?;
    let one = |(index, stream): (usize, &stacked::Stream<'_>)| {
        if stream.name != b"override v1" {
            return Err(wrong(index + 1, "it is no `override v1`"));
        }
        read_one(&stream.content()).map_err(|error| wrong(index + 1, &error.to_string()))
    };
    streams.iter().enumerate().map(one).collect()
}

fn read_one(bytes: &[u8]) -> Result<Override, Fault> {
    let streams = stacked::parse(bytes).map_err(Fault::bad_request)?;
    let content = |name: &[u8]| {
        let stream = streams.iter().find(|stream| stream.name == name);
        stream.map(stacked::Stream::content).unwrap_or_default()
    };
    let mut head = Vec::new();
    stacked::write(&mut head, "about", &content(b"about"));
    let sections = message::sections(&head)?;
    let section = &sections[0];
    let edits = edit::read(&content(b"edit")).map_err(Fault::bad_request)?;
    let [(edit, before)] = <[_; 1]>::try_from(edits)
        .map_err(|edits| Fault::bad_request(format!("it has {} edits, not one", edits.len())))?;
    Ok(Override {
        edit,
        before,
        by: section.text("by"),
        why: section.text("why"),
        since: section.require("since")?,
        what_if: section.text("what-if"),
    })
}

fn wrong(number: usize, why: &str) -> Fault {
    let which = if number == 0 { "overrides".to_owned() } else { format!("override {number}") };
    Fault::bad_request(format!("cannot read {which}: {why}"))
}

#[cfg(test)]
mod tests;
