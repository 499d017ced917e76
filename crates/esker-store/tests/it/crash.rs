//! What was acknowledged is there after a kill at any moment, and git finds nothing wrong.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use esker_store::names::NamesHandle;
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::name::Branch;
use esker_wire::snapshot::{Get, Put};

use crate::support::{Dice, assert_sound, call, put, resource};

/// Names the folder to the child.
const FOLDER: &str = "ESKER_STORM_FOLDER";
/// How often the child is killed.
const KILLS: u64 = 20;
/// The most acknowledgements before a kill.
const ACKS_MAX: u64 = 40;

/// The child: puts and says what was acknowledged until it is killed. Without the variable there is nothing
/// to do.
#[test]
fn storm() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let store = Store::open(Path::new(&folder), Options::default()).unwrap();
    let epoch = store.epoch();
    let mut snapshots = Snapshots::new(store, NamesHandle::default());
    for index in 0.. {
        let name = format!("raw/r{}", index % 7);
        let content = format!("{epoch} {index}");
        let branch = if index % 5 == 4 { Branch::records() } else { Branch::main() };
        let stored =
            call(&mut snapshots, &Put { branch: branch.clone(), ..put(&name, &content) }).unwrap();
        let mut out = std::io::stdout().lock();
        let line = format!("\nack|{branch}|{name}|{}|{content}\n", stored.revision);
        if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost() {
    let folder = tempfile::TempDir::new().unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let seed = now.subsec_nanos().into();
    println!("seed {seed}");
    let mut dice = Dice::new(seed);
    let mut last = BTreeMap::new();
    let mut all = Vec::new();
    for _ in 0..KILLS {
        let (acks, pause) = (dice.below(ACKS_MAX), Duration::from_micros(dice.below(3_000)));
        for ack in run_and_kill(folder.path(), acks, pause) {
            last.insert((ack[0].clone(), ack[1].clone()), ack.clone());
            all.push(ack);
        }
        assert_sound(folder.path());
    }
    let store = Store::open(folder.path(), Options::default()).unwrap();
    let mut snapshots = Snapshots::new(store, NamesHandle::default());
    for ack in &all {
        let content = call(
            &mut snapshots,
            &Get {
                at: ack[2].parse().unwrap(),
                branch: ack[0].parse().unwrap(),
                ..Get::head(resource(&ack[1]))
            },
        );
        assert_eq!(content.unwrap().bytes.unwrap(), ack[3]);
    }
    assert!(all.len() as u64 >= KILLS);
    let left = std::fs::read_dir(folder.path().join("esker/tmp")).unwrap().count();
    assert_eq!(left, 0, "temporary files are swept at the start");
}

/// Starts the child, waits for some acknowledgements and a moment, kills it; what it acknowledged.
fn run_and_kill(folder: &Path, acks: u64, pause: Duration) -> Vec<Vec<String>> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["crash::storm", "--exact", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut found = Vec::new();
    let mut take = |line: std::io::Result<String>| {
        let line = line.unwrap();
        let fields: Vec<String> = line.split('|').map(str::to_owned).collect();
        if fields[0] == "ack" && fields.len() == 5 {
            found.push(fields[1..].to_vec());
        }
        found.len() as u64
    };
    while take(lines.next().unwrap()) <= acks {}
    let start = Instant::now();
    while start.elapsed() < pause {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    for line in lines {
        take(line);
    }
    child.wait().unwrap();
    found
}
