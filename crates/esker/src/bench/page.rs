//! The cases of the page's server: what many browsers cost the hub whose model they follow, and what those who do not read cost the others.
//!
//! Hub, page and browsers are processes of their own. Browsers would be other people's machines: theirs takes what processor time
//! is left.

pub(super) mod browser;
pub(super) mod browsers;
mod crowd;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use esker_bus::caller::Caller;
use esker_wire::name::Resource;
use esker_wire::revision::Revision;
use esker_wire::snapshot::Put;
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

use super::Bench;
use super::contents::Contents;
use super::hub::{Ground, Hub};
use super::process::{PATIENCE, Running};
use super::table::{Bound, Case, Rounds, Unit};
use crate::planes;
use crowd::{Crowd, Heard};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// How many browsers there are at once.
    browsers: usize,
    /// How many more there are that do not read.
    stuck: usize,
    /// How long PUTs are looked at in each round.
    window: Duration,
    /// How long those who do not read are looked at: longer than it takes until they are let go.
    stuck_window: Duration,
}

pub(super) const FULL: Sizes = Sizes {
    browsers: 500,
    stuck: 20,
    window: Duration::from_secs(5),
    stuck_window: Duration::from_secs(15),
};

pub(super) const QUICK: Sizes = Sizes { window: Duration::from_secs(2), ..FULL };

pub(super) const SMOKE: Sizes =
    Sizes { browsers: 8, stuck: 1, window: Duration::from_millis(300), ..FULL };

impl Sizes {
    /// For whoever reads the numbers.
    pub(super) fn json(&self) -> Value {
        json!({ "browsers": self.browsers, "puts-a-second": RATE, "resources": RESOURCES })
    }
}

/// The PUTs of a second. Each changes about ten leaves of the model, in two of its sections.
const RATE: u32 = 100;

/// The resources that they change, one after the other.
const RESOURCES: usize = 100;

/// What is put.
const CONTENT: usize = 1024;

/// How long a hub is at work before it is looked at.
const LEAD: Duration = Duration::from_millis(500);

/// How long after the last PUT the browsers may have it.
const LAST: Duration = Duration::from_secs(10);

/// The kernel's ticks in a second.
const TICKS: f64 = 100.0;

/// What it is held against.
const ALONE: &str = "the same with no browser";

/// What is under test.
struct Served {
    hub: Hub,
    web: Running,
    at: SocketAddr,
    puts: Puts,
}

/// Who puts, at a steady rate.
struct Puts {
    caller: Caller,
    contents: Contents,
    names: Vec<Resource>,
    count: u64,
}

/// What came of a while.
struct Window {
    /// The PUTs of a second.
    rate: f64,
    /// What each took, sorted, in seconds.
    took: Vec<f64>,
    /// When each was asked for, by the clock of the machine, in nanoseconds.
    asked: Vec<(Revision, u64)>,
    /// The processor time of hub and page in each second.
    busy: [f64; 2],
}

/// Runs all of them.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    planes::allow_files();
    let ground = Ground::new(&bench.path("page"))?;
    let hub = ground.hub(&bench.bus)?;
    let (web, at) = ground.web()?;
    let puts = Puts::new(bench.bus.caller(&hub.endpoint))?;
    let mut served = Served { hub, web, at, puts };
    served.window(LEAD)?;
    many(bench, &mut served)?;
    stuck(bench, &mut served)
}

/// The same PUTs with browsers and without.
fn many(bench: &mut Bench, served: &mut Served) -> Result<()> {
    let Sizes { browsers, window, .. } = bench.sizes.page;
    bench.begin(&format!("{browsers} browsers, {RATE} PUTs a second"));
    let (mut alone, mut with) = (Vec::new(), Vec::new());
    let (mut heard, mut joined, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    let before = served.web.memory();
    for round in 0..bench.sizes.rounds {
        bench.go_on()?;
        bench.rest(&served.hub.running)?;
        alone.push(served.looked_at(window)?);
        let crowd = Crowd::start(&bench.path(&format!("crowd-{round}")), served.at, (browsers, 0))?;
        joined.push(crowd.joined);
        bench.rest(&served.hub.running)?;
        let looked = served.looked_at(window)?;
        memory.push(served.web.memory().saturating_sub(before) as f64 / browsers as f64);
        heard.push(arrived(crowd, &looked)?);
        with.push(looked);
    }
    tell(bench, (&alone, &with));
    let [p50, p99] = [0.5, 0.99].map(|part| seconds(&heard, |heard| heard.quantile(part)));
    let table = &mut bench.table;
    let what = format!("a PUT until the last of {browsers} has verified it");
    let case = Case::new("page-crowd-heard", format!("{what}, p50"), p50);
    table.push(case.bound(Bound::Within(0.5, 0.1)));
    let case = Case::new("page-crowd-heard-p99", format!("{what}, p99"), p99);
    table.push(case.bound(Bound::Within(2.0, 0.5)));
    let lost = heard.iter().map(|heard| heard.lost as f64).sum();
    let what = format!("changes that one of {browsers} had to ask for, or that differed");
    table.push(
        Case::new("page-crowd-lost", what, Rounds::one(Unit::Count, lost)).bound(Bound::Zero),
    );
    let what = format!("{browsers} browsers at once, until the last is in step");
    table.push(Case::new("page-crowd-join", what, Rounds::new(Unit::Seconds, joined)));
    let told = heard.iter().zip(&with);
    let told = told.map(|(heard, looked)| heard.applied / looked.asked.len().max(1) as f64);
    let what = "transactions of the model that each of them verifies for a PUT";
    table.push(Case::new("page-crowd-told", what, Rounds::new(Unit::Count, told.collect())));
    let what = "memory of the page's server for each of them";
    let case = Case::new("page-crowd-memory", what, Rounds::new(Unit::Bytes, memory));
    table.push(case.bound(Bound::Within(256e3, 64e3)));
    Ok(())
}

/// What browsers cost those who put.
fn tell(bench: &mut Bench, (alone, with): (&[Window], &[Window])) {
    let browsers = bench.sizes.page.browsers;
    let mut push =
        |key: &str, what: &str, unit, bound: Option<Bound>, of: &dyn Fn(&Window) -> f64| {
            let [ours, theirs] = [with, alone]
                .map(|all: &[Window]| Rounds::new(unit, all.iter().map(of).collect::<Vec<_>>()));
            let case = Case::new(key, format!("{what}, with {browsers} browsers"), ours);
            let case = case.aged(ALONE, theirs);
            bench.table.push(match bound {
                Some(bound) => case.bound(bound),
                None => case,
            });
        };
    let rate = Some(Bound::AtMost(1.1, 1.02));
    push("page-crowd-rate", "PUTs of a second", Unit::PerSecond, rate, &|window| window.rate);
    let put = Some(Bound::AtMost(1.2, 1.1));
    push("page-crowd-put", "a PUT, p50", Unit::Seconds, put, &|window| window.quantile(0.5));
    push("page-crowd-put-p99", "a PUT, p99", Unit::Seconds, None, &|window| window.quantile(0.99));
    let hub = Some(Bound::AtMost(1.2, 1.1));
    let busy = "processor time of a second";
    push("page-crowd-hub", &format!("the hub's {busy}"), Unit::Seconds, hub, &|window| {
        window.busy[0]
    });
    push(
        "page-crowd-web",
        &format!("the page's server's {busy}"),
        Unit::Seconds,
        None,
        &|window| window.busy[1],
    );
}

/// Beside browsers that read are some that do not.
fn stuck(bench: &mut Bench, served: &mut Served) -> Result<()> {
    let Sizes { browsers, stuck, window, stuck_window } = bench.sizes.page;
    bench.begin(&format!("{browsers} browsers, and {stuck} that do not read"));
    let before = served.web.memory();
    let (mut alone, mut heard, mut most) = (Vec::new(), Vec::new(), 0);
    for round in 0..bench.sizes.rounds.div_ceil(3) {
        bench.go_on()?;
        let all = [(0, window, &mut alone), (stuck, stuck_window, &mut heard)];
        for (stuck, window, heard) in all {
            let folder = bench.path(&format!("crowd-{stuck}-stuck-{round}"));
            let crowd = Crowd::start(&folder, served.at, (browsers, stuck))?;
            let looked = served.looked_at(window)?;
            most = most.max(served.web.memory().saturating_sub(before));
            heard.push(arrived(crowd, &looked)?);
        }
    }
    let table = &mut bench.table;
    let what = format!("one of {stuck} browsers that do not read, until it is let go");
    let cut: Vec<f64> = heard.iter().flat_map(|heard| heard.cut.clone()).collect();
    let missing = (stuck * heard.len()).saturating_sub(cut.len());
    let case = Case::new("page-stuck-cut", what, Rounds::new(Unit::Seconds, cut));
    table.push(case.bound(Bound::Within(15.0, 12.0)));
    let what = "those that are not let go";
    table.push(
        Case::new("page-stuck-left", what, Rounds::one(Unit::Count, missing as f64))
            .bound(Bound::Zero),
    );
    let what = format!("a PUT until the last of the {browsers} others has verified it, p99");
    let quantile = |all: &[Heard]| seconds(all, |heard| heard.quantile(0.99));
    let case = Case::new("page-stuck-heard", what, quantile(&heard));
    table.push(case.aged("while all read", quantile(&alone)).bound(Bound::AtMost(2.0, 1.2)));
    let lost = heard.iter().map(|heard| heard.lost as f64).sum();
    let what = "changes that one of the others had to ask for";
    table.push(
        Case::new("page-stuck-lost", what, Rounds::one(Unit::Count, lost)).bound(Bound::Zero),
    );
    let what = "memory of the page's server, more than with no browser";
    table.push(Case::new("page-stuck-memory", what, Rounds::one(Unit::Bytes, most as f64)));
    Ok(())
}

/// Ends the browsers once all have had their time to verify the last PUT: when they did each.
fn arrived(crowd: Crowd, looked: &Window) -> Result<Heard> {
    let (last, _) = looked.asked.last().context("nothing was put")?;
    let heard = crowd.end(&last.to_string(), LAST)?;
    Ok(heard.since(&looked.asked, RESOURCES))
}

fn seconds(all: &[Heard], of: impl Fn(&Heard) -> f64) -> Rounds {
    Rounds::new(Unit::Seconds, all.iter().map(of).collect())
}

/// The clock that all processes of a machine share, in nanoseconds.
fn clock() -> u64 {
    let now = Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// The value below which this part of them is; they are sorted.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let index = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(index).copied().unwrap_or_default()
}

impl Window {
    fn quantile(&self, part: f64) -> f64 {
        quantile(&self.took, part)
    }
}

impl Served {
    /// PUTs for a while that is looked at, after others.
    fn looked_at(&mut self, window: Duration) -> Result<Window> {
        self.window(LEAD.min(window))?;
        self.window(window)
    }

    fn window(&mut self, window: Duration) -> Result<Window> {
        let apart = Duration::from_secs(1) / RATE;
        let ticks = |served: &Self| [served.hub.running.ticks(), served.web.ticks()];
        let (begun, before) = (Instant::now(), ticks(self));
        let (mut took, mut asked) = (Vec::new(), Vec::new());
        let mut next = begun;
        while begun.elapsed() < window {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            next += apart;
            let (at, now) = (clock(), Instant::now());
            asked.push((self.puts.one()?, at));
            took.push(now.elapsed().as_secs_f64());
        }
        let time = begun.elapsed().as_secs_f64();
        let after = ticks(self);
        let busy = [0, 1].map(|who| (after[who] - before[who]) as f64 / TICKS / time);
        took.sort_unstable_by(f64::total_cmp);
        Ok(Window { rate: took.len() as f64 / time, took, asked, busy })
    }
}

impl Puts {
    /// Has each resource there once.
    fn new(caller: Caller) -> Result<Self> {
        let names = (0..RESOURCES).map(|number| format!("raw/r{number}").parse());
        let names = names.collect::<Result<_, _>>().map_err(anyhow::Error::msg)?;
        let mut puts = Self { caller, contents: Contents::new(CONTENT, 7), names, count: 0 };
        for _ in 0..RESOURCES {
            puts.one()?;
        }
        Ok(puts)
    }

    fn one(&mut self) -> Result<Revision> {
        let name = &self.names[usize::try_from(self.count)? % self.names.len()];
        let put = Put::one(name.clone(), self.contents.get(self.count));
        self.count += 1;
        Ok(self.caller.call_blocking(&put, PATIENCE)?.revision)
    }
}
