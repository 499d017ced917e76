//! A fresh store: durable PUTs against the seed's way and the disk, GETs against an echo.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use bytes::Bytes;

use super::CONTENT;
use crate::bench::Bench;
use crate::bench::contents::{self, Contents};
use crate::bench::hub::{Ground, Hub};
use crate::bench::load::{Asking, Crew};
use crate::bench::peers;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// The clients of the case of many PUTs.
const MANY: usize = 64;

/// The clients of the case of many GETs, and what each has under way.
const READERS: (usize, usize) = (32, 16);

/// Contents that no other PUT of this store has.
#[derive(Clone)]
struct News {
    contents: Contents,
    last: Arc<AtomicU64>,
}

impl News {
    fn next(&self) -> Bytes {
        self.contents.get(self.last.fetch_add(1, Ordering::Relaxed))
    }
}

/// Runs the cases of a fresh store.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let hub = Ground::new(&bench.path("fresh"))?.hub(&bench.bus)?;
    let news = News { contents: Contents::new(CONTENT, 1), last: Arc::default() };
    many_puts(bench, &hub, &news)?;
    one_put(bench, &hub, &news)?;
    gets(bench, &hub)
}

fn many_puts(bench: &mut Bench, hub: &Hub, news: &News) -> Result<()> {
    let what = format!("durable PUT of 4 KiB, {MANY} clients");
    bench.begin(&what);
    let crew = Crew::new(&bench.bus, &hub.endpoint, MANY, 1);
    let ask = news.clone();
    let first = Asking::times(1, move |lane, _| contents::put(lane, ask.next()));
    crew.run(&first).whole()?;
    let python = match bench.tools.seed() {
        Ok(python) => python,
        Err(reason) => {
            bench.table.push(Case::not_run("put-many", what, reason));
            return Ok(());
        }
    };
    let (seed, endpoint) = peers::seed_way(python, &bench.path("seed"))?;
    let seed_crew = Crew::new(&bench.bus, &endpoint, MANY, 1);
    let [ours, theirs] = bench.rounds([
        &mut |_| {
            bench.rest(&hub.running)?;
            let news = news.clone();
            let job =
                Asking::window(bench.sizes.window, move |lane, _| contents::put(lane, news.next()));
            crew.run(&job).rate()
        },
        &mut |_| {
            bench.rest(&seed)?;
            let news = news.clone();
            let put = move |lane, _| contents::seed_put(lane, &news.next());
            seed_crew.run(&Asking::window(bench.sizes.window, put)).rate()
        },
    ])?;
    let case = Case::new("put-many", what, Rounds::new(Unit::PerSecond, ours));
    let case = case.against("seed's way", Rounds::new(Unit::PerSecond, theirs));
    bench.table.push(case.bound(Bound::AtLeast(50.0, 500.0)));
    Ok(())
}

fn one_put(bench: &mut Bench, hub: &Hub, news: &News) -> Result<()> {
    let what = "durable PUT of 4 KiB, one client";
    bench.begin(what);
    let crew = Crew::new(&bench.bus, &hub.endpoint, 1, 1);
    let (singles, bare) = (bench.sizes.singles, bench.path("bare"));
    let [ours, theirs] = bench.rounds([
        &mut |_| {
            bench.rest(&hub.running)?;
            let news = news.clone();
            let put = move |_, _| contents::put(0, news.next());
            crew.run(&Asking::times(singles as u64, put)).rate()
        },
        &mut |_| {
            bench.rest(&hub.running)?;
            let contents: Vec<Bytes> = (0..singles).map(|_| news.next()).collect();
            Ok(singles as f64 / peers::bare(&bare, &contents)?.as_secs_f64())
        },
    ])?;
    let case = Case::new("put-one", what, Rounds::new(Unit::PerSecond, ours));
    let case = case.against("create, write, fsync", Rounds::new(Unit::PerSecond, theirs));
    bench.table.push(case.bound(Bound::AtLeast(0.5, 0.9)));
    Ok(())
}

fn gets(bench: &mut Bench, hub: &Hub) -> Result<()> {
    let (clients, in_flight) = READERS;
    let what = format!("GET of 4 KiB, HEAD, {clients} clients × {in_flight} in flight");
    bench.begin(&what);
    bench.rest(&hub.running)?;
    let reply = bench.bus.caller(&hub.endpoint);
    let reply = bench.bus.run(async move {
        reply.exchange(contents::get(0, None), crate::bench::process::PATIENCE).await
    })?;
    let sizes: Vec<usize> = reply.iter().map(Bytes::len).collect();
    let body = sizes.last().copied().context("a reply has frames")?;
    anyhow::ensure!(body == CONTENT, "a GET of {CONTENT} bytes gave {body}");
    let (_echo, echo) = peers::echo(&sizes, bench.folder.path())?;
    let get = |lane: usize, _: u64| contents::get(lane % MANY, None);
    for (key, what, clients, in_flight, bound) in [
        ("get-many", what.as_str(), clients, in_flight, Some(Bound::AtLeast(0.7, 0.95))),
        ("get-one", "GET of 4 KiB, HEAD, one after the other", 1, 1, None),
    ] {
        let crew = Crew::new(&bench.bus, &hub.endpoint, clients, in_flight);
        let echo = Crew::new(&bench.bus, &echo, clients, in_flight);
        let [ours, theirs] = bench.rounds([
            &mut |_| crew.run(&Asking::window(bench.sizes.window, get)).rate(),
            &mut |_| echo.run(&Asking::window(bench.sizes.window, get)).rate(),
        ])?;
        let case = Case::new(key, what, Rounds::new(Unit::PerSecond, ours));
        let case = case.against("echo", Rounds::new(Unit::PerSecond, theirs));
        bench.table.push(match bound {
            Some(bound) => case.bound(bound),
            None => case,
        });
    }
    Ok(())
}
