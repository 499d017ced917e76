//! What-ifs as part of the model: which there are, and how each stands.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_bus::follow::{Follow, Item};
use esker_replica::json;
use esker_replica::live::Source;
use esker_replica::path::Key;
use esker_replica::tree::Tree;
use esker_web::whatif::WhatIfs;
use esker_wire::event::{Event, TOPIC};
use esker_wire::whatif::BRANCHES;

use super::change;
use crate::stop::Stop;

/// Where they are in the model.
const WHAT_IFS: &str = "whatifs";

/// How often they are looked at whatever was heard: events may be lost.
const RESYNC: Duration = Duration::from_secs(2);

/// How often to see whether this is to end.
const WAKE_EVERY: Duration = Duration::from_millis(500);

/// How long they are left alone after a look.
const REST: Duration = Duration::from_millis(20);

/// Tells of them until it is stopped.
pub(super) fn tell(
    (bus, hub): (&Bus, &Endpoint),
    source: Source,
    stop: &Stop,
) -> std::io::Result<JoinHandle<()>> {
    let mut what_ifs = WhatIfs::new(bus.caller(hub));
    let mut events = bus.follow(hub, &[TOPIC]);
    let (bus, stop) = (bus.clone(), stop.clone());
    let tell = move || {
        let mut told = Tree::default();
        while !stop.is_pulled() {
            match bus.block_on(what_ifs.look()) {
                Ok(all) => {
                    let all = all.iter().map(|(id, one)| (Key::new(id), json::tree(one)));
                    told = Tree::dict(all);
                }
                Err(fault) => tracing::debug!(%fault, "cannot tell the model of what-ifs"),
            }
            if let Err(fault) = change(&source, WHAT_IFS, &told) {
                tracing::warn!(%fault, "cannot tell the model of what-ifs");
            }
            if stop.wait(REST) {
                break;
            }
            wait(&mut events, &stop);
        }
    };
    std::thread::Builder::new().name("what-ifs model".to_owned()).spawn(tell)
}

/// Waits until something is put on one of them, or it is time to look again.
fn wait(events: &mut Follow, stop: &Stop) {
    let begun = Instant::now();
    let mut is_told = false;
    while !stop.is_pulled() && !is_told && begun.elapsed() < RESYNC {
        is_told = events.recv_timeout(WAKE_EVERY).is_some_and(|item| concerns(&item));
    }
    while events.recv_timeout(Duration::ZERO).is_some() {}
}

fn concerns(item: &Item) -> bool {
    match item {
        Item::Lost => true,
        Item::Event(Event::Put { branch, .. }) => branch.as_str().starts_with(BRANCHES),
        Item::Event(Event::Heartbeat { .. }) => false,
    }
}
