//! What people say of problems: that they know of one, or that it is to be out of sight for a while.

use anyhow::Result;
use bytes::Bytes;
use esker_wire::name::Branch;
use esker_wire::snapshot::{Get, Item, List, Put};
use esker_wire::stance::{NOTE_MAX, Said, Stance};
use jiff::{SignedDuration, Timestamp};

use super::{Problem, failing};
use crate::cli::{Ack, Mute};
use crate::commands::put::author;
use crate::reach::Hub;
use crate::say::{self, hinted};

/// How long at most a problem may be out of sight.
const MUTE_MAX: SignedDuration = SignedDuration::from_hours(366 * 24);

/// All that was said and not taken back. What cannot be read, which a later esker may have written, says nothing.
pub(super) fn all(hub: &Hub) -> Result<Vec<Stance>> {
    let mut found = Vec::new();
    for said in [Said::Ack, Said::Mute] {
        let ask = List { prefix: said.prefix().to_owned(), ..List::all(Branch::records()) };
        for entry in hub.listing(ask)? {
            let get = Get::listed(&entry, Branch::records());
            let content = hub.call(&get)?;
            match Stance::from_bytes(&content.bytes.unwrap_or_default()) {
                Ok(stance) if stance.said == said => found.push(stance),
                Ok(_) => {}
                Err(fault) => say::note(format!("skipping {}: {fault}", get.resource)),
            }
        }
    }
    Ok(found)
}

/// Says that a problem is known, or no more.
pub(super) fn ack(hub: &Hub, problem: &Problem, asked: &Ack) -> Result<()> {
    if asked.undo {
        return take_back(hub, Said::Ack, problem, problem.ack.is_some());
    }
    let stance = stance(problem, Said::Ack, asked.note.as_deref(), None)?;
    keep(hub, &stance)?;
    say::note(format!("{} is acknowledged by {}", stance.stage, stance.by));
    Ok(())
}

/// Says that a problem is to be out of sight, or no more.
pub(super) fn mute(hub: &Hub, problem: &Problem, asked: &Mute) -> Result<()> {
    if asked.undo {
        return take_back(hub, Said::Mute, problem, problem.mute.is_some());
    }
    let until = asked.time.map(|time| {
        let time = SignedDuration::try_from(time).ok().filter(|time| *time <= MUTE_MAX);
        let until = time.and_then(|time| Timestamp::now().checked_add(time).ok());
        until.ok_or_else(|| hinted("--for is longer than a year", "mute it for a while only"))
    });
    let stance = stance(problem, Said::Mute, asked.note.as_deref(), until.transpose()?)?;
    keep(hub, &stance)?;
    let until = stance.until.map_or("the next change".to_owned(), say::time);
    say::note(format!("{} is muted until {until}", stance.stage));
    Ok(())
}

fn stance(
    problem: &Problem,
    said: Said,
    note: Option<&str>,
    until: Option<Timestamp>,
) -> Result<Stance> {
    let record = failing(problem)?;
    if note.is_some_and(|note| note.len() > NOTE_MAX) {
        let what = format!("the note has more than {NOTE_MAX} bytes");
        return Err(hinted(what, "say it shorter, and put the rest where the note says"));
    }
    let failure = record.failure.as_ref();
    let summary = failure.map(|failure| failure.summary.replace(['\n', '\r'], " "));
    Ok(Stance {
        said,
        stage: record.stage.clone(),
        run_key: record.run_key.clone(),
        summary: summary.unwrap_or_default(),
        since: failure.map_or(record.started, |failure| failure.since),
        at: Timestamp::now(),
        by: author().unwrap_or_else(|| "somebody".to_owned()),
        until,
        note: note.map(str::to_owned),
    })
}

fn keep(hub: &Hub, stance: &Stance) -> Result<()> {
    let content = Some(Bytes::from(stance.to_bytes()));
    let note = stance.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    change(hub, (stance.said, &stance.stage), content, &format!("{}{note}", stance.said))
}

fn take_back(hub: &Hub, said: Said, problem: &Problem, is_said: bool) -> Result<()> {
    let stage = &problem.record.stage;
    let word = match said {
        Said::Ack => "acknowledged",
        Said::Mute => "muted",
    };
    if !is_said {
        return Err(hinted(
            format!("{stage} is not {word}"),
            "`esker problems --all` shows what is",
        ));
    }
    change(hub, (said, stage), None, &format!("no more {word}"))?;
    say::note(format!("{stage} is no longer {word}"));
    Ok(())
}

fn change(
    hub: &Hub,
    (said, stage): (Said, &str),
    content: Option<Bytes>,
    what: &str,
) -> Result<()> {
    let resource = Stance::resource(said, stage)?;
    let item = Item { resource, content, if_head: None, content_type: None };
    hub.call(&Put {
        items: vec![item],
        branch: Branch::records(),
        message: Some(format!("{stage}: {what}")),
        author: author(),
        provenance: None,
        base: None,
    })?;
    Ok(())
}
