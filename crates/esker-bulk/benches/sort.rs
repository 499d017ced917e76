//! Sorting in one process against GNU sort: `cargo bench -p esker-bulk --bench sort -- [MB] [FOLDER]`. Both are given the
//! same memory and two threads, and have their output on the disk before the clock is stopped; alternately, three rounds.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use esker_bulk::alone::Alone;
use esker_bulk::client::Options;
use esker_bulk::sort::{Kind, Progress, Sort, sort};

/// The same as the program's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What both may take of memory, in bytes.
const MEMORY: u64 = 1 << 30;
/// How often each is measured.
const ROUNDS: usize = 3;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let megabytes: u64 = arguments.first().map_or(300, |it| it.parse().expect("a number of MB"));
    let folder = arguments.get(1).map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let input = folder.path().join("in");
    make(&input, megabytes * 10_000);
    println!("{:<10}{:>10}{:>10}{:>8}", "kind", "ours", "GNU sort", "ratio");
    for (name, kind, options) in
        [("records", Kind::Records, &["-s", "-k1.1,1.10"][..]), ("lines", Kind::Lines, &[])]
    {
        let mut all: [Vec<f64>; 2] = Default::default();
        for _ in 0..ROUNDS {
            all[0].push(ours(folder.path(), &kind));
            all[1].push(gnu(folder.path(), options));
        }
        let [ours, gnu] = all.map(|mut seconds| {
            seconds.sort_by(f64::total_cmp);
            seconds[ROUNDS / 2]
        });
        println!("{name:<10}{ours:>9.2}s{gnu:>9.2}s{:>7.2}x", gnu / ours);
    }
}

/// Printable records of 100 bytes, each of which is a line, too.
fn make(path: &Path, count: u64) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    let mut state = 1_u64;
    for number in 0..count {
        let mut record = [b'.'; 100];
        for byte in &mut record[..10] {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = b' ' + ((state >> 33) % 95) as u8;
        }
        record[12..44].copy_from_slice(format!("{number:032x}").as_bytes());
        record[98..].copy_from_slice(b"\r\n");
        file.write_all(&record).expect("written");
    }
    file.into_inner().expect("flushed").sync_all().expect("synced");
}

fn ours(folder: &Path, kind: &Kind) -> f64 {
    let began = Instant::now();
    let spill = tempfile::tempdir_in(folder).expect("a folder");
    let options = Options { compress: false, ..Options::default() };
    let alone =
        Alone::start(MEMORY / 100 * 60, spill.path().join("worker"), options).expect("a worker");
    let asked = Sort {
        kind: kind.clone(),
        is_reversed: false,
        is_unique: false,
        is_numeric: false,
        memory: MEMORY / 100 * 40,
        spill: spill.path().to_owned(),
        threads: 2,
    };
    let mut output = File::create(folder.join("ours")).expect("a file");
    let progress = Progress::default();
    sort(alone.client(), &asked, &[folder.join("in")], &progress, &mut output).expect("sorted");
    let sorted = began.elapsed();
    output.sync_all().expect("synced");
    println!("  ours {kind:?}: {sorted:.2?}, on the disk {:.2?}", began.elapsed());
    began.elapsed().as_secs_f64()
}

fn gnu(folder: &Path, options: &[&str]) -> f64 {
    let began = Instant::now();
    let status = Command::new("sort")
        .args(options)
        .args(["--parallel=2", "-S", "1G", "-T", ".", "in", "-o", "gnu"])
        .current_dir(folder)
        .env("LC_ALL", "C")
        .status();
    assert!(status.expect("GNU sort").success());
    let sorted = began.elapsed();
    File::open(folder.join("gnu")).expect("a file").sync_all().expect("synced");
    println!("  GNU {options:?}: {sorted:.2?}, on the disk {:.2?}", began.elapsed());
    began.elapsed().as_secs_f64()
}
