//! What git prints in; refs, names and contents out.

use super::*;

#[test]
fn a_branch_is_meant_before_a_tag_and_of_a_tag_its_commit() {
    let told = "1\trefs/heads/feature/main\n2\trefs/heads/main\n3\trefs/tags/main\n4\trefs/tags/v1\n5\trefs/tags/v1^{}\n";
    let pair = |name: &str, id: &str| Some((name.to_owned(), id.to_owned()));
    assert_eq!(choose(told, "main"), pair("refs/heads/main", "2"));
    assert_eq!(choose(told, "v1"), pair("refs/tags/v1", "5"));
    assert_eq!(choose(told, "refs/tags/main"), pair("refs/tags/main", "3"));
    assert_eq!(choose("6\tHEAD\n7\trefs/remotes/origin/HEAD\n", "HEAD"), pair("HEAD", "6"));
    assert_eq!(choose(told, "feature"), None);
}

#[test]
fn trees_are_read_with_their_links_and_folders() {
    let told = b"100644 blob a\tdata/x y.csv\x00120000 blob b\tlink\x00040000 tree c\tsub\x00160000 commit d\tmodule\x00";
    let read: Vec<_> =
        entries(told).into_iter().map(|one| (one.name, one.is_file, one.is_folder)).collect();
    let name = |name: &str| name.to_owned();
    assert_eq!(
        read,
        [
            (name("x y.csv"), true, false),
            (name("link"), false, false),
            (name("sub"), false, true),
            (name("module"), false, false)
        ]
    );
}

#[test]
fn contents_are_whole_or_none() {
    let told = Bytes::from("a blob 3\nx\ny\nb blob 0\n\n");
    assert_eq!(contents(&told, 2).unwrap(), ["x\ny", ""]);
    for end in 0..told.len() {
        assert_eq!(contents(&told.slice(..end), 2), None, "{end}");
    }
    assert_eq!(contents(&Bytes::from("a missing\n"), 1), None);
}

#[test]
fn a_path_is_a_file_a_folder_or_some_of_its_files() {
    assert_eq!(split("data/plan.csv"), ("data/plan.csv", None));
    assert_eq!(split("data/*.csv"), ("data", Some("*.csv")));
    assert_eq!(split("*.csv"), (".", Some("*.csv")));
}
