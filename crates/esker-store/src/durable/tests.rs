//! Writing, refusing, and sweeping.

use super::*;
use crate::objects::{Kind, id_of};

const MAIN: &str = "refs/heads/main";

fn repository() -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().unwrap();
    for folder in ["esker/tmp", "objects", "refs/heads"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
    }
    dir
}

fn blob(text: &str) -> Object {
    let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
    let id = id_of(Kind::Blob, &bytes).unwrap();
    let kind = Kind::Blob;
    Object { id, kind, bytes }
}

fn step(from: Option<Revision>, to: Revision) -> Move {
    let name = MAIN.to_owned();
    Move { name, from, to }
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

#[test]
fn an_object_that_is_there_is_not_written_again() {
    let dir = repository();
    let mut durable = Durable::open(dir.path()).unwrap();
    let one = blob("one");
    durable.flush(std::slice::from_ref(&one), &[]).unwrap();
    let path = loose_path(dir.path(), one.id);
    let before = fs::metadata(&path).unwrap().ino();
    durable.flush(&[one], &[]).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
}

/// A repository after two batches, and the journal as a loss of power would leave it.
fn two_batches() -> (tempfile::TempDir, Object, Object, Vec<u8>) {
    let dir = repository();
    let (one, two) = (blob("one"), blob("two"));
    let mut durable = Durable::open(dir.path()).unwrap();
    durable.flush(std::slice::from_ref(&one), &[step(None, one.id)]).unwrap();
    durable.flush(std::slice::from_ref(&two), &[step(Some(one.id), two.id)]).unwrap();
    let journal = fs::read(dir.path().join("esker/journal")).unwrap();
    drop(durable);
    (dir, one, two, journal)
}

#[test]
fn what_never_reached_the_disk_is_done_again() {
    type Loss = fn(&Path, Revision, Revision);
    let losses: [Loss; 5] = [
        |dir, one, two| {
            fs::remove_dir_all(dir.join("objects")).unwrap();
            fs::write(dir.join(MAIN), format!("{one}\n")).unwrap();
            assert_ne!(one, two);
        },
        |dir, _, two| fs::write(loose_path(dir, two), "").unwrap(),
        |dir, one, _| fs::write(loose_path(dir, one), [0; 10]).unwrap(),
        |dir, _, _| fs::write(dir.join(MAIN), "").unwrap(),
        |dir, _, _| fs::remove_file(dir.join(MAIN)).unwrap(),
    ];
    for lose in losses {
        let (dir, one, two, journal) = two_batches();
        lose(dir.path(), one.id, two.id);
        fs::write(dir.path().join("esker/journal"), &journal).unwrap();
        drop(Durable::open(dir.path()).unwrap());
        assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(two.id));
        for object in [one, two] {
            let found = fs::read(loose_path(dir.path(), object.id)).unwrap();
            assert_eq!(found, deflated(&object));
        }
        assert_eq!(fs::metadata(dir.path().join("esker/journal")).unwrap().len(), 0);
    }
}

#[test]
fn a_record_cut_off_is_as_if_never_begun() {
    let (dir, one, two, journal) = two_batches();
    fs::write(dir.path().join(MAIN), format!("{}\n", one.id)).unwrap();
    fs::remove_file(loose_path(dir.path(), two.id)).unwrap();
    fs::write(dir.path().join("esker/journal"), &journal[..journal.len() - 1]).unwrap();
    drop(Durable::open(dir.path()).unwrap());
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(one.id));
    assert!(!loose_path(dir.path(), two.id).exists());
}

#[test]
fn what_someone_else_moved_stays_moved() {
    let (dir, _, _, journal) = two_batches();
    let theirs = blob("theirs").id;
    fs::write(dir.path().join(MAIN), format!("{theirs}\n")).unwrap();
    fs::write(dir.path().join("esker/journal"), &journal).unwrap();
    drop(Durable::open(dir.path()).unwrap());
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(theirs));
}

#[test]
fn sweeps_our_locks_only() {
    let dir = repository();
    let ours = dir.path().join("refs/heads/ours.lock");
    let theirs = dir.path().join("refs/heads/theirs.lock");
    fs::write(temporary(dir.path()).join("ref-0"), "x").unwrap();
    fs::hard_link(temporary(dir.path()).join("ref-0"), &ours).unwrap();
    fs::write(&theirs, "x").unwrap();
    sweep(dir.path()).unwrap();
    assert!(!ours.exists() && theirs.exists());
    assert_eq!(fs::read_dir(temporary(dir.path())).unwrap().count(), 0);
}
