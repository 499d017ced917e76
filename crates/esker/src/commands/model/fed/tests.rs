//! What lines say.

use std::io::BufReader;

use super::*;
use esker_replica::value::Value;

fn told(line: &str) -> String {
    format!("{:#}", transaction(line.as_bytes()).unwrap_err())
}

#[test]
fn a_line_is_an_operation_or_several() {
    let ops = |line: &str| transaction(line.as_bytes()).unwrap();
    let set = Op::set(path::path(["a", ""]), Value::Null);
    let line = r#"{"op": "set", "path": ["a", ""], "value": null}"#;
    assert_eq!(ops(line), std::slice::from_ref(&set));
    let remove = r#"{"op": "remove", "path": ["b"], "value": null}"#;
    assert_eq!(ops(&format!("[{line}, {remove}]")), [set, Op::delete(path::path(["b"]))]);
    let clear = Op { path: path::path(["c"]), act: Act::Clear };
    let dict = Op { path: path::path(["d"]), act: Act::Dict };
    let below = Op::set(path::path(["c", "e"]), 1_i64);
    let whole =
        r#"[{"op": "set", "path": ["c"], "value": {"e": 1}}, {"op": "dict", "path": ["d"]}]"#;
    assert_eq!(ops(whole), [clear.clone(), below, dict]);
    assert_eq!(ops(r#"{"op": "clear", "path": ["c"]}"#), [clear]);
    assert_eq!(ops("[]"), []);
}

#[test]
fn numbers_stay_what_they_are_or_are_refused() {
    let value = |number: &str| {
        let line = format!(r#"{{"op": "set", "path": ["a"], "value": {number}}}"#);
        transaction(line.as_bytes()).map(|ops| ops[0].act.clone())
    };
    let set = |number: &str, wanted: Value| {
        assert_eq!(value(number).unwrap(), Act::Set(wanted), "{number}");
    };
    set("9007199254740993", Value::from((1_i64 << 53) + 1));
    set("18446744073709551615", Value::from(u64::MAX));
    set("-9223372036854775808", Value::from(i64::MIN));
    set("-0.0", Value::from(-0.0));
    set("1.0", Value::from(1.0));
    assert_ne!(Value::from(-0.0), Value::from(0.0));
    for number in ["1e400", "NaN", "Infinity", "01"] {
        let error = format!("{:#}", value(number).unwrap_err());
        assert!(error.starts_with("not JSON"), "{number}: {error}");
    }
}

#[test]
fn what_is_no_operation_says_why() {
    assert!(told("{").starts_with("not JSON"));
    assert!(told("").starts_with("not JSON"));
    assert_eq!(told("1"), "no path: that is an array of texts");
    assert_eq!(
        told(r#"{"op": "set", "path": "a", "value": 1}"#),
        "no path: that is an array of texts"
    );
    assert_eq!(told(r#"{"op": "set", "path": [1], "value": 1}"#), "a path is a list of texts");
    assert_eq!(told(r#"[{"op": "set", "path": ["a"]}]"#), "a set without a value");
    assert_eq!(told(r#"{"op": "move", "path": ["a"]}"#), "an op is set, remove, dict or clear");
    assert_eq!(told(r#"{"state": "live"}"#), "no path: that is an array of texts");
}

#[test]
fn lines_are_counted_and_bounded() {
    let mut lines = &b"[]\n\n \nno\n"[..];
    let mut number = 0;
    assert_eq!(next(&mut lines, &mut number, 99).unwrap(), Some(Vec::new()));
    let error = next(&mut lines, &mut number, 99).unwrap_err();
    assert!(format!("{error:#}").starts_with("line 4: not JSON"), "{error:#}");
    assert_eq!(next(&mut lines, &mut number, 99).unwrap(), None);
    let endless = std::io::repeat(b' ');
    let error = next(&mut BufReader::new(endless), &mut 0, 99).unwrap_err();
    assert!(format!("{error:#}").starts_with("line 1 has 99 bytes or more"), "{error:#}");
}
