//! A loss of power or a kill, made by hand: what did not come to its place, with the journal that was on disk.

use std::path::{Path, PathBuf};

use esker_store::store::{Options, Store};
use tempfile::TempDir;

use crate::support::{Bench, assert_sound, git};

/// The journal's two files.
const JOURNAL: [&str; 2] = ["esker/journal.0", "esker/journal.1"];

/// A store with one version that is in its place and two that are only in the journal, as a kill leaves it.
fn killed(loss: impl Fn(&Path)) -> TempDir {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    bench.snapshots.settle().unwrap();
    let before = TempDir::new().unwrap();
    copy(bench.path(), before.path());
    bench.put("raw/plan", "two");
    bench.put("raw/plan", "three");
    for name in JOURNAL {
        std::fs::copy(bench.path().join(name), before.path().join(name)).unwrap();
    }
    loss(before.path());
    before
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn packs(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join("objects/pack")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect()
}

fn assert_whole(folder: &Path) {
    let mut store = Store::open(folder, Options::default()).unwrap();
    for (at, expected) in [("HEAD", "three"), ("HEAD~1", "two"), ("HEAD~2", "one")] {
        let ask = esker_wire::snapshot::Get {
            at: at.parse().unwrap(),
            ..esker_wire::snapshot::Get::head("raw/plan".parse().unwrap())
        };
        assert_eq!(store.get(&ask).unwrap().bytes.unwrap(), expected);
    }
    drop(store);
    assert_sound(folder);
    assert_eq!(Store::check(folder, None), []);
}

#[test]
fn what_never_came_to_its_place_is_done_again() {
    let losses: [fn(&Path); 4] = [
        |_| (),
        // Plain git looks at it before esker does.
        |folder| assert_sound(folder),
        |folder| std::fs::remove_file(folder.join("refs/heads/main")).unwrap(),
        |folder| std::fs::write(folder.join("esker/tmp/settle.pack"), "PACK").unwrap(),
    ];
    for loss in losses {
        assert_whole(killed(loss).path());
    }
}

/// Killed after the pack came to its place, before the reference did.
#[test]
fn a_pack_without_its_reference_is_of_no_harm() {
    let folder = killed(|_| ());
    let head = std::fs::read(folder.path().join("refs/heads/main")).unwrap();
    let journal = JOURNAL.map(|name| std::fs::read(folder.path().join(name)).unwrap());
    assert_whole(folder.path());
    std::fs::write(folder.path().join("refs/heads/main"), head).unwrap();
    for (name, bytes) in JOURNAL.iter().zip(journal) {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    for path in packs(folder.path(), "pack") {
        std::fs::write(path.with_extension("keep"), "esker\n").unwrap();
    }
    git(folder.path(), &["gc", "-q", "--prune=now"]);
    assert_whole(folder.path());
    assert!(packs(folder.path(), "keep").is_empty());
}

/// Someone has moved the branch after the kill.
#[test]
fn what_someone_else_moved_is_not_moved_back() {
    let folder = killed(|folder| {
        let theirs = git(folder, &["commit-tree", "-p", "main~1", "-m", "theirs", "main~1^{tree}"]);
        git(folder, &["update-ref", "refs/heads/main", theirs.trim()]);
    });
    let moved = git(folder.path(), &["rev-parse", "main"]);
    let closed = || Store::open(folder.path(), Options::default()).unwrap();
    drop(closed());
    assert_eq!(git(folder.path(), &["rev-parse", "main"]), moved);
    let kept = git(folder.path(), &["show", "refs/esker/kept/main:raw/plan"]);
    assert_eq!(kept, "three");
    assert_sound(folder.path());
}

/// A broken journal stops the store: what follows the break was acknowledged.
#[test]
fn a_damaged_journal_is_named() {
    let folder = killed(|_| ());
    let path = JOURNAL
        .map(|name| folder.path().join(name))
        .into_iter()
        .find(|path| std::fs::read(path).unwrap().windows(6).any(|part| part == b"\nthree"));
    let path = path.unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|part| part == b"\ntwo").unwrap();
    bytes[at + 1] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = Store::open(folder.path(), Options::default()).err().unwrap();
    assert!(error.to_string().contains("esker/journal."), "{error}");
    assert!(Store::check(folder.path(), None)[0].message.contains("esker/journal."));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
