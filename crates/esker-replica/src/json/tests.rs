//! JSON to models and back.

use serde_json::json;

use super::*;
use crate::model::Model;
use crate::path::path;

fn model(json: &Json) -> Model {
    let mut ops = Vec::new();
    tree(json).set(&mut path(["m"]), &mut ops);
    let mut model = Model::default();
    model.take(&ops, 1);
    model
}

#[test]
fn json_comes_back_as_it_was() {
    let json = json!({
        "a": null, "b": [1, -1, 1.5, {"z": [], "a": {}}], "c": {"": {"/": "\u{0}"}, "e": {}},
        "large": u64::MAX, "exact": 9_007_199_254_740_993_u64, "float": 1.0
    });
    let model = model(&json);
    assert_eq!(of_node(model.get(&path(["m"])).unwrap()), json);
    assert_eq!(model.recompute(), model.digest());
}

#[test]
fn what_was_there_before_is_gone() {
    let mut both = model(&json!({ "old": 1, "same": { "x": 1 } }));
    let mut ops = Vec::new();
    tree(&json!({ "same": { "y": 2 } })).set(&mut path(["m"]), &mut ops);
    both.take(&ops, 2);
    assert_eq!(both, model(&json!({ "same": { "y": 2 } })));
}

#[test]
fn one_and_one_point_zero_are_two() {
    assert_ne!(model(&json!(1)), model(&json!(1.0)));
    assert_ne!(model(&json!([{"a": 1}])), model(&json!([{"a": 2}])));
    assert_ne!(model(&json!({})), model(&json!([])));
}
