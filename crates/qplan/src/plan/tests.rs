//! What is read, doubted and refused in the plan's streams.

use super::*;

/// A small plan with one stream's content replaced.
fn input(stream: &str, content: &str) -> String {
    let mut text = String::new();
    let usual = [
        (PARAMS, "\tJan 6, 2025\tJan 17, 2025\tServer"),
        (HOLIDAYS, "\tJan 8, 2025"),
        (STAFF, "\t1\tBackend 1\tTeam\tCore\tServer\t"),
        (WORK, "\tA1\t1\tFirst\tServer:1\t1\tCore"),
    ];
    for (name, content_usual) in usual {
        let content = if name == stream { content } else { content_usual };
        text.push_str(&format!("====={name}\n{content}\n"));
    }
    text
}

fn read_plan(text: &str, strict: bool) -> (Result<Plan<'_>, String>, Vec<String>) {
    let mut warnings = Warnings::default();
    let mut reading = Reading { strict, warnings: &mut warnings };
    let plan = read(text.as_bytes(), &mut reading).map_err(|error| error.to_string());
    (plan, warnings.into_vec())
}

fn refused(stream: &str, content: &str, message: &str) {
    let text = input(stream, content);
    let error = read_plan(&text, false).0.expect_err(content);
    assert!(error.starts_with(&format!("stream {stream:?}")), "{error}");
    assert!(error.contains(message), "{error}");
}

/// Doubtful content is a warning, and an error in the strict reading.
fn doubted(stream: &str, content: &str, message: &str) {
    let text = input(stream, content);
    let (plan, warnings) = read_plan(&text, false);
    assert!(plan.is_ok(), "{content}");
    assert!(warnings.iter().any(|warning| warning.contains(message)), "{warnings:?}");
    let error = read_plan(&text, true).0.expect_err(content);
    assert!(error.contains(message), "{error}");
}

#[test]
fn fields_that_are_wrong_are_named() {
    refused(PARAMS, "\tJan 6, 2025", "line 1, field 2 (end): the field is missing");
    refused(PARAMS, "\tnow\tJan 6, 2025\t", "field 1 (start): \"now\" is not a date");
    refused(PARAMS, "\tJan 6, 1825\tJan 6, 2025\tA", "at most 36525 are planned");
    refused(STAFF, "\t1\tB\tT\tC\tS\tJan 7, 2025:", "field 6 (vacation): \"\" is not a date");
    refused(WORK, "\tA\tx\tN\t\t1\tC", "field 2 (rank): \"x\" is not a whole number");
    refused(WORK, "\tA\t1\tN\t\tS\tC", "field 5 (triage): \"S\" is not a number");
    refused(WORK, "\tA\t1\tN\t\t1", "field 6 (track): the field is missing");
    refused(WORK, "\t\n\n", "line 2: the line is blank");
    refused(
        WORK,
        "\tA\t1\tN\tServer:1e50\t1\tC",
        "field 4 (estimate): the effort of skill \"Server\" is infinite",
    );
    refused(
        WORK,
        "\tA\t1\tN\tServer:1\t1\tC\n\tA\t1\tN\tWeb: \t1\tC",
        "line 2, field 4 (estimate)",
    );
    let many = format!("\tJan 6, 2025\tJan 17, 2025\t{}", ":".repeat(1_000));
    refused(PARAMS, &many, "1001 skills are too many");
}

#[test]
fn what_the_original_let_pass_is_doubted() {
    doubted(PARAMS, "\tJan 6, 25\tJan 17, 25\tServer", "is in antiquity");
    doubted(PARAMS, "\tJan 6, 2025\tJan 5, 2025\tServer", "is before the start");
    doubted(PARAMS, "\tJan 6, 2025\tJan 9, 2025\tA:B:A", "the skill \"A\" comes twice");
    doubted(HOLIDAYS, "xJan 7, 2025", "line 1: the line does not begin with a tab");
    doubted(HOLIDAYS, "=====qplan holidays v1", "comes twice");
    doubted(WORK, "\tA\t1\tN\tServer:2,Server:1\t1\tC", "the skill \"Server\" comes twice");
    doubted(WORK, "\tA\t1\tN\tServer:NaN\t1\tC", "estimate");
}

#[test]
fn the_strict_reading_trims_skills_and_refuses_no_efforts() {
    let text = input(WORK, "\tA\t1\tN\t Web :1, ,Server : 2\t1\tC");
    let (plan, warnings) = read_plan(&text, false);
    let skills = |plan: &Plan<'_>| {
        let efforts = plan.work[0].efforts();
        efforts.map(|effort| effort.skill.to_owned()).collect::<Vec<String>>()
    };
    assert!(plan.is_err(), "a blank part is no part: {warnings:?}");
    let plan = read_plan(&text, true).0.expect("a plan");
    assert_eq!(skills(&plan), ["Server", "Web"]);

    let text = input(WORK, "\tA\t1\tN\t Web:1,Web:2\t1\tC");
    let (plan, warnings) = read_plan(&text, false);
    assert_eq!(skills(&plan.expect("a plan")), [" Web", "Web"]);
    assert!(warnings[0].contains("blanks around"), "{warnings:?}");

    for weeks in ["-1", "Infinity", "NaN"] {
        let text = input(WORK, &format!("\tA\t1\tN\tServer:{weeks}\t1\tC"));
        let error = read_plan(&text, true).0.expect_err("no effort");
        assert!(error.contains("is not an effort"), "{error}");
    }
}

#[test]
fn triages_are_rounded_up() {
    let cases = [
        ("", 4),
        ("1", 0),
        ("0", 0),
        ("-4", 0),
        ("1.2", 1),
        ("1.5", 1),
        ("2", 2),
        ("2.1", 3),
        ("2.5", 3),
        ("2.6", 4),
        ("3", 4),
        ("9e2", 4),
        ("NaN", 4),
        ("(2)", 2),
    ];
    for (text, expected) in cases {
        let text = input(WORK, &format!("\tA\t1\tN\t\t{text}\tC"));
        let plan = read_plan(&text, false).0.expect("a plan");
        assert_eq!(plan.work[0].triage, expected, "{text}");
    }
}

#[test]
fn estimates_are_sorted_with_empty_parts_last() {
    let text = input(WORK, "\tA\t1\tN\t,Web:2,Server:3,Server:NaN,Server:-1\t1\tC");
    let plan = read_plan(&text, false).0.expect("a plan");
    let parts: Vec<String> = plan.work[0]
        .estimate
        .iter()
        .map(|part| part.map_or(String::new(), |part| format!("{}{}", part.skill, part.weeks)))
        .collect();
    assert_eq!(parts, ["Server-1", "Server3", "ServerNaN", "Web2", ""]);
    assert_eq!(plan.work[0].effort("Server"), Some(-1.0));
    assert_eq!(plan.work[0].efforts().count(), 2);
}

#[test]
fn only_an_empty_field_is_no_estimate() {
    for (text, expected) in [("", true), (",", false), ("Server:0", false)] {
        let text = input(WORK, &format!("\tA\t1\tN\t{text}\t1\tC"));
        let plan = read_plan(&text, false).0.expect("a plan");
        assert_eq!(plan.work[0].is_unestimated(), expected, "{text}");
    }
}

#[test]
fn streams_that_are_not_looked_at_may_be_anything() {
    let text = format!("=====other\n\nx\n{}", input(WORK, ""));
    let text = text.replace("=====qplan work v1\n\n", "=====qplan work v1\n");
    assert!(read_plan(&text, true).0.is_ok());
}
