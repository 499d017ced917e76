//! Locks of ours and of git's, and folders in the way.

use super::*;
use crate::durable::tests::{blob, repository};

#[test]
fn sweeps_our_locks_only() {
    let dir = repository();
    let ours = dir.path().join("refs/heads/ours.lock");
    let theirs = dir.path().join("refs/heads/theirs.lock");
    let scratch = files::temporary(dir.path()).join("ref-0");
    fs::write(&scratch, "x").unwrap();
    fs::hard_link(&scratch, &ours).unwrap();
    fs::write(&theirs, "x").unwrap();
    let litter = Litter::find(dir.path()).unwrap();
    assert_eq!(litter.references, BTreeSet::from(["refs/heads/ours".to_owned()]));
    litter.sweep().unwrap();
    assert!(!ours.exists() && theirs.exists());
    assert_eq!(fs::read_dir(files::temporary(dir.path())).unwrap().count(), 0);
}

/// As git does: `git update-ref -d refs/heads/x/y` leaves the folder `x`.
#[test]
fn empty_folders_give_way_to_a_reference() {
    let dir = repository();
    fs::create_dir_all(dir.path().join("refs/heads/x/y")).unwrap();
    let step = Move { name: "refs/heads/x".to_owned(), from: None, to: blob("one").id };
    let take = || Locks::take(dir.path(), std::slice::from_ref(&step));
    take().unwrap().commit().unwrap();
    assert!(dir.path().join("refs/heads/x").is_file());
    fs::remove_file(dir.path().join("refs/heads/x")).unwrap();
    fs::create_dir_all(dir.path().join("refs/heads/x")).unwrap();
    fs::write(dir.path().join("refs/heads/x/y"), "x").unwrap();
    assert!(take().is_err());
}
