//! What the journal tells is done again when a store is opened.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::Error;
use crate::files;
use crate::journal::Record;
use crate::locks::{Litter, Move};
use crate::loose;
use crate::refs;

/// What is known of the crash.
pub(crate) struct Crash<'a> {
    /// The system's start that this is, if it can be told from others.
    pub(crate) boot: Option<&'a str>,
    /// What the process has left.
    pub(crate) litter: &'a Litter,
}

/// Writes every object again: which of them reached the disk cannot be told, not even by reading them, after
/// the disk has once failed. Then moves the references.
pub(crate) fn replay(git_dir: &Path, records: &[Record], crash: &Crash<'_>) -> Result<(), Error> {
    for (id, bytes) in records.iter().flat_map(|record| &record.objects) {
        loose::write(git_dir, *id, bytes)?;
    }
    let mut last: BTreeMap<&str, (&Record, &Move)> = BTreeMap::new();
    for record in records {
        last.extend(record.moves.iter().map(|step| (step.name.as_str(), (record, step))));
    }
    for (record, step) in last.into_values() {
        let name = step.name.as_str();
        let same_boot = record.boot.is_some() && record.boot.as_deref() == crash.boot;
        let found = refs::read(git_dir, name);
        let is_ours = match &found {
            // Broken by a loss of power.
            Err(_) => true,
            Ok(found) if *found == Some(step.to) => continue,
            // Nothing was lost, so only what the process was just doing is undone: its lock tells it.
            Ok(found) if same_boot => *found == step.from && crash.litter.references.contains(name),
            Ok(found) => moves_of(records, name).any(|step| step.from == *found),
        };
        if is_ours {
            let path = git_dir.join(name);
            path.parent().map_or(Ok(()), files::make_folder)?;
            files::write_file(git_dir, &path, format!("{}\n", step.to).as_bytes())?;
        } else {
            let found = found.ok().flatten().map_or("nothing".to_owned(), |id| id.to_string());
            tracing::warn!(
                reference = name,
                journal = %step.to,
                found,
                "someone else has moved a reference while esker was not running: it stays there"
            );
        }
    }
    Ok(())
}

fn moves_of<'a>(records: &'a [Record], name: &'a str) -> impl Iterator<Item = &'a Move> {
    records.iter().flat_map(|record| &record.moves).filter(move |step| step.name == name)
}

#[cfg(test)]
mod tests;
