//! `esker watch`: events as they come.

use std::time::Duration;

use anyhow::Result;
use esker_bus::follow::Item;
use esker_wire::event::{Event, TOPIC};
use esker_wire::name::Resource;
use esker_wire::revision::Revision;
use serde_json::{Value, json};

use crate::cli::Watch;
use crate::project::Place;
use crate::reach::Hub;
use crate::say::{self, hinted};

/// How often to look whether there is anyone left to print for.
const WAIT: Duration = Duration::from_secs(1);

/// Prints events until interrupted, or as many as asked for.
pub(crate) fn watch(place: &Place, watch: &Watch) -> Result<()> {
    let hub = Hub::find(place)?;
    if hub.is_own() {
        return Err(hinted(
            "no hub runs here, so nothing will happen",
            "start one with `esker up`, or name one with --hub",
        ));
    }
    let topic = format!("{TOPIC}{}", watch.prefix);
    let mut follow = hub.follow(&[&topic]);
    let mut left = watch.count.unwrap_or(u64::MAX);
    while left > 0 {
        match follow.recv_timeout(WAIT) {
            None => {}
            Some(Item::Lost) if watch.json => say::json(&json!({ "kind": "lost" }))?,
            Some(Item::Lost) => {
                say::note("following; events before this moment are in `esker log`");
            }
            Some(Item::Event(event)) => {
                left -= 1;
                print(&event, watch.json)?;
            }
        }
    }
    Ok(())
}

fn print(event: &Event, as_json: bool) -> Result<()> {
    let Event::Put { link, resource, now, branch, revision, previous } = event else {
        return Ok(());
    };
    let kind = match revision {
        _ if event.is_unchanged() => "unchanged",
        Some(_) => "put",
        None => "removed",
    };
    if as_json {
        let text =
            |revision: &Option<Revision>| revision.map_or(Value::Null, |r| r.to_string().into());
        return Ok(say::json(&json!({
            "kind": kind,
            "resource": resource.as_str(),
            "branch": branch.as_str(),
            "revision": text(revision),
            "previous": text(previous),
            "now": now.as_ref().map(Resource::as_str),
            "epoch": link.epoch.to_string(),
            "seq": link.seq,
        }))?);
    }
    let short = revision.map(|revision| revision.short()).unwrap_or_default();
    let now = now.as_ref().map(|now| format!("  now {now}")).unwrap_or_default();
    let on = if branch.is_main() { String::new() } else { format!("  on {branch}") };
    Ok(say::line(format!("{kind:<9}  {short:<10}  {resource}{now}{on}"))?)
}
