//! JSON: what is told of which change, and that it is enough to make the newer document from the older.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn lines_of(old: &Value, new: &Value) -> Vec<Value> {
    let (old, new) = (old.to_string(), new.to_string());
    let body = compare(old.as_bytes(), new.as_bytes(), soon()).unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn check(old: &Value, new: &Value, expected: &[Value]) {
    assert_eq!(lines_of(old, new), expected);
    assert_eq!(apply(old, new), *new);
}

#[test]
fn objects_by_name_and_values_whole() {
    let old = json!({ "a": 1, "b": { "c/d": [1, 2, 3], "~": null }, "gone": {} });
    let new = json!({ "a": 1.5, "b": { "c/d": [1, 5], "~": null }, "new": "x" });
    check(
        &old,
        &new,
        &[
            json!({ "op": "remove", "path": "/gone", "old": {} }),
            json!({ "op": "replace", "path": "/a", "old": 1, "new": 1.5 }),
            json!({ "op": "remove", "path": "/b/c~1d/2", "at": 2, "old": 3 }),
            json!({ "op": "replace", "path": "/b/c~1d/1", "old": 2, "new": 5 }),
            json!({ "op": "add", "path": "/new", "new": "x" }),
        ],
    );
    check(
        &json!([1]),
        &json!({}),
        &[json!({ "op": "replace", "path": "", "old": [1], "new": {} })],
    );
    check(&new, &new, &[]);
}

#[test]
fn elements_by_the_name_they_all_have() {
    let old = json!({ "items": [{ "id": 6 }, { "id": 7, "end": "Mon" }, { "id": 8 }] });
    let new = json!({ "items": [{ "id": 8 }, { "id": 7, "end": "Tue" }, { "id": "9/x" }] });
    check(
        &old,
        &new,
        &[
            json!({ "op": "remove", "path": "/items/id=6", "at": 0, "old": { "id": 6 } }),
            json!({ "op": "add", "path": "/items/id=9~1x", "at": 2, "new": { "id": "9/x" } }),
            json!({ "op": "move", "path": "/items/id=8", "from": 2, "to": 0 }),
            json!({ "op": "replace", "path": "/items/id=7/end", "old": "Mon", "new": "Tue" }),
        ],
    );
    let twice = json!([{ "id": 1 }, { "id": 1, "a": 2 }]);
    let by_place = lines_of(&twice, &json!([{ "id": 1 }, { "id": 1, "a": 3 }]));
    assert_eq!(by_place[0]["path"], "/1/a");
}

#[test]
fn what_is_refused() {
    let refuse = |content: &[u8]| compare(b"{}", content, soon()).unwrap_err();
    assert!(matches!(refuse(b"{"), Stop::Unreadable(why) if why.contains("line 1")));
    assert!(matches!(refuse(&b"[".repeat(1_000)), Stop::Unreadable(_)), "too deep");
    assert!(matches!(refuse(&b"{".repeat(1_000_000)), Stop::TooLarge(_)));
    assert!(looks_like(b" {\"a\": [1]}") && !looks_like(b"{a}") && !looks_like(b"7"));
}

/// The element of an array that a step of a path means.
fn place(array: &[Value], step: &str) -> usize {
    let named = step.split_once('=').and_then(|(field, name)| {
        let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
        array.iter().position(|one| one.get(field).is_some_and(|value| text(value) == name))
    });
    named.unwrap_or_else(|| step.parse().unwrap())
}

fn find<'a>(document: &'a mut Value, steps: &[String]) -> &'a mut Value {
    steps.iter().fold(document, |value, step| match value {
        Value::Object(map) => map.get_mut(step).unwrap(),
        Value::Array(array) => {
            let place = place(array, step);
            &mut array[place]
        }
        _ => panic!("no step {step} in {value}"),
    })
}

fn split(path: &str) -> Vec<String> {
    path.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// Removes, adds and moves elements of one array: all that goes is taken out before anything is put in.
fn rearrange(array: &mut Vec<Value>, changes: &[Value]) {
    let at = |line: &Value, name: &str| usize::try_from(line[name].as_u64().unwrap()).unwrap();
    let (mut out, mut put) = (Vec::new(), Vec::new());
    for line in changes {
        match line["op"].as_str().unwrap() {
            "remove" => out.push(at(line, "at")),
            "add" => put.push((at(line, "at"), line["new"].clone())),
            _ => {
                out.push(at(line, "from"));
                put.push((at(line, "to"), array[at(line, "from")].clone()));
            }
        }
    }
    out.sort_unstable();
    out.into_iter().rev().for_each(|place| drop(array.remove(place)));
    put.sort_by_key(|(place, _)| *place);
    put.into_iter().for_each(|(place, value)| array.insert(place, value));
}

fn apply(old: &Value, new: &Value) -> Value {
    let mut document = old.clone();
    let lines = lines_of(old, new);
    let mut arrays: Vec<(Vec<String>, Vec<Value>)> = Vec::new();
    for line in &lines {
        let mut steps = split(line["path"].as_str().unwrap());
        if line.get("at").is_some() || line["op"] == "move" {
            steps.pop();
            match arrays.iter_mut().find(|(path, _)| *path == steps) {
                Some((_, changes)) => changes.push(line.clone()),
                None => arrays.push((steps, vec![line.clone()])),
            }
        }
    }
    for (path, changes) in &arrays {
        let array = find(&mut document, path).as_array_mut().unwrap();
        rearrange(array, changes);
    }
    for line in &lines {
        let mut steps = split(line["path"].as_str().unwrap());
        if line["op"] == "replace" {
            *find(&mut document, &steps) = line["new"].clone();
        } else if line.get("at").is_none() && line["op"] != "move" {
            let name = steps.pop().unwrap();
            let map = find(&mut document, &steps).as_object_mut().unwrap();
            match line.get("new") {
                Some(new) => drop(map.insert(name, new.clone())),
                None => drop(map.remove(&name)),
            }
        }
    }
    document
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..5_i64).prop_map(Value::from),
        "[a-b/~]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let field = prop_oneof!["id", "key", "[a-c/~=]{1,2}"];
        let map = proptest::collection::hash_map(field, inner.clone(), 0..4);
        let map = map.prop_map(|map| Value::Object(map.into_iter().collect()));
        let named = proptest::collection::vec((0..6_i64, map.clone()), 0..4).prop_map(|items| {
            let item = |(id, mut item): (i64, Value)| {
                item["id"] = id.into();
                item
            };
            Value::Array(items.into_iter().map(item).collect())
        });
        prop_oneof![proptest::collection::vec(inner, 0..4).prop_map(Value::Array), map, named]
    })
}

proptest! {
    #[test]
    fn changes_make_the_newer_document(old in any_json(), new in any_json()) {
        prop_assert_eq!(apply(&old, &new), new.clone());
        prop_assert_eq!(lines_of(&new, &new), Vec::<Value>::new());
    }
}
