//! Loose references win over packed ones; broken ones are named.

use super::*;

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

fn repository() -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("refs/tags/a")).unwrap();
    let packed = format!(
        "# pack-refs with: peeled fully-peeled sorted\n{ONE} refs/tags/a/b\n^{TWO}\n{ONE} refs/tags/c\n"
    );
    fs::write(dir.path().join("packed-refs"), packed).unwrap();
    dir
}

#[test]
fn loose_before_packed() {
    let dir = repository();
    let read = |name: &str| read(dir.path(), name).unwrap().map(|id| id.to_string());
    assert_eq!(read("refs/tags/a/b").as_deref(), Some(ONE));
    fs::write(dir.path().join("refs/tags/a/b"), format!("{TWO}\n")).unwrap();
    assert_eq!(read("refs/tags/a/b").as_deref(), Some(TWO));
    assert_eq!(read("refs/tags/a"), None);
    assert_eq!(read("refs/tags/c/d"), None);
}

#[test]
fn lists_both_and_no_locks() {
    let dir = repository();
    fs::write(dir.path().join("refs/tags/d"), TWO).unwrap();
    fs::write(dir.path().join("refs/tags/d.lock"), "").unwrap();
    let names: Vec<String> = names(dir.path(), TAGS).unwrap().into_iter().collect();
    assert_eq!(names, ["a/b", "c", "d"]);
}

#[test]
fn a_broken_reference_is_named() {
    let dir = repository();
    fs::write(dir.path().join("refs/tags/e"), "ref: refs/heads/x\n").unwrap();
    let error = read(dir.path(), "refs/tags/e").unwrap_err().to_string();
    assert!(error.contains("refs/tags/e"), "{error}");
}
