//! What names a git repository, and what is shown of it.

use std::path::Path;

use super::{Remote, redact};

#[test]
fn options_programs_and_control_characters_are_refused() {
    for bad in [
        "",
        " a",
        "-a",
        "--upload-pack=touch x",
        "ext::sh -c touch% x",
        "EXT::sh",
        "fd::17",
        "a\nb",
        "a\0b",
        "ssh://-oProxyCommand=x/y",
        "ssh://git@-oProxyCommand=x/y",
        "git@-oProxyCommand=x:y",
    ] {
        assert!(bad.parse::<Remote>().is_err(), "{bad:?}");
    }
    assert!("x".repeat(3000).parse::<Remote>().is_err());
    for good in ["git@host:team/data.git", "https://host/a.git", "../a b.git", "/srv/a"] {
        assert!(good.parse::<Remote>().is_ok(), "{good:?}");
    }
}

#[test]
fn a_refusal_tells_no_secret() {
    let error = "https://me:secret@host/\u{7}".parse::<Remote>().expect_err("refused");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn secrets_are_not_shown() {
    for (given, shown) in [
        ("https://me:secret@host/a.git", "https://host/a.git"),
        ("https://secret@host/a.git", "https://host/a.git"),
        ("https://me:se@cret@host/a", "https://host/a"),
        ("https://me:secret@host", "https://host"),
        ("ssh://git:secret@host/a", "ssh://host/a"),
        ("ssh://git@host/a", "ssh://git@host/a"),
        ("git@host:a", "git@host:a"),
        ("https://host/a?token=secret", "https://host/a?…"),
        (
            "fatal: unable to access 'https://me:secret@host/a/': no, try http://x:secret@y/z now",
            "fatal: unable to access 'https://host/a/': no, try http://y/z now",
        ),
        ("nothing: to // hide @ here", "nothing: to // hide @ here"),
    ] {
        assert_eq!(redact(given), shown);
    }
    let remote: Remote = "https://me:secret@host/a.git".parse().expect("good");
    assert!(remote.holds_secret() && !format!("{remote} {remote:?}").contains("secret"));
}

#[test]
fn paths_are_known_from_hosts() {
    let local = |text: &str| {
        let remote: Remote = text.parse().expect("good");
        remote.local().map(|path| path.display().to_string())
    };
    assert_eq!(local("../data.git").as_deref(), Some("../data.git"));
    assert_eq!(local("/srv/a:b.git").as_deref(), Some("/srv/a:b.git"));
    assert_eq!(local("./a:b.git").as_deref(), Some("./a:b.git"));
    assert_eq!(local("file:///srv/a.git").as_deref(), Some("/srv/a.git"));
    assert_eq!(local("host:a.git"), None);
    assert_eq!(local("https://host/a.git"), None);
    let under = |text: &str| {
        text.parse::<Remote>().expect("good").under(Path::new("/p")).as_given().to_owned()
    };
    assert_eq!(under("a.git"), "/p/a.git");
    assert_eq!(under("/a.git"), "/a.git");
    assert_eq!(under("host:a.git"), "host:a.git");
}

#[test]
fn a_copy_is_called_as_its_original() {
    for (given, name) in [
        ("git@host:team/data.git", Some("data")),
        ("host:data", Some("data")),
        ("/srv/data.git/", Some("data")),
        ("/srv/data/.git", Some("data")),
        ("https://host/a/b", Some("b")),
        ("..", None),
    ] {
        let remote: Remote = given.parse().expect("good");
        assert_eq!(remote.name().as_deref(), name.map(Path::new), "{given}");
    }
}
