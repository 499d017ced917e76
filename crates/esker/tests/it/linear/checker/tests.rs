//! Stories that can be, and those that cannot.

use super::*;

fn chain(contents: &[&str]) -> Vec<Version> {
    let mut previous = None;
    let link = |content: &&str| {
        let revision = format!("r-{content}");
        let previous = previous.replace(revision.clone());
        Version { revision, previous, content: (*content).to_owned() }
    };
    contents.iter().map(link).collect()
}

fn during(begun: u64, ended: u64, deed: Deed) -> Operation {
    let time = Duration::from_millis;
    Operation { begun: time(begun), ended: time(ended), deed }
}

fn head(content: &str) -> Head {
    (!content.is_empty()).then(|| format!("r-{content}"))
}

/// Found this content; an empty one is nothing.
fn read(content: &str) -> Deed {
    Deed::Read(head(content).map(|revision| (revision, content.to_owned())))
}

fn write(content: &str, expected: Option<&str>, outcome: Outcome) -> Deed {
    Deed::Write { content: content.to_owned(), expected: expected.map(head), outcome }
}

fn stored(content: &str, previous: &str) -> Outcome {
    Outcome::Stored { revision: format!("r-{content}"), previous: head(previous) }
}

/// Wrote a, then b.
fn a_then_b() -> Vec<Operation> {
    vec![
        during(10, 20, write("a", None, stored("a", ""))),
        during(30, 40, write("b", Some("a"), stored("b", "a"))),
    ]
}

/// What is said of a story in which, besides, this happened.
fn verdict(chain_of: &[&str], more: Vec<Operation>) -> String {
    let history = [a_then_b(), more].concat();
    check(&chain(chain_of), &history).map_or_else(|error| error, |()| "good".to_owned())
}

fn rejects(chain_of: &[&str], more: Vec<Operation>, what: &str) {
    let verdict = verdict(chain_of, more);
    assert!(verdict.contains(what), "{verdict}");
}

#[test]
fn a_story_that_can_be() {
    let more = vec![
        during(0, 9, read("")),
        during(0, 15, read("")),
        during(15, 35, read("a")),
        during(21, 22, read("a")),
        during(31, 39, read("b")),
        during(32, 38, read("a")),
        during(0, 50, write("c", None, Outcome::Unknown)),
        during(35, 60, write("d", Some("a"), Outcome::Conflict)),
        during(25, 60, write("e", Some("b"), Outcome::Unknown)),
        during(50, 60, write("f", None, Outcome::Refused)),
    ];
    assert_eq!(verdict(&["a", "b"], more.clone()), "good");
    assert_eq!(verdict(&["a", "b", "e"], more), "good");
}

#[test]
fn a_lost_acknowledged_write() {
    rejects(&["a"], vec![], "an acknowledged write is lost");
}

#[test]
fn a_stale_read() {
    rejects(&["a", "b"], vec![during(41, 50, read("a"))], "must come after it");
    rejects(&["a", "b"], vec![during(21, 50, read(""))], "must come after it");
    let back = vec![during(31, 32, read("b")), during(33, 39, read("a"))];
    rejects(&["a", "b"], back, "must come after it");
}

#[test]
fn a_read_of_what_is_yet_to_come() {
    rejects(&["a", "b"], vec![during(21, 29, read("b"))], "must come after it");
}

#[test]
fn a_read_of_what_was_never_written() {
    rejects(&["a", "b"], vec![during(21, 29, read("x"))], "not in the chain");
    let mixed = Deed::Read(Some(("r-a".to_owned(), "b".to_owned())));
    rejects(&["a", "b"], vec![during(21, 29, mixed)], "another content");
    rejects(&["a", "b", "x"], vec![], "nobody wrote");
}

#[test]
fn a_write_that_expected_another_head() {
    let more = |outcome| vec![during(50, 60, write("c", Some("a"), outcome))];
    rejects(&["a", "b", "c"], more(stored("c", "b")), "another head than expected");
    rejects(&["a", "b", "c"], more(Outcome::Unknown), "another head than expected");
    let foreign = vec![during(50, 60, write("c", Some("x"), stored("c", "b")))];
    rejects(&["a", "b", "c"], foreign, "expected a head that is not in the chain");
}

#[test]
fn a_value_that_disappears_after_it_was_read() {
    let more = vec![during(45, 60, write("c", None, Outcome::Unknown)), during(50, 51, read("c"))];
    assert_eq!(verdict(&["a", "b", "c"], more.clone()), "good");
    rejects(&["a", "b"], more.clone(), "read what is not in the chain");
    let gone = [more, vec![during(52, 53, read("b"))]].concat();
    rejects(&["a", "b", "c"], gone, "must come after it");
}

#[test]
fn writes_out_of_time() {
    rejects(&["b", "a"], vec![], "other revisions");
    let early = vec![during(0, 5, write("c", None, Outcome::Unknown))];
    assert_eq!(verdict(&["a", "b"], early.clone()), "good");
    rejects(&["a", "b", "c"], early, "must come after it");
}

#[test]
fn what_a_refused_write_may_not_do() {
    let refused = |outcome| vec![during(50, 60, write("c", Some("b"), outcome))];
    rejects(&["a", "b", "c"], refused(Outcome::Refused), "refused, and yet stored");
    rejects(&["a", "b", "c"], refused(Outcome::Conflict), "refused, and yet stored");
    rejects(&["a", "b"], refused(Outcome::Conflict), "a head that nobody moved");
    let early = vec![during(21, 29, write("c", Some("a"), Outcome::Conflict))];
    rejects(&["a", "b"], early, "must come after it");
    let without = vec![during(21, 29, write("c", None, Outcome::Conflict))];
    rejects(&["a", "b"], without, "where nothing was expected");
}

#[test]
fn a_broken_chain() {
    let mut broken = chain(&["a", "b"]);
    broken[1].previous = None;
    assert!(check(&broken, &a_then_b()).is_err_and(|error| error.contains("does not follow")));
    rejects(&["a", "b", "a"], vec![], "one content twice");
    let told = vec![during(50, 60, write("c", None, stored("c", "a")))];
    rejects(&["a", "b", "c"], told, "other revisions");
}
