//! Check files: what they are, what is wrong with them, what they find.

use super::*;

fn rules(text: &str) -> Rules {
    Rules::read(text).unwrap_or_else(|(why, _)| panic!("{why}"))
}

fn found(rules: &Rules, content: &str, stream: Option<&str>) -> Vec<String> {
    let findings = rules.judge((content.as_bytes(), stream), &BTreeMap::new());
    findings.shown.iter().map(ToString::to_string).collect()
}

#[track_caller]
fn check_unusable(text: &str, expected: &str) {
    let (why, _) = Rules::read(text).map(|_| ()).unwrap_err();
    assert!(why.starts_with(expected), "{why}");
}

const ITEMS: &str = r#"{
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "items": {"type": "array", "items": {"required": ["n"], "properties": {"n": {"type": "integer"}}}},
        "day": {"type": "string", "format": "date"}
    }
}"#;

#[test]
fn documents_are_held_against_json_schemas() {
    let rules = rules(ITEMS);
    let none: [&str; 0] = [];
    assert_eq!(found(&rules, "{\"items\": [{\"n\": 1}], \"day\": \"2026-01-01\"}", None), none);
    assert_eq!(
        found(&rules, "{\n\"items\": [\n{\"n\": \"q\"},\n{}],\n\"day\": \"x\"}", None),
        [
            "line 5, /day: \"x\" is not a \"date\" (format)",
            "line 3, /items/0/n: \"q\" is not of type \"integer\" (type)",
            "line 4, /items/1: \"n\" is a required property (required)",
        ]
    );
    assert_eq!(
        found(&rules, "[[items]]\nn = 1\n[[items]]\nn = 0.5\n", None),
        ["line 4, /items/1/n: 0.5 is not of type \"integer\" (type)"]
    );
    assert_eq!(found(&rules, "[]", None), ["line 1, /: [] is not of type \"object\" (type)"]);
    assert_eq!(
        found(&rules, "=====a\n\tx\n=====b\n\t{\"items\":\n\t 3}\n", Some("b")),
        ["stream b, line 5, /items: 3 is not of type \"array\" (type)"]
    );
    assert_eq!(
        found(&rules, "=====a\n\t{\"items\":\n\tNaN}\n", Some("a")),
        ["stream a, line 3, column 1: NaN is no JSON value"]
    );
}

#[test]
fn a_large_value_is_not_printed() {
    let rules = rules(r#"{"maxItems": 3}"#);
    let content = format!("[{}0]", "0,".repeat(100_000));
    let found = found(&rules, &content, None);
    assert!(found[0].len() < 700, "{} bytes", found[0].len());
}

#[test]
fn what_is_wrong_with_a_check_file_is_told_with_its_line() {
    check_unusable("", "it is no JSON: ");
    check_unusable("[]", "it is no schema");
    check_unusable(
        "{\"a\": 1,\n\"a\": 2}",
        "it is no JSON: line 2, column 3: the key \"a\" comes twice",
    );
    check_unusable("{\n\"properties\": {\n\"a\": {\"type\": \"integr\"}}}", "line 3: ");
    check_unusable(
        "{\"fields\": [\n{\"name\": \"a\",\n \"type\": \"integr\"}]}",
        "line 3: \"integr\" is no type",
    );
    check_unusable("{\"$ref\": \"http://127.0.0.1:1/x.json\"}", "");
    check_unusable("{\"$ref\": \"file:///etc/passwd\"}", "");
}

#[test]
fn what_foreign_keys_refer_to_is_known_beforehand() {
    let rules = rules(
        r#"{"fields": ["a"], "foreignKeys": [
            {"fields": "a", "reference": {"resource": "raw/x:S", "fields": "b"}},
            {"fields": "a", "reference": {"resource": "raw/y", "fields": "b"}},
            {"fields": "a", "reference": {"fields": "a"}}]}"#,
    );
    let names: Vec<String> = rules.references().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["raw/x", "raw/y"]);
}
