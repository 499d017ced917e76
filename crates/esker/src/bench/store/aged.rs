//! Whether it ages: the same deeds on a young store, on one ten times and on one a hundred times as old.

use anyhow::{Result, ensure};
use esker_bus::service::Frames;
use esker_wire::message::Message;

use super::fill::{self, Filled, resource};
use super::{CONTENT, old};
use crate::bench::Bench;
use crate::bench::contents::{self, Contents};
use crate::bench::load::{Asking, Crew};
use crate::bench::process::{PATIENCE, Running};
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// How much older each store is than the one before.
const STEP: u64 = 10;

/// The clients that put.
const CLIENTS: usize = 64;

/// How often each of them puts in one round: few, for a young store must stay young.
const PUTS: u64 = 8;

/// What must not become worse than so many times what it was.
const AGED: Bound = Bound::AtMost(1.5, 1.1);

/// The longest start of a whole esker, in seconds.
const START_MAX: f64 = 0.150;

/// The most memory of an esker that does nothing.
const IDLE_MAX: f64 = 60.0 * 1024.0 * 1024.0;

/// The same store, young, grown and old.
type Ages = [Filled; 3];

/// Runs the cases of a store that ages.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let most = bench.sizes.commits;
    let ages: Ages = [
        fill::fill(bench, most / STEP / STEP)?,
        fill::fill(bench, most / STEP)?,
        fill::fill(bench, most)?,
    ];
    filling(bench, &ages);
    old::run(bench, &ages[2])?;
    reads(bench, &ages)?;
    let puts = bench.sizes.rounds as u64 * PUTS * CLIENTS as u64;
    bench.begin(&format!("{puts} PUTs on each"));
    let values = across(bench, &ages, &mut |filled, _, round| puts_of(bench, filled, round))?;
    Aged {
        key: "put",
        what: "PUT of 4 KiB, 64 clients",
        unit: Unit::PerSecond,
        values,
        bound: Some(AGED),
    }
    .compare(bench, &ages);
    memory(bench, &ages);
    starts(bench, ages)
}

/// What filling took: time, and room on the disk.
fn filling(bench: &mut Bench, ages: &Ages) {
    let [_, _, old] = ages;
    let rate = old.commits as f64 / old.time.as_secs_f64();
    let what = format!("PUT of 1 KiB, {} without a pause, until all is in its place", old.commits);
    bench.table.push(Case::new("put-sustained", what, Rounds::one(Unit::PerSecond, rate)));
    let values = ages.each_ref().map(|filled| vec![filled.size as f64 / filled.commits as f64]);
    Aged {
        key: "size",
        what: "size on disk per commit",
        unit: Unit::Bytes,
        values,
        bound: Some(AGED),
    }
    .compare(bench, ages);
}

/// Measures one deed on all three in turn.
fn across(
    bench: &Bench,
    ages: &Ages,
    deed: &mut dyn FnMut(&Filled, &Crew, usize) -> Result<f64>,
) -> Result<[Vec<f64>; 3]> {
    let crew = |filled: &Filled| Crew::new(&bench.bus, &filled.hub.endpoint, 1, 1);
    let crews = ages.each_ref().map(crew);
    let deed = std::cell::RefCell::new(deed);
    let side = |age: usize| {
        let (filled, crew, deed) = (&ages[age], &crews[age], &deed);
        move |round| (deed.borrow_mut())(filled, crew, round)
    };
    let (mut young, mut grown, mut old) = (side(0), side(1), side(2));
    bench.rounds([&mut young, &mut grown, &mut old])
}

fn reads(bench: &mut Bench, ages: &Ages) -> Result<()> {
    bench.begin("GET, LOG and RESOLVE on each");
    for filled in ages {
        bench.rest(&filled.hub.running)?;
    }
    let mut slow = [const { Vec::new() }; 3];
    let mut turn = 0;
    let values = across(bench, ages, &mut |filled, crew, _| {
        let commits = filled.commits;
        let get = move |_, turn| contents::get(resource(turn * 7 % commits), None);
        let ran = crew.run(&Asking::window(bench.sizes.window, get));
        slow[turn % ages.len()].push(ran.quantile(0.99)?);
        turn += 1;
        ran.quantile(0.5)
    })?;
    Aged { key: "get", what: "GET of 1 KiB, p50", unit: Unit::Seconds, values, bound: Some(AGED) }
        .compare(bench, ages);
    Aged {
        key: "get-p99",
        what: "GET of 1 KiB, p99",
        unit: Unit::Seconds,
        values: slow,
        bound: None,
    }
    .compare(bench, ages);
    let values = across(bench, ages, &mut |filled, crew, _| {
        let commits = filled.commits;
        let log = move |_, turn| contents::log(resource(turn % commits), 10);
        crew.run(&Asking::times(20, log)).quantile(0.5)
    })?;
    Aged {
        key: "log",
        what: "LOG of one resource, 10 entries",
        unit: Unit::Seconds,
        values,
        bound: None,
    }
    .compare(bench, ages);
    let values = across(bench, ages, &mut |filled, crew, _| {
        let at = middle(bench, filled)?;
        let resolve = move |_, _| contents::resolve(&at);
        crew.run(&Asking::times(20, resolve)).quantile(0.5)
    })?;
    Aged { key: "resolve", what: "RESOLVE of a date", unit: Unit::Seconds, values, bound: None }
        .compare(bench, ages);
    Ok(())
}

/// The time of the commit in the middle of a store.
fn middle(bench: &Bench, filled: &Filled) -> Result<String> {
    let revision = filled.revisions[filled.revisions.len() / 2];
    let caller = bench.bus.caller(&filled.hub.endpoint);
    let ask = contents::resolve(&revision.to_string());
    let reply: Frames = bench.bus.run(async move { caller.exchange(ask, PATIENCE).await })?;
    Ok(Message::from_frames(&reply)?.head().require("time")?)
}

fn puts_of(bench: &Bench, filled: &Filled, round: usize) -> Result<f64> {
    bench.rest(&filled.hub.running)?;
    let crew = Crew::new(&bench.bus, &filled.hub.endpoint, CLIENTS, 1);
    // The connections are made before the time is taken.
    crew.run(&Asking::times(1, |_, _| contents::get(0, None))).whole()?;
    let contents = Contents::new(CONTENT, 1000 + round as u64);
    let put = move |lane: usize, turn| {
        contents::put(lane, contents.get(turn * CLIENTS as u64 + lane as u64))
    };
    crew.run(&Asking::times(PUTS, put)).rate()
}

/// One thing measured on the young, the grown and the old store.
struct Aged {
    key: &'static str,
    what: &'static str,
    unit: Unit,
    values: [Vec<f64>; 3],
    /// What the old one must be, against the young.
    bound: Option<Bound>,
}

impl Aged {
    /// Records how the grown and the old compare with the young.
    fn compare(self, bench: &mut Bench, ages: &Ages) {
        let Self { key, what, unit, values, bound } = self;
        let [young, grown, old] = values.map(|values| Rounds::new(unit, values));
        let [first, second, third] = ages.each_ref().map(|filled| filled.commits);
        let case = |age, after, rounds| {
            let case =
                Case::new(format!("{key}-{age}"), format!("{what}, after {after} commits"), rounds);
            case.aged(format!("after {first}"), young.clone())
        };
        let (grown, old) = (case("grown", second, grown), case("old", third, old));
        bench.table.push(grown);
        bench.table.push(match bound {
            Some(bound) => old.bound(bound),
            None => old,
        });
    }
}

fn memory(bench: &mut Bench, ages: &Ages) {
    let values = ages.each_ref().map(|filled| vec![filled.hub.running.memory() as f64]);
    Aged {
        key: "memory",
        what: "memory of the hub after all this",
        unit: Unit::Bytes,
        values,
        bound: None,
    }
    .compare(bench, ages);
}

/// Stops the hubs, and starts everything on their stores again and again.
fn starts(bench: &mut Bench, ages: Ages) -> Result<()> {
    bench.begin("starting on each");
    let mut grounds = Vec::new();
    for filled in ages {
        filled.hub.running.stop()?;
        grounds.push((filled.commits, filled.ground));
    }
    for (age, (commits, ground)) in ["young", "grown", "old"].into_iter().zip(grounds) {
        let mut idle = Vec::new();
        let [times] = bench.rounds([&mut |_| {
            let (up, time) = ground.up(&bench.bus)?;
            up.running.settle();
            idle.push(up.running.memory() as f64);
            Running::stop(up.running)?;
            Ok(time.as_secs_f64())
        }])?;
        ensure!(!idle.is_empty(), "nothing was started");
        let limit = |unit, value| Rounds::one(unit, value);
        let what = format!("`esker up` on {commits} commits, to its first answer");
        let case = Case::new(format!("start-{age}"), what, Rounds::new(Unit::Seconds, times));
        let case = case.against("limit", limit(Unit::Seconds, START_MAX));
        bench.table.push(case.bound(Bound::AtLeast(1.0, 1.0)));
        let what = format!("memory of an idle `esker up` on {commits} commits");
        let case = Case::new(format!("idle-{age}"), what, Rounds::new(Unit::Bytes, idle));
        let case = case.against("limit", limit(Unit::Bytes, IDLE_MAX));
        bench.table.push(case.bound(Bound::AtLeast(1.0, 1.0)));
    }
    Ok(())
}
