//! The file of lineage: whole lines only, and no more of them than there may be.

use std::fs;

use serde_json::json;

use super::*;

fn file() -> LineageFile {
    LineageFile { path: "lineage.ndjson".to_owned(), size_max: 1_000_000 }
}

#[test]
fn a_line_that_was_not_finished_is_told_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("lineage.ndjson");
    fs::write(&path, "{\"a\":1}\n{\"b\"").expect("written");
    assert!(matches!(append(folder.path(), &file(), &json!({ "c": 2 })), Outcome::Taken));
    assert_eq!(fs::read_to_string(&path).expect("read"), "{\"a\":1}\n{\"c\":2}\n");
    fs::write(&path, "{\"b\"").expect("written");
    assert!(matches!(append(folder.path(), &file(), &json!({})), Outcome::Taken));
    assert_eq!(fs::read_to_string(&path).expect("read"), "{}\n");
}

#[test]
fn the_file_and_what_is_kept_of_it_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let event = json!({ "text": "x".repeat(400_000) });
    for _ in 0..20 {
        assert!(matches!(append(folder.path(), &file(), &event), Outcome::Taken));
    }
    let mut sizes = Vec::new();
    for entry in fs::read_dir(folder.path()).expect("the folder") {
        sizes.push(entry.expect("an entry").metadata().expect("about").len());
    }
    assert_eq!(sizes.len(), 5, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 1_000_000), "{sizes:?}");
}

#[test]
fn what_is_no_file_is_not_written_to() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("lineage.ndjson")).expect("a folder");
    assert!(matches!(append(folder.path(), &file(), &json!({})), Outcome::Failed(_)));
}
