//! Which changes have to do with a key.

use serde_json::{Value, json};

use super::{concerns, with_tables};

#[test]
fn what_concerns_a_key() {
    let key = ["TASK-17"];
    for yes in [
        json!({ "op": "cell", "key": { "id": "TASK-17" }, "column": "end" }),
        json!({ "op": "row-add", "row": 3, "cells": { "id": "x", "after": "TASK-17" } }),
        json!({ "op": "replace", "path": "/items/id=TASK-17/end" }),
        json!({ "op": "add", "path": "/TASK-17" }),
        json!({ "op": "line-add", "text": "begin TASK-17 at noon" }),
    ] {
        assert!(concerns(&yes, &key), "{yes}");
    }
    for no in [
        json!({ "op": "cell", "key": { "id": "TASK-1" }, "column": "TASK-17" }),
        json!({ "op": "row-remove", "row": 3, "cells": { "id": "TASK-170" } }),
        json!({ "op": "replace", "path": "/items/id=TASK-1" }),
        json!({ "op": "table", "key": ["id"], "columns": ["TASK-17"] }),
    ] {
        assert!(!concerns(&no, &key), "{no}");
    }
    assert!(!concerns(&json!({ "op": "replace", "path": "/a" }), &[]));
}

#[test]
fn changes_stand_below_the_line_that_says_how_they_are_meant() {
    let all: Vec<Value> = ["table", "cell", "table", "row-add", "cell"]
        .iter()
        .enumerate()
        .map(|(at, op)| json!({ "op": op, "at": at }))
        .collect();
    let places = |told: &[usize]| -> Vec<u64> {
        let told: Vec<&Value> = told.iter().map(|at| &all[*at]).collect();
        let with = with_tables(&all, &told);
        with.iter().map(|change| change["at"].as_u64().expect("a place")).collect()
    };
    assert_eq!(places(&[4]), [2, 4]);
    assert_eq!(places(&[1, 3]), [0, 1, 2, 3]);
    assert_eq!(places(&[0, 1, 2, 3, 4]), [0, 1, 2, 3, 4]);
    assert_eq!(places(&[]), [] as [u64; 0]);
}
