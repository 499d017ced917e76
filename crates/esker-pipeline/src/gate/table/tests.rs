//! Tables against their schemas: every fault with its stream, line, row, column, value and rule.

use serde_json::{Value, json};

use super::*;
use crate::gate::schema;

fn found_with(schema: &Value, content: &[u8], resources: &[(&str, &str)]) -> Vec<String> {
    let tables = schema::read(schema).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let resources = resources.iter();
    let resources =
        resources.map(|(name, text)| (name.parse().unwrap(), Bytes::from((*text).to_owned())));
    let findings = judge(&tables, &Part::whole(content), &resources.collect());
    assert_eq!(findings.shown.len() as u64, findings.count.min(100));
    findings.shown.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check(schema: &Value, content: impl AsRef<[u8]>, expected: &[&str]) {
    assert_eq!(found_with(schema, content.as_ref(), &[]), expected);
}

/// A schema of two columns.
fn staff() -> Value {
    json!({
        "fields": [
            {"name": "name", "constraints": {"required": true}},
            {"name": "days", "type": "integer", "constraints": {"minimum": 0, "maximum": 31}},
        ],
        "primaryKey": "name",
    })
}

/// The same that lets more through.
fn staff_with(key: &str, value: Value) -> Value {
    let mut schema = staff();
    schema[key] = value;
    schema
}

#[test]
fn a_good_table_passes() {
    check(&staff(), "name,days\nann,3\nbob,\n", &[]);
    check(&staff(), "name\tdays\nann\t3\n", &[]);
    check(&staff(), "name;days\nann;3\n", &[]);
    check(&staff(), "=====Staff\n\tname\tdays\n\tann\t3\n", &[]);
}

#[test]
fn bad_cells_are_found() {
    check(
        &staff(),
        "name,days\nann,x\nbob,32\nbob,-1\n,5\n",
        &[
            "line 2, row 2, column days: \"x\" is not an integer (type)",
            "line 3, row 3, column days: \"32\" is more than 31 (maximum)",
            "line 4, row 4, column days: \"-1\" is less than 0 (minimum)",
            "line 4, row 4, column name: \"bob\" is in row 3 already (primaryKey)",
            "line 5, row 5, column name: there is no value (required)",
        ],
    );
    check(
        &staff(),
        "name,days\nann,NaN\n",
        &["line 2, row 2, column days: \"NaN\" is not an integer (type)"],
    );
}

#[test]
fn wrong_columns_are_found() {
    check(
        &staff(),
        "name,dyas\nann,3\n",
        &[
            "line 1, row 1: the column \"days\" is missing; did you mean `dyas`?",
            "line 1, row 1, column dyas: the column is not in the schema (fieldsMatch)",
        ],
    );
    check(
        &staff(),
        "days,name\n3,ann\n",
        &[
            "line 1, row 1: the columns are not in the schema's order, name, days; \"fieldsMatch\": \"equal\" allows any",
        ],
    );
    check(&staff_with("fieldsMatch", json!("equal")), "days,name\n3,ann\n", &[]);
    check(&staff_with("fieldsMatch", json!(["subset"])), "name,more,days\nann,1,3\n", &[]);
    check(&staff_with("fieldsMatch", json!("superset")), "name\nann\n", &[]);
    check(
        &staff_with("fieldsMatch", json!("partial")),
        "x,y\n1,2\n",
        &[
            "line 1, row 1: the column \"name\" is missing; known: x, y",
            "line 1, row 1: the column \"days\" is missing; known: x, y",
        ],
    );
    check(
        &staff(),
        "name,days,name\nann,3,x\n",
        &[
            "line 1, row 1, column name: the column comes twice",
            "line 1, row 1, column name: the column is not in the schema (fieldsMatch)",
        ],
    );
    check(
        &staff(),
        "name,days\nann\nbob,1,2\n",
        &["line 2, row 2: 1 cells, the heading has 2", "line 3, row 3: 3 cells, the heading has 2"],
    );
}

#[test]
fn bad_text_is_found_and_may_be_allowed() {
    let bom = "\u{feff}name,days\nann,3\n";
    check(
        &staff(),
        bom,
        &[
            "line 1, row 1: it begins with a byte order mark; save it as UTF-8 without one, or write \"allow\": [\"bom\"] in the schema",
        ],
    );
    check(&staff_with("allow", json!(["bom"])), bom, &[]);
    let crlf = "name,days\r\nann,3\r\nbob,\r\n";
    check(
        &staff(),
        crlf,
        &[
            "line 1, row 1: the line ends in a carriage return (CRLF); end lines with a line feed alone, or write \"allow\": [\"crlf\"] in the schema",
        ],
    );
    check(&staff_with("allow", json!(["crlf"])), crlf, &[]);
    let newlines = "name,days\n\"a\nb\",3\nbob,x\n";
    check(
        &staff(),
        newlines,
        &[
            "line 2, row 2, column name: \"a\\nb\" goes over several lines; is a quote not closed? If it is right, write \"allow\": [\"newlines\"] in the schema",
            "line 4, row 3, column days: \"x\" is not an integer (type)",
        ],
    );
    check(&staff_with("allow", json!(["newlines"])), "name,days\n\"a\nb\",3\n", &[]);
    check(
        &staff(),
        b"name,days\ncaf\xe9,3\n",
        &[
            "line 2, row 2, column name: \"caf\u{fffd}\" is not UTF-8: it holds the byte 0xE9; save it as UTF-8",
        ],
    );
    check(
        &staff(),
        "name,days\na\0b,3\n",
        &["line 2, row 2, column name: \"a\\0b\" holds a NUL character"],
    );
    check(&staff(), "", &["line 1: it is empty: it has no heading"]);
}

#[test]
fn streams_are_checked_by_name_with_the_lines_of_the_whole() {
    let package = json!({"resources": [
        {"name": "Staff", "schema": staff()},
        {"name": "Work", "schema": {
            "fields": ["who"],
            "foreignKeys": [
                {"fields": "who", "reference": {"resource": "Staff", "fields": "name"}},
            ],
        }},
    ]});
    let content =
        "=====Params\n\tx\n=====Staff\n\tname\tdays\n\tann\tx\n=====Work\n\twho\n\tann\n\tbob\n";
    check(
        &package,
        content,
        &[
            "stream Staff, line 5, row 2, column days: \"x\" is not an integer (type)",
            "stream Work, line 9, row 3, column who: \"bob\" is not in stream Staff, column name (foreignKeys)",
        ],
    );
    check(
        &package,
        "=====Staff\n\tname\tdays\n",
        &["there is no stream \"Work\"; there are: Staff"],
    );
    check(
        &package,
        "name,days\n",
        &["line 1: expected a stacked stream, which begins with =====NAME, found \"name,days\""],
    );
    check(
        &staff(),
        "=====A\n=====B\n",
        &["it has 2 streams: A, B; name one with `stream`, or describe them in a Data Package"],
    );
    check(
        &staff(),
        "=====A\nno tab\n",
        &["not a stacked stream: line 2: content must start with a tab, found \"no tab\""],
    );
    let part = Part::stream(content.as_bytes(), "Wrok").unwrap_err();
    assert_eq!(part.to_string(), "there is no stream \"Wrok\"; there are: Params, Staff, Work");
}

#[test]
fn foreign_keys_look_into_other_resources() {
    let key = |resource: &str| {
        let reference = json!({"resource": resource, "fields": ["id"]});
        json!([{"fields": ["name"], "reference": reference}])
    };
    let schema = staff_with("foreignKeys", key("raw/people"));
    let found = |schema: &Value, resources: &[(&str, &str)]| {
        found_with(schema, b"name,days\nann,3\nbob,4\n", resources)
    };
    let none: [&str; 0] = [];
    assert_eq!(found(&schema, &[("raw/people", "id,x\nbob,1\nann,2\n")]), none);
    assert_eq!(
        found(&schema, &[("raw/people", "id\nann\n")]),
        ["line 3, row 3, column name: \"bob\" is not in raw/people, column id (foreignKeys)"]
    );
    assert_eq!(
        found(&schema, &[("raw/people", "x\nann\n")]),
        ["cannot look id up in raw/people: it has no column \"id\" (foreignKeys)"]
    );
    assert_eq!(found(&schema, &[]), ["raw/people, which it refers to, is not there (foreignKeys)"]);
    let schema = staff_with("foreignKeys", key("raw/plan:Staff"));
    let plan = "=====Work\n\tx\n=====Staff\n\tid\n\tann\n\tbob\n";
    assert_eq!(found(&schema, &[("raw/plan", plan)]), none);
    let itself = json!([{"fields": "boss", "reference": {"fields": "name"}}]);
    let schema = json!({"fields": ["name", "boss"], "foreignKeys": itself});
    check(
        &schema,
        "name,boss\nann,\nbob,ann\ncid,dan\n",
        &["line 4, row 4, column boss: \"dan\" is not in the table, column name (foreignKeys)"],
    );
}

#[test]
fn keys_of_several_columns_are_one() {
    let schema = json!({"fields": ["a", "b"], "primaryKey": ["a", "b"]});
    check(
        &schema,
        "a,b\n1,23\n12,3\n1,23\n1,\n",
        &[
            "line 4, row 4: \"1, 23\" is in row 2 already (primaryKey)",
            "line 5, row 5, column b: there is no value (primaryKey)",
        ],
    );
}

#[test]
fn many_faults_are_counted_in_little_memory() {
    let mut content = "name,days\n".to_owned();
    (0..10_000).for_each(|n| content += &format!("n{n},x\n"));
    let tables = schema::read(&staff()).unwrap();
    let findings = judge(&tables, &Part::whole(content.as_bytes()), &BTreeMap::new());
    assert_eq!((findings.count, findings.shown.len()), (10_000, 100));
}

proptest::proptest! {
    /// Whatever comes is judged: no content makes it stumble.
    #[test]
    fn no_content_is_too_odd(content in proptest::collection::vec(
        proptest::sample::select(b"=====A\n\t,\"\r\0\xe9ab1;".to_vec()), 0..120,
    )) {
        let tables = schema::read(&staff_with("allow", json!(["crlf", "newlines"]))).unwrap();
        let findings = judge(&tables, &Part::whole(&content), &BTreeMap::new());
        // A stream of nothing lacks its heading in the line after the last.
        let lines = content.iter().filter(|byte| **byte == b'\n').count() + 2;
        for finding in findings.shown {
            proptest::prop_assert!(finding.line.is_none_or(|line| (1..=lines).contains(&line)));
        }
    }
}
