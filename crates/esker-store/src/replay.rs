//! What the journal tells is done again when a store is opened.

use std::path::Path;

use crate::error::Error;
use crate::journal::Batch;
use crate::locks::{self, Move, Moved};
use crate::objects::{Objects, id_of};
use crate::settle::{Load, Stray};

/// Puts what is not in its place there. A reference that is where the journal moves it from, or at any step of its
/// way, is moved to the way's end; any other has been moved by someone else, and stays.
pub(crate) fn replay(git_dir: &Path, batches: Vec<Batch>) -> Result<Vec<Stray>, Error> {
    let objects = Objects::open(git_dir)?;
    let steps: Vec<Move> = batches.iter().flat_map(|batch| batch.moves.clone()).collect();
    let mut load = Load::default();
    for mut batch in batches {
        for object in &batch.objects {
            if id_of(object.kind, &object.bytes)? != object.id {
                let reason = "is not what the journal says it is".to_owned();
                return Err(Error::Damaged { id: object.id, reason });
            }
        }
        batch.objects.retain(|object| !matches!(objects.read(object.id), Ok(Some(_))));
        load.take(0, batch);
    }
    let mut strays = Vec::new();
    for stray in load.place(git_dir)? {
        let name = &stray.step.name;
        let is_ours = steps.iter().any(|step| {
            step.name == *name && (Some(step.to) == stray.found || step.from == stray.found)
        });
        let again = Move { from: stray.found, ..stray.step.clone() };
        match if is_ours { locks::place(git_dir, &again)? } else { Moved::Elsewhere(stray.found) } {
            Moved::There => {}
            Moved::Elsewhere(found) => strays.push(Stray { found, ..stray }),
        }
    }
    Ok(strays)
}

#[cfg(test)]
mod tests;
