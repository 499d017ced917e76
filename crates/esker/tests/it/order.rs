//! Conditional PUTs and GETs of many clients under kills look as if done one after the other: linearizable.
//!
//! Each resource is a register with compare-and-swap, and every content is put once, so its log at the end is the one
//! order in which the writes can have been done. What is left is to find a moment for each: a write takes effect between
//! its call and its answer (without an answer: ever after), a read while what it saw was the newest. Given the order
//! of the writes, the earliest possible moment of each is as good as any, so one pass over the log decides. (For an
//! order that is not known one must search, as Wing and Gong do.)

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_wire::revision::Revision;
use esker_wire::snapshot::{Expect, Get, Put};

use crate::storm::{Answer, Ask, Dice, Stormy, is_refused, often, seed, since};
use crate::world::World;

/// How many clients there are.
const CLIENTS: u64 = 16;
/// How many resources they fight for.
const REGISTERS: u64 = 3;
/// How often the hub is killed.
const KILLS: u64 = 6;

/// What a client has done, and what it was told.
#[derive(Debug, Clone, PartialEq)]
enum Deed {
    /// Puts a content where it believes another (or nothing) to be.
    Write { content: String, over: Option<String>, outcome: Outcome },
    /// Sees a content, or nothing.
    Read { seen: Option<String> },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Stored,
    Refused,
    /// No answer came.
    Unknown,
}

#[derive(Debug, Clone)]
struct Event {
    register: u64,
    called: u64,
    answered: u64,
    deed: Deed,
}

/// Whether the events of a register have an order that agrees with its log, oldest first; why not.
fn check(events: &[Event], log: &[String]) -> Result<(), String> {
    let places: BTreeMap<&str, usize> =
        log.iter().enumerate().map(|(index, content)| (content.as_str(), index + 1)).collect();
    if places.len() != log.len() {
        return Err("a content is in the log twice".to_owned());
    }
    // By place: 0 is before the first write. The earliest and the latest moment at which it can begin.
    let mut earliest = vec![0; log.len() + 2];
    let mut latest = vec![u64::MAX; log.len() + 2];
    let mut written = vec![false; log.len() + 1];
    for event in events {
        let place_of = |content: &Option<String>| match content {
            None => Ok(0),
            Some(content) => places
                .get(content.as_str())
                .copied()
                .ok_or_else(|| format!("{content:?} was seen, but is not in the log: {event:?}")),
        };
        match &event.deed {
            Deed::Read { seen } => {
                let place = place_of(seen)?;
                latest[place] = latest[place].min(event.answered);
                earliest[place + 1] = earliest[place + 1].max(event.called);
            }
            Deed::Write { content, over, outcome } => match (places.get(content.as_str()), outcome)
            {
                (None, Outcome::Stored) => return Err(format!("lost: {event:?}")),
                (None, _) => {}
                (Some(_), Outcome::Refused) => {
                    return Err(format!("refused, but stored: {event:?}"));
                }
                (Some(place), outcome) => {
                    if place_of(over)? + 1 != *place {
                        return Err(format!("stored over another: {event:?}"));
                    }
                    written[*place] = true;
                    earliest[*place] = earliest[*place].max(event.called);
                    if *outcome == Outcome::Stored {
                        latest[*place] = latest[*place].min(event.answered);
                    }
                }
            },
        }
    }
    if let Some(place) = (1..=log.len()).find(|place| !written[*place]) {
        return Err(format!("nobody put {:?}", log[place - 1]));
    }
    let mut moment = 0;
    for place in 0..=log.len() {
        moment = moment.max(earliest[place]);
        if moment > latest[place] {
            return Err(format!(
                "place {place} begins at {moment}, but was over at {}",
                latest[place]
            ));
        }
    }
    Ok(())
}

/// A client: reads, then puts over what it saw now or before, with its own content.
fn fight(stormy: &Stormy<'_>, start: Instant, client: u64, events: &Mutex<Vec<Event>>) {
    let mut dice = Dice(client * 7919 + 1);
    let mut known: BTreeMap<u64, (Option<Revision>, Option<String>)> = BTreeMap::new();
    let mut number = 0;
    stormy.ask_on(|ask| {
        let register = dice.below(REGISTERS);
        let resource = format!("raw/x{register}").parse().expect("a name");
        let called = since(start);
        let note = |deed| {
            let event = Event { register, called, answered: since(start), deed };
            events.lock().expect("no panic").push(event);
        };
        if dice.below(2) == 0 || !known.contains_key(&register) {
            let Answer::Content(found) = ask(Ask::Get(Get::head(resource))) else {
                unreachable!("a GET is answered as one");
            };
            let seen = match found {
                Ok((revision, bytes)) => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    (Some(revision), Some(text))
                }
                Err(fault) if fault.code == esker_wire::fault::Code::NotFound => (None, None),
                // Nobody saw anything.
                Err(_) => return,
            };
            note(Deed::Read { seen: seen.1.clone() });
            known.insert(register, seen);
            return;
        }
        number += 1;
        let content = format!("{client} {number}");
        let (revision, over) = known[&register].clone();
        let mut put = Put::one(resource, Bytes::from(content.clone()));
        put.items[0].if_head = Some(revision.map_or(Expect::Absent, Expect::Revision));
        let Answer::Stored(stored) = ask(Ask::Put(Box::new(put))) else {
            unreachable!("a PUT is answered as one");
        };
        let outcome = match stored {
            Ok(revision) => {
                known.insert(register, (Some(revision), Some(content.clone())));
                Outcome::Stored
            }
            Err(fault) if is_refused(&fault) => Outcome::Refused,
            Err(_) => Outcome::Unknown,
        };
        note(Deed::Write { content, over, outcome });
    });
}

/// The contents of a resource from the first to the last, as plain git tells them.
fn log_of(world: &World, register: u64) -> Vec<String> {
    let name = format!("raw/x{register}");
    let commits = world.git(&["rev-list", "--reverse", "main", "--", &name]);
    let shown = commits.lines().map(|commit| world.git(&["show", &format!("{commit}:{name}")]));
    shown.collect()
}

#[test]
fn many_writers_under_kills_are_as_one() {
    for _ in 0..often("ESKER_RUNS", 1) {
        let world = World::new("[project]\nname = \"p\"\n");
        let stormy = Stormy::new(&world);
        let events = Mutex::new(Vec::new());
        let start = Instant::now();
        let seed = seed();
        println!("seed {seed}");
        let mut dice = Dice(seed);
        std::thread::scope(|scope| {
            let (stormy, events) = (&stormy, &events);
            for client in 0..CLIENTS {
                scope.spawn(move || fight(stormy, start, client, events));
            }
            let end = stormy.ending();
            for _ in 0..KILLS {
                let hub = stormy.start();
                let count = || events.lock().expect("no panic").len();
                let before = count();
                world.wait_for("some answers", || count() > before + 100);
                std::thread::park_timeout(Duration::from_millis(dice.below(100)));
                stormy.kill(hub);
            }
            drop(end);
        });
        let hub = stormy.start();
        hub.stop();
        world.git(&["fsck", "--strict"]);
        let events = events.into_inner().expect("no panic");
        let mut stored = 0;
        for register in 0..REGISTERS {
            let log = log_of(&world, register);
            let here: Vec<Event> =
                events.iter().filter(|event| event.register == register).cloned().collect();
            stored += log.len();
            check(&here, &log).unwrap_or_else(|why| panic!("raw/x{register}: {why}"));
        }
        println!("{} events, {stored} stored", events.len());
        assert!(stored > 20, "they hardly put anything");
    }
}

#[test]
fn the_check_sees_what_is_no_order() {
    let write = |called, answered, content: &str, over: Option<&str>, outcome| Event {
        register: 0,
        called,
        answered,
        deed: Deed::Write { content: content.to_owned(), over: over.map(str::to_owned), outcome },
    };
    let read = |called, answered, seen: Option<&str>| Event {
        register: 0,
        called,
        answered,
        deed: Deed::Read { seen: seen.map(str::to_owned) },
    };
    use Outcome::{Refused, Stored, Unknown};
    let a = || write(10, 20, "a", None, Stored);
    let b = || write(30, 40, "b", Some("a"), Stored);
    let log = ["a".to_owned(), "b".to_owned()];
    let good = [
        vec![a(), b(), read(12, 15, None), read(12, 15, Some("a")), read(35, 36, Some("b"))],
        vec![a(), write(30, 31, "b", Some("a"), Unknown), read(90, 91, Some("a"))],
        vec![a(), b(), write(50, 60, "c", Some("b"), Unknown)],
        vec![a(), b(), write(50, 60, "c", Some("a"), Refused)],
    ];
    for events in good {
        assert_eq!(check(&events, &log), Ok(()), "{events:?}");
    }
    let bad = [
        // Seen before it was put, or after it was put over, or after the other was seen.
        vec![a(), b(), read(1, 5, Some("a"))],
        vec![a(), b(), read(50, 60, Some("a"))],
        vec![a(), b(), read(31, 32, Some("b")), read(33, 34, Some("a"))],
        vec![a(), b(), read(25, 26, None)],
        vec![a(), b(), write(50, 60, "c", Some("b"), Stored)],
        vec![a(), write(30, 40, "b", Some("a"), Refused)],
        vec![a(), write(30, 40, "b", None, Stored)],
        vec![a()],
        vec![a(), b(), read(50, 60, Some("d"))],
    ];
    for events in bad {
        assert!(check(&events, &log).is_err(), "{events:?}");
    }
}
