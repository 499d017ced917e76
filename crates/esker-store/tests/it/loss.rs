//! A loss of power, made by hand: what the disk did not get, with the journal it did get.

use std::path::{Path, PathBuf};

use esker_store::store::Store;
use tempfile::TempDir;

use crate::support::{Bench, assert_sound, git};

/// Where the loose file of `main`'s version of a resource is.
fn loose(folder: &Path, name: &str) -> PathBuf {
    let id = git(folder, &["rev-parse", name]);
    let id = id.trim();
    folder.join("objects").join(&id[..2]).join(&id[2..])
}

/// The store as the loss leaves it, closed, with the journal that was on disk.
fn lose(bench: Bench, loss: impl Fn(&Path)) -> TempDir {
    let journal = std::fs::read(bench.path().join("esker/journal")).unwrap();
    let Bench { folder, snapshots, .. } = bench;
    drop(snapshots);
    loss(folder.path());
    std::fs::write(folder.path().join("esker/journal"), journal).unwrap();
    folder
}

fn put_one() -> Bench {
    let mut bench = Bench::new();
    bench.put("raw/plan", "one");
    bench
}

/// The loose file was written before the power failed, the journal was not, and the writer tries again.
#[test]
fn a_put_tried_again_does_not_trust_what_is_left() {
    for left in ["", "torn"] {
        let mut bench = Bench::new();
        let made = bench.path().join("made");
        std::fs::write(&made, "one").unwrap();
        let id = git(bench.path(), &["hash-object", "-w", "made"]);
        let id = id.trim();
        let path = bench.path().join("objects").join(&id[..2]).join(&id[2..]);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, left).unwrap();
        std::fs::remove_file(&made).unwrap();
        bench.put("raw/plan", "one");
        let mut bench = bench.reopen();
        assert_eq!(bench.get("raw/plan").unwrap().bytes.unwrap(), "one");
        assert_sound(bench.path());
        assert_eq!(Store::check(bench.path()), []);
    }
}

#[test]
fn a_check_knows_what_a_start_will_heal() {
    let losses: [fn(&Path); 4] = [
        |folder| std::fs::write(loose(folder, "main:raw/plan"), "").unwrap(),
        |folder| std::fs::remove_file(loose(folder, "main:raw/plan")).unwrap(),
        |folder| std::fs::write(loose(folder, "main"), "").unwrap(),
        |folder| std::fs::write(folder.join("refs/heads/main"), "").unwrap(),
    ];
    for loss in losses {
        let folder = lose(put_one(), loss);
        let findings = Store::check(folder.path());
        assert!(findings.len() == 1 && findings[0].hint.contains("start esker once"));
        drop(Store::open(folder.path(), esker_store::store::Options::default()).unwrap());
        assert_eq!(Store::check(folder.path()), []);
        assert_sound(folder.path());
        loss(folder.path());
        let findings = Store::check(folder.path());
        assert!(findings.len() == 1 && findings[0].hint.contains("a clone"), "{findings:?}");
    }
}

/// A broken journal stops the store: what follows the break was acknowledged.
#[test]
fn a_damaged_journal_is_named() {
    let mut bench = put_one();
    bench.put("raw/plan", "two");
    let folder = lose(bench, |_| ());
    let path = folder.path().join("esker/journal");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = Store::open(folder.path(), esker_store::store::Options::default()).err().unwrap();
    assert!(error.to_string().contains("esker/journal"), "{error}");
    assert!(Store::check(folder.path())[0].message.contains("esker/journal"));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
