//! Writing, refusing, settling, and what a failing disk leaves.

use std::os::unix::fs::MetadataExt as _;

use esker_wire::revision::Revision;

use super::*;
use crate::files::temporary;
use crate::objects::{Kind, id_of};
use crate::refs;

const MAIN: &str = "refs/heads/main";

pub(crate) fn repository() -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().unwrap();
    for folder in ["esker/tmp", "objects", "refs/heads"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    dir
}

pub(crate) fn blob(text: &str) -> Object {
    let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
    let id = id_of(Kind::Blob, &bytes).unwrap();
    let kind = Kind::Blob;
    Object { id, kind, bytes }
}

pub(crate) fn step(from: Option<Revision>, to: Revision) -> Move {
    step_of(MAIN, from, to)
}

fn step_of(name: &str, from: Option<Revision>, to: Revision) -> Move {
    let name = name.to_owned();
    Move { name, from, to }
}

pub(crate) fn open_on(dir: &Path, boot: &str) -> Result<Durable, Error> {
    Durable::open_on(dir, Some(boot.to_owned()))
}

fn journal_length(dir: &Path) -> u64 {
    fs::metadata(dir.join("esker/journal")).unwrap().len()
}

#[test]
fn moves_only_from_what_is_believed() {
    let dir = repository();
    let mut durable = Durable::open(dir.path()).unwrap();
    let (one, two) = (blob("one"), blob("two"));
    let objects = [one.clone(), two.clone()];
    durable.flush(&objects, &[step(None, one.id)]).unwrap();
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(one.id));
    let moved = durable.flush(&[], &[step(None, two.id)]);
    assert!(matches!(moved, Err(Error::Moved { reference }) if reference == MAIN));
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(one.id));
    durable.flush(&[], &[step(Some(one.id), two.id)]).unwrap();
    assert!(!dir.path().join("refs/heads/main.lock").exists());
    let left = fs::read_dir(temporary(dir.path())).unwrap().count();
    assert_eq!(left, 0);
}

/// Loose files are written unsynced: a loss of power may leave a part of one at its name.
#[test]
fn what_is_left_of_a_loose_file_is_not_trusted() {
    let one = blob("one");
    let whole = loose::deflated(&one);
    for left in [&[], &whole[..whole.len() - 1], &[0; 30]] {
        let dir = repository();
        let path = loose::path_of(dir.path(), one.id);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, left).unwrap();
        let mut durable = Durable::open(dir.path()).unwrap();
        durable.flush(std::slice::from_ref(&one), &[]).unwrap();
        drop(durable);
        assert_eq!(fs::read(&path).unwrap(), whole);
        assert_eq!(journal_length(dir.path()), 0);
    }
}

/// Nothing may be at an object's place before the journal has it.
#[test]
fn a_batch_that_moves_nothing_leaves_nothing() {
    let dir = repository();
    let mut durable = Durable::open(dir.path()).unwrap();
    let (one, two) = (blob("one"), blob("two"));
    let refused = durable.flush(std::slice::from_ref(&one), &[step(Some(two.id), one.id)]);
    assert!(matches!(refused, Err(Error::Moved { .. })));
    assert!(!loose::path_of(dir.path(), one.id).exists());
    assert_eq!(journal_length(dir.path()), 0);
}

#[test]
fn a_scratch_that_is_a_second_name_is_not_written_into() {
    let dir = repository();
    let mut durable = Durable::open(dir.path()).unwrap();
    let (one, two) = (blob("one"), blob("two"));
    durable.flush(std::slice::from_ref(&one), &[step(None, one.id)]).unwrap();
    fs::hard_link(dir.path().join(MAIN), temporary(dir.path()).join("ref-0")).unwrap();
    let before = fs::metadata(dir.path().join(MAIN)).unwrap().ino();
    let other = step_of("refs/heads/other", Some(one.id), two.id);
    assert!(durable.flush(&[], &[other]).is_err());
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(one.id));
    assert_eq!(fs::metadata(dir.path().join(MAIN)).unwrap().ino(), before);
}

/// A batch of two references, with a folder in the way of the second that comes after both are locked.
fn half_done(dir: &Path) -> (Durable, Object) {
    let mut durable = open_on(dir, "boot").unwrap();
    let one = blob("one");
    let moves = [step(None, one.id), step_of("refs/esker/records", None, one.id)];
    let locks = Locks::take(dir, &moves).unwrap();
    fs::create_dir_all(dir.join("refs/esker/records/in-the-way")).unwrap();
    let objects = vec![(one.id, loose::deflated(&one))];
    let record = Record { boot: durable.boot.clone(), moves: moves.to_vec(), objects };
    let error = durable.perform(&record, locks).unwrap_err();
    assert!(matches!(error, Error::Half { .. }), "{error}");
    assert!(error.to_string().contains("refs/esker/records"), "{error}");
    (durable, one)
}

#[test]
fn a_batch_half_in_its_place_is_finished_by_the_next_start() {
    for boot in ["boot", "another"] {
        let dir = repository();
        let (mut durable, one) = half_done(dir.path());
        assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(one.id));
        assert!(dir.path().join("refs/esker/records.lock").exists(), "git must not move it");
        let refused = durable.flush(&[], &[step(Some(one.id), blob("two").id)]);
        assert!(refused.unwrap_err().to_string().contains("half"));
        durable.settle_if_grown().unwrap_err();
        drop(durable);
        assert!(journal_length(dir.path()) > 0);
        fs::remove_dir_all(dir.path().join("refs/esker/records")).unwrap();
        drop(open_on(dir.path(), boot).unwrap());
        assert_eq!(refs::read(dir.path(), "refs/esker/records").unwrap(), Some(one.id));
        assert_eq!(journal_length(dir.path()), 0);
        assert!(!dir.path().join("refs/esker/records.lock").exists());
    }
}

#[test]
fn a_batch_of_which_nothing_moved_is_taken_back() {
    let dir = repository();
    let mut durable = open_on(dir.path(), "boot").unwrap();
    let one = blob("one");
    let moves = vec![step(None, one.id)];
    let locks = Locks::take(dir.path(), &moves).unwrap();
    fs::create_dir_all(dir.path().join(MAIN).join("in-the-way")).unwrap();
    let record = Record { moves: moves.clone(), ..Record::default() };
    assert!(matches!(durable.perform(&record, locks), Err(Error::Write { .. })));
    assert_eq!(journal_length(dir.path()), 0);
    fs::remove_dir_all(dir.path().join(MAIN)).unwrap();
    durable.flush(&[one], &moves).unwrap();
}

#[test]
fn an_object_that_cannot_be_written_takes_its_batch_back() {
    let dir = repository();
    let mut durable = open_on(dir.path(), "boot").unwrap();
    let one = blob("one");
    let path = loose::path_of(dir.path(), one.id);
    fs::create_dir_all(path.join("in-the-way")).unwrap();
    let moves = [step(None, one.id)];
    assert!(durable.flush(std::slice::from_ref(&one), &moves).is_err());
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), None);
    assert!(!dir.path().join("refs/heads/main.lock").exists());
    assert_eq!(journal_length(dir.path()), 0);
}

#[test]
fn a_journal_that_has_grown_is_followed_by_a_new_one() {
    let dir = repository();
    let mut durable = open_on(dir.path(), "boot").unwrap();
    let (one, two) = (blob("one"), blob("two"));
    durable.flush(std::slice::from_ref(&one), &[step(None, one.id)]).unwrap();
    durable.settle_if_grown().unwrap();
    assert!(durable.settling.is_none() && journal_length(dir.path()) > 0);
    let mut large = Record::default();
    let size = usize::try_from(JOURNAL_GROWN).unwrap();
    large.objects.push((two.id, vec![0; size]));
    durable.journal.append(&large).unwrap();
    durable.settle_if_grown().unwrap();
    assert_eq!(journal_length(dir.path()), 0);
    durable.flush(std::slice::from_ref(&two), &[step(Some(one.id), two.id)]).unwrap();
    assert!(journal_length(dir.path()) > 0);
    durable.wait().unwrap();
    assert!(!dir.path().join("esker/journal.old").exists());
}
