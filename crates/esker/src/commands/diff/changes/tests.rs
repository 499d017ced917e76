//! Changes as people read them.

use super::*;

#[track_caller]
fn check(changes: &str, expected: &str, summary: &str) {
    let mut page = Page::default();
    for line in changes.lines() {
        page.add(&serde_json::from_str(line).unwrap());
    }
    let (lines, said) = page.finish();
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    assert_eq!((lines.join("\n"), said), (expected.to_owned(), summary.to_owned()));
}

#[test]
fn tables() {
    check(
        r#"{"op":"table","stream":"work","key":["id"],"columns":["id","name","end"]}
{"op":"column-add","stream":"work","column":"end","at":3}
{"op":"row-remove","stream":"work","key":{"id":"3"},"row":3,"cells":{"id":"3","name":"three"}}
{"op":"row-add","stream":"work","key":{"id":"9"},"row":9,"cells":{"end":"Mon","id":"9","name":"nine"}}
{"op":"cell","stream":"work","key":{"id":"7"},"row":5,"column":"name","old":"","new":"a\nb"}
{"op":"cell","stream":"work","key":{"id":"7"},"row":5,"column":"end","old":null,"new":"Tue"}
{"op":"table","key":[],"columns":["a"],"note":"two rows have one a"}
{"op":"cell","row":2,"column":"a","old":"x","new":"y"}
{"op":"cut","changes":5}"#,
        "work  by id
+ column end
- id=3  name: three
+ id=9  name: nine  end: Mon
~ id=7  name: \"\" → \"a\\nb\"  end: Tue
by the order of rows  (two rows have one a)
~ row 2  a: x → y",
        "3 cells in 2 rows, 1 row added, 1 row removed, 1 column added; there is more than is shown",
    );
}

#[test]
fn paths() {
    check(
        r#"{"op":"replace","path":"","old":1,"new":[1,"a"]}
{"op":"add","path":"/a","new":{"b":null}}
{"op":"remove","path":"/c/0","at":0,"old":"x"}
{"op":"move","path":"/items/id=7","from":0,"to":2}"#,
        "~ the whole: 1 → [1,\"a\"]
+ /a: {\"b\":null}
- /c/0: \"x\"
> /items/id=7  moved 0 → 2",
        "1 value replaced, 1 value added, 1 value removed, 1 element moved",
    );
}
