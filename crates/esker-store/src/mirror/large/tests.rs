//! Large contents come along, whole, and only once.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::{Sent, fetch, place};
use crate::mirror::git::Git;

#[test]
fn they_are_brought_to_a_mirror_on_this_machine_and_back() {
    let folder = TempDir::new().unwrap();
    let dir = |name: &str| folder.path().join(name);
    let git = |name: &str| Git {
        dir: dir(name),
        silence_max: Duration::from_secs(60),
        halt: Arc::new(|| false),
    };
    let id = "ab".repeat(32);
    fs::create_dir_all(place(&dir("here"), &id).parent().unwrap()).unwrap();
    fs::write(place(&dir("here"), &id), "large").unwrap();
    fs::write(place(&dir("here"), &id).with_extension("half"), "lar").unwrap();
    fs::create_dir_all(dir("there/objects")).unwrap();
    let remote = dir("there").to_str().unwrap().parse().unwrap();
    let mut sent = Sent::default();
    sent.push(&git("here"), &remote).unwrap();
    assert_eq!(fs::read_to_string(place(&dir("there"), &id)).unwrap(), "large");
    assert_eq!(fs::read_dir(place(&dir("there"), &id).parent().unwrap()).unwrap().count(), 1);
    sent.push(&git("here"), &remote).unwrap();
    fetch(&git("back"), &remote).unwrap();
    assert_eq!(fs::read_to_string(place(&dir("back"), &id)).unwrap(), "large");
}
