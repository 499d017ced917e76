//! Sorting a file that is about as large as the memory given: here against GNU sort and engines for tables, with one key
//! almost everywhere, and over two workers.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::PATIENCE;
use super::begin::consul;
use super::stage::Stage;
use crate::bench::Bench;
use crate::bench::peers::engines::ENGINES;
use crate::bench::process::Running;
use crate::bench::table::{Bound, Case, Rounds, Unit};

/// How often it is looked whether one has ended, and what memory it has.
const LOOK: Duration = Duration::from_millis(2);

/// The files, all of the same records of 100 bytes: a key of ten, and where they were.
struct Files {
    /// Records, each of which is a line.
    uniform: PathBuf,
    /// The same, nine of ten with the same key.
    skewed: PathBuf,
    /// The same as the first, with a header.
    csv: PathBuf,
    out: PathBuf,
    /// What GNU sort wrote.
    gnu: PathBuf,
}

/// Who sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Gnu,
    Here,
    Skewed,
    Csv,
    /// One of [`ENGINES`].
    Engine(usize),
    Workers,
}

/// What it took.
#[derive(Debug, Clone, Copy)]
struct Took {
    seconds: f64,
    /// The most memory that its process had, in bytes.
    memory: f64,
}

/// What each side took, or what is missing for it.
type All = Vec<(Side, Result<Vec<Took>, &'static str>)>;

pub(super) fn run(bench: &mut Bench) -> Result<()> {
    bench.begin("sorting");
    let files = Files::make(bench)?;
    let workers = Workers::start(bench)?;
    let sides = [Side::Gnu, Side::Here, Side::Skewed, Side::Csv].into_iter();
    let sides = sides.chain((0..ENGINES.len()).map(Side::Engine)).chain([Side::Workers]);
    let lacking = |side| match side {
        Side::Gnu => bench.tools.engines.gnu().err(),
        Side::Engine(number) => bench.tools.engines.sort(number).err(),
        Side::Workers => workers.as_ref().err().copied(),
        Side::Here | Side::Skewed | Side::Csv => None,
    };
    let mut all: All =
        sides.map(|side| (side, lacking(side).map_or(Ok(Vec::new()), Err))).collect();
    for _ in 0..bench.sizes.bulk.sorts {
        for (side, took) in &mut all {
            bench.go_on()?;
            let Ok(took) = took else { continue };
            took.push(files.sort(bench, *side, workers.as_ref().ok())?);
        }
    }
    tell(bench, &all)
}

fn tell(bench: &mut Bench, all: &All) -> Result<()> {
    let megabytes = bench.sizes.bulk.sorted / 1_000_000;
    let what = |how: &str| format!("sort of {megabytes} MB{how}");
    let times =
        |took: &[Took]| Rounds::new(Unit::Seconds, took.iter().map(|took| took.seconds).collect());
    let find =
        |wanted| &all.iter().find(|(side, _)| *side == wanted).expect("all sides are there").1;
    let mut case = |(key, what): (&str, String), (ours, theirs), name: &str, bound| {
        let case = match (find(ours), find(theirs)) {
            (Ok(ours), Ok(theirs)) => {
                let case = Case::new(key, what, times(ours));
                match bound {
                    Bound::AtMost(..) => case.aged(name, times(theirs)).bound(bound),
                    _ => case.against(name, times(theirs)).bound(bound),
                }
            }
            (Err(lacking), _) | (_, Err(lacking)) => Case::not_run(key, what, *lacking),
        };
        bench.table.push(case);
    };
    let gnu = Bound::AtLeast(2.5, 4.0);
    case(("bulk-sort-gnu", what("")), (Side::Here, Side::Gnu), "GNU sort", gnu);
    let skewed = ("bulk-sort-skewed", what(", nine of ten with one key"));
    case(skewed, (Side::Skewed, Side::Here), "all kinds of keys", Bound::AtMost(2.0, 1.2));
    for (number, engine) in ENGINES.iter().enumerate() {
        let key = format!("bulk-sort-{}", engine.package);
        let sides = (Side::Csv, Side::Engine(number));
        case((&key, what(" of CSV")), sides, engine.name, Bound::AtLeast(1.7, 2.5));
    }
    let workers = ("bulk-sort-workers", what(", over two workers"));
    case(workers, (Side::Workers, Side::Gnu), "GNU sort", Bound::AtLeast(1.3, 2.0));
    let Ok(here) = find(Side::Here) else { return Ok(()) };
    let memory = bench.sizes.bulk.sort_memory as f64;
    let most = Rounds::new(Unit::Bytes, here.iter().map(|took| took.memory).collect());
    let case = Case::new("bulk-sort-memory", "memory of a sort", most);
    let case = case.beside("it may take", Rounds::one(Unit::Bytes, memory));
    bench.table.push(case.bound(Bound::Within(memory * 1.15, memory * 1.05)));
    Ok(())
}

impl Files {
    fn make(bench: &Bench) -> Result<Self> {
        let [uniform, skewed, csv, out, gnu] =
            ["uniform", "skewed", "uniform.csv", "out", "gnu"].map(|name| bench.path(name));
        let count = bench.sizes.bulk.sorted / 100;
        write_records(&uniform, b"", count, |_| false)?;
        write_records(&skewed, b"", count, |number| number % 10 != 0)?;
        write_records(&csv, b"key,text\n", count, |_| false)?;
        Ok(Self { uniform, skewed, csv, out, gnu })
    }

    /// Has one of them sort, until what is sorted is on the disk.
    fn sort(&self, bench: &Bench, side: Side, workers: Option<&Workers>) -> Result<Took> {
        let memory = bench.sizes.bulk.sort_memory;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("sort").args(["--memory", &format!("{memory}B"), "--threads", "2", "--spill"]);
        command.arg(bench.folder.path()).arg("-o").arg(&self.out);
        match side {
            Side::Gnu => {
                command = Command::new("sort");
                command.env("LC_ALL", "C").args(["-s", "-k1.1,1.10", "--parallel=2"]);
                command.args(["-S", &format!("{memory}b"), "-T"]).arg(bench.folder.path());
                command.arg(&self.uniform).arg("-o").arg(&self.gnu);
            }
            Side::Here => drop(command.arg("--records").arg(&self.uniform)),
            Side::Skewed => drop(command.arg("--records").arg(&self.skewed)),
            Side::Csv => drop(command.args(["--csv", "--key", "key"]).arg(&self.csv)),
            Side::Engine(number) => {
                command = bench.tools.engines.sort(number).map_err(anyhow::Error::msg)?;
                command.arg(&self.csv).arg(&self.out).arg(memory.to_string());
            }
            Side::Workers => {
                let workers = workers.context("there are workers")?;
                command.args(["--join", &workers.join, "--records"]).arg(&self.uniform);
            }
        }
        let out = if side == Side::Gnu { &self.gnu } else { &self.out };
        let took = timed(bench, &mut command, out)?;
        if matches!(side, Side::Here | Side::Workers) && self.gnu.exists() {
            ensure!(are_same(&self.gnu, out)?, "GNU sort has written something else than esker");
        }
        Ok(took)
    }
}

/// Runs a program until what it writes is on the disk.
fn timed(bench: &Bench, command: &mut Command, out: &Path) -> Result<Took> {
    let log = bench.path("sort.log");
    drop(fs::remove_file(out));
    // What was written before is no burden of this one.
    rustix::fs::syncfs(&File::open(bench.folder.path())?)?;
    let begun = Instant::now();
    let mut running = Running::start(command.stdout(Stdio::null()), &log)?;
    let mut memory = 0;
    while !running.has_ended() {
        memory = memory.max(running.memory());
        std::thread::sleep(LOOK);
    }
    let written = File::open(out).and_then(|file| file.sync_all().and_then(|()| file.metadata()));
    let seconds = begun.elapsed().as_secs_f64();
    if !written.is_ok_and(|about| about.len() >= bench.sizes.bulk.sorted) {
        bail!("it was not sorted: {}", fs::read_to_string(&log).unwrap_or_default());
    }
    Ok(Took { seconds, memory: memory as f64 })
}

/// Writes records that are lines, and of CSV: a key of ten bytes, a comma, and their numbers.
fn write_records(
    path: &Path,
    header: &[u8],
    count: u64,
    is_same: impl Fn(u64) -> bool,
) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    file.write_all(header)?;
    let mut state = 1_u64;
    for number in 0..count {
        let mut record = [b'.'; 100];
        for byte in &mut record[..10] {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Behind the comma and the quotes.
            *byte = b'-' + ((state >> 33) % 82) as u8;
        }
        if is_same(number) {
            record[..10].copy_from_slice(b"k123456789");
        }
        record[10] = b',';
        record[11..43].copy_from_slice(format!("{number:032x}").as_bytes());
        record[99] = b'\n';
        file.write_all(&record)?;
    }
    file.into_inner()?.sync_all()?;
    Ok(())
}

fn are_same(one: &Path, other: &Path) -> Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let mut left = one.metadata()?.len();
    if other.metadata()?.len() != left {
        return Ok(false);
    }
    let mut bytes = [vec![0; 1 << 20], vec![0; 1 << 20]];
    while left > 0 {
        let count = left.min(1 << 20) as usize;
        one.read_exact(&mut bytes[0][..count])?;
        other.read_exact(&mut bytes[1][..count])?;
        if bytes[0][..count] != bytes[1][..count] {
            return Ok(false);
        }
        left -= count as u64;
    }
    Ok(true)
}

/// Two workers that Consul knows.
struct Workers {
    join: String,
    _stages: [Stage; 2],
    _consul: Running,
}

impl Workers {
    /// Starts them; what is missing, if they cannot be.
    fn start(bench: &Bench) -> Result<Result<Self, &'static str>> {
        let program = match bench.tools.servers.consul() {
            Ok(program) => program,
            Err(lacking) => return Ok(Err(lacking)),
        };
        let (agent, consul) = consul(bench, program, "sort-consul")?;
        let start = |name: &str, port: u16| {
            let bind = format!("{}:{port}", agent.address);
            Stage::start(bench, (name, &bind, bench.sizes.bulk.sort_memory), &agent.join())
        };
        let stages = [start("sort1", 5060)?, start("sort2", 5070)?];
        stages[1].cluster.wait_for(|known| known.members.len() == 2, PATIENCE)?;
        Ok(Ok(Self { join: agent.join(), _stages: stages, _consul: consul }))
    }
}
