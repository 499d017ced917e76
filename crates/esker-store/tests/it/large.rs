//! Large contents: brought whole or in pieces, read whole or in parts, checked.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use esker_store::names::{Names, NamesHandle};
use esker_store::service::Snapshots;
use esker_store::store::{Options, Store};
use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::pointer::{ContentId, Pointer};
use esker_wire::revision::At;
use esker_wire::snapshot::{CHUNK_MAX, Diff, Form, Put, Stat, Upload, Uploaded};

use crate::deep::{Deep, PATIENCE, id, noise, open, pointer};
use crate::full::Small;
use crate::support::{Dice, assert_sound, call, git, one, put, resource, try_git};

#[test]
fn beyond_the_threshold_git_holds_a_pointer() {
    let mut deep = Deep::new();
    let (small, big) = (noise(1, 1_000), noise(2, 1_001));
    deep.put("raw/small", &small);
    let stored = deep.put("raw/a b", &big);
    assert_eq!(std::fs::read(deep.file(&big)).unwrap(), big);
    assert_eq!(git(deep.path(), &["show", "main:raw/a b"]), pointer(&big));
    let attributes = "\"/raw/a b\" filter=lfs diff=lfs merge=lfs -text\n";
    assert_eq!(git(deep.path(), &["show", "main:.gitattributes"]), attributes);
    let read = deep.get("raw/a b").unwrap();
    assert_eq!((read.bytes.unwrap(), read.entry.size), (big.clone().into(), 1_001));
    assert_eq!(read.entry.content_id, Some(id(&big)));
    let entry = deep.get("raw/small").unwrap().entry;
    assert_eq!((entry.size, entry.content_id), (1_000, None));
    let again = deep.put("raw/a b", &big);
    assert_eq!((again.revision, again.items[0].is_changed()), (stored.revision, false));
    deep.put("raw/a b", b"small now");
    let (ok, ..) = try_git(deep.path(), &["show", "main:.gitattributes"]);
    assert!(!ok, "nothing is large any more");
    assert_sound(deep.path());
}

#[test]
fn the_same_bytes_stay_as_they_are_when_the_threshold_moves() {
    let mut deep = Deep::new();
    let (big, small) = (noise(3, 1_500), noise(3, 900));
    deep.put("raw/big", &big);
    let kept = deep.put("raw/small", &small);
    drop(deep.snapshots);
    for large_min in [2_000, 500] {
        let options = Options { large_min, ..Options::default() };
        let store = Store::open(deep.folder.path(), options).unwrap();
        let mut snapshots = Snapshots::new(store, NamesHandle::new(Names::default()));
        for (name, bytes) in [("raw/big", &big), ("raw/small", &small)] {
            let put = Put::one(resource(name), Bytes::copy_from_slice(bytes));
            assert_eq!(call(&mut snapshots, &put).unwrap().revision, kept.revision, "{large_min}");
        }
    }
}

#[test]
fn parts_are_read_where_they_are_and_the_whole_only_up_to_the_limit() {
    let mut deep = Deep::new();
    let huge = noise(4, 50_000);
    assert_eq!(deep.try_put("raw/huge", &huge).unwrap_err().code, Code::TooLarge);
    deep.piece(&huge, 0, 50_000).unwrap();
    deep.complete(&huge).unwrap();
    deep.put("raw/huge", &pointer(&huge));
    let fault = deep.get("raw/huge").unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
    assert!(fault.message.contains("raw/huge") && fault.hint.contains("in parts"), "{fault}");
    assert_eq!(deep.part("raw/huge", 49_990, 100).unwrap(), huge[49_990..]);
    assert_eq!(deep.part("raw/huge", 10, 20_000).unwrap(), huge[10..20_010]);
    assert_eq!(deep.part("raw/huge", 50_000, 1).unwrap(), "");
    assert_eq!(deep.part("raw/huge", 10, 20_001).unwrap_err().code, Code::TooLarge);
    let stat = Stat { resource: resource("raw/huge"), at: At::head(), branch: Branch::main() };
    assert_eq!(call(&mut deep.snapshots, &stat).unwrap().size, 50_000);
    deep.put("raw/huge", b"little");
    let diff = Diff {
        resource: resource("raw/huge"),
        from: None,
        to: At::head(),
        branch: Branch::main(),
        form: Form::Text,
        key: Vec::new(),
    };
    assert!(call(&mut deep.snapshots, &diff).is_err(), "it is too large to be compared");
}

#[test]
fn an_upload_goes_on_where_it_stopped() {
    let mut deep = Deep::new();
    let huge = noise(5, 3 * CHUNK_MAX + 7);
    assert_eq!(deep.ask(&huge).unwrap(), Uploaded { have: 0, is_complete: false });
    deep.piece(&huge, 0, CHUNK_MAX).unwrap();
    // A piece that came already, as after a lost answer, and one from beyond the end.
    for offset in [0, 2 * CHUNK_MAX] {
        assert_eq!(deep.piece(&huge, offset, 10).unwrap().have, CHUNK_MAX as u64);
    }
    let fault = deep.try_put("raw/huge", &pointer(&huge)).unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert!(fault.message.contains("not complete"), "{fault}");
    let mut deep = deep.reopen();
    assert_eq!(deep.ask(&huge).unwrap().have, CHUNK_MAX as u64);
    assert!(deep.get("raw/huge").is_err(), "nobody sees it before");
    deep.piece(&huge, CHUNK_MAX, CHUNK_MAX).unwrap();
    deep.piece(&huge, 2 * CHUNK_MAX, CHUNK_MAX).unwrap();
    deep.piece(&huge, 3 * CHUNK_MAX, 7).unwrap();
    deep.complete(&huge).unwrap();
    deep.put("raw/huge", &pointer(&huge));
    assert_eq!(deep.get("raw/huge").unwrap_err().code, Code::TooLarge);
    assert_eq!(std::fs::read(deep.file(&huge)).unwrap(), huge);
    assert_eq!(std::fs::read_dir(deep.path().join("esker/uploads")).unwrap().count(), 0);
    assert_eq!(Store::check(deep.path(), None), []);
}

#[test]
fn wrong_bytes_are_refused_and_thrown_away() {
    let mut deep = Deep::new();
    let (right, wrong) = (noise(6, 9_000), noise(7, 9_000));
    let upload = |bytes: &[u8], offset: usize| Upload {
        id: id(&right),
        size: 9_000,
        offset: offset as u64,
        chunk: Some(Bytes::copy_from_slice(&bytes[offset..])),
    };
    let refused = |deep: &mut Deep| {
        let fault = deep.complete(&right).unwrap_err();
        assert_eq!(fault.code, Code::Conflict, "{fault}");
        assert_eq!(deep.ask(&right).unwrap().have, 0);
    };
    call(&mut deep.snapshots, &upload(&wrong, 0)).unwrap();
    refused(&mut deep);
    // A part that a loss of power has left: the length is right, the bytes are not.
    let folder = deep.path().join("esker/uploads");
    std::fs::write(folder.join(id(&right).digits()), [0; 5_000]).unwrap();
    let mut deep = deep.reopen();
    assert_eq!(deep.ask(&right).unwrap().have, 5_000);
    call(&mut deep.snapshots, &upload(&right, 5_000)).unwrap();
    refused(&mut deep);
    call(&mut deep.snapshots, &upload(&right, 0)).unwrap();
    deep.complete(&right).unwrap();
    assert_eq!(std::fs::read(deep.file(&right)).unwrap(), right);
}

#[test]
fn limits_of_uploads_are_told() {
    let mut deep = Deep::new();
    let upload = |n: u8, size: u64| Upload {
        id: ContentId::from_bytes([n; 32]),
        size,
        offset: 0,
        chunk: None,
    };
    let fault = call(&mut deep.snapshots, &upload(0, 100_000_001)).unwrap_err();
    assert_eq!(fault.code, Code::TooLarge);
    assert!(fault.message.contains("100000000 are allowed"), "{fault}");
    for n in 0..64 {
        call(&mut deep.snapshots, &upload(n, 10)).unwrap();
    }
    assert_eq!(call(&mut deep.snapshots, &upload(64, 10)).unwrap_err().code, Code::Busy);
    let old = SystemTime::now() - Duration::from_secs(8 * 24 * 60 * 60);
    let stale = deep.path().join("esker/uploads").join(ContentId::from_bytes([3; 32]).digits());
    let file = std::fs::File::options().write(true).open(&stale).unwrap();
    file.set_modified(old).unwrap();
    call(&mut deep.snapshots, &upload(64, 10)).unwrap();
    assert!(!stale.exists(), "what nobody goes on with is removed");
}

#[test]
fn a_pointer_to_nothing_is_refused() {
    let mut deep = Deep::new();
    let big = noise(8, 5_000);
    let fault = deep.try_put("raw/big", &pointer(&big)).unwrap_err();
    assert_eq!(fault.code, Code::NotFound);
    assert!(fault.hint.contains("UPLOAD"), "{fault}");
    deep.put("raw/big", &big);
    let wrong = Pointer { id: id(&big), size: 5_001 }.to_bytes();
    assert_eq!(deep.try_put("raw/other", &wrong).unwrap_err().code, Code::BadRequest);
    deep.put("raw/other", &pointer(&big));
    assert_eq!(deep.get("raw/other").unwrap().bytes.unwrap(), big);
}

#[test]
fn a_damaged_file_is_never_served() {
    let mut deep = Deep::new();
    let big = noise(9, 5_000);
    deep.put("raw/big", &big);
    let file = deep.file(&big);
    let mut damaged = big.clone();
    damaged[2_500] ^= 1;
    std::fs::write(&file, &damaged).unwrap();
    let fault = deep.get("raw/big").unwrap_err();
    assert_eq!(fault.code, Code::Internal);
    assert!(fault.message.contains("raw/big") && fault.message.contains("damaged"), "{fault}");
    // From now on no part of it either, and doctor says what is missing.
    assert!(deep.part("raw/big", 0, 10).is_err());
    let findings = Store::check(deep.path(), None);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].message.contains("raw/big"), "{findings:?}");
    deep.put("raw/big", &big);
    assert_eq!(deep.get("raw/big").unwrap().bytes.unwrap(), big);
    std::fs::write(&file, &big[..4_000]).unwrap();
    let findings = Store::check(deep.path(), None);
    assert!(findings[0].message.contains("4000 bytes, not 5000"), "{findings:?}");
    assert!(deep.part("raw/big", 0, 10).is_err());
    deep.put("raw/big", &big);
    assert_eq!(deep.part("raw/big", 0, 10).unwrap(), big[..10]);
    assert_eq!(Store::check(deep.path(), None), []);
}

#[test]
fn what_is_brought_again_takes_the_place_of_what_is_damaged() {
    let mut deep = Deep::new();
    let huge = noise(21, 50_000);
    deep.piece(&huge, 0, 50_000).unwrap();
    deep.complete(&huge).unwrap();
    deep.put("raw/huge", &pointer(&huge));
    std::fs::write(deep.file(&huge), vec![0; 50_000]).unwrap();
    let begun = Instant::now();
    while deep.ask(&huge).unwrap().have > 0 {
        assert!(begun.elapsed() < PATIENCE, "it is never found to be damaged");
    }
    assert!(deep.part("raw/huge", 0, 10).is_err());
    deep.piece(&huge, 0, 50_000).unwrap();
    deep.complete(&huge).unwrap();
    assert_eq!(deep.part("raw/huge", 0, 10).unwrap(), huge[..10]);
}

#[test]
fn a_full_disk_refuses_and_keeps_what_came() {
    let Some(small) = Small::mount() else {
        println!("no small file system can be mounted here (not root?): a full disk is not tested");
        return;
    };
    let store = small.store();
    let mut snapshots = open(&store);
    let upload = |of: &[u8], end: usize| Upload {
        id: id(of),
        size: of.len() as u64,
        offset: 0,
        chunk: Some(Bytes::copy_from_slice(&of[..end])),
    };
    let huge = noise(22, 2_000_000);
    let fault = call(&mut snapshots, &upload(&huge, 10)).unwrap_err();
    assert_eq!(fault.code, Code::NotWritable);
    assert!(fault.message.contains("2000000 bytes are to come"), "{fault}");
    let fits = noise(23, 400_000);
    call(&mut snapshots, &upload(&fits, 10)).unwrap();
    let filler = store.with_extension("filler");
    let free = rustix::fs::statvfs(&store).unwrap();
    let room = usize::try_from(free.f_bavail * free.f_frsize).unwrap() - 100_000;
    std::fs::write(&filler, vec![0; room]).unwrap();
    let rest = Upload { offset: 10, chunk: Some(fits[10..].to_vec().into()), ..upload(&fits, 10) };
    let fault = call(&mut snapshots, &rest).unwrap_err();
    assert_eq!(fault.code, Code::NotWritable);
    assert!(fault.message.contains("No space left"), "{fault}");
    let asked = Upload { chunk: None, ..rest.clone() };
    assert_eq!(call(&mut snapshots, &asked).unwrap().have, 10);
    std::fs::remove_file(filler).unwrap();
    let begun = Instant::now();
    // A program that another test begins just now may hold the file a moment longer.
    while let Err(fault) = call(&mut snapshots, &rest) {
        assert!(begun.elapsed() < PATIENCE, "{fault}");
    }
    while !call(&mut snapshots, &asked).unwrap().is_complete {
        assert!(begun.elapsed() < PATIENCE, "it is never complete");
    }
    call(&mut snapshots, &Put::one(resource("raw/big"), pointer(&fits))).unwrap();
    assert_sound(&store);
}

#[test]
fn many_bring_the_same_at_once() {
    let mut deep = Deep::new();
    let huge = noise(24, 60_000);
    // Each believes to be alone, and sends what follows the last it was told.
    let mut offsets = [0; 4];
    let mut dice = Dice::new(25);
    let begun = Instant::now();
    while offsets.iter().any(|offset| *offset < huge.len()) {
        assert!(begun.elapsed() < PATIENCE, "they never end");
        let who = usize::try_from(dice.below(4)).unwrap();
        let offset = offsets[who];
        let length = usize::try_from(dice.below(5_000)).unwrap().min(huge.len() - offset);
        offsets[who] = usize::try_from(deep.piece(&huge, offset, length).unwrap().have).unwrap();
    }
    deep.complete(&huge).unwrap();
    assert_eq!(std::fs::read(deep.file(&huge)).unwrap(), huge);
}

#[test]
fn stock_git_lfs_reads_and_writes_the_store() {
    let mut deep = Deep::new();
    let big = noise(19, 30_000);
    deep.piece(&big, 0, 30_000).unwrap();
    deep.complete(&big).unwrap();
    deep.put("raw/a [big] one", &pointer(&big));
    deep.put("raw/small", b"small");
    let clone = deep.path().with_extension("clone");
    let from = format!("file://{}", deep.path().display());
    git(Path::new("/"), &["clone", "-q", &from, clone.to_str().unwrap()]);
    git(&clone, &["lfs", "install", "--local"]);
    git(&clone, &["lfs", "pull"]);
    assert_eq!(std::fs::read(clone.join("raw/a [big] one")).unwrap(), big);
    assert_eq!(git(&clone, &["status", "--short"]), "", "the attributes fit");
    git(&clone, &["lfs", "fsck"]);
    let other = noise(20, 31_000);
    std::fs::write(clone.join("raw/a [big] one"), &other).unwrap();
    git(&clone, &["commit", "-qam", "by hand"]);
    git(&clone, &["push", "-q", "origin", "HEAD:main"]);
    one(&mut deep.snapshots, &put("raw/small", "taken in"));
    assert_eq!(deep.get("raw/a [big] one").unwrap_err().code, Code::TooLarge);
    assert_eq!(deep.part("raw/a [big] one", 0, 20_000).unwrap(), other[..20_000]);
    assert_eq!(Store::check(deep.path(), None), []);
    assert_sound(deep.path());
    std::fs::remove_dir_all(clone).unwrap();
}

/// What takes no time is answered at once, and always alike.
#[test]
fn a_small_upload_is_complete_with_its_last_piece() {
    let mut deep = Deep::new();
    for _ in 0..3 {
        assert!(deep.ask(b"").unwrap().is_complete, "there is nothing to bring");
    }
    let bytes = noise(77, 2_000);
    assert!(!deep.ask(&bytes).unwrap().is_complete);
    assert!(deep.piece(&bytes, 0, 2_000).unwrap().is_complete);
    for _ in 0..3 {
        assert!(deep.ask(&bytes).unwrap().is_complete);
    }
}
