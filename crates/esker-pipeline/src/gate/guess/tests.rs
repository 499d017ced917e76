//! What is guessed of tables, and that whatever is guessed lets them pass.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{of_streams, of_table};

fn types(content: &str) -> Vec<String> {
    let schema = of_table(content.as_bytes()).expect("a schema");
    let fields = schema["fields"].as_array().expect("fields");
    let field = |field: &Value| {
        let required = if field["constraints"]["required"] == true { "!" } else { "" };
        format!(
            "{} {}{required}",
            field["name"].as_str().unwrap_or("?"),
            field["type"].as_str().unwrap_or("?")
        )
    };
    fields.iter().map(field).collect()
}

#[test]
fn types_and_what_is_always_there() {
    let table = "id,name,days,share,begin,at,done,code,none\n\
        1,Ann,3,0.5,2027-01-04,2027-01-04T13:30:00,true,007,\n\
        2,,4,1,2027-01-05,2027-01-04T13:31:00,false,12,\n";
    assert_eq!(
        types(table),
        [
            "id integer!",
            "name string",
            "days integer!",
            "share number!",
            "begin date!",
            "at datetime!",
            "done boolean!",
            "code string!",
            "none string",
        ]
    );
    let schema = of_table(table.as_bytes()).expect("a schema");
    assert_eq!((&schema["primaryKey"], &schema["allow"]), (&json!("id"), &Value::Null));
    assert_eq!(types("a;b\nx;1,5\ny;2\n"), ["a string!", "b number!"]);
    let decimal = of_table(b"a;b\nx;1,5\ny;2\n").expect("a schema");
    assert_eq!(decimal["fields"][1]["decimalChar"], ",");
    assert_eq!(of_table(b"a,b\nx,1\nx,1\n").expect("a schema")["primaryKey"], Value::Null);
    let amounts = of_table(b"day,item,amount\n2027-01-04,x,1\n2027-01-05,x,2\n").expect("a schema");
    assert_eq!(amounts["primaryKey"], Value::Null, "amounts that differ name nothing");
    let last = of_table(b"share,ID\n0.5,1\n0.7,2\n").expect("a schema");
    assert_eq!(last["primaryKey"], "ID");
    assert_eq!(types("share,who\n0.5,ann\n0.7,bob\n"), ["share number!", "who string!"]);
    assert_eq!(of_table(b"share,who\n0.5,ann\n0.7,bob\n").expect("a schema")["primaryKey"], "who");
}

#[test]
fn how_it_is_written_is_allowed() {
    let allow = |content: &str| of_table(content.as_bytes()).expect("a schema")["allow"].clone();
    assert_eq!(allow("\u{feff}a,b\r\n1,2\r\n"), json!(["bom", "crlf"]));
    assert_eq!(allow("a,b\n1,\"x\ny\"\n"), json!(["newlines"]));
    assert_eq!(allow("a\tb\n1\n2\tx\n"), json!(["short"]));
}

#[test]
fn what_is_no_table_says_why() {
    for (content, why) in [
        (&b""[..], "empty"),
        (b"a,b\n", "no rows"),
        (b"a,b\n1,2,3\n", "3 cells, the heading has 2"),
        (b"a,a\n1,2\n", "comes twice"),
        (b"a,b\ncaf\xe9,1\n", "not UTF-8"),
    ] {
        let told = of_table(content).expect_err(why);
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a_package_has_the_streams_that_are_tables() {
    let content: &[u8] = b"=====Staff\n\tname\tdays\n\tann\t3\n\
        =====Notes\n\ta\tb\n\t1\t2\t3\n=====Empty\n";
    let (package, notes) = of_streams(content);
    let package = package.expect("a package");
    assert_eq!(package["resources"].as_array().map(Vec::len), Some(1), "{package}");
    assert_eq!(package["resources"][0]["name"], "Staff");
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].starts_with("Notes: "), "{notes:?}");
    assert_eq!(of_streams(b"no stream").0, None);
}

proptest! {
    /// A guess is held against what it is of before it is told; this sees to it that it usually is one.
    #[test]
    fn plain_tables_have_a_schema(rows in proptest::collection::vec(("[a-z0-9 .-]{0,6}", "-?[0-9]{1,4}"), 1..20)) {
        let text: String = rows.iter().map(|(a, b)| format!("{a},{b}\n")).collect();
        let table = format!("a,b\n{text}");
        let schema = of_table(table.as_bytes());
        prop_assert!(schema.is_ok());
    }
}
