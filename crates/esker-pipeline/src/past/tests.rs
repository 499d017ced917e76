//! Which stages are run for inputs of the past, and what tells one backfill from another.

use std::fs;
use std::path::Path;

use esker_bus::bus::Bus;
use jiff::Timestamp;

use super::*;
use crate::stub::nowhere;

const TEXT: &str = "project.name = \"p\"\n[source.a]\nfile = \"a.csv\"\noutput = \"raw/a\"\n\
    [stage.b]\ninput = \"raw/a\"\nrun = [\"sh\", \"b.sh\"]\noutput = \"made/b\"\n\
    [stage.c]\ninput = \"raw/a\"\nrun = [\"sh\", \"c.sh\"]\noutput = \"made/c\"\n";

fn open(dir: &Path, stage: &str, with: Option<&str>) -> Result<Past, Error> {
    let bus = Bus::start().unwrap();
    let (definition, defects) = Definition::parse(TEXT, Timestamp::now());
    Past::open(Options {
        dir: dir.to_owned(),
        esker: "/bin/false".into(),
        caller: bus.caller(&nowhere()),
        definition: definition.unwrap_or_else(|| panic!("{defects:?}")),
        stage: stage.to_owned(),
        with: with.map(|with| vec!["sh".to_owned(), with.to_owned()]),
        recall: false,
    })
}

fn revision(digit: char) -> Revision {
    digit.to_string().repeat(40).parse().unwrap()
}

#[test]
fn only_a_stage_has_a_past_to_run_for() {
    let dir = tempfile::tempdir().unwrap();
    let error = open(dir.path(), "a", None).err().unwrap();
    assert!(matches!(error, Error::Source(_)), "{error}");
    let error = open(dir.path(), "bb", None).err().unwrap();
    assert!(matches!(error, Error::NoStage(..)), "{error}");
    assert_eq!(error.hint(), "did you mean `b`?");
    assert!(open(dir.path(), "b", None).is_ok());
}

#[test]
fn a_backfill_is_known_by_its_program_and_where_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("b.sh"), "cat").unwrap();
    let past = open(dir.path(), "b", None).unwrap();
    let id = past.id(revision('1'));
    assert!(id.starts_with("b-") && branch(&id).is_some(), "{id}");
    assert_ne!(id, past.id(revision('2')));
    assert!(!past.has_changed());
    fs::write(dir.path().join("b.sh"), "tac").unwrap();
    assert!(past.has_changed());
    assert_ne!(id, open(dir.path(), "b", None).unwrap().id(revision('1')));
    let other = open(dir.path(), "b", Some("c.sh")).unwrap();
    assert_eq!(other.stage().program.argv, ["sh", "c.sh"]);
}

#[test]
fn no_branch_is_named_without_an_id() {
    assert_eq!(branch("plan-0123abcd").unwrap().as_str(), "backfill/plan-0123abcd");
    for bad in ["", "Plan", "a//b", "../x"] {
        assert!(branch(bad).is_none(), "{bad}");
    }
}
