//! `esker log` and `ls`: what there was, and what there is. Asks page after page until there is enough.

use anyhow::Result;
use esker_wire::revision::At;
use esker_wire::snapshot::{self, Entry, Filter, LIST_MAX, LOG_MAX};
use serde_json::Value;

use crate::cli::{History, List};
use crate::commands::{entry_json, whatif};
use crate::project::Place;
use crate::reach::{Hub, resource_at, version};
use crate::say::{self, hinted};

/// How many versions are listed when nobody says.
const LIMIT: u32 = 20;

/// Prints the versions of a resource, or of all, newest first.
pub(crate) fn log(place: &Place, history: &History) -> Result<()> {
    let asked = history.resource.as_deref();
    asked.map_or(Ok(()), refuse_range)?;
    let named = asked.map(resource_at).transpose()?;
    let (resource, at) = match named {
        Some((resource, at)) => (Some(resource), at),
        None => (None, At::head()),
    };
    let filter = Filter {
        since: history.since.as_deref().map(version).transpose()?,
        until: history.until.as_deref().map(version).transpose()?,
        author: history.author.clone(),
        grep: history.grep.clone(),
    };
    let is_filtered = filter != Filter::default();
    let hub = Hub::find(place)?;
    let branch = whatif::branch(&hub, &history.within)?;
    let log = snapshot::Log { resource, at, branch, filter, ..snapshot::Log::newest(LOG_MAX) };
    let wanted = match history.limit {
        _ if history.all => usize::MAX,
        limit => limit.unwrap_or(LIMIT) as usize,
    };
    let (entries, more) = pages(&hub, log, wanted)?;
    if history.json {
        return print_json(&entries);
    }
    if entries.is_empty() {
        say::note(match is_filtered {
            true => "no version is like that",
            false => {
                "nothing yet: `esker up` pulls the sources, `esker put raw/NAME < FILE` puts by hand"
            }
        });
        return Ok(());
    }
    let rows = entries.iter().map(|entry| {
        vec![
            entry.revision.short(),
            say::time(entry.time),
            entry.resource.to_string(),
            size(entry),
            what(entry),
        ]
    });
    say::table(&["revision", "time", "resource", "size", "what"], rows.collect())?;
    if more {
        say::note(match history.limit {
            None => "there are more: `-n N` prints N, `--all` prints all",
            Some(_) => "there are more: `--all` prints all",
        });
    }
    Ok(())
}

/// Refuses what `git log` takes: `HEAD~2..HEAD`.
fn refuse_range(text: &str) -> Result<()> {
    let (resource, range) = match text.split_once('@') {
        Some((resource, range)) => (resource, range),
        None if text.contains('/') => return Ok(()),
        None => ("", text),
    };
    let Some((since, until)) = range.split_once("..") else {
        return Ok(());
    };
    let head = |text: &str| if text.is_empty() { "HEAD".to_owned() } else { text.to_owned() };
    let (since, until) = (head(since), head(until.trim_start_matches('.')));
    let words = ["esker log", resource, "--since", &since, "--until", &until];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let hint = format!("`{}` lists what came after the one, up to the other", words.join(" "));
    Err(hinted(format!("{range:?} is a range, which names no version"), hint))
}

/// As many entries of a log as wanted, and whether there may be more.
fn pages(hub: &Hub, mut log: snapshot::Log, wanted: usize) -> Result<(Vec<Entry>, bool)> {
    let mut entries = Vec::new();
    loop {
        let left = u32::try_from(wanted - entries.len()).unwrap_or(LOG_MAX);
        log.limit = left.min(LOG_MAX);
        let page = hub.call(&log)?;
        entries.extend(page.entries);
        let Some(next) = page.next else {
            return Ok((entries, false));
        };
        if entries.len() >= wanted {
            return Ok((entries, true));
        }
        log.after = Some(next);
    }
}

/// Prints the resources as of a version.
pub(crate) fn ls(place: &Place, list: &List) -> Result<()> {
    let hub = Hub::find(place)?;
    let ask = snapshot::List {
        at: version(&list.at)?,
        prefix: list.prefix.clone(),
        limit: Some(LIST_MAX),
        ..snapshot::List::all(whatif::branch(&hub, &list.within)?)
    };
    let entries = hub.listing(ask)?;
    if list.json {
        return print_json(&entries);
    }
    if entries.is_empty() {
        say::note(match list.prefix.as_str() {
            "" => {
                "no resources yet: `esker up` pulls the sources, `esker put raw/NAME < FILE` puts by hand"
                    .to_owned()
            }
            prefix => format!(
                "no resource begins with {prefix}; `esker ls --at {prefix}` lists all of a version"
            ),
        });
        return Ok(());
    }
    let rows = entries.iter().map(|entry| {
        vec![
            entry.resource.to_string(),
            entry.revision.short(),
            say::size(entry.size),
            say::time(entry.time),
        ]
    });
    Ok(say::table(&["resource", "revision", "size", "time"], rows.collect())?)
}

fn print_json(entries: &[Entry]) -> Result<()> {
    let entries: Vec<Value> = entries.iter().map(entry_json).collect();
    Ok(say::json(&Value::from(entries))?)
}

/// What there is of a content.
fn size(entry: &Entry) -> String {
    match (entry.blob, &entry.pruned) {
        (None, _) => "removed".to_owned(),
        (Some(_), Some(_)) => format!("{}, pruned", say::size(entry.size)),
        (Some(_), None) => say::size(entry.size),
    }
}

/// The summary, marked where it is another name.
fn what(entry: &Entry) -> String {
    match &entry.moved_from {
        Some(from) => format!("moved from {from}: {}", entry.summary),
        None => entry.summary.clone(),
    }
}
