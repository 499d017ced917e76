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
    let (one, two) = (blob("one"), blob("two"));
    let objects = [one.clone(), two.clone()];
    flush(dir.path(), &objects, &[step(None, one.id)]).unwrap();
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(one.id));
    let moved = flush(dir.path(), &[], &[step(None, two.id)]);
    assert!(matches!(moved, Err(Error::Moved { reference }) if reference == MAIN));
    assert_eq!(refs::read(dir.path(), MAIN).unwrap(), Some(one.id));
    flush(dir.path(), &[], &[step(Some(one.id), two.id)]).unwrap();
    assert!(!dir.path().join("refs/heads/main.lock").exists());
    let left = fs::read_dir(temporary(dir.path())).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn an_object_that_is_there_is_not_written_again() {
    let dir = repository();
    let one = blob("one");
    flush(dir.path(), std::slice::from_ref(&one), &[]).unwrap();
    let path = loose_path(dir.path(), one.id);
    let before = fs::metadata(&path).unwrap().ino();
    flush(dir.path(), &[one], &[]).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().ino(), before);
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
