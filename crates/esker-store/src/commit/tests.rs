//! Commits survive the way to bytes and back, and those of others are read.

use super::*;

fn id(number: u8) -> Revision {
    Revision::from_bytes([number; 20])
}

#[test]
fn there_and_back() {
    for (offset, brings) in [(0, None), (3600, Some(id(3))), (-12_600, None)] {
        let commit = Commit {
            tree: id(1),
            parent: Some(id(2)),
            brings,
            author: "Ann Bee <ann@example.org>".to_owned(),
            committer: IDENTITY.to_owned(),
            when: When { seconds: 1_763_640_000, offset },
            message: "put raw/plan\n\nmore".to_owned(),
        };
        assert_eq!(Commit::from_bytes(&commit.to_bytes()), Ok(commit));
    }
}

#[test]
fn what_git_writes_is_read() {
    let text = format!(
        "tree {}\nparent {}\nparent {}\nauthor A <a> 1 +0100\ncommitter B <> 2 -0000\nencoding latin1\ngpgsig x\n y\n\n\u{fc}ber\n",
        id(1),
        id(2),
        id(3)
    );
    let commit = Commit::from_bytes(text.as_bytes()).unwrap();
    assert_eq!((commit.parent, commit.when.seconds), (Some(id(2)), 2));
    assert_eq!((commit.author.as_str(), commit.summary()), ("A <a>", "über"));
    assert!(Commit::from_bytes(b"tree x\n\n").is_err());
    assert!(Commit::from_bytes(b"").is_err());
}

#[test]
fn a_tag_names_its_target() {
    let when = When { seconds: 0, offset: 0 };
    let bytes = tag_to_bytes("v1", id(7), when, "why\n");
    assert_eq!(tag_target(&bytes), Some(id(7)));
    assert_eq!(tag_target(b"object x\n"), None);
}
