//! What a what-if says of itself, written and read again.

use super::state::{Answer, Conflict, Outcome, State};
use super::*;
use crate::edit::{Before, Deed};
use crate::golden;
use crate::record::{Ended, Failure, RunRecord};

fn revision(byte: u8) -> Revision {
    Revision::from_bytes([byte; 20])
}

fn about() -> About {
    let edit = |at: &str, deed| Edit { at: at.parse().expect("an address"), deed };
    About {
        title: "Two more weeks".to_owned(),
        owner: Some("ada <ada@example.org>".to_owned()),
        created: "2026-11-22T10:00:00Z".parse().expect("a time"),
        expires: Some("2026-12-22T10:00:00Z".parse().expect("a time")),
        base: revision(1),
        edits: vec![
            edit("raw/plan:Params[End].Value", Deed::Set("2027-04-09\nsecond line\n".to_owned())),
            edit("raw/plan:Work[CHK-1]", Deed::Remove),
        ],
        inputs: vec!["raw/notes".parse().expect("a name")],
        files: vec!["lib/cond.py".to_owned()],
        replaced: 2,
        ask: Some(Ask {
            number: 3,
            what: Wish::Rebase(revision(2)),
            by: None,
            why: Some("it is\nlater".to_owned()),
            settle: vec![(2, Side::Mine), (1, Side::Theirs)],
        }),
    }
}

#[test]
fn what_is_said_has_one_form() {
    let mut said = about();
    said.ask.as_mut().expect("a wish").why = Some("it is later".to_owned());
    let bytes = said.to_bytes().expect("few edits");
    golden::holds("about.txt", &bytes);
    assert_eq!(About::from_bytes(&bytes), Ok(said));
}

#[test]
fn what_came_of_it_has_one_form() {
    let bytes = state().to_bytes();
    golden::holds("state.txt", &bytes);
    let again = State::from_bytes(&bytes).expect("it is read");
    assert_eq!(again.to_bytes(), bytes);
}

#[test]
fn what_is_said_is_read_again() {
    let mut said = about();
    let bytes = said.to_bytes().expect("few edits");
    said.ask.as_mut().expect("a wish").why = Some("it is later".to_owned());
    assert_eq!(About::from_bytes(&bytes), Ok(said.clone()));
    for what in [Wish::Apply, Wish::Undo] {
        said.ask.as_mut().expect("a wish").what = what;
        let bytes = said.to_bytes().expect("few edits");
        assert_eq!(About::from_bytes(&bytes), Ok(said.clone()));
    }
}

#[test]
fn another_title_or_wish_is_the_same_change() {
    let said = about();
    let other = About { title: "x".to_owned(), expires: None, ask: None, ..said.clone() };
    assert!(said.is_same_change(&other));
    assert!(!said.is_same_change(&About { replaced: 3, ..other.clone() }));
    assert!(!said.is_same_change(&About { base: revision(9), ..other }));
}

fn state() -> State {
    let said = about();
    let found = vec![Some(Before::Text("2027-03-26".to_owned())), Some(Before::Row(Vec::new()))];
    let run = RunRecord {
        stage: "schedule".to_owned(),
        run_key: "k".to_owned(),
        ended: Ended::Problem,
        inputs: Vec::new(),
        outputs: Vec::new(),
        started: said.created,
        duration_ms: 7,
        failure: Some(Failure {
            summary: "it failed".to_owned(),
            hint: String::new(),
            detail: "line 1\nline 2\n".to_owned(),
            count: 1,
            since: said.created,
            not_before: None,
        }),
        warnings: Vec::new(),
    };
    let conflict = Conflict {
        edit: 1,
        at: "raw/plan:Params[End].Value".to_owned(),
        kind: "both changed it".to_owned(),
        base: "2027-03-26".to_owned(),
        theirs: "2027-03-31".to_owned(),
        mine: "2027-04-09\n".to_owned(),
    };
    State {
        about: revision(3),
        outcome: Outcome::Problem,
        summary: "schedule: it failed".to_owned(),
        hint: "mend it".to_owned(),
        project: Some(revision(4)),
        skipped: vec!["mail".to_owned()],
        edited: vec!["raw/plan".parse().expect("a name")],
        found: said.edits.into_iter().zip(found).collect(),
        runs: vec![run],
        answer: Some(Answer {
            number: 3,
            revision: None,
            summary: "1 conflict".to_owned(),
            conflicts: vec![conflict],
        }),
        applied: Some(revision(5)),
    }
}

#[test]
fn what_came_of_it_is_read_again() {
    let state = state();
    let again = State::from_bytes(&state.to_bytes()).expect("it is read");
    assert_eq!(again.runs, state.runs);
    assert_eq!(again.found, state.found);
    // A last line feed is not told apart where people read it.
    assert_eq!(again.answer.as_ref().map(|answer| answer.conflicts.len()), Some(1));
    assert_eq!(State { answer: None, ..again }, State { answer: None, ..state });
}

#[test]
fn an_id_is_made_of_a_title() {
    for (title, number, expected) in [
        ("Two more weeks", 1, "two-more-weeks"),
        ("  Größe: 3 % ", 2, "gr-e-3-2"),
        ("…", 1, "what-if"),
        ("…", 12, "what-if-12"),
        (
            "one two three four five six seven eight nine",
            1,
            "one-two-three-four-five-six-seven-eight",
        ),
        (
            "one two three four five six seven eight nine",
            10,
            "one-two-three-four-five-six-seven-10",
        ),
        ("Params[End].Value = 2027-04-09", 1, "params-end-value-2027-04-09"),
        ("  Zwei Leute mehr – März! ", 1, "zwei-leute-mehr-m-rz"),
        ("", 1, "what-if"),
        ("plan", 2, "plan-2"),
        (
            "a title that is a good deal longer than forty letters",
            1,
            "a-title-that-is-a-good-deal-longer-than",
        ),
        (&"x".repeat(99), 1, &"x".repeat(40)),
        (&"x".repeat(40), 12, &format!("{}-12", "x".repeat(37))),
    ] {
        assert_eq!(name(title, number), expected);
        assert!(branch(&name(title, number)).is_some());
    }
}

#[test]
fn contents_and_files_lie_at_names_of_their_own() {
    let plan: Resource = "raw/plan".parse().expect("a name");
    assert_eq!(input(&plan).map(|name| name.to_string()), Ok("whatif/input/raw/plan".to_owned()));
    assert_eq!(file(".env").map(|name| name.to_string()), Ok("whatif/file/%2Eenv".to_owned()));
    assert_eq!(
        branch("two-more-weeks").as_ref().and_then(|branch| id(branch)),
        Some("two-more-weeks")
    );
    assert_eq!((branch(""), branch("a/b"), branch("A")), (None, None, None));
}
