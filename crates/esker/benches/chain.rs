//! What is not the store's, against its peers and limits, in one run: `cargo bench -p esker --bench chain`. The
//! store's cases are those of `esker bench store`.
//!
//! Each case is measured alternately with its peer, several rounds, and the medians are compared. Printed as
//! the table of docs/benchmarks.md.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_bus::follow::Item;
use esker_wire::event::Event;
use serde_json::Value;
use tempfile::TempDir;

/// How often each side of a case is measured; the medians are compared.
const ROUNDS: usize = 7;

const DEADLINE: Duration = Duration::from_secs(60);

/// The work of the two-stage pipeline: sort, then sum with awk.
const SUM: &str = "{ n[$1] += $2 } END { for (k in n) print k, n[k] }";

fn main() {
    println!("| case | ours | peer or limit | ratio |\n| --- | --- | --- | --- |");
    let world = World::start();
    let bus = Bus::start().expect("a bus");
    let mut run = 0;
    case(
        "PUT to result, two stages",
        "the two programs alone",
        || world.result(&bus, &mut run),
        programs,
    );
    drop(world);
    case("start to serving the page", "running `git --version`", start, git_version);
    let plan = plan();
    case(
        "qplan schedule, 10,000 items",
        "`cat` of the same bytes",
        || schedule(&plan),
        || cat(&plan),
    );
}

/// Measures both sides alternately and prints a line.
fn case(
    what: &str,
    peer: &str,
    mut ours: impl FnMut() -> Duration,
    mut theirs: impl FnMut() -> Duration,
) {
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(ours());
        times[1].push(theirs());
    }
    let [ours, theirs] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    println!("| {what} | {} | {peer}: {} | {} |", ms(ours), ms(theirs), times_of(ratio));
}

fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 1.0 { format!("{ms:.3} ms") } else { format!("{ms:.2} ms") }
}

fn times_of(ratio: f64) -> String {
    if ratio >= 10.0 { format!("{ratio:.0}×") } else { format!("{ratio:.2}×") }
}

fn esker() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_esker"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Ends a process when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A project with the two-stage pipeline, run by `esker up`.
struct World {
    folder: TempDir,
    _up: Running,
}

impl World {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let definition = format!(
            "[project]\nname = \"bench\"\n\
             [stage.sort]\ninput = \"raw/csv\"\nrun = [\"sort\"]\noutput = \"mid/csv\"\n\
             [stage.sum]\ninput = \"mid/csv\"\nrun = [\"awk\", '{SUM}']\noutput = \"out/csv\"\n"
        );
        fs::write(folder.path().join("esker.toml"), definition).expect("written");
        let up = up(folder.path());
        Self { folder, _up: up }
    }

    fn dir(&self) -> &Path {
        self.folder.path()
    }

    fn endpoint(&self) -> Endpoint {
        let endpoints = endpoints(self.dir());
        let text =
            |pointer| endpoints.pointer(pointer).and_then(Value::as_str).expect("an address");
        Endpoint::Tcp { requests: text("/hub/requests").into(), events: text("/hub/events").into() }
    }

    /// From sending a PUT to the event of the result, seen by a client.
    fn result(&self, bus: &Bus, run: &mut u64) -> Duration {
        let endpoint = self.endpoint();
        let caller = bus.caller(&endpoint);
        let mut follow = bus.follow(&endpoint, &["esker/1 out/csv"]);
        assert_eq!(follow.recv_timeout(DEADLINE), Some(Item::Lost), "following");
        *run += 1;
        let put = esker_wire::snapshot::Put::one("raw/csv".parse().expect("a name"), csv(*run));
        let begun = Instant::now();
        caller.call_blocking(&put, DEADLINE).expect("put");
        loop {
            match follow.recv_timeout(DEADLINE) {
                Some(Item::Event(Event::Put { .. })) => return begun.elapsed(),
                Some(_) => {}
                None => panic!("no result"),
            }
        }
    }
}

fn csv(run: u64) -> Bytes {
    (0..200).map(|n| format!("k{} {}\n", n % 17, n + run)).collect::<String>().into()
}

/// The two programs of the pipeline, run one after the other.
fn programs() -> Duration {
    let feed = |program: &str, arguments: &[&str], input: &[u8]| {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        child.stdin.take().expect("piped").write_all(input).expect("fed");
        child.wait_with_output().expect("ended").stdout
    };
    let begun = Instant::now();
    let sorted = feed("sort", &[], &csv(0));
    let summed = feed("awk", &[SUM], &sorted);
    assert!(!summed.is_empty());
    begun.elapsed()
}

fn endpoints(dir: &Path) -> Value {
    let text = fs::read_to_string(dir.join(".esker/endpoints.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Starts `esker up` and waits until the page's address is known.
fn up(dir: &Path) -> Running {
    let mut command = esker();
    let child = command.args(["up", "--port-base", "0"]).current_dir(dir).spawn().expect("esker");
    let running = Running(child);
    let begun = Instant::now();
    while !endpoints(dir)["web"].is_string() {
        assert!(begun.elapsed() < DEADLINE, "esker does not start");
        std::thread::park_timeout(Duration::from_micros(200));
    }
    running
}

fn start() -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("esker.toml"), "[project]\nname = \"p\"\n").expect("written");
    drop(up(folder.path()));
    fs::remove_file(folder.path().join(".esker/endpoints.json")).expect("removed");
    let begun = Instant::now();
    let running = up(folder.path());
    let time = begun.elapsed();
    drop(running);
    time
}

fn git_version() -> Duration {
    let begun = Instant::now();
    Command::new("git").arg("--version").stdout(Stdio::null()).status().expect("git");
    begun.elapsed()
}

/// A plan of 10,000 items, by qplan's own generator.
fn plan() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plan.txt");
    let file = fs::File::create(&path).expect("a file");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let made = Command::new(cargo)
        .args([
            "run",
            "--quiet",
            "--release",
            "-p",
            "qplan",
            "--example",
            "gen_plan",
            "--",
            "10000",
            "1",
        ])
        .stdout(file)
        .status();
    assert!(made.is_ok_and(|status| status.success()), "gen_plan");
    (folder, path)
}

fn schedule((_, path): &(TempDir, PathBuf)) -> Duration {
    let begun = Instant::now();
    let input = fs::File::open(path).expect("the plan");
    let status = esker().args(["qplan", "schedule"]).stdin(input).status();
    assert!(status.is_ok_and(|status| status.success()));
    begun.elapsed()
}

fn cat((_, path): &(TempDir, PathBuf)) -> Duration {
    let begun = Instant::now();
    Command::new("cat").arg(path).stdout(Stdio::null()).status().expect("cat");
    begun.elapsed()
}
