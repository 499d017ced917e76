//! Overrides as text and back, and what takes whose place.

use super::*;
use crate::golden;

fn set(at: &str, text: &str) -> Override {
    Override {
        edit: Edit { at: at.parse().expect("an address"), deed: Deed::Set(text.to_owned()) },
        before: Some(Before::Text("old\nlines".to_owned())),
        by: Some("ada <ada@example.org>".to_owned()),
        why: None,
        since: "2026-11-22T10:00:00Z".parse().expect("a time"),
        what_if: Some("two-more-weeks".to_owned()),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let mut second = set("raw/plan:Work[A].Estimate", "Server:\t3\n");
    second.before = None;
    let all = vec![set("raw/plan:Params[End].Value", "2027-04-09"), second];
    let bytes = write(&all).expect("few");
    golden::holds("overrides.txt", &bytes);
    assert_eq!(read(&bytes), Ok(all));
    assert_eq!(read(b""), Ok(Vec::new()));
    for bad in ["=====other\n", "=====override v1\n\t=====about\n\t\tsince: now\n", "x"] {
        assert!(read(bad.as_bytes()).is_err(), "{bad:?}");
    }
}

#[test]
fn another_text_for_the_same_takes_the_place_of_the_one_before() {
    let mut all = vec![set("raw/plan:Params[End].Value", "a"), set("raw/plan:Work[A].Rank", "2")];
    let mut new = set("raw/plan:Params[End].Value", "b");
    new.before = Some(Before::Text("a".to_owned()));
    add(&mut all, new);
    let first = (&all[0].edit.deed, all[0].before.clone());
    assert_eq!(first, (&Deed::Set("b".to_owned()), Some(Before::Text("old\nlines".to_owned()))));
    let removal = Override {
        edit: Edit { at: "raw/plan:Work[A]".parse().expect("an address"), deed: Deed::Remove },
        ..all[0].clone()
    };
    add(&mut all, removal.clone());
    add(&mut all, removal);
    assert_eq!(all.len(), 4);
}

#[test]
fn overrides_have_names_of_their_own() {
    let plan: Resource = "raw/plan".parse().expect("a name");
    let held = of(&plan).expect("short");
    assert_eq!(held.as_str(), "overrides/raw/plan");
    assert_eq!((whose(&held), of(&held), whose(&plan)), (Some(plan.clone()), None, None));
}
