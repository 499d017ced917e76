//! Lines in; streams, a bookmark, or what is wrong, out.

use super::*;

const SCHEMA: &str = r#"{"type":"SCHEMA","stream":"s","schema":{},"key_properties":["id"]}"#;

fn wrong(lines: &[&str]) -> String {
    let wrong = read(lines.join("\n").as_bytes()).unwrap_err();
    format!("{}: {}", wrong.line, wrong.what)
}

fn kept(said: &Said, stream: &str) -> Vec<String> {
    let deed = |deed: &Deed| match deed {
        Deed::Keep { row, .. } => row.line.clone(),
        Deed::Remove(_) => "removed".to_owned(),
        Deed::Activate(version) => format!("version {version}"),
    };
    said.streams[stream].deeds.iter().map(deed).collect()
}

#[test]
fn records_follow_their_schema_and_the_last_state_counts() {
    let lines = [
        SCHEMA,
        r#"{"type":"STATE","value":{"at": 1}}"#,
        "",
        r#"{"type": "RECORD", "stream": "s", "record": {"name": "\u00e9", "id": 2, "price": 1.10, "big": 12345678901234567890123}}"#,
        r#"{"type":"RECORD","stream":"s","record":{"id":3,"_sdc_deleted_at":"2027-01-04"}}"#,
        r#"{"type":"ACTIVATE_VERSION","stream":"s","version":7}"#,
        r#"{"type":"STATE","value":{"b":[2, {"y":1,"x":null}],"a":2}}"#,
    ];
    let said = read(lines.join("\r\n").as_bytes()).unwrap();
    assert_eq!(said.bookmark.as_deref(), Some(r#"{"a":2,"b":[2,{"x":null,"y":1}]}"#));
    assert_eq!(said.streams["s"].keys, ["id"]);
    assert_eq!(
        kept(&said, "s"),
        [
            r#"{"big":12345678901234567890123,"id":2,"name":"é","price":1.10}"#,
            "removed",
            "version 7"
        ]
    );
}

#[test]
fn what_is_no_message_is_told_with_its_line() {
    assert_eq!(wrong(&[SCHEMA, "Connecting …"]), "2: no JSON: Connecting …");
    assert_eq!(wrong(&["[]"]), "1: no message: []");
    assert_eq!(
        wrong(&[r#"{"type":"RECORD","stream":"s","record":{"x":NaN}}"#][..]).get(..11),
        Some("1: no JSON:")
    );
    assert_eq!(
        wrong(&[r#"{"type":"RECORD","stream":"s","record":{}}"#]),
        "1: a RECORD of s before its SCHEMA"
    );
    assert_eq!(
        wrong(&[SCHEMA, r#"{"type":"RECORD","stream":"s","record":{"x":1}}"#]),
        "2: a record of s lacks its key `id`"
    );
    assert_eq!(
        wrong(&[SCHEMA, r#"{"type":"RECORD","stream":"s","record":[1]}"#]),
        "2: a record that is no object"
    );
    assert_eq!(
        wrong(&[SCHEMA, r#"{"type":"RECORD","stream":"s"}"#]),
        "2: a RECORD without `record`"
    );
    assert_eq!(
        wrong(&[r#"{"type":"BATCH","stream":"s"}"#]),
        "1: a BATCH, which names files elsewhere"
    );
    assert_eq!(
        wrong(&[r#"{"type":"LOG"}"#]),
        "1: a message of the type \"LOG\", which is not known"
    );
    let deep = format!("{{\"type\":\"STATE\",\"value\":{}1{}}}", "[".repeat(110), "]".repeat(110));
    assert_eq!(wrong(&[&deep]), "1: JSON that is more than 100 deep");
}

#[test]
fn keys_are_ordered_as_people_order_them() {
    let key = |json: &str| Row::read(json, &["k".to_owned()]).unwrap().key;
    let ordered = [
        "{\"k\":2}",
        "{\"k\":10}",
        "{\"k\":10.5}",
        "{\"k\":\"10\"}",
        "{\"k\":\"2\"}",
        "{\"k\":null}",
    ];
    assert!(ordered.map(key).is_sorted());
}

#[test]
fn a_schema_that_comes_again_may_have_more_columns_but_no_other_key() {
    let record = r#"{"type":"RECORD","stream":"s","record":{"id":1}}"#;
    let more = SCHEMA.replace("\"schema\":{}", "\"schema\":{\"properties\":{\"x\":{}}}");
    assert!(read([SCHEMA, record, &more, record].join("\n").as_bytes()).is_ok());
    let other = SCHEMA.replace("\"id\"", "\"x\"");
    assert_eq!(
        wrong(&[SCHEMA, record, &other]),
        "3: the key of s changes from [\"id\"] to [\"x\"]"
    );
}
