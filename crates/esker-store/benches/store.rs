//! Ratios against a baseline in the same run: `cargo bench -p esker-store`.
//!
//! `ESKER_BENCH_COMMITS=100000` makes the store of the last part larger.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and may stop")]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::service::{Frames, Service as _};
use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::message::Request as _;
use esker_wire::snapshot::{Get, Log, Put};
use tempfile::TempDir;

const SIZE: usize = 4096;

fn main() {
    let folder = TempDir::new().unwrap();
    let bare = bare(folder.path());
    let seed = seed(folder.path());
    let mut snapshots = open(&folder.path().join("store"));
    let one = put(&mut snapshots, 200, 1);
    let batch = put(&mut snapshots, 40, 64);
    println!("write+fsync of 4 KiB      {bare:>10.1?}");
    println!("git add + git commit      {seed:>10.1?}");
    println!(
        "PUT, one client           {one:>10.1?}  bare/PUT {:.2}, seed/PUT {:.0}",
        ratio(bare, one),
        ratio(seed, one)
    );
    println!(
        "PUT, 64 at once, each     {batch:>10.1?}  bare/PUT {:.2}, seed/PUT {:.0}",
        ratio(bare, batch),
        ratio(seed, batch)
    );
    let get = Get::head("raw/plan".parse().unwrap()).to_message().to_frames();
    let read = median(2_000, || {
        snapshots.handle(std::slice::from_ref(&get));
    });
    println!("GET of HEAD               {read:>10.1?}");
    drop(snapshots);
    many(&folder.path().join("many"));
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

fn median(times: usize, mut deed: impl FnMut()) -> Duration {
    let mut taken: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            deed();
            start.elapsed()
        })
        .collect();
    taken.sort_unstable();
    taken[times / 2]
}

/// Bytes that do not compress, different each time.
fn content(number: u64) -> Bytes {
    let mut state = number + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..SIZE).map(|_| next()).collect()
}

fn bare(folder: &Path) -> Duration {
    let mut number = 0;
    median(200, || {
        number += 1;
        let mut file = File::create(folder.join(format!("bare-{number}"))).unwrap();
        file.write_all(&content(number)).unwrap();
        file.sync_all().unwrap();
    })
}

/// What the seeds' service does for every PUT.
fn seed(folder: &Path) -> Duration {
    let work = folder.join("seed");
    let git = |args: &[&str]| {
        let identity = ["-c", "user.name=a", "-c", "user.email=a@b"];
        let status = Command::new("git").arg("-C").arg(&work).args(identity).args(args).output();
        assert!(status.unwrap().status.success());
    };
    std::fs::create_dir(&work).unwrap();
    git(&["init", "-q"]);
    let mut number = 0;
    median(40, || {
        number += 1;
        std::fs::write(work.join("plan"), content(number)).unwrap();
        git(&["add", "plan"]);
        git(&["commit", "-qm", "put"]);
    })
}

fn open(folder: &Path) -> Snapshots {
    let store = Store::open(folder, Options::default()).unwrap();
    Snapshots::new(store, NamesHandle::default())
}

/// The time of one PUT where so many wait together.
fn put(snapshots: &mut Snapshots, times: usize, together: u64) -> Duration {
    let mut number = together * 1_000_000;
    let taken = median(times, || {
        let requests: Vec<Frames> = (0..together)
            .map(|_| {
                number += 1;
                let ask = Put::one("raw/plan".parse().unwrap(), content(number));
                ask.to_message().to_frames()
            })
            .collect();
        for outcome in snapshots.handle(&requests) {
            assert!(outcome.reply[0].starts_with(b"=====esker/1 OK"));
        }
    });
    taken / u32::try_from(together).unwrap()
}

/// A store of many commits over 100 resources: how long it takes to open, and to read its history.
fn many(folder: &Path) {
    let commits = std::env::var("ESKER_BENCH_COMMITS").ok();
    let commits: u64 = commits.map_or(10_000, |text| text.parse().unwrap());
    let mut snapshots = open(folder);
    let start = Instant::now();
    for batch in 0..commits.div_ceil(250) {
        let requests = (0..250).map(|index| {
            let number = batch * 250 + index;
            let name = format!("raw/r{}", number % 100);
            Put::one(name.parse().unwrap(), format!("{number}").into()).to_message().to_frames()
        });
        snapshots.handle(&requests.collect::<Vec<_>>());
    }
    println!(
        "{commits} PUTs, 250 at once: each {:.1?}",
        start.elapsed() / u32::try_from(commits).unwrap()
    );
    drop(snapshots);
    let start = Instant::now();
    let mut snapshots = open(folder);
    println!("open, loose objects       {:>10.1?}", start.elapsed());
    let log = Log { resource: Some("raw/r7".parse().unwrap()), ..Log::newest(10_000) };
    let ask = log.to_message().to_frames();
    let start = Instant::now();
    snapshots.handle(&[ask]);
    let ours = start.elapsed();
    let start = Instant::now();
    let output =
        Command::new("git").arg("-C").arg(folder).args(["log", "main", "--", "raw/r7"]).output();
    assert!(output.unwrap().status.success());
    println!(
        "LOG of one                {ours:>10.1?}  git log/LOG {:.0}",
        ratio(start.elapsed(), ours)
    );
    drop(snapshots);
    let packed = Command::new("git").arg("-C").arg(folder).args(["gc", "-q"]).status();
    assert!(packed.unwrap().success());
    let start = Instant::now();
    drop(open(folder));
    println!("open, packed by git gc    {:>10.1?}", start.elapsed());
}
