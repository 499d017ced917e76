//! Secrets are read, and never seen again.

use std::fs;

use super::*;

fn file(path: &str) -> Secret {
    Secret::File(path.to_owned())
}

#[test]
fn no_form_of_a_secret_is_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), "p\"ss/w rd\r\n").unwrap();
    let secrets = Secrets::open(folder.path(), [&file("token")]).unwrap();
    assert_eq!(secrets.of(&file("token")), "p\"ss/w rd");
    for told in ["p\"ss/w rd", "p%22ss%2Fw%20rd", "p\\\"ss/w rd", &STANDARD.encode("p\"ss/w rd")] {
        assert_eq!(secrets.redact(&format!("a {told} b")), "a *** b");
    }
    assert!(!format!("{secrets:?}").contains("rd"), "{secrets:?}");
}

#[test]
fn the_longer_of_two_secrets_leaves_no_end() {
    let mut secrets = Secrets::default();
    secrets.hide("abc");
    secrets.hide("abcdef");
    assert_eq!(secrets.redact("abcdef abc"), "*** ***");
}

#[test]
fn a_secret_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let summary = |secret: &Secret| Secrets::open(folder.path(), [secret]).unwrap_err().summary;
    let unset = Secret::Env("ESKER_TEST_UNSET".to_owned());
    assert_eq!(summary(&unset), "the secret $ESKER_TEST_UNSET is not set");
    assert!(summary(&file("none")).starts_with("cannot read the secret in none: No such file"));
    fs::write(folder.path().join("empty"), "\n").unwrap();
    assert_eq!(summary(&file("empty")), "cannot read the secret in empty: it is empty");
    fs::write(folder.path().join("large"), "x".repeat(70_000)).unwrap();
    assert!(summary(&file("large")).contains("larger than"));
    fs::write(folder.path().join("binary"), [0xff, 0xfe]).unwrap();
    assert!(summary(&file("binary")).contains("UTF-8"));
}
