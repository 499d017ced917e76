//! Adopting a backfill: main's history stays as it is, what was recomputed is found beside it, and the newest result
//! becomes the head if that is another.

use anyhow::{Context, Result};
use esker_wire::fault::{Code, Fault};
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Expect, Item, Put, Resolve};
use serde_json::{Value, json};

use super::book::Book;
use super::recomputed;
use crate::commands::past;
use crate::reach::Hub;
use crate::say::{self, hinted};

/// What became of the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Adopted {
    /// It is the newest result now.
    Moved(Revision),
    /// It was the newest result already.
    Same,
    /// It stays: there is no result for the inputs of now. Why, in words.
    Stays(String),
}

impl Adopted {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Moved(revision) => json!({ "head": "moved", "revision": revision.to_string() }),
            Self::Same => json!({ "head": "same" }),
            Self::Stays(why) => json!({ "head": "stays", "why": why }),
        }
    }

    fn tell(&self) {
        match self {
            Self::Moved(revision) => {
                say::note(format!("the newest result is the head now: {}", revision.short()));
            }
            Self::Same => say::note("the head is the newest result already"),
            Self::Stays(why) => say::note(format!("the head stays: {why}")),
        }
    }
}

/// Adopts it.
pub(super) fn adopt(hub: &Hub, book: &mut Book) -> Result<Adopted> {
    let head = Resolve { at: At::head(), branch: Branch::main(), zone: None };
    let head = hub.call(&head)?.revision;
    let inputs = recomputed::inputs_at(hub, &book.about, head)?;
    let done = inputs.and_then(|inputs| book.done.get(&inputs).cloned());
    let adopted = match done {
        None => Adopted::Stays("its inputs are newer than the backfill's newest".to_owned()),
        Some(done) => match done.failed {
            Some(why) => Adopted::Stays(why),
            None => newest(hub, book, (head, done.revision))?,
        },
    };
    book.adopted(hub)?;
    adopted.tell();
    say::note(format!("{} is adopted: `esker get RES@VERSION --recomputed` finds it", book.id));
    Ok(adopted)
}

/// Makes a result the head, if the outputs are still what they were.
fn newest(hub: &Hub, book: &Book, (head, result): (Revision, Revision)) -> Result<Adopted> {
    let mut items = Vec::new();
    for resource in &book.about.outputs {
        let there = past::stat(hub, resource, &At::from(head))?;
        let content = past::content(hub, resource, (&book.branch, result))?;
        items.push(Item {
            resource: resource.clone(),
            content: Some(content.context("the result is not there any more")?),
            if_head: Some(there.map_or(Expect::Absent, |there| Expect::Revision(there.revision))),
            content_type: None,
        });
    }
    let names: Vec<&str> = items.iter().map(|item| item.resource.as_str()).collect();
    let message =
        format!("{}: {} as the backfill {} has it", book.about.stage, names.join(", "), book.id);
    let put = Put {
        items,
        branch: Branch::main(),
        message: Some(message),
        author: None,
        provenance: book.provenance(hub, result)?,
        base: None,
    };
    let stored = hub.call(&put).map_err(|error| {
        let fault = error.downcast_ref::<Fault>();
        match fault.is_some_and(|fault| fault.code == Code::Conflict) {
            true => hinted("the outputs have changed meanwhile", "run the same again"),
            false => error,
        }
    })?;
    let is_changed = stored.items.iter().any(|item| item.is_changed());
    Ok(if is_changed { Adopted::Moved(stored.revision) } else { Adopted::Same })
}
