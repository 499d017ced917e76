//! What a thousand who hear a publisher cost it: beside publishing the same frames with no model behind them.
//!
//! They are bare sockets that subscribe and count bytes, so that the processor is the publisher's as far as it can be.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::net::TcpStream;

use super::PATIENCE;
use super::publish::What;
use crate::bench::Bench;
use crate::bench::process::Running;
use crate::bench::table::{Bound, Case, Rounds, Unit};
use crate::planes;

/// How many times the processor time of the frames alone a model may take.
const COST: Bound = Bound::AtMost(1.5, 1.1);

/// The changes of a second.
const RATE: u32 = 1_000;

/// What it is held against.
const ALONE: &str = "the same frames with no model";

/// How long a publisher is at work before it is looked at.
const LEAD: Duration = Duration::from_millis(500);

/// The kernel's ticks in a second.
const TICKS: f64 = 100.0;

/// How often each of them says that it is there, lest it be taken for gone.
const LIFE: Duration = Duration::from_secs(1);

/// How often to look whether all hear.
const LOOK: Duration = Duration::from_millis(10);

/// Who has been sent more than this has not only shaken hands.
const HANDS_MAX: u64 = 1_024;

/// What is read at once.
const AT_ONCE: usize = 16 * 1024;

/// Runs the case.
pub(super) fn run(bench: &mut Bench) -> Result<()> {
    let (count, width) = (bench.sizes.model.crowd, bench.sizes.model.crowd_width);
    bench.begin(&format!("{count} who hear {RATE} changes a second"));
    planes::allow_files();
    let begin = bench.path("begin");
    let mut rates = [Vec::new(), Vec::new()];
    let [ours_rates, theirs_rates] = &mut rates;
    let one = |what: What, rates: &mut Vec<f64>| {
        drop(fs::remove_file(&begin));
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["bench", "publish", what.word(), &width.to_string(), &RATE.to_string()]);
        command.arg(&begin);
        let (running, address) = Running::that_says(&mut command, &bench.path("publish.log"))?;
        let heard = heard(&running, &address, (count, bench.sizes.model.hearing, &begin))?;
        rates.push(heard.bytes / 1e6 / count as f64 / heard.time);
        Ok(heard.processor / heard.bytes * 1e9)
    };
    let mut ours = |_: usize| one(What::Model, ours_rates);
    let mut theirs = |_: usize| one(What::Frames, theirs_rates);
    let [ours, theirs] = bench.rounds([&mut ours, &mut theirs])?;
    let seconds = |values| Rounds::new(Unit::Seconds, values);
    let what = format!(
        "processor time of a publisher for a gigabyte of events, {RATE} changes a second to {count}"
    );
    let case = Case::new("model-crowd", what, seconds(ours));
    bench.table.push(case.aged(ALONE, seconds(theirs)).bound(COST));
    let [ours, theirs] = rates.map(|values| Rounds::new(Unit::PerSecond, values));
    let what = "megabytes that each of them hears";
    bench.table.push(Case::new("model-crowd-heard", what, ours).against(ALONE, theirs));
    Ok(())
}

/// What a publisher did in a while.
struct Heard {
    /// What all who hear it had of it.
    bytes: f64,
    /// The seconds of processor time it took.
    processor: f64,
    /// The seconds it was looked at.
    time: f64,
}

/// What so many hear of a publisher, which begins once all of them do.
fn heard(
    running: &Running,
    address: &str,
    (count, window, begin): (usize, Duration, &Path),
) -> Result<Heard> {
    let address = address.strip_prefix("tcp://").context("this is no address")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let heard: Arc<[AtomicU64]> = (0..count).map(|_| AtomicU64::new(0)).collect();
        for one in 0..count {
            let stream = connect(address)?;
            // It ends with the runtime.
            drop(tokio::spawn(hear(stream, Arc::clone(&heard), one)));
        }
        let all = || heard.iter().map(|heard| heard.load(Ordering::Relaxed)).sum::<u64>();
        let begun = Instant::now();
        while heard.iter().any(|heard| heard.load(Ordering::Relaxed) < HANDS_MAX) {
            if begun.elapsed() > PATIENCE {
                bail!("not all {count} hear what is published");
            }
            tokio::time::sleep(LOOK).await;
        }
        fs::write(begin, "")?;
        tokio::time::sleep(LEAD).await;
        let (begun, bytes, ticks) = (Instant::now(), all(), running.ticks());
        tokio::time::sleep(window).await;
        Ok(Heard {
            bytes: (all() - bytes).max(1) as f64,
            processor: (running.ticks() - ticks) as f64 / TICKS,
            time: begun.elapsed().as_secs_f64(),
        })
    })
}

/// Connects, and says in ZMTP 3.0 that it subscribes to everything.
fn connect(to: SocketAddr) -> Result<TcpStream> {
    let mut stream = std::net::TcpStream::connect(to)?;
    let mut said = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0];
    said.extend(b"NULL");
    said.resize(64, 0);
    // A command with one property, and a message: what to subscribe to is behind its first byte.
    said.extend(b"\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB");
    said.extend(b"\x00\x01\x01");
    stream.write_all(&said)?;
    stream.set_nonblocking(true)?;
    Ok(TcpStream::from_std(stream)?)
}

/// Counts the bytes of events.
async fn hear(stream: TcpStream, heard: Arc<[AtomicU64]>, one: usize) -> Result<()> {
    let mut said = Instant::now();
    loop {
        stream.readable().await?;
        let bytes = read(&stream)?;
        heard[one].fetch_add(bytes, Ordering::Relaxed);
        if said.elapsed() > LIFE {
            said = Instant::now();
            // A socket that takes no more is not that of somebody who is gone.
            drop(stream.try_write(b"\x04\x05\x04PONG"));
        }
    }
}

fn read(stream: &TcpStream) -> Result<u64> {
    let mut buffer = [0; AT_ONCE];
    let mut bytes = 0;
    loop {
        match stream.try_read(&mut buffer) {
            Ok(0) => bail!("the publisher has ended"),
            Ok(read) => bytes += read as u64,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(bytes),
            Err(error) => return Err(error.into()),
        }
    }
}
