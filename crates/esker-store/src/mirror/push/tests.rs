//! What is made of git's own account of a push.

use super::{Told, Trouble, read};

#[test]
fn what_went_well_is_no_trouble() {
    let text = "To /srv/a.git\n=\trefs/tags/v1:refs/tags/v1\t[up to date]\n \trefs/heads/main:refs/heads/main\tabc..def\n\
                *\trefs/esker/records:refs/esker/records\t[new reference]\nDone\n";
    assert_eq!(read(text), Told::default());
}

#[test]
fn what_the_mirror_has_of_its_own_is_told_before_what_it_refuses() {
    let text = "To host:a\n!\trefs/heads/main:refs/heads/main\t[rejected] (fetch first)\n\
                !\trefs/tags/v1:refs/tags/v1\t[rejected] (already exists)\n\
                !\trefs/esker/records:refs/esker/records\t[remote rejected] (hook declined)\nDone\n";
    let told = read(text);
    assert_eq!(told.left, ["refs/heads/main", "refs/tags/v1", "refs/esker/records"]);
    let Some(Trouble::Diverged(text)) = told.trouble else { panic!("diverged") };
    assert!(text.contains("refs/heads/main, refs/tags/v1 there"), "{text}");
}

#[test]
fn a_refusal_names_the_reference_and_why() {
    let text =
        "!\trefs/heads/main:refs/heads/main\t[remote rejected] (pre-receive hook declined)\n";
    let Some(Trouble::Failed(text)) = read(text).trouble else { panic!("failed") };
    assert_eq!(text, "it refuses refs/heads/main [remote rejected] (pre-receive hook declined)");
}
