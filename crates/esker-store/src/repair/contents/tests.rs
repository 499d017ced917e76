//! Large contents come back from a mirror, whole; what nobody has whole is told.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use esker_wire::pointer::ContentId;
use esker_wire::snapshot::{Get, Put};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::durable::tests::copy;
use crate::large::file_of;
use crate::repair::{ASIDE, Repair, repair};
use crate::store::{Options, Store};

fn options() -> Options {
    Options { large_min: 10, ..Options::default() }
}

fn content(round: usize) -> String {
    format!("a large content of round {round}")
}

/// A store with three large contents, a mirror of it, and their files in both.
struct Bench {
    dir: TempDir,
    mirror: TempDir,
}

impl Bench {
    fn new() -> Self {
        let (dir, mirror) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let mut store = Store::open(dir.path(), options()).unwrap();
        for round in 0..3 {
            let put = Put::one("raw/a".parse().unwrap(), Bytes::from(content(round)));
            store.put(&put).unwrap();
            store.flush().unwrap();
        }
        drop(store);
        copy(dir.path(), mirror.path());
        Self { dir, mirror }
    }

    fn file(repository: &Path, round: usize) -> PathBuf {
        file_of(repository, ContentId::from_bytes(Sha256::digest(content(round)).into()))
    }

    fn here(&self, round: usize) -> PathBuf {
        Self::file(self.dir.path(), round)
    }

    fn there(&self, round: usize) -> PathBuf {
        Self::file(self.mirror.path(), round)
    }

    fn repair(&self, is_dry: bool) -> Repair {
        let from = [self.mirror.path().to_owned()];
        repair(self.dir.path(), None, &from, is_dry, &mut |_| ()).unwrap()
    }

    fn read(&self, round: usize) -> Bytes {
        let mut store = Store::open(self.dir.path(), options()).unwrap();
        let at = format!("HEAD~{}", 2 - round).parse().unwrap();
        let get = Get { at, ..Get::head("raw/a".parse().unwrap()) };
        store.get(&get).unwrap().bytes.unwrap()
    }
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    bytes[3] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_is_missing_or_damaged_comes_back() {
    let bench = Bench::new();
    fs::remove_file(bench.here(0)).unwrap();
    flip(&bench.here(1));
    let found = Store::check_deep(bench.dir.path(), None, &mut |_| ());
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found.iter().any(|it| it.message.contains("is missing")), "{found:#?}");
    assert!(found.iter().all(|it| it.message.contains("raw/a")), "{found:#?}");
    let dry = bench.repair(true);
    assert_eq!((dry.found, dry.left.as_slice()), (found, [].as_slice()));
    assert!(!bench.here(0).exists(), "nothing was changed");
    let done = bench.repair(false);
    assert_eq!((&done.steps, done.left.as_slice()), (&dry.steps, [].as_slice()));
    assert_eq!(Store::check_deep(bench.dir.path(), None, &mut |_| ()), []);
    for round in 0..3 {
        assert_eq!(bench.read(round), content(round));
    }
    assert_eq!(fs::read_dir(bench.dir.path().join(ASIDE)).unwrap().count(), 1, "the damaged one");
    flip(&bench.here(0));
    assert_eq!(fs::read_to_string(bench.there(0)).unwrap(), content(0), "it is a copy");
}

#[test]
fn what_a_read_has_moved_away_comes_back() {
    let bench = Bench::new();
    flip(&bench.here(2));
    let mut store = Store::open(bench.dir.path(), options()).unwrap();
    assert!(store.get(&Get::head("raw/a".parse().unwrap())).is_err());
    drop(store);
    assert!(!bench.here(2).exists());
    assert_eq!(bench.repair(false).left, []);
    assert_eq!(bench.read(2), content(2));
}

#[test]
fn what_the_mirror_has_not_whole_stays_as_it_was() {
    let bench = Bench::new();
    flip(&bench.here(0));
    flip(&bench.there(0));
    fs::remove_file(bench.here(1)).unwrap();
    fs::remove_file(bench.there(1)).unwrap();
    for is_dry in [true, false] {
        let done = bench.repair(is_dry);
        assert_eq!(done.steps, Vec::<String>::new());
        assert_eq!(done.left.len(), 2, "{done:#?}");
        let there = bench.there(0).display().to_string();
        assert!(done.left.iter().any(|it| it.message.contains(&there)), "{done:#?}");
    }
    assert!(bench.here(0).exists(), "what is left of it stays");
    assert_eq!(fs::read_dir(bench.dir.path().join("esker/tmp")).unwrap().count(), 0);
}
