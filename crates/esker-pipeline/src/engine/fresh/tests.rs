//! What is known to be fresh, and what makes it unsure.

use jiff::Timestamp;

use super::*;

const DEFINITION: &str = "project.name = \"p\"\n\
    [stage.a]\ninput = \"raw/a\"\nrun = [\"sort\"]\noutput = \"mid/a\"\n\
    [stage.b]\ninput = [\"mid/a\", \"raw/b\"]\nrun = [\"sort\"]\noutput = \"out/b\"\n\
    [stage.c]\ninput = \"raw/c\"\nrun = [\"sort\"]\noutput = \"out/c\"\n";

/// What is left of three fresh stages.
fn left(news: &News) -> Vec<String> {
    let (definition, _) = Definition::parse(DEFINITION, Timestamp::UNIX_EPOCH);
    let definition = definition.unwrap();
    let states = ["a", "b", "c"].map(|name| (name.to_owned(), State::Fresh));
    let plan = Plan { states: states.into(), ..Plan::default() };
    let mut fresh = Fresh::default();
    fresh.adopt(&definition);
    fresh.learn(&definition, &plan);
    fresh.touch(news);
    let mut left: Vec<String> = fresh.names().iter().cloned().collect();
    left.sort_unstable();
    left
}

fn of_resource(name: &str) -> News {
    News { resources: vec![name.parse().unwrap()], ..News::default() }
}

#[test]
fn what_nothing_touches_stays() {
    assert_eq!(left(&News::default()), ["a", "b", "c"]);
    assert_eq!(left(&of_resource("other/x")), ["a", "b", "c"]);
}

#[test]
fn a_new_version_touches_who_reads_and_who_makes_it() {
    assert_eq!(left(&of_resource("raw/a")), ["b", "c"]);
    assert_eq!(left(&of_resource("mid/a")), ["c"]);
    assert_eq!(left(&of_resource("raw/b")), ["a", "c"]);
    assert_eq!(left(&of_resource("out/c")), ["a", "b"]);
}

#[test]
fn another_record_touches_its_stage() {
    assert_eq!(left(&News { names: vec!["b".to_owned()], ..News::default() }), ["a", "c"]);
}

#[test]
fn where_anything_may_have_changed_nothing_is_sure() {
    assert_eq!(left(&News { all: true, ..News::default() }), [""; 0]);
}

#[test]
fn what_is_not_fresh_is_not_learned() {
    let (definition, _) = Definition::parse(DEFINITION, Timestamp::UNIX_EPOCH);
    let definition = definition.unwrap();
    let states = [("a", State::Stale), ("b", State::Running), ("c", State::Problem)];
    let states = states.map(|(name, state)| (name.to_owned(), state));
    let mut fresh = Fresh::default();
    fresh.adopt(&definition);
    fresh.learn(&definition, &Plan { states: states.into(), ..Plan::default() });
    assert!(fresh.names().is_empty());
}
