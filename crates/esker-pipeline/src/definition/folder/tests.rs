//! Patterns and names in; folders and files out.

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn names_are_like_patterns() {
    for (name, pattern, like) in [
        ("a.csv", "*", true),
        ("a.csv", "*.csv", true),
        ("a.csv.csv", "*.csv", true),
        ("a.csv", "?.csv", true),
        ("ab.csv", "?.csv", false),
        ("a.tsv", "*.csv", false),
        ("2027-01-04.csv", "20??-*-04.*", true),
        ("", "*", true),
        ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "*a*a*a*a*a*a*a*a*c", false),
    ] {
        assert_eq!(is_like(name, pattern), like, "{name} {pattern}");
    }
}

#[test]
fn a_pattern_is_a_folder_and_perhaps_names() {
    let parts = |text: &str| Pattern::parse(text).map(|found| (found.folder, found.name));
    let pair = |one: &str, other: &str| Ok((one.to_owned(), other.to_owned()));
    assert_eq!(parts("drop"), pair("drop", "*"));
    assert_eq!(parts("drop/in/"), pair("drop/in", "*"));
    assert_eq!(parts("drop/in/*.csv"), pair("drop/in", "*.csv"));
    assert_eq!(parts("*.csv"), pair(".", "*.csv"));
    for wrong in ["", "/*.csv", "drop/*/a.csv"] {
        assert!(parts(wrong).is_err(), "{wrong}");
    }
    assert_eq!(Pattern::parse("drop/").unwrap().to_string(), "drop");
}

#[test]
fn files_come_by_name_without_those_of_editors() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.csv", "a.csv", ".hidden.csv", "~$a.csv", "a.csv~", "c.txt"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    fs::create_dir(dir.path().join("d.csv")).unwrap();
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    symlink(elsewhere.path(), dir.path().join("e.csv")).unwrap();
    symlink("b.csv", dir.path().join("f.csv")).unwrap();
    symlink("nothing", dir.path().join("g.csv")).unwrap();
    let files = Pattern::parse("*.csv").unwrap().files(dir.path()).unwrap();
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a.csv", "b.csv", "f.csv"]);
    assert!(Pattern::parse("none").unwrap().files(dir.path()).is_err());
}

#[test]
fn names_that_no_stream_can_have_are_told() {
    use std::os::unix::ffi::OsStrExt as _;
    for name in [&b"\xe9t\xe9.csv"[..], b"new\nline.csv"] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
        let fault = Pattern::parse("*.csv").unwrap().files(dir.path()).unwrap_err().to_string();
        assert!(fault.contains("is not UTF-8, or holds control characters"), "{fault}");
    }
}
