//! The keys of a gate, as they are written.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::definition::Definition;

fn parse(lines: &str) -> (Option<Definition>, Vec<String>) {
    let text = format!(
        "project.name = \"p\"\n[stage.s]\ninput = \"raw/a\"\noutput = [\"x/a\", \"x/b\"]\nrun = [\"x\"]\n{lines}\n"
    );
    let (definition, defects) = Definition::parse(&text, Timestamp::now());
    let defects = defects.iter().filter(|defect| defect.is_error());
    (definition, defects.map(ToString::to_string).collect())
}

fn gate_of(lines: &str) -> Gate {
    let (definition, defects) = parse(lines);
    definition.unwrap_or_else(|| panic!("{defects:?}")).stages.remove(0).gate
}

#[track_caller]
fn check_defect(lines: &str, expected: &str) {
    let (_, defects) = parse(lines);
    assert_eq!(defects, [expected]);
}

#[test]
fn nothing_said_judges_nothing() {
    assert!(gate_of("").is_open());
}

#[test]
fn a_check_is_a_file_a_program_or_a_table() {
    let titles =
        |lines: &str| -> Vec<String> { gate_of(lines).checks.iter().map(Check::title).collect() };
    assert_eq!(titles("check = \"a.json\""), ["a.json"]);
    assert_eq!(titles("check = [\"a.json\", [\"python3\", \"b.py\"]]"), ["a.json", "python3 b.py"]);
    assert_eq!(titles("check = {file = \"a.json\"}"), ["a.json"]);
    assert_eq!(
        titles("[[stage.s.check]]\nfile = \"a.json\"\n[[stage.s.check]]\nrun = [\"b\"]"),
        ["a.json", "b"]
    );
}

#[test]
fn a_table_says_more() {
    let gate = gate_of(
        "env = [\"TOKEN\"]\n[[stage.s.check]]\nrun = [\"b\"]\noutput = \"x/b\"\nstream = \"Work\"\n\
         severity = \"warn\"\ntimeout = \"3s\"",
    );
    let [check] = &gate.checks[..] else {
        panic!("{gate:?}");
    };
    assert_eq!(check.output.as_ref().map(Resource::as_str), Some("x/b"));
    assert_eq!(check.stream.as_deref(), Some("Work"));
    assert_eq!(check.severity, Severity::Warn);
    let Judge::Run(program) = &check.judge else {
        panic!("{check:?}");
    };
    assert_eq!(
        (program.timeout, &program.env[..]),
        (Duration::from_secs(3), &["TOKEN".to_owned()][..])
    );
}

#[test]
fn guards_are_numbers_and_shares() {
    let gate = gate_of("rows_min = 3\nrows_drop_max = \"12.5%\"\nrow_delta_max = \"200%\"");
    let Guards { rows_min, rows_drop_max, row_delta_max } = gate.guards;
    assert_eq!(rows_min, Some(3));
    assert_eq!(rows_drop_max.map(|share| share.to_string()).as_deref(), Some("12.5%"));
    assert_eq!(row_delta_max.map(|share| share.to_string()).as_deref(), Some("200%"));
    assert_eq!(percent("0.05%", 1).map(|share| share.to_string()), Ok("0.05%".to_owned()));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let form = "write a file (check = \"plan.schema.json\"), a program in a list \
                (check = [[\"python3\", \"check.py\"]]), or a table [[….check]] with `file` or `run`";
    check_defect(
        "check = []",
        &format!("esker.toml:6:9: `check` in [stage.s] names nothing; {form}"),
    );
    check_defect(
        "check = 3",
        &format!("esker.toml:6:9: `check` in [stage.s] names no check; {form}"),
    );
    check_defect(
        "check = [[]]",
        &format!("esker.toml:6:10: `check` in [stage.s] names no program; {form}"),
    );
    check_defect(
        "check = {stream = \"x\"}",
        &format!("esker.toml:6:9: a check of [stage.s] has neither `file` nor `run`; {form}"),
    );
    check_defect(
        "check = {fiel = \"x\", run = [\"x\"]}",
        "esker.toml:6:10: unknown key `fiel` in a check of [stage.s]; did you mean `file`?",
    );
    check_defect(
        "check = {file = \"x\", output = \"x/c\"}",
        "esker.toml:6:31: x/c is no output of s; it makes x/a, x/b",
    );
    check_defect(
        "check = {file = \"x\", severity = \"fatal\"}",
        "esker.toml:6:33: `severity` in a check of [stage.s]: \"fatal\" is no severity; write \"error\" or \"warn\"",
    );
    check_defect(
        "rows_drop_max = \"half\"",
        "esker.toml:6:17: `rows_drop_max` in [stage.s]: \"half\" is no share; write for example \"50%\" or \"12.5%\"",
    );
    check_defect(
        "rows_drop_max = \"101%\"",
        "esker.toml:6:17: `rows_drop_max` in [stage.s]: \"101%\" is more than 100%",
    );
}
