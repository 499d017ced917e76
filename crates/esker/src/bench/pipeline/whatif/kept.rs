//! What what-ifs take that are kept beside each other: memory, and room on the disk.

use std::fmt::Write as _;

use anyhow::Result;

use super::asker::Asker;
use crate::bench::Bench;
use crate::bench::hub::{Ground, Hub};
use crate::bench::pipeline::client::Client;
use crate::bench::table::{Case, Rounds, Unit};

/// The rows of the table: as many items as plans are measured with.
const ROWS: u64 = 10_000;

/// How many are put at once.
const AT_ONCE: usize = 20;

const STAGE: &str = "[stage.sort]\ninput = \"raw/plan\"\nrun = [\"sort\"]\noutput = \"out/plan\"\n";

/// A table of 1 MB.
fn table() -> String {
    let mut text = "Id,Team,Estimate,Note\n".to_owned();
    for row in 0..ROWS {
        let mixed = row.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(
            text,
            "W-{row},Team {},{},\"what there is to be said of item {row}: {mixed:016x} {:016x}\"",
            mixed % 17,
            mixed % 97,
            mixed.rotate_left(29) ^ row,
        )
        .expect("a text takes everything");
    }
    text
}

/// Memory in use, and room on the disk, in bytes.
struct Taken([f64; 2]);

impl Taken {
    fn now(bench: &Bench, ground: &Ground, hub: &Hub) -> Result<Self> {
        bench.rest(&hub.running)?;
        Ok(Self([hub.running.memory() as f64, ground.size()? as f64]))
    }

    /// What each of so many takes more than before; nothing if it is less.
    fn each(&self, before: &Self, count: usize) -> [Rounds; 2] {
        let each = |at: usize| (self.0[at] - before.0[at]).max(0.0) / count as f64;
        [0, 1].map(|at| Rounds::one(Unit::Bytes, each(at)))
    }
}

/// Runs the cases.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let count = bench.sizes.pipeline.kept;
    bench.begin(&format!("{count} what-ifs beside each other"));
    let ground = Ground::with(&bench.path("whatif-kept"), STAGE)?;
    let (hub, _) = ground.up(&bench.bus)?;
    let client = Client::new(&bench.bus, &hub.endpoint);
    let text = table();
    let size = text.len() as f64;
    let mut ear = client.follow("out/plan")?;
    client.put("raw/plan", text.into())?;
    ear.next()?;
    let mut asker = Asker::new(&client)?;
    let put = |number: usize| {
        let cell = format!("raw/plan:[W-{number}].Estimate");
        asker.what_if(&format!("k{number}"), (&cell, format!("9{number}")))
    };
    // What the first few need is kept for all that follow.
    let first = (0..AT_ONCE).map(put).collect::<Result<Vec<_>>>()?;
    let puts = (AT_ONCE..AT_ONCE + count).map(put).collect::<Result<Vec<_>>>()?;
    asker.all(&first)?;
    let before = Taken::now(bench, &ground, &hub)?;
    for some in puts.chunks(AT_ONCE) {
        bench.go_on()?;
        asker.all(some)?;
    }
    let kept = Taken::now(bench, &ground, &hub)?;
    for put in &puts {
        asker.discard(put)?;
    }
    let after = Taken::now(bench, &ground, &hub)?;
    for (name, taken) in [("kept", kept), ("discarded", after)] {
        let [memory, disk] = taken.each(&before, count);
        let what = format!("memory of `esker up` for each of {count} what-ifs of 1 MB, {name}");
        bench.table.push(Case::new(format!("whatif-memory-{name}"), what, memory));
        let what = format!("the store on the disk for each of them, {name}");
        let case = Case::new(format!("whatif-disk-{name}"), what, disk);
        bench.table.push(case.beside("the table", Rounds::one(Unit::Bytes, size)));
    }
    Ok(())
}
