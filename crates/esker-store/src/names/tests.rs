//! What free texts mean.

use super::*;

fn resource(name: &str) -> Resource {
    name.parse().unwrap()
}

#[test]
fn aliases_then_names_then_words() {
    let names = Names {
        aliases: BTreeMap::from([("app".to_owned(), resource("results/plan"))]),
        declared: BTreeSet::from([resource("raw/plan"), resource("a/b")]),
    };
    let found = |text: &str| names.find(text, |name| *name == resource("b/a"));
    for (text, expected) in [
        ("app", Some("results/plan")),
        ("any/name", Some("any/name")),
        ("raw plan", Some("raw/plan")),
        ("plan raw", Some("raw/plan")),
        ("a b", Some("a/b")),
        ("b a", Some("b/a")),
        ("nothing", None),
        ("no thing", None),
        ("../x y", None),
        ("raw ", None),
    ] {
        assert_eq!(found(text), expected.map(resource), "{text}");
    }
}

#[test]
fn a_handle_shows_what_was_put_in_last() {
    let handle = NamesHandle::default();
    let other = handle.clone();
    let names = Names {
        aliases: BTreeMap::from([("app".to_owned(), resource("results/plan"))]),
        ..Names::default()
    };
    handle.replace(names.clone());
    assert_eq!(*other.get(), names);
    let aliases: Vec<&str> = names.aliases_of(&resource("results/plan")).collect();
    assert_eq!(aliases, ["app"]);
}
