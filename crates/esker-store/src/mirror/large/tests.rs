//! Large contents come along, whole, checked, and only once.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use esker_wire::pointer::ContentId;
use esker_wire::remote::Remote;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::{Sent, fetch, place};
use crate::mirror::git::Git;

/// Repositories beside each other.
struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        let bench = Self(TempDir::new().unwrap());
        fs::create_dir_all(bench.dir("there/objects")).unwrap();
        bench
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn git(&self, name: &str) -> Git {
        let (dir, silence_max) = (self.dir(name), Duration::from_secs(60));
        Git { dir, silence_max, halt: Arc::new(|| false) }
    }

    fn remote(&self, name: &str) -> Remote {
        self.dir(name).to_str().unwrap().parse().unwrap()
    }

    /// Puts a content where it belongs; its id and where it is in a mirror.
    fn put(&self, bytes: &str) -> (String, PathBuf) {
        let id = ContentId::from_bytes(Sha256::digest(bytes).into()).digits().to_owned();
        let here = place(&self.dir("here"), &id);
        fs::create_dir_all(here.parent().unwrap()).unwrap();
        fs::write(here, bytes).unwrap();
        let there = place(&self.dir("there"), &id);
        (id, there)
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn they_are_brought_to_a_mirror_on_this_machine_and_back() {
    let bench = Bench::new();
    let (id, there) = bench.put("large");
    let here = place(&bench.dir("here"), &id);
    fs::write(here.with_extension("half"), "lar").unwrap();
    let remote = bench.remote("there");
    let mut sent = Sent::default();
    sent.push(&bench.git("here"), &remote).unwrap();
    assert_eq!(text(&there), "large");
    assert_eq!(fs::read_dir(there.parent().unwrap()).unwrap().count(), 1);
    sent.push(&bench.git("here"), &remote).unwrap();
    fetch(&bench.git("back"), &remote).unwrap();
    assert_eq!(text(&place(&bench.dir("back"), &id)), "large");
    // They are copies: what damages one leaves the others.
    fs::write(&here, "LARGE").unwrap();
    assert_eq!(text(&there), "large");
    fs::write(&there, "lArGe").unwrap();
    assert_eq!(text(&place(&bench.dir("back"), &id)), "large");
}

#[test]
fn a_second_name_of_the_same_file_becomes_a_copy() {
    let bench = Bench::new();
    let (id, there) = bench.put("large");
    let here = place(&bench.dir("here"), &id);
    fs::create_dir_all(there.parent().unwrap()).unwrap();
    fs::hard_link(&here, &there).unwrap();
    Sent::default().push(&bench.git("here"), &bench.remote("there")).unwrap();
    let number = |path: &Path| fs::metadata(path).unwrap().ino();
    assert_ne!(number(&here), number(&there));
    assert_eq!(text(&there), "large");
}

#[test]
fn what_is_damaged_is_told_and_not_copied_and_the_rest_comes() {
    let bench = Bench::new();
    let (bad, bad_there) = bench.put("one");
    let (_, good_there) = bench.put("two");
    fs::write(place(&bench.dir("here"), &bad), "oNe").unwrap();
    let mut sent = Sent::default();
    for _ in 0..2 {
        let told = sent.push(&bench.git("here"), &bench.remote("there")).unwrap_err();
        assert!(told.contains(&bad) && told.contains("is damaged"), "{told}");
        assert_eq!(text(&good_there), "two");
        assert!(!bad_there.exists());
        assert_eq!(fs::read_dir(bad_there.parent().unwrap()).unwrap().count(), 0);
    }
    bench.put("one");
    let mended = fs::File::open(place(&bench.dir("here"), &bad)).unwrap();
    mended.set_modified(SystemTime::now() + Duration::from_secs(1)).unwrap();
    sent.push(&bench.git("here"), &bench.remote("there")).unwrap();
    assert_eq!(text(&bad_there), "one");
}

#[test]
fn what_a_killed_process_left_half_copied_is_swept() {
    let bench = Bench::new();
    let (_, there) = bench.put("large");
    fs::create_dir_all(there.parent().unwrap()).unwrap();
    // No process has so large a number.
    fs::write(there.with_extension("4194305.half"), "lar").unwrap();
    Sent::default().push(&bench.git("here"), &bench.remote("there")).unwrap();
    assert_eq!(fs::read_dir(there.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(text(&there), "large");
}
