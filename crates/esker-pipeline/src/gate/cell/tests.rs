//! Types and constraints of single cells.

use serde_json::{Value, json};

use crate::gate::schema::{self, Tables};

/// What is wrong with a cell of a field described so.
fn fault(field: &Value, cell: &str) -> Option<String> {
    let mut field = field.clone();
    field["name"] = json!("x");
    let tables = schema::read(&json!({"fields": [field]})).unwrap_or_else(|w| panic!("{w:?}"));
    let Tables::One(schema) = tables else {
        panic!("it is one table");
    };
    super::fault(&schema.fields[0].kind, &schema.fields[0].constraints, cell)
}

#[track_caller]
fn check_kind(field: &Value, good: &[&str], bad: &[&str]) {
    for cell in good {
        assert_eq!(fault(field, cell), None, "{field}");
    }
    for cell in bad {
        let fault = fault(field, cell).unwrap_or_else(|| panic!("{field} takes {cell:?}"));
        assert!(fault.ends_with("(type)"), "{fault}");
    }
}

#[test]
fn each_type_takes_its_own_values() {
    check_kind(&json!({"type": "any"}), &["", "x"], &[]);
    check_kind(&json!({"type": "string"}), &["x"], &[]);
    check_kind(&json!({"format": "email"}), &["a@b.c"], &["a", "a@b", "a@b@c.d", "a b@c.d"]);
    check_kind(&json!({"format": "uri"}), &["http://x", "urn:a"], &["x", "1a:b", ":b", "a: b"]);
    let uuid = "123e4567-e89b-12d3-a456-426614174000";
    check_kind(
        &json!({"format": "uuid"}),
        &[uuid],
        &["123e4567", "123e4567-e89b-12d3-a456-42661417400g"],
    );
    check_kind(
        &json!({"type": "integer"}),
        &["0", "-5", "+7", "00012"],
        &["1.0", "", "1e3", " 1", "NaN", "--1", "1 000"],
    );
    check_kind(&json!({"type": "integer", "groupChar": ","}), &["1,000"], &["1.000"]);
    check_kind(&json!({"type": "integer", "bareNumber": false}), &["€ 95", "95%"], &["€"]);
    check_kind(
        &json!({"type": "number"}),
        &["0", "-5.5", "1e-3", ".5"],
        &["NaN", "nan", "INF", "-inf", "1,5", "", "e", "1e999"],
    );
    check_kind(
        &json!({"type": "number", "decimalChar": ",", "groupChar": "."}),
        &["1.000,5"],
        &["x"],
    );
    check_kind(&json!({"type": "boolean"}), &["true", "FALSE", "1"], &["yes", "tRUE"]);
    check_kind(
        &json!({"type": "boolean", "trueValues": ["ja"], "falseValues": ["nein"]}),
        &["ja", "nein"],
        &["true"],
    );
    check_kind(
        &json!({"type": "date"}),
        &["2026-02-28"],
        &["2026-02-30", "28.02.2026", "2026-02-28T00:00", "20260228"],
    );
    check_kind(
        &json!({"type": "date", "format": "%d/%m/%Y"}),
        &["28/02/2026"],
        &["2026-02-28", "31/02/2026"],
    );
    check_kind(&json!({"type": "time"}), &["12:30:00"], &["25:00:00", "noon"]);
    check_kind(
        &json!({"type": "datetime"}),
        &["2026-02-28T12:00:00Z", "2026-02-28T12:00:00"],
        &["2026-02-28", "12:00"],
    );
    check_kind(&json!({"type": "year"}), &["2026", "-44"], &["MMXXVI", "20.5"]);
    check_kind(&json!({"type": "yearmonth"}), &["2026-02"], &["2026-13", "2026", "2026-2"]);
    check_kind(&json!({"type": "object"}), &["{}"], &["[]", "x"]);
    check_kind(&json!({"type": "array"}), &["[1]"], &["{}", "x"]);
}

#[track_caller]
fn check(constraints: &Value, kind: &str, good: &[&str], bad: &[(&str, &str)]) {
    let field = json!({"type": kind, "constraints": constraints});
    for cell in good {
        assert_eq!(fault(&field, cell), None, "{field}");
    }
    for (cell, expected) in bad {
        assert_eq!(fault(&field, cell).as_deref(), Some(*expected), "{field}");
    }
}

#[test]
fn each_constraint_refuses_what_it_says() {
    check(
        &json!({"minimum": 2, "maximum": "5"}),
        "number",
        &["2", "5.0"],
        &[("1.9", "\"1.9\" is less than 2 (minimum)"), ("5.1", "\"5.1\" is more than 5 (maximum)")],
    );
    check(
        &json!({"exclusiveMinimum": 2, "exclusiveMaximum": 5}),
        "integer",
        &["3", "4"],
        &[
            ("2", "\"2\" is not more than 2 (exclusiveMinimum)"),
            ("5", "\"5\" is not less than 5 (exclusiveMaximum)"),
        ],
    );
    check(
        &json!({"minimum": "2026-01-01"}),
        "date",
        &["2026-01-01"],
        &[("2025-12-31", "\"2025-12-31\" is less than 2026-01-01 (minimum)")],
    );
    check(
        &json!({"maximum": "2026-06"}),
        "yearmonth",
        &["2026-06", "2025-12"],
        &[("2026-07", "\"2026-07\" is more than 2026-06 (maximum)")],
    );
    check(
        &json!({"minLength": 2, "maxLength": 3}),
        "string",
        &["äö", "abc"],
        &[
            ("ä", "\"ä\" is shorter than 2 (minLength)"),
            ("abcd", "\"abcd\" is longer than 3 (maxLength)"),
        ],
    );
    check(
        &json!({"pattern": "a|b+"}),
        "string",
        &["a", "bb"],
        &[("ab", "\"ab\" does not match \"a|b+\" (pattern)")],
    );
    check(
        &json!({"enum": [1, "2"]}),
        "integer",
        &["1", "2", "02"],
        &[("3", "\"3\" is none of \"1\", \"2\" (enum)")],
    );
}
