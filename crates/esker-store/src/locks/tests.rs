//! References of ours and of git's, their locks, and folders in the way.

use super::*;
use crate::durable::tests::{blob, repository};

fn to(text: &str, from: Option<Revision>) -> Move {
    Move { name: "refs/heads/x".to_owned(), from, to: blob(text).id }
}

#[test]
fn sweeps_our_locks_only() {
    let dir = repository();
    let ours = dir.path().join("refs/heads/ours.lock");
    let theirs = dir.path().join("refs/heads/theirs.lock");
    let scratch = files::temporary(dir.path()).join("ref");
    fs::write(&scratch, "x").unwrap();
    fs::hard_link(&scratch, &ours).unwrap();
    fs::write(&theirs, "x").unwrap();
    Litter::find(dir.path()).unwrap().sweep().unwrap();
    assert!(!ours.exists() && theirs.exists());
    assert_eq!(fs::read_dir(files::temporary(dir.path())).unwrap().count(), 0);
}

#[test]
fn moves_only_from_what_is_believed() {
    let dir = repository();
    let path = dir.path().join("refs/heads/x");
    let one = to("one", None);
    assert_eq!(place(dir.path(), &one).unwrap(), Moved::There);
    assert_eq!(place(dir.path(), &one).unwrap(), Moved::There, "it is there already");
    let elsewhere = Moved::Elsewhere(Some(one.to));
    assert_eq!(place(dir.path(), &to("two", None)).unwrap(), elsewhere);
    assert_eq!(place(dir.path(), &to("two", Some(blob("three").id))).unwrap(), elsewhere);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", one.to));
    assert_eq!(place(dir.path(), &to("two", Some(one.to))).unwrap(), Moved::There);
    assert!(!dir.path().join("refs/heads/x.lock").exists());
    assert_eq!(fs::read_dir(files::temporary(dir.path())).unwrap().count(), 0);
}

/// As git does: `git update-ref -d refs/heads/x/y` leaves the folder `x`.
#[test]
fn empty_folders_give_way_to_a_reference() {
    let dir = repository();
    fs::create_dir_all(dir.path().join("refs/heads/x/y")).unwrap();
    assert_eq!(place(dir.path(), &to("one", None)).unwrap(), Moved::There);
    assert!(dir.path().join("refs/heads/x").is_file());
    fs::remove_file(dir.path().join("refs/heads/x")).unwrap();
    fs::create_dir_all(dir.path().join("refs/heads/x")).unwrap();
    fs::write(dir.path().join("refs/heads/x/y"), "x").unwrap();
    assert!(place(dir.path(), &to("one", None)).is_err());
}

/// A scratch that a killed process has left is a second name of a reference that was moved: it is not written into.
#[test]
fn a_scratch_that_is_a_second_name_is_not_written_into() {
    let dir = repository();
    place(dir.path(), &to("one", None)).unwrap();
    let scratch = files::temporary(dir.path()).join("ref");
    fs::hard_link(dir.path().join("refs/heads/x"), &scratch).unwrap();
    let other = Move { name: "refs/heads/y".to_owned(), ..to("two", None) };
    place(dir.path(), &other).unwrap();
    let found = refs::read(dir.path(), "refs/heads/x").unwrap();
    assert_eq!(found, Some(blob("one").id));
}

#[test]
fn removes_only_what_is_believed() {
    let dir = repository();
    let one = to("one", None);
    place(dir.path(), &one).unwrap();
    assert!(!remove(dir.path(), &one.name, blob("two").id).unwrap());
    assert!(remove(dir.path(), &one.name, one.to).unwrap());
    assert_eq!(refs::read(dir.path(), &one.name).unwrap(), None);
    assert!(!remove(dir.path(), &one.name, one.to).unwrap());
    assert_eq!(fs::read_dir(files::temporary(dir.path())).unwrap().count(), 0);
}

#[test]
fn a_packed_reference_goes_with_what_is_said_of_it() {
    let (a, b) = ("1".repeat(40), "2".repeat(40));
    let head = "# pack-refs with: peeled fully-peeled sorted \n";
    let packed = format!("{head}{a} refs/esker/x\n^{b}\n{b} refs/tags/x\n^{a}\n");
    assert_eq!(without(&packed, "refs/esker/x"), format!("{head}{b} refs/tags/x\n^{a}\n"));
    assert_eq!(without(&packed, "refs/tags/x"), format!("{head}{a} refs/esker/x\n^{b}\n"));
    assert_eq!(without(&packed, "refs/esker"), packed);
}
