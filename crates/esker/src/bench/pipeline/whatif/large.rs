//! One cell of a large table: how soon what would be is there, beside the time of copying and counting its bytes.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::asker::Asker;
use crate::bench::Bench;
use crate::bench::machine;
use crate::bench::pipeline::pair::Pair;
use crate::bench::process::output;
use crate::bench::table::{Case, Rounds, Unit};

/// Counts the rows.
const STAGE: &str =
    "[stage.count]\ninput = \"raw/big\"\nrun = [\"wc\", \"-l\"]\noutput = \"out/rows\"\n";

/// A table of 40 bytes a row, its heading not counted.
fn table(rows: u64) -> String {
    let mut text = "id,name,value\n".to_owned();
    for row in 0..rows {
        writeln!(text, "{row:08},the row {row:08},{:013}", row * 7)
            .expect("a text takes everything");
    }
    text
}

/// Runs the case.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let rows = bench.sizes.pipeline.rows;
    bench.begin(&format!("what would be, in a table of {rows} rows"));
    let text = table(rows);
    let file = bench.path("big.csv");
    fs::write(&file, &text)?;
    let size = text.len() as f64;
    let mut pair = Pair::start(&bench.bus, &bench.path("whatif-large"), STAGE)?;
    pair.client.put("raw/big", text.into())?;
    let counted = format!("{}\n", rows + 1);
    ensure!(pair.client.wait_for("out/rows", counted.as_bytes())?, "the stage does not run");
    let mut asker = Asker::new(&pair.client)?;
    let runner = pair.runner().context("a runner")?;
    let mut peaks = Vec::new();
    let [ours, limit] = bench.rounds([
        &mut |round| {
            bench.rest(runner)?;
            // From now on its peak is told anew.
            fs::write(format!("/proc/{}/clear_refs", runner.pid()), "5")?;
            let cell = format!("raw/big:[{:08}].value", rows / 2);
            let put = asker.what_if(&format!("n{round}"), (&cell, format!("other {round}")))?;
            let begun = Instant::now();
            asker.one(&put)?;
            let there = asker.content(&put.branch, "out/rows")?;
            let time = begun.elapsed().as_secs_f64();
            ensure!(there == counted, "the result is wrong: {there:?}");
            let status = fs::read_to_string(format!("/proc/{}/status", runner.pid()))?;
            let peak = machine::field(&status, "VmHWM").context("a peak")?;
            peaks.push(machine::kilobytes(&peak) as f64);
            Ok(time)
        },
        &mut |_| copied(&file),
    ])?;
    pair.stop()?;
    fs::remove_file(&file)?;
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let what = format!("a what-if of one cell of {rows} rows, and a stage that counts them");
    let case = Case::new("whatif-large", what, seconds(ours));
    bench.table.push(case.against("cp, sync and wc -l of the same bytes", seconds(limit)));
    let what = "the same: the most memory of the runner meanwhile";
    let case = Case::new("whatif-large-memory", what, Rounds::new(Unit::Bytes, peaks));
    bench.table.push(case.beside("the table", Rounds::one(Unit::Bytes, size)));
    Ok(())
}

/// The bytes copied, made durable, and counted.
fn copied(file: &Path) -> Result<f64> {
    let copy = file.with_extension("copy");
    let begun = Instant::now();
    output(Command::new("cp").arg(file).arg(&copy))?;
    fs::File::open(&copy)?.sync_all()?;
    output(Command::new("wc").arg("-l").arg(&copy))?;
    let time = begun.elapsed().as_secs_f64();
    fs::remove_file(&copy)?;
    Ok(time)
}
