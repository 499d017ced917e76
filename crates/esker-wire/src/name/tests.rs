//! What may be a name.

use super::{Branch, Resource};

#[test]
fn accepts_names_people_use() {
    for name in [
        "raw/plan",
        "raw/qplan app",
        "a/b/c",
        "daten/prüfung 2",
        "x/y.csv",
        "run/load-1",
        "raw/git~x",
        "raw/digit~1",
    ] {
        assert_eq!(name.parse::<Resource>().map(|r| r.to_string()), Ok(name.to_owned()));
    }
}

#[test]
fn refuses_what_is_no_name_and_says_why() {
    let cases = [
        ("plan", "it needs the form stage/name, for example raw/plan"),
        ("", "it needs the form stage/name, for example raw/plan"),
        ("../../etc/passwd", "a part begins with a dot"),
        ("raw/.git", "a part begins with a dot"),
        (".git", "it needs the form stage/name, for example raw/plan"),
        (".git/config", "a part begins with a dot"),
        ("raw/GIT~1", "such a name stands for one of git's own files on some file systems"),
        ("raw/gitmod~12", "such a name stands for one of git's own files on some file systems"),
        ("raw/\u{200c}.git", "characters that some file systems leave out are not allowed"),
        ("/raw/plan", "a part between slashes is empty"),
        ("raw/plan/", "a part between slashes is empty"),
        ("raw//plan", "a part between slashes is empty"),
        ("raw/plan ", "a part begins or ends with a blank, or ends with a dot"),
        ("raw/plan.", "a part begins or ends with a blank, or ends with a dot"),
        ("raw/pl\nan", "control characters, backslash, @ and : are not allowed"),
        ("raw/plan@HEAD", "control characters, backslash, @ and : are not allowed"),
        ("raw\\x/plan", "control characters, backslash, @ and : are not allowed"),
        ("raw/a:b", "control characters, backslash, @ and : are not allowed"),
    ];
    for (name, reason) in cases {
        let error = name.parse::<Resource>().expect_err(name);
        assert_eq!(error.reason, reason, "{name}");
    }
    let long = format!("raw/{}", "x".repeat(252));
    let error = long.parse::<Resource>().expect_err("too long");
    assert_eq!(error.reason, "it is longer than 255 bytes");
    assert!(error.to_string().len() < 200, "the message stays short: {error}");
}

#[test]
fn a_branch_is_plain() {
    for name in ["main", "records", "whatif/a-1"] {
        assert!(name.parse::<Branch>().is_ok(), "{name}");
    }
    for name in ["", "Main", "a//b", "/a", "-a", "a.lock", "a b", "../x", "a/-b"] {
        let error = name.parse::<Branch>().expect_err(name).to_string();
        assert!(error.contains("is not a branch name"), "{error}");
    }
    assert!(Branch::main().is_main());
    assert!(!Branch::records().is_main());
}
