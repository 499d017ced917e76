//! What is wrong with schemas, and where.

use serde_json::json;

use super::*;

#[track_caller]
fn check(schema: &Value, pointer: &str, message: &str) {
    let wrong = read(schema).map(|_| ()).unwrap_err();
    assert_eq!((wrong.pointer.as_str(), wrong.message.as_str()), (pointer, message));
}

fn field(field: &Value) -> Value {
    json!({"fields": [field]})
}

#[test]
fn the_kinds_of_check_files_are_told_apart() {
    assert!(is_tables(&json!({"fields": []})));
    assert!(is_tables(&json!({"resources": []})));
    assert!(!is_tables(&json!({"type": "object", "properties": {"fields": {}}})));
    assert!(!is_tables(&json!([])));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    check(&field(&json!({})), "/fields/0", "a field without a name");
    check(&field(&json!(3)), "/fields/0", "a field must be an object");
    check(&json!({"fields": ["a", "a"]}), "/fields/1", "the field \"a\" comes twice");
    check(
        &field(&json!({"name": "a", "type": "integr"})),
        "/fields/0/type",
        "\"integr\" is no type",
    );
    check(
        &field(&json!({"name": "a", "constraints": {"requird": true}})),
        "/fields/0/constraints/requird",
        "unknown constraint `requird`",
    );
    check(
        &field(&json!({"name": "a", "constraints": {"required": "yes"}})),
        "/fields/0/constraints/required",
        "`required` must be true or false",
    );
    check(
        &field(&json!({"name": "a", "constraints": {"minimum": 3}})),
        "/fields/0/constraints/minimum",
        "`minimum` means nothing for the type string",
    );
    check(
        &field(&json!({"name": "a", "type": "date", "constraints": {"maximum": "soon"}})),
        "/fields/0/constraints/maximum",
        "`maximum`: \"soon\" is not of the type date",
    );
    check(
        &field(&json!({"name": "a", "type": "integer", "constraints": {"maxLength": 3}})),
        "/fields/0/constraints/maxLength",
        "`maxLength` means nothing for the type integer",
    );
    check(
        &field(&json!({"name": "a", "type": "date", "format": "DD/MM"})),
        "/fields/0/format",
        "\"DD/MM\" is no pattern",
    );
    check(&json!({"fields": ["a"], "primaryKey": "b"}), "/primaryKey", "there is no field \"b\"");
    check(&json!({"fields": ["a"], "allow": ["all"]}), "/allow", "cannot allow \"all\"");
    check(
        &json!({"fields": ["a"], "fieldsMatch": "most"}),
        "/fieldsMatch",
        "it is no way to match fields",
    );
    check(
        &json!({"fields": ["a"], "foreignKeys": [{"fields": "a", "reference": {"resource": "staff", "fields": "x"}}]}),
        "/foreignKeys/0/reference/resource",
        "\"staff\" is no resource to refer to",
    );
    check(
        &json!({"fields": ["a"], "foreignKeys": [{"fields": "a", "reference": {"fields": ["x", "y"]}}]}),
        "/foreignKeys/0",
        "1 fields refer to 2",
    );
    check(&json!({"resources": [{}]}), "/resources/0", "a resource without a name");
    check(
        &json!({"resources": [{"name": "A", "schema": "a.json"}]}),
        "/resources/0/schema",
        "A has no `schema` object",
    );
    check(
        &json!({"resources": [{"name": "A", "schema": {"fields": [{}]}}]}),
        "/resources/0/schema/fields/0",
        "a field without a name",
    );
}

#[test]
fn a_pattern_that_cannot_be_read_is_told() {
    let schema = field(&json!({"name": "a", "constraints": {"pattern": "("}}));
    let wrong = read(&schema).map(|_| ()).unwrap_err();
    assert_eq!(wrong.pointer, "/fields/0/constraints/pattern");
    assert!(wrong.message.contains("unclosed group"), "{}", wrong.message);
    let huge = field(&json!({"name": "a", "constraints": {"pattern": "(\\w{1000}){1000}"}}));
    assert!(read(&huge).is_err(), "a pattern that fills the memory");
}
