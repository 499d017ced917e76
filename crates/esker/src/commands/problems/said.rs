//! What people say of problems: that they know of one, or that it is to be out of sight for a while.

use std::time::Duration;

use anyhow::Result;
use esker_wire::name::Branch;
use esker_wire::problem::{MUTE_MAX, Problem};
use esker_wire::snapshot::{Get, List};
use esker_wire::stance::{Said, Stance};
use jiff::{SignedDuration, Timestamp};

use crate::cli::{Ack, Mute};
use crate::commands::put::author;
use crate::reach::Hub;
use crate::say::{self, hinted};

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
        return take_back(hub, problem, Said::Ack);
    }
    let stance = keep(hub, problem, Said::Ack, (asked.note.clone(), None))?;
    say::note(format!("{} is acknowledged by {}", stance.stage, stance.by));
    Ok(())
}

/// Says that a problem is to be out of sight, or no more.
pub(super) fn mute(hub: &Hub, problem: &Problem, asked: &Mute) -> Result<()> {
    if asked.undo {
        return take_back(hub, problem, Said::Mute);
    }
    let stance = keep(hub, problem, Said::Mute, (asked.note.clone(), asked.time))?;
    let until = stance.until.map_or("the next change".to_owned(), say::time);
    say::note(format!("{} is muted until {until}", stance.stage));
    Ok(())
}

fn keep(
    hub: &Hub,
    problem: &Problem,
    said: Said,
    (note, time): (Option<String>, Option<Duration>),
) -> Result<Stance> {
    let now = Timestamp::now();
    let until = time.map(|time| {
        let time = SignedDuration::try_from(time).ok().filter(|time| *time <= MUTE_MAX);
        let until = time.and_then(|time| now.checked_add(time).ok());
        until.ok_or_else(|| hinted("--for is longer than a year", "mute it for a while only"))
    });
    let stance = problem.say(said, author(), note, (now, until.transpose()?))?;
    hub.call(&stance.put(author())?)?;
    Ok(stance)
}

fn take_back(hub: &Hub, problem: &Problem, said: Said) -> Result<()> {
    hub.call(&problem.take_back(said, author())?)?;
    let word = match said {
        Said::Ack => "acknowledged",
        Said::Mute => "muted",
    };
    say::note(format!("{} is no longer {word}", problem.record.stage));
    Ok(())
}
