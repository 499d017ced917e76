//! The fewest operations that make one tree of another.

use serde_json::{Value as Json, json};

use crate::json;
use crate::model::Model;
use crate::path::path;

fn check(old: &Json, new: &Json, most: usize) {
    let mut model = Model::default();
    let (mut ops, mut at) = (Vec::new(), path(["m"]));
    json::tree(old).set(&mut at, &mut ops);
    model.take(&ops, 1);
    ops.clear();
    json::tree(new).change(model.get(&at), &mut at, &mut ops);
    model.take(&ops, 2);
    assert_eq!(json::of_node(model.get(&at).unwrap()), *new);
    assert!(ops.len() <= most, "{ops:?}");
    assert_eq!(at, path(["m"]));
}

#[test]
fn only_what_differs_is_changed() {
    let old = json!({ "a": { "x": 1, "y": 2 }, "b": [1], "c": {} });
    check(&old, &old, 0);
    check(&old, &json!({ "a": { "x": 1, "y": 3 }, "b": [1], "c": {} }), 1);
    check(&old, &json!({ "a": { "x": 1 }, "b": [1, 2], "c": {} }), 2);
    check(&old, &json!({ "a": 1, "c": { "d": { "e": null } } }), 5);
    check(&json!(1), &json!({}), 1);
    check(&json!({}), &json!(1.0), 1);
}
