//! Epochs and half-made folders.

use super::*;

#[test]
fn epochs_only_rise() {
    let dir = tempfile::TempDir::new().unwrap();
    assert!(make(dir.path()).unwrap());
    let epochs: Vec<u64> =
        [100, 50, 0, 200].into_iter().map(|now| next_epoch(dir.path(), now).unwrap()).collect();
    assert_eq!(epochs, [100, 101, 102, 200]);
}

#[test]
fn a_half_made_folder_is_completed() {
    let dir = tempfile::TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("esker/tmp")).unwrap();
    assert!(make(dir.path()).unwrap());
    recognise(dir.path()).unwrap();
}

#[test]
fn formats_of_git_that_cannot_be_read_are_refused() {
    let dir = tempfile::TempDir::new().unwrap();
    make(dir.path()).unwrap();
    let config = "[extensions]\n\tobjectFormat = SHA256\n";
    fs::write(dir.path().join("config"), config).unwrap();
    assert!(recognise(dir.path()).is_err());
}
