//! Documents and what is wrong with their text.

use serde_json::json;

use super::*;

fn value(text: &str) -> Value {
    Document::read(text.as_bytes()).unwrap_or_else(|finding| panic!("{finding}")).value
}

#[track_caller]
fn check(content: &[u8], expected: &str) {
    let finding = Document::read(content).map(|document| document.value).unwrap_err();
    assert_eq!(finding.to_string(), expected);
}

#[test]
fn json_and_toml_are_read() {
    assert_eq!(value("{\"a\": [1, 2.5, null, \"x\"]}"), json!({"a": [1, 2.5, null, "x"]}));
    assert_eq!(value("\"just a text\""), json!("just a text"));
    assert_eq!(value("a = 1\n[b]\nc = 2026-01-02\n"), json!({"a": 1, "b": {"c": "2026-01-02"}}));
    assert_eq!(value("[a]\nb = [1]\n"), json!({"a": {"b": [1]}}));
}

#[test]
fn what_is_no_document_is_told_with_its_line() {
    check(b" \n", "line 1: it is empty");
    check(
        b"\xef\xbb\xbf{}",
        "line 1, column 1: it begins with a byte order mark; save it as UTF-8 without one",
    );
    check(
        b"{\"a\":\n \"caf\xe9\"}",
        "line 2, column 6: the byte 0xE9 is not UTF-8; save it as UTF-8",
    );
    check(b"{\"a\": NaN}", "line 1, column 7: NaN is no JSON value");
    check(b"[1, -Infinity]", "line 1, column 6: -Infinity is no JSON value");
    check(b"{\"a\": 1,\n \"a\": 2}", "line 2, column 4: the key \"a\" comes twice");
    check(
        b"{\"a\": \"x\0\"}",
        "line 1, column 9: control character (\\u0000-\\u001F) found while parsing a string",
    );
    check(b"{\"a\": 1", "line 1, column 7: EOF while parsing an object");
    check(b"{} {}", "line 1, column 4: trailing characters");
    check(
        b"a = 1\nb = \n",
        "line 2, column 5: string values must be quoted, expected literal string",
    );
    check(b"a = nan\n", "NaN is no number that can be checked");
    check("[".repeat(200).as_bytes(), "line 1, column 128: recursion limit exceeded");
}

#[test]
fn what_is_one_enormous_line_is_told_at_once() {
    let mut content = b"[".to_vec();
    content.extend(std::iter::repeat_n(b"1,".as_slice(), 8 << 20).flatten());
    check(&content, "line 1, column 7999999: more than 4000000 values; check it with a program");
}

#[test]
fn values_are_found_by_their_pointers() {
    let text = "{\n \"a\": [1,\n  {\"b/c\": \"]\\\"\"},\n 3],\n \"d\": {}}\n";
    let document = Document::read(text.as_bytes()).unwrap();
    let pointers = ["/a/1/b~1c", "", "/d", "/nowhere", "/a/2"].map(str::to_owned);
    assert_eq!(document.lines(&pointers), [Some(3), Some(1), Some(5), None, Some(4)]);
    let text = "a = 1\n[b]\nc = [1,\n 2]\n";
    let document = Document::read(text.as_bytes()).unwrap();
    let pointers = ["/b/c/1", "/a", "/b"].map(str::to_owned);
    assert_eq!(document.lines(&pointers), [Some(4), Some(1), Some(2)]);
}

#[test]
fn elements_are_counted_of_arrays_alone() {
    assert_eq!(elements(b" [1, [2, 3], {}]"), Some(3));
    assert_eq!(elements(b"{\"a\": []}"), None);
    assert_eq!(elements(b"[stage.a]\nb = 1"), None);
}

proptest::proptest! {
    /// Whatever comes, it is read or told, and no line is told that there is not.
    #[test]
    fn no_content_is_too_odd(content in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        if let Err(finding) = Document::read(&content) {
            let lines = content.iter().filter(|byte| **byte == b'\n').count() + 1;
            proptest::prop_assert!(finding.line.is_none_or(|line| (1..=lines).contains(&line)));
        }
    }
}
