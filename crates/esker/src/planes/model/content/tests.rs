//! Contents as trees, and how many operations a change of them takes.

use esker_replica::json::of_node;
use esker_replica::model::Model;
use esker_replica::path::path;
use serde_json::json;

use super::*;

/// What a model has of a content, and how many operations make the second of the first.
fn check(content_type: Option<&str>, old: &str, new: &str) -> (Json, usize) {
    let mut model = Model::default();
    let (mut ops, mut at) = (Vec::new(), path(["c"]));
    tree(content_type, old.as_bytes()).set(&mut at, &mut ops);
    model.take(&ops, 1);
    let before = of_node(model.get(&at).unwrap());
    ops.clear();
    tree(content_type, new.as_bytes()).change(model.get(&at), &mut at, &mut ops);
    model.take(&ops, 2);
    assert_eq!(model.recompute(), model.digest());
    (before, ops.len())
}

#[test]
fn a_cell_of_a_table_is_one_change() {
    let old = "id,name,n\n1,ann,5\n2,bob,6\n";
    let (told, changes) = check(Some("text/csv"), old, "id,name,n\n1,ann,5\n2,bob,7\n");
    let table = json!({
        "columns": ["id", "name", "n"], "key": ["id"], "order": ["1", "2"],
        "rows": { "1": { "id": "1", "name": "ann", "n": "5" }, "2": { "id": "2", "name": "bob", "n": "6" } }
    });
    assert_eq!(told, json!({ "kind": "table", "order": [""], "tables": { "": table } }));
    assert_eq!(changes, 1);
    let (_, moved) = check(Some("text/csv"), old, "id,name,n\n2,bob,6\n1,ann,5\n");
    assert_eq!(moved, 1, "only the order");
}

#[test]
fn a_field_of_an_item_is_one_change() {
    let old = r#"{"items": [{"id": 7, "a": [1]}, {"id": 9, "a": 2}], "n": [1, {"x": 1}]}"#;
    let new = r#"{"items": [{"id": 7, "a": [1]}, {"id": 9, "a": 3}], "n": [1, {"x": 1}]}"#;
    let (told, changes) = check(None, old, new);
    let items =
        json!({ "[]": ["id", "7", "9"], "7": { "id": 7, "a": [1] }, "9": { "id": 9, "a": 2 } });
    assert_eq!(told, json!({ "kind": "json", "value": { "items": items, "n": [1, { "x": 1 }] } }));
    assert_eq!(changes, 1);
}

#[test]
fn streams_are_tables_of_their_own() {
    let old = "=====work\n\tid\tend\n\ta\t1\n\tb\t2\n=====staff\n\tx\ty\n";
    let (told, changes) = check(None, old, &old.replace("\tb\t2", "\tb\t3"));
    assert_eq!(told["order"], json!(["work", "staff"]));
    assert_eq!(told["tables"]["work"]["rows"]["b"]["end"], "2");
    assert_eq!(changes, 1);
}

#[test]
fn rows_without_a_key_go_by_their_number() {
    let (told, _) = check(Some("text/csv"), "a,b\n1,x\n1,x\n", "");
    let table = &told["tables"][""];
    assert_eq!((&table["key"], &table["order"]), (&json!([]), &json!(["1", "2"])));
}

#[test]
fn what_cannot_be_told_says_why() {
    for (kind, content) in
        [(Some("application/json"), "{"), (Some("application/toml"), "="), (None, "hello")]
    {
        let (told, _) = check(kind, content, content);
        assert_eq!(told["kind"], "none", "{content}");
        assert!(told["why"].as_str().is_some_and(|why| !why.is_empty()));
    }
}

#[test]
fn toml_is_nested() {
    let (told, changes) = check(Some("application/toml"), "[a]\nb = 1\n", "[a]\nb = 2\n");
    assert_eq!(told, json!({ "kind": "toml", "value": { "a": { "b": 1 } } }));
    assert_eq!(changes, 1);
}
