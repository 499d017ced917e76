//! More than there is room for: the memory of the worker's process while it comes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use esker_bulk::client::{Client, Init};
use esker_wire::fault::Fault;

use super::begin::Agreed;
use super::load::noise;
use super::rates::emptied;
use super::stage::Stage;
use crate::bench::Bench;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// How many clients send.
const CLIENTS: usize = 4;
/// How many times as much as there is room for.
const TIMES: u64 = 4;
/// The bytes of one message, and of the contents in it, in turn.
const MESSAGE: usize = 1 << 20;
const CONTENTS: [usize; 4] = [64 << 10, 1 << 20, 4 << 10, 100];
/// How many ids kept contents are added to.
const PARTITIONS: u64 = 64;
/// How often the memory is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Contents that may be forgotten.
pub(super) fn cached(bench: &mut Bench) -> Result<()> {
    let (key, what) = ("bulk-over-cached", "memory of a worker, contents that may be forgotten");
    bench.begin(what);
    let memory = bench.sizes.bulk.memory;
    let stage = Stage::listed(bench, "cached", memory)?;
    let set = |client: &Client, items: Vec<(Bytes, Bytes)>| client.block_on(client.set_all(items));
    let id = |number, at| format!("{number}-{at}");
    let most = most_memory(bench, &stage, (id, set))?;
    push(bench, (key, what), most);
    stage.worker.stop()
}

/// Contents that are kept.
pub(super) fn kept(bench: &mut Bench, agreed: &Agreed) -> Result<()> {
    let (key, what) = ("bulk-over-kept", "memory of a worker, kept contents");
    bench.begin(what);
    let stage = &agreed.stage;
    let init = Init::default();
    stage.client.block_on(stage.client.init_numbered("kept/{}", 1, &init))?;
    let append = |client: &Client, items: Vec<(Bytes, Bytes)>| {
        client.block_on(client.append_all(items)).map(drop)
    };
    // As in a shuffle, many add to the same few.
    let id = |number, at| format!("kept/{}", (number + at) % PARTITIONS);
    let most = most_memory(bench, stage, (id, append))?;
    push(bench, (key, what), most);
    let rounds = bench.sizes.rounds;
    for round in 0..rounds {
        emptied(stage, &format!("numbered{round}"))?;
    }
    let held = emptied(stage, "kept")?;
    bench.table.push(
        Case::new(
            "bulk-ledger-kept",
            "held after they were forgotten",
            Rounds::one(Unit::Bytes, held),
        )
        .bound(Bound::Zero),
    );
    Ok(())
}

fn push(bench: &mut Bench, (key, what): (&str, &str), most: f64) {
    let memory = bench.sizes.bulk.memory as f64;
    let most = Rounds::one(Unit::Bytes, most);
    let case = Case::new(key, what, most).beside("it may hold", Rounds::one(Unit::Bytes, memory));
    bench.table.push(case.bound(Bound::Within(memory * 1.15, memory * 1.05)));
}

/// The most memory that the worker's process has while clients send it too much: contents of ids that are made of the
/// numbers of the message and of the content in it.
fn most_memory(
    bench: &Bench,
    stage: &Stage,
    (id, send): (
        impl Fn(u64, u64) -> String + Sync,
        impl Fn(&Client, Vec<(Bytes, Bytes)>) -> Result<(), Fault> + Sync,
    ),
) -> Result<f64> {
    let messages = TIMES * bench.sizes.bulk.memory / MESSAGE as u64;
    let (next, has_ended) = (AtomicU64::new(0), AtomicBool::new(false));
    let work = |client: &Client| loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= messages || bench.go_on().is_err() {
            return Ok(());
        }
        let size = CONTENTS[number as usize % CONTENTS.len()];
        let content = noise(MESSAGE, number);
        let item = |at: usize| {
            (Bytes::from(id(number, at as u64)), content.slice(at * size..(at + 1) * size))
        };
        send(client, (0..MESSAGE / size).map(item).collect())?;
    };
    let (clients, work) = (stage.clients(bench, CLIENTS)?, &work);
    let most = std::thread::scope(|scope| {
        let look = scope.spawn(|| {
            let mut most = 0;
            while !has_ended.load(Ordering::Relaxed) {
                most = most.max(stage.worker.memory());
                std::thread::sleep(LOOK);
            }
            most
        });
        let threads: Vec<_> = clients.iter().map(|it| scope.spawn(move || work(it))).collect();
        let ended = threads.into_iter().map(|it| it.join().expect("it panics nowhere"));
        let sent = ended.collect::<Result<Vec<()>, Fault>>();
        has_ended.store(true, Ordering::Relaxed);
        sent.map(|_| look.join().expect("it panics nowhere"))
    })?;
    bench.go_on()?;
    Ok(most as f64)
}
