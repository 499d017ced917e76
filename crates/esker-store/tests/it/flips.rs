//! A bit of the store is another: it is told, never served as good, and made whole again from a clone.
//!
//! `ESKER_FLIPS=2000` does it so often.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use esker_store::repair::repair;
use esker_store::store::{Options, Store};
use esker_wire::revision::Revision;
use esker_wire::snapshot::Get;
use tempfile::TempDir;

use crate::support::{Bench, Dice, assert_sound, git, resource};

/// How many bits are turned, if the environment does not say it.
const FLIPS: u64 = 60;

/// What was put: the resource, the revision and the content.
type Told = Vec<(String, Revision, String)>;

/// A store with many versions, in packs of several kinds, closed.
fn store(is_collected: bool) -> (TempDir, Told) {
    let mut bench = Bench::new();
    let mut told = Vec::new();
    for round in 0..30 {
        let rows: Vec<String> =
            (0..60).map(|row| format!("row {row} of {}\n", row * round)).collect();
        for name in ["raw/a", "raw/b/c"] {
            let content = format!("{name} {round}\n{}", rows.concat());
            let stored = bench.put(name, &content);
            told.push((name.to_owned(), stored.revision, content));
        }
        if round % 8 == 0 {
            bench.snapshots.settle().unwrap();
        }
        if is_collected && round == 20 {
            bench.git(&["gc", "-q"]);
        }
    }
    let folder = bench.close().folder;
    (folder, told)
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
            let mut rights = fs::metadata(&to).unwrap().permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o644);
            fs::set_permissions(&to, rights).unwrap();
        }
    }
}

/// The files whose bits matter.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let is_none =
                ["lock", "epoch", "keep", "description", "config", "logs", "info", "hooks"];
            if is_none.contains(&name.as_str()) || name.starts_with("gc.") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if fs::metadata(&path).unwrap().len() > 0 {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What of a store can be read: how many versions, or that it does not open. A wrong one stops the test.
fn read(folder: &Path, told: &Told, what: &str) -> usize {
    let read = || {
        let Ok(mut store) = Store::open(folder, Options::default()) else {
            return 0;
        };
        let mut good = 0;
        for (name, revision, content) in told {
            let at = revision.to_string().parse().unwrap();
            match store.get(&Get { at, ..Get::head(resource(name)) }) {
                Ok(found) => {
                    assert_eq!(found.bytes.unwrap(), content.as_bytes(), "{what}: wrong bytes");
                    good += 1;
                }
                Err(fault) => assert!(!fault.message.is_empty()),
            }
        }
        good
    };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| panic!("{what}: a panic"))
}

fn flip(told: &Told, whole: &Path, dice: &mut Dice) {
    let place = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    let folder = place.path();
    copy(whole, folder);
    let all = files(folder);
    let path = &all[dice.below(all.len() as u64) as usize];
    let mut bytes = fs::read(path).unwrap();
    // A journal is mostly what is left of earlier times.
    let length = if path.to_string_lossy().contains("journal") { 100 } else { bytes.len() as u64 };
    let at = dice.below(length.min(bytes.len() as u64)) as usize;
    let bit = dice.below(8);
    bytes[at] ^= 1 << bit;
    fs::write(path, &bytes).unwrap();
    let name = path.strip_prefix(folder).unwrap().display().to_string();
    let what = format!("bit {bit} of byte {at} of {name}");
    let found = Store::check_deep(folder, None, &mut |_| ());
    let looked = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap();
    copy(folder, looked.path());
    let good = read(looked.path(), told, &what);
    let is_object = name.ends_with(".pack") || name.ends_with(".idx");
    assert!(good == told.len() && !is_object || !found.is_empty(), "{what}: not found");
    let from = whole.to_owned();
    let repaired = repair(folder, None, &[from], false, &mut |_| ());
    let repaired = repaired.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(repaired.left, [], "{what}: {repaired:#?}");
    assert_eq!(read(folder, told, &what), told.len(), "{what}: {repaired:#?}");
    assert_sound(folder);
}

#[test]
fn a_flipped_bit_is_never_served_and_is_repaired() {
    let flips = std::env::var("ESKER_FLIPS").ok().and_then(|text| text.parse().ok());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = std::env::var("ESKER_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| now.subsec_nanos().into());
    println!("ESKER_SEED={seed}");
    let mut dice = Dice::new(seed);
    for is_collected in [false, true] {
        let (whole, told) = store(is_collected);
        git(whole.path(), &["fsck", "--strict"]);
        assert_eq!(Store::check_deep(whole.path(), None, &mut |_| ()), []);
        for _ in 0..flips.unwrap_or(FLIPS) / 2 {
            flip(&told, whole.path(), &mut dice);
        }
    }
}
