//! Which cells are accepted, and what is said of the others.

use super::*;

fn cell(text: &str) -> Cell {
    Cell {
        sheet: "Work",
        row: 14,
        column: Some((4, "Estimate")),
        text: text.to_owned(),
        broken: false,
    }
}

/// What a reader makes of a text, or what it says.
fn judged<T>(text: &str, read: impl Fn(&Cell, &mut Verdict) -> T) -> Result<T, String> {
    let mut verdict = Verdict::default();
    let value = read(&cell(text), &mut verdict);
    match verdict.passed() {
        Ok(_) => Ok(value),
        Err(error) => Err(error.to_string()),
    }
}

/// All texts are refused with a message that has the place and the given part.
fn refused<T: std::fmt::Debug>(
    cases: &[(&str, &str)],
    read: impl Fn(&Cell, &mut Verdict) -> T + Copy,
) {
    for (text, message) in cases {
        let error = judged(text, read).expect_err(text);
        assert!(error.contains("sheet Work, row 14, column D (Estimate): "), "{error}");
        assert!(error.contains(message), "{text:?}: {error}");
    }
}

#[test]
fn dates() {
    let expected = Day::new(2027, 1, 4);
    for text in [
        "2027-01-04",
        "2027-01-04T00:00:00",
        "2027-01-04 09:30",
        "2027-01-04T09:30:00.000Z",
        "2027-01-04T09:30:00+01:00",
        "Jan 4, 2027",
        "jan  04, 2027",
    ] {
        assert_eq!(judged(text, date), Ok(expected), "{text}");
    }
    refused(
        &[
            ("", "the cell is empty; write a date like 2027-01-04"),
            ("46391", "\"46391\" is a number and not a date"),
            ("2027-13-01", "is not a date"),
            ("2027-02-29", "is not a date"),
            ("2027-1-4", "is not a date"),
            ("04.01.2027", "is not a date"),
            ("2027-01-04T25:00", "is not a date"),
            ("2027-01-04x", "is not a date"),
            ("2027-01-04T", "is not a date"),
            ("soon", "\"soon\" is not a date; write it like 2027-01-04"),
        ],
        date,
    );
}

#[test]
fn lists_of_days() {
    let shown = |text: &str| {
        let days = judged(text, days).expect(text);
        days.iter().map(|day| format!("{day:#}")).collect::<Vec<String>>().join(" ")
    };
    assert_eq!(shown(""), "");
    assert_eq!(shown("2027-02-01"), "Feb 1, 2027");
    assert_eq!(shown("2027-02-02, 2027-02-01; 2027-02-02"), "Feb 1, 2027 Feb 2, 2027");
    assert_eq!(shown("2027-02-27 .. 2027-03-01"), "Feb 27, 2027 Feb 28, 2027 Mar 1, 2027");
    assert_eq!(
        shown("Jan 4, 2027; Jan 6, 2027..Jan 7, 2027"),
        "Jan 4, 2027 Jan 6, 2027 Jan 7, 2027"
    );
    assert_eq!(shown("2027-02-01T00:00:00\n2027-02-03,"), "Feb 1, 2027 Feb 3, 2027");
    refused(
        &[
            ("2027-02-01..", "is neither a date nor a range"),
            ("2027-02-01, never", "\"never\" is neither a date nor a range"),
            ("2027-02-05..2027-02-01", "ends before it starts"),
            ("2027-02-05..2029-02-01", "is longer than 366 days"),
        ],
        days,
    );
}

#[test]
fn every_bad_part_of_a_list_is_told() {
    let error = judged("2027-02-01, x, y", days).expect_err("two bad parts");
    assert!(error.contains("\"x\"") && error.contains("\"y\""), "{error}");
}

#[test]
fn estimates() {
    let cases: [(&str, &[(&str, f64)]); 6] = [
        ("", &[]),
        ("Server:3", &[("Server", 3.0)]),
        ("Server:3, Web:1.5", &[("Server", 3.0), ("Web", 1.5)]),
        (" Server : .5 ;; Test  design:2. ", &[("Server", 0.5), ("Test design", 2.0)]),
        ("Web:0\nServer:1", &[("Web", 0.0), ("Server", 1.0)]),
        ("A:00.50", &[("A", 0.5)]),
    ];
    for (text, expected) in cases {
        let found = judged(text, estimate).expect(text);
        let found: Vec<(&str, f64)> =
            found.iter().map(|(skill, weeks)| (skill.as_str(), *weeks)).collect();
        assert_eq!(found, expected, "{text:?}");
    }
    refused(
        &[
            ("Server:x", "\"Server:x\" is not SKILL:NUMBER"),
            ("Server", "\"Server\" is not SKILL:NUMBER"),
            ("Server:", "is not SKILL:NUMBER"),
            (":3", "is not SKILL:NUMBER"),
            ("Server:-1", "is not SKILL:NUMBER"),
            ("Server:1e3", "is not SKILL:NUMBER"),
            ("Server:inf", "is not SKILL:NUMBER"),
            ("Server:1.2.3", "is not SKILL:NUMBER"),
            ("Server:1,5", "\"5\" is not SKILL:NUMBER"),
            ("Server:3w", "is not SKILL:NUMBER"),
            ("Server:1,Server:2", "the skill \"Server\" comes twice; add them up"),
            ("Server:1000000", "is more than 100000 weeks"),
        ],
        estimate,
    );
}

#[test]
fn ranks_and_triages() {
    for (text, expected) in [("14", 14), ("-3", -3), ("14.0", 14), ("0", 0)] {
        assert_eq!(judged(text, rank), Ok(Some(expected)));
    }
    refused(
        &[
            ("", "the cell is empty; every item needs a rank"),
            ("1.5", "\"1.5\" is not a whole number"),
            ("first", "is not a whole number"),
            ("99999999999999999999", "is not a whole number"),
        ],
        rank,
    );
    for (text, expected) in [("", "3"), ("1", "1"), ("1.5", "1.5"), ("2.0", "2"), ("3", "3")] {
        assert_eq!(judged(text, triage), Ok(expected));
    }
    refused(
        &[
            ("4", "\"4\" is no triage; use one of 1, 1.5, 2, 2.5, 3"),
            ("P1", "is no triage"),
            ("1.2", "is no triage"),
        ],
        triage,
    );
}

#[test]
fn names_and_skills() {
    assert_eq!(judged("a\n b\tc", |cell, _| words(cell)), Ok("a b c".to_owned()));
    refused(&[("", "the cell is empty; every item needs one")], |cell, verdict| {
        name(cell, "item", verdict)
    });
    assert_eq!(judged("", skill), Ok(String::new()));
    refused(
        &[("Server, Web", "\"Server, Web\" is not one skill"), ("Server:1", "is not one skill")],
        skill,
    );
    let expected = ["Design", "Server", "Web"].map(str::to_owned).to_vec();
    assert_eq!(judged("Design, Server;Web", skills), Ok(expected.clone()));
    assert_eq!(judged("Design:Server:\nWeb", skills), Ok(expected));
    refused(
        &[("", "the cell is empty; name the skills"), ("A, B, A", "the skill \"A\" comes twice")],
        skills,
    );
}
