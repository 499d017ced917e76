//! What is known to be fresh, and what makes it unsure.

use jiff::Timestamp;

use super::*;

const DEFINITION: &str = "project.name = \"p\"\n\
    [source.pull]\nrun = [\"date\"]\noutput = \"raw/pulled\"\n\
    [stage.a]\ninput = \"raw/a\"\nrun = [\"sort\"]\noutput = \"mid/a\"\n\
    [stage.b]\ninput = [\"mid/a\", \"raw/b\"]\nrun = [\"sort\"]\noutput = \"out/b\"\n\
    [stage.c]\ninput = \"raw/c\"\nrun = [\"sort\"]\noutput = \"out/c\"\n";

/// Everything is found fresh, then there is news: what is known now.
fn known(wake: Option<Timestamp>, news: &News) -> Fresh {
    let (definition, _) = Definition::parse(DEFINITION, Timestamp::UNIX_EPOCH);
    let definition = definition.unwrap();
    let states = ["pull", "a", "b", "c"].map(|name| (name.to_owned(), State::Fresh));
    let plan = Plan { states: states.into(), wake, ..Plan::default() };
    let mut fresh = Fresh::default();
    fresh.adopt(&definition);
    fresh.learn(&definition, &plan, Instant::now());
    fresh.touch(news);
    fresh
}

/// What is left of three fresh stages.
fn left(news: &News) -> Vec<String> {
    let fresh = known(None, news);
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
    fresh.learn(&definition, &Plan { states: states.into(), ..Plan::default() }, Instant::now());
    assert!(fresh.names().is_empty());
}

#[test]
fn it_rests_until_something_that_concerns_it_is_put_or_it_is_to_wake() {
    let now = Instant::now();
    let at = |fresh: &Fresh, clock| fresh.rest(now, clock).map(|rest| rest.parts);
    let rests = |news: &News| at(&known(None, news), Timestamp::UNIX_EPOCH);
    assert_eq!(rests(&News::default()), Some(4));
    assert_eq!(rests(&of_resource("other/x")), Some(4));
    assert_eq!(rests(&of_resource("raw/pulled2")), Some(4));
    for touched in ["raw/a", "out/c", "raw/pulled", "raw/pulled/issues"] {
        assert_eq!(rests(&of_resource(touched)), None, "{touched}");
    }
    assert_eq!(rests(&News { names: vec!["gone".to_owned()], ..News::default() }), None);
    assert_eq!(rests(&News { all: true, ..News::default() }), None);
    let wakes = known(Some(Timestamp::UNIX_EPOCH), &News::default());
    assert_eq!(at(&wakes, Timestamp::MIN), Some(4));
    assert_eq!(at(&wakes, Timestamp::UNIX_EPOCH), None);
    let fresh = known(None, &News::default());
    assert!(fresh.rest(now + 2 * REST_MAX, Timestamp::UNIX_EPOCH).is_none(), "not for ever");
}
