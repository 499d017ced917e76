//! Edits and wishes as JSON and back; what is no edit says why.

use super::*;

#[test]
fn edits_are_read_as_they_are_written() {
    let all = [
        json!({ "at": "raw/plan:Params[End].Value", "set": "2027-04-09\n" }),
        json!({ "at": "raw/plan:Work[A]", "remove": true }),
        json!({ "at": "raw/plan:Work", "add": { "Id": "N", "Rank": "3" }, "to": "after A" }),
        json!({ "at": "raw/plan:Work[A]", "move": "first" }),
        json!({ "at": "raw/plan:Work[A].Rank", "rank": 3 }),
    ];
    let read = edits(&all).expect("they are edits");
    let written: Vec<Value> = read.into_iter().map(|edit| noted(&(edit, None))).collect();
    assert_eq!(written, all);
}

#[test]
fn what_an_edit_found_is_told_whole() {
    let edit = edits(&[json!({ "at": "raw/plan:Work[A].Team", "set": "x" })]).expect("an edit");
    let long = "y".repeat(5_000);
    let told = noted(&(edit[0].clone(), Some(Before::Text(long.clone()))));
    assert_eq!(told["found"], long);
}

#[test]
fn what_is_no_edit_says_why() {
    for (value, expected) in [
        (json!([]), "it is no object"),
        (json!({ "set": "x" }), "no address"),
        (json!({ "at": "raw", "set": "x" }), "edit 1"),
        (json!({ "at": "raw/a:b" }), "one of set"),
        (json!({ "at": "raw/a:b", "set": 3 }), "cannot read \"set\""),
        (json!({ "at": "raw/a:b", "set": "x", "remove": true }), "one of set"),
        (json!({ "at": "raw/a:b", "add": { "c": 1 } }), "is no text"),
        (json!({ "at": "raw/a:b[c]", "move": "up" }), "no place"),
    ] {
        let fault = edits(std::slice::from_ref(&value)).expect_err("it is none");
        assert!(fault.message.contains(expected), "{value}: {fault}");
    }
}

#[test]
fn a_wish_is_read_as_it_is_written() {
    let onto = "0123456789012345678901234567890123456789";
    for value in [
        json!({ "number": 3, "what": "apply", "onto": null, "by": "a <a>", "why": "w", "settle": [{ "edit": 2, "side": "mine" }] }),
        json!({ "number": 3, "what": "rebase", "onto": onto, "by": null, "why": null, "settle": [] }),
    ] {
        assert_eq!(asked(&read_ask(&value).expect("a wish")), value);
    }
    for bad in [json!({}), json!({ "what": "rebase" }), json!({ "what": "undo", "settle": [1] })] {
        assert!(read_ask(&bad).is_none(), "{bad}");
    }
}

fn read_ask(value: &Value) -> Option<Ask> {
    let wanted: Wanted = serde_json::from_value(value.clone()).ok()?;
    ask(&wanted, 3).ok()
}
