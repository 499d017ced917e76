//! `esker gc`: large contents that no version names.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use esker_wire::snapshot::{self, Collected};
use serde_json::json;

use crate::cli::Gc;
use crate::project::Place;
use crate::reach::Hub;
use crate::say;

/// How long the hub may look through history.
const PATIENCE: Duration = Duration::from_secs(60 * 60);
/// How often it is asked whether it is done.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Lists them, or removes them.
pub(crate) fn gc(place: &Place, gc: &Gc) -> Result<()> {
    let hub = Hub::find(place)?;
    let ask = snapshot::Gc { grace_s: gc.grace.as_secs(), remove: gc.force };
    let begun = Instant::now();
    let (unnamed, kept, kept_size) = loop {
        match hub.call(&ask)? {
            Collected::Done { unnamed, kept, kept_size } => break (unnamed, kept, kept_size),
            Collected::Working if begun.elapsed() > PATIENCE => {
                bail!("the hub has looked through history for {PATIENCE:?} without an end")
            }
            Collected::Working => std::thread::sleep(LOOK_EVERY),
        }
    };
    let size: u64 = unnamed.iter().map(|one| one.size).sum();
    if gc.json {
        let unnamed = unnamed.iter().map(|one| {
            json!({
                "content_id": one.id.to_string(),
                "size": one.size,
                "time": one.time.to_string(),
            })
        });
        return Ok(say::json(&json!({
            "removed": gc.force,
            "unnamed": unnamed.collect::<Vec<_>>(),
            "kept": kept,
            "kept_size": kept_size,
        }))?);
    }
    let rows = unnamed
        .iter()
        .map(|one| vec![one.id.to_string(), one.size.to_string(), say::time(one.time)]);
    if !unnamed.is_empty() {
        say::table(&["content", "size", "since"], rows.collect())?;
    }
    let deed = if gc.force { "removed" } else { "would be removed with --force" };
    say::note(format!(
        "{} of {} {deed}; {kept} of {} stay",
        unnamed.len(),
        say::size(size),
        say::size(kept_size)
    ));
    Ok(())
}
