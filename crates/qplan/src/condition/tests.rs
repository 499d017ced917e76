//! From sheets to streams.

use super::*;

/// A small workbook with some texts replaced.
fn workbook(changes: &[(&str, &str)]) -> String {
    let mut text = "=====Params\n\tStart\t2027-01-04\n\tEnd\t2027-03-26\n\tSkills\tServer, Web\n\
        =====Holidays\n\tDate\tName\n\t2027-01-06\tEpiphany\n\
        =====Staff\n\tId\tName\tTeam\tTrack\tSkill\tVacation\n\
        \t1\tBackend 1\tOne\tCore\tServer\t2027-02-01..2027-02-02\n\t2\tFrontend 1\tOne\tCore\tWeb\n\
        =====Work\n\tId\tRank\tName\tEstimate\tTriage\tTrack\tTeam\tValue\tPrereqs\n\
        \tA1\t1\tSign in\tServer:3, Web:1.5\t1\tCore\tOne\t8\n\
        \tA2\t2\tSearch\tWeb:2\t\tCore\tOne\t5\tA1\n"
        .to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    text
}

fn conditioned(changes: &[(&str, &str)]) -> Result<Conditioned, String> {
    condition(workbook(changes).as_bytes()).map_err(|error| error.to_string())
}

fn refused(changes: &[(&str, &str)], message: &str) {
    let error = conditioned(changes).expect_err(message);
    assert!(error.contains(message), "{error}");
}

fn doubted(changes: &[(&str, &str)], message: &str) {
    let warnings = conditioned(changes).expect(message).warnings;
    assert_eq!(warnings, [message]);
}

#[test]
fn sheets_become_streams() {
    let found = conditioned(&[]).expect("a workbook");
    assert_eq!(found.warnings, [""; 0]);
    assert_eq!(
        String::from_utf8(found.output).expect("text"),
        "=====qplan params v1\n\tJan 4, 2027\tMar 26, 2027\tServer:Web\n\
         =====qplan holidays v1\n\tJan 6, 2027\n\
         =====qplan staff v1\n\t1\tBackend 1\tOne\tCore\tServer\tFeb 1, 2027:Feb 2, 2027\n\
         \t2\tFrontend 1\tOne\tCore\tWeb\t\n\
         =====qplan work v1\n\tA1\t1\tSign in\tServer:3,Web:1.5\t1\tCore\tOne\t8\t\n\
         \tA2\t2\tSearch\tWeb:2\t3\tCore\tOne\t5\tA1\n"
    );
}

#[test]
fn the_form_of_the_sheets_does_not_matter() {
    let expected = conditioned(&[]).expect("a workbook").output;
    for changes in [
        &[("=====Params\n", "=====params \n\tName\tValue\n")][..],
        &[("\tStart\t2027-01-04", "\t\n\tSTART\t2027-01-04T00:00:00\ta note")],
        &[("\tDate\tName\n\t2027-01-06\tEpiphany", "\tname\tDATE\n\tx\t2027-01-06\n\t\t")],
        &[("Server:3, Web:1.5", " Web : 1.50 ;Server:3"), ("Server, Web", "Server:Web")],
    ] {
        let found = conditioned(changes).expect("a workbook");
        let sorted = |output: &[u8]| {
            String::from_utf8_lossy(output).replace("Web:1.5,Server:3", "Server:3,Web:1.5")
        };
        assert_eq!(sorted(&found.output), sorted(&expected));
        assert_eq!(found.warnings, [""; 0], "{changes:?}");
    }
}

#[test]
fn columns_that_need_not_be_there_are_empty() {
    let found = conditioned(&[
        ("\tId\tName\tTeam\tTrack\tSkill\tVacation", "\tx\tName\ty\tTrack\tSkill\tz"),
        ("\tId\tRank", "\tx\tRank"),
        ("\tTeam\tValue\tPrereqs\n", "\n"),
    ]);
    let output = String::from_utf8(found.expect("a workbook").output).expect("text");
    assert!(output.contains("\n\t\tBackend 1\t\tCore\tServer\t\n"), "{output}");
    assert!(output.contains("\n\t\t2\tSearch\tWeb:2\t3\tCore\t\t\t\n"), "{output}");
}

#[test]
fn missing_sheets_and_columns_are_told_with_what_there_is() {
    refused(
        &[("=====Staff", "=====People")],
        "sheet Staff: the sheet is missing, the workbook has \"Params\", \"Holidays\", \"People\", \"Work\"",
    );
    refused(
        &[("Estimate", "Estimat")],
        "sheet Work, row 1: the column Estimate is missing, the row has \"Id\", \"Rank\", \"Name\", \"Estimat\"",
    );
    refused(
        &[("\tTeam\tValue", "\tTrack\tValue")],
        "sheet Work, row 1: two columns are named Track",
    );
    refused(
        &[("=====Holidays", "=====work\n=====Holidays")],
        "two sheets have the name: \"work\", \"Work\"",
    );
    refused(
        &[("\tEnd\t", "\tFinish\t")],
        "sheet Params: the row End is missing, column A has \"Start\", \"Finish\"",
    );
    refused(
        &[("\tDate\tName\n\t2027-01-06\tEpiphany\n", "")],
        "sheet Holidays: the sheet is empty",
    );
}

#[test]
fn every_bad_cell_is_told_at_once() {
    let error = conditioned(&[
        ("2027-03-26", "2026-03-26"),
        ("2027-01-06", "Epiphany"),
        ("2027-02-01..2027-02-02", "all of June"),
        ("Server:3, Web:1.5", "Server:x, Web:-1"),
        ("\tA2\t2\tSearch", "\tA2\ttwo\t#REF!"),
    ]);
    let error = error.expect_err("many bad cells");
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines[0], "cannot condition: 7 cells are wrong");
    let places = [
        "sheet Params, row 2, column B (End): \"2026-03-26\" is before the start",
        "sheet Holidays, row 2, column A (Date): \"Epiphany\" is not a date",
        "sheet Staff, row 2, column F (Vacation): \"all of June\" is neither",
        "sheet Work, row 2, column D (Estimate): \"Server:x\" is not SKILL:NUMBER",
        "sheet Work, row 2, column D (Estimate): \"Web:-1\" is not SKILL:NUMBER",
        "sheet Work, row 3, column B (Rank): \"two\" is not a whole number",
        "sheet Work, row 3, column C (Name): \"#REF!\" is a failed formula",
    ];
    for (line, place) in lines[1..].iter().zip(places) {
        assert!(line.trim().starts_with(place), "{line}");
    }
}

#[test]
fn the_period_is_judged() {
    refused(&[("2027-03-26", "2227-03-26")], "a plan has at most 36525 days");
    refused(
        &[("\tEnd\t", "\tStart\t2027-01-04\n\tEnd\t")],
        "row 2, column B (Start): the parameter comes twice",
    );
    refused(
        &[("\tStart\t2027-01-04", "\tStart\t#N/A")],
        "sheet Params, row 1, column B (Start): \"#N/A\"",
    );
}

#[test]
fn what_sheets_disagree_on_is_doubted() {
    doubted(
        &[("Web:2", "web:2")],
        "sheet Work, row 3, column D (Estimate): the skill \"web\" is nobody's, did you mean \"Web\"?",
    );
    doubted(
        &[("Server, Web", "Server, Web, Ops")],
        "sheet Params, row 3, column B (Skills): the skill \"Ops\" is nobody's, people have \"Server\", \"Web\"",
    );
    doubted(
        &[("Server, Web", "Server")],
        "sheet Work, row 2, column D (Estimate): the skill \"Web\" is not among the scheduled ones, so its work takes no time",
    );
    doubted(
        &[("\tA2\t2\t", "\tA2\t1\t")],
        "sheet Work, row 3, column B (Rank): the rank 1 is in row 2 of track \"Core\" too",
    );
    doubted(&[("\tA2\t", "\tA1\t")], "sheet Work, row 3, column A (Id): \"A1\" is in row 2 too");
    doubted(
        &[("\tA1\n", "\tA1; A9\n")],
        "sheet Work, row 3, column I (Prereqs): \"A9\" is the id of no item",
    );
    doubted(
        &[("Web:2", "")],
        "sheet Work, row 3, column D (Estimate): there is no estimate, so the item has no end",
    );
    doubted(
        &[("Frontend 1", "Backend 1")],
        "sheet Staff, row 3, column B (Name): \"Backend 1\" is in row 2 too",
    );
    doubted(
        &[("\tCore\tWeb", "\tApps\tWeb")],
        "sheet Staff, row 3, column D (Track): no work is in the track \"Apps\"",
    );
    doubted(
        &[("\tCore\tOne\t5", "\tApps\tOne\t5")],
        "sheet Work, row 3, column F (Track): nobody is in the track \"Apps\"",
    );
    doubted(
        &[("\tCore\tWeb\n", "\tCore\tWeb\n\t3\tTrainee 1\tOne\tCore\n")],
        "sheet Staff, row 4, column E (Skill): the person has no skill and does no work",
    );
}

#[test]
fn what_is_ignored_is_told() {
    doubted(
        &[("=====Work", "=====Notes\n\tx\n=====Work")],
        "sheet Notes: the sheet is no part of a plan and is ignored",
    );
    doubted(
        &[("\tSkills\t", "\tBudget\t5\n\tSkills\t")],
        "sheet Params, row 3: the parameter \"Budget\" is unknown and ignored",
    );
    doubted(
        &[("Epiphany\n", "Epiphany\n\t2027-01-06\n")],
        "sheet Holidays, row 3, column A (Date): \"2027-01-06\" comes twice",
    );
}

#[test]
fn what_is_no_workbook_is_told() {
    let message = |input: &[u8]| condition(input).expect_err("no workbook").to_string();
    assert!(message(b"").contains("sheet Params: the sheet is missing, the workbook has nothing"));
    assert!(message(b"x").starts_with("cannot condition: line 1 of the input: expected a header"));
    assert!(message(&[0xff]).contains("not UTF-8"));
}

#[test]
fn bad_cells_are_counted_beyond_a_limit() {
    let mut text = workbook(&[]);
    for _ in 0..10_005 {
        text.push_str("\tA\tx\tN\t\t\tCore\n");
    }
    let error = condition(text.as_bytes()).expect_err("many bad cells");
    assert!(error.is_data_error());
    let Error::Cells(cells) = error else {
        panic!("cells are wrong");
    };
    assert_eq!(cells.len(), 10_001);
    assert_eq!(cells[10_000].problem, "5 more cells are wrong from here on");
}
