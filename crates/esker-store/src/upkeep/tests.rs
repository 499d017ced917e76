//! Packs merged: the same objects, in fewer files, read by the real git while and after.

use std::process::Command;

use esker_wire::name::Branch;
use esker_wire::revision::At;
use esker_wire::snapshot::{Get, Put};

use super::*;
use crate::store::{Options, Store};

fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "safe.directory=*", "-c", "user.name=a", "-c", "user.email=a@b"]);
    let output = command.args(args).current_dir(dir).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "git {args:?}: {text}");
    String::from_utf8(output.stdout).unwrap()
}

fn text(version: usize) -> String {
    let rows = (0..100).map(|row| {
        let changed = if row == version % 100 { version } else { 0 };
        format!("{row},{changed}\n")
    });
    rows.collect()
}

/// A store of many packs, one for each version of one resource.
fn store_of(dir: &Path, versions: usize) -> Vec<Revision> {
    let mut store = Store::open(dir, Options::default()).unwrap();
    let mut revisions = Vec::new();
    for version in 0..versions {
        let mut put = Put::one("raw/plan".parse().unwrap(), text(version).into());
        put.branch = if version % 10 == 9 { Branch::records() } else { Branch::main() };
        revisions.push(store.put(&put).unwrap().revision);
        store.flush().unwrap();
        store.settle().unwrap();
    }
    revisions
}

fn assert_whole(dir: &Path, revisions: &[Revision]) {
    git(dir, &["fsck", "--strict", "--no-dangling"]);
    let mut store = Store::open_read_only(dir, Options::default()).unwrap();
    for (version, revision) in revisions.iter().enumerate() {
        let branch = if version % 10 == 9 { Branch::records() } else { Branch::main() };
        let ask = Get { at: At::from(*revision), branch, ..Get::head("raw/plan".parse().unwrap()) };
        assert_eq!(store.get(&ask).unwrap().bytes.unwrap(), text(version));
        assert_eq!(git(dir, &["show", &format!("{revision}:raw/plan")]), text(version));
    }
}

#[test]
fn a_store_does_not_grow_many_packs() {
    let dir = tempfile::TempDir::new().unwrap();
    let revisions = store_of(dir.path(), 120);
    run(dir.path(), &Arc::default()).unwrap();
    let left = packs(dir.path()).unwrap();
    assert!(left.len() < PACKS_MAX, "{} packs are left", left.len());
    assert_whole(dir.path(), &revisions);
    let size: u64 = left.iter().map(|pack| pack.size).sum();
    assert!(size < 120 * 500, "{size} bytes for 120 versions of 600 bytes");
    let deepest = left.iter().map(|pack| {
        let index = pack.path.with_extension("idx");
        let report = git(dir.path(), &["verify-pack", "-v", index.to_str().unwrap()]);
        let depth =
            |line: &str| line.strip_prefix("chain length = ")?.split(':').next()?.parse().ok();
        report.lines().filter_map(depth).max().unwrap_or(0)
    });
    assert!(deepest.max() <= Some(50), "chains of deltas grow");
}

#[test]
fn loose_objects_are_packed() {
    let dir = tempfile::TempDir::new().unwrap();
    let revisions = store_of(dir.path(), 3);
    let apart = "mkdir apart && mv objects/pack/* apart/ && \
                 for pack in apart/*.pack; do git unpack-objects -q < $pack; done; rm -r apart; \
                 for n in $(seq 1 1500); do echo $n > file$n; done; \
                 ls file* | git hash-object -w --stdin-paths > /dev/null; rm file*";
    git(dir.path(), &["-c", &format!("alias.apart=!{apart}"), "apart"]);
    assert!(loose::list(dir.path(), 1).unwrap().len() > 1_500);
    run(dir.path(), &Arc::default()).unwrap();
    assert_eq!(loose::list(dir.path(), 0).unwrap().len(), 0);
    assert_whole(dir.path(), &revisions);
    assert_eq!(
        git(dir.path(), &["cat-file", "-p", "00750edc07d6415dcc07ae0351e9397b0222b7ba"]),
        "3\n"
    );
}

/// What `git gc` makes, with its own kind of deltas, is merged too, and what is kept is left alone.
#[test]
fn packs_of_gits_are_merged_and_kept_ones_left() {
    let dir = tempfile::TempDir::new().unwrap();
    let mut revisions = store_of(dir.path(), 15);
    git(dir.path(), &["gc", "-q"]);
    let mut store = Store::open(dir.path(), Options::default()).unwrap();
    for version in 15..60 {
        let put = Put::one("raw/plan".parse().unwrap(), text(version).into());
        let branch = if version % 10 == 9 { Branch::records() } else { Branch::main() };
        revisions.push(store.put(&Put { branch, ..put }).unwrap().revision);
        store.flush().unwrap();
        store.settle().unwrap();
    }
    drop(store);
    let kept = packs(dir.path()).unwrap().remove(0).path.with_extension("keep");
    std::fs::write(&kept, "mine").unwrap();
    run(dir.path(), &Arc::default()).unwrap();
    assert!(kept.with_extension("pack").exists());
    assert_whole(dir.path(), &revisions);
}

/// A flipped bit is not copied into a new pack, under a sum that says it is good; and it stops no other pack.
#[test]
fn a_damaged_pack_is_left_as_it_is_and_the_others_are_merged() {
    let dir = tempfile::TempDir::new().unwrap();
    drop(store_of(dir.path(), 30));
    let mut all: Vec<PathBuf> =
        packs(dir.path()).unwrap().into_iter().map(|pack| pack.path).collect();
    all.sort();
    let (damaged, cut) = (all[0].clone(), all[1].with_extension("idx"));
    let mut bytes = std::fs::read(&damaged).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::remove_file(&damaged).unwrap();
    std::fs::write(&damaged, &bytes).unwrap();
    std::fs::remove_file(&cut).unwrap();
    std::fs::write(&cut, "half").unwrap();
    run(dir.path(), &Arc::default()).unwrap();
    let left: Vec<PathBuf> = packs(dir.path()).unwrap().into_iter().map(|pack| pack.path).collect();
    assert!(left.len() < 10, "{} packs are left", left.len());
    assert!(left.contains(&damaged) && left.contains(&cut.with_extension("pack")));
    assert_eq!(std::fs::read(&damaged).unwrap(), bytes);
}

/// A damaged loose object is not packed, and stops no other.
#[test]
fn a_damaged_loose_object_is_left_as_it_is() {
    let dir = tempfile::TempDir::new().unwrap();
    drop(store_of(dir.path(), 1));
    let make = "for n in $(seq 1 1500); do echo $n > file$n; done; \
                ls file* | git hash-object -w --stdin-paths > /dev/null; rm file*";
    git(dir.path(), &["-c", &format!("alias.make=!{make}"), "make"]);
    let damaged = loose::list(dir.path(), 1).unwrap()[0];
    let path = loose::path_of(dir.path(), damaged);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "no object").unwrap();
    run(dir.path(), &Arc::default()).unwrap();
    let left = loose::list(dir.path(), 0).unwrap();
    assert!(left.contains(&damaged) && left.len() < LOOSE_MAX, "{} are left", left.len());
}

#[test]
fn the_smallest_are_merged_until_the_rest_is_much_larger() {
    for (sizes, expected) in [
        (&[][..], 0),
        (&[5], 0),
        (&[1, 2, 6, 18], 0),
        (&[1, 1], 2),
        (&[1, 1, 100], 2),
        (&[1, 1, 3, 100], 3),
        (&[10, 10, 10, 10, 1000, 5000], 4),
        (&[1, 10, 100, 150, 1000], 4),
    ] {
        assert_eq!(merged(sizes), expected, "{sizes:?}");
    }
}

/// A `git gc` that runs has listed the packs: none of them is taken away.
#[test]
fn a_gc_that_runs_is_left_alone() {
    let dir = tempfile::TempDir::new().unwrap();
    drop(store_of(dir.path(), 0));
    let pid = dir.path().join("gc.pid");
    std::fs::write(&pid, format!("{} here", std::process::id())).unwrap();
    drop(store_of(dir.path(), 30));
    let all = || packs(dir.path()).unwrap().len();
    let before = all();
    run(dir.path(), &Arc::default()).unwrap();
    assert_eq!(all(), before);
    let mut spoiled = Spoiled::default();
    let plan = plan(dir.path(), PACKS_MAX, &spoiled).unwrap().expect("there is something to do");
    assert!(!merge(dir.path(), &plan, &AtomicBool::new(false), &mut spoiled).unwrap());
    assert_eq!(all(), before + 1, "a new one, and all the old ones");
    // One that was killed has left its number behind.
    std::fs::write(&pid, "4194305 here").unwrap();
    run(dir.path(), &Arc::default()).unwrap();
    assert!(all() < before);
}
