//! A stream as it was and lines of a tap in; the stream as it is out.

use super::super::super::singer;
use super::*;

/// A stream with these keys, and these records as `VERSION JSON` or `-JSON` for one that is gone; a bare number
/// activates a version.
fn stream(keys: &str, deeds: &[&str]) -> Stream {
    let mut lines = format!(
        "{{\"type\":\"SCHEMA\",\"stream\":\"s\",\"key_properties\":[{keys}],\"schema\":{{}}}}\n"
    );
    for deed in deeds {
        lines += &match deed.split_once('{') {
            None => {
                format!("{{\"type\":\"ACTIVATE_VERSION\",\"stream\":\"s\",\"version\":{deed}}}\n")
            }
            Some(("", rest)) => {
                format!("{{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":{{{rest}}}\n")
            }
            Some(("-", rest)) => format!(
                "{{\"type\":\"RECORD\",\"stream\":\"s\",\"record\":{{\"_sdc_deleted_at\":1,{rest}}}\n"
            ),
            Some((version, rest)) => format!(
                "{{\"type\":\"RECORD\",\"stream\":\"s\",\"version\":{version},\"record\":{{{rest}}}\n"
            ),
        };
    }
    let mut said = singer::read(lines.as_bytes()).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    said.streams.remove("s").unwrap()
}

fn merged(stream: &Stream, before: &str, known: &Known, replace: bool) -> (String, Known) {
    merge(stream, Some(before.as_bytes()), &How { known: Some(known), replace }).unwrap()
}

#[test]
fn records_replace_those_of_their_keys_and_stand_in_their_order() {
    let stream = stream("\"id\"", &["{\"id\":10,\"x\":1}", "{\"x\":2,\"id\":9}", "-{\"id\":1}"]);
    let before = "{\"id\":1}\n{\"id\":2}\n{\"id\":10,\"x\":0}\n";
    let (text, known) = merged(&stream, before, &Known::default(), false);
    assert_eq!(text, "{\"id\":2}\n{\"id\":9,\"x\":2}\n{\"id\":10,\"x\":1}\n");
    assert_eq!(known.keys, ["id"]);
    // The same again changes nothing.
    assert_eq!(merged(&stream, &text, &known, false).0, text);
}

#[test]
fn without_keys_a_record_is_there_once() {
    let stream = stream("", &["{\"b\":1}", "{\"a\":1}", "{\"b\":1}"]);
    let (text, known) = merged(&stream, "{\"a\":1}\n{\"c\":1}\n", &Known::default(), false);
    assert_eq!(text, "{\"a\":1}\n{\"b\":1}\n{\"c\":1}\n");
    assert_eq!(merged(&stream, &text, &known, false).0, text);
}

#[test]
fn a_stream_that_comes_whole_is_what_came() {
    let keyed = stream("\"id\"", &["{\"id\":3}", "{\"id\":2}"]);
    assert_eq!(
        merged(&keyed, "{\"id\":1}\n", &Known::default(), true).0,
        "{\"id\":2}\n{\"id\":3}\n"
    );
    let bare = stream("", &["{\"b\":1}", "{\"a\":1}", "{\"b\":1}"]);
    let (text, _) = merged(&bare, "{\"c\":1}\n", &Known::default(), true);
    assert_eq!(text, "{\"b\":1}\n{\"a\":1}\n{\"b\":1}\n");
}

#[test]
fn a_new_version_takes_the_place_of_the_one_before() {
    let first = stream("\"id\"", &["1{\"id\":1}", "1{\"id\":2}", "1"]);
    let (text, known) = merged(&first, "", &Known::default(), false);
    assert_eq!(
        (text.as_str(), known.version, known.next),
        ("{\"id\":1}\n{\"id\":2}\n", Some(1), None)
    );
    // The same version again, as log-based taps say it: nothing goes.
    let more = stream("\"id\"", &["1{\"id\":3}", "1"]);
    let (text, known) = merged(&more, &text, &known, false);
    assert_eq!(text, "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    let second = stream("\"id\"", &["2{\"id\":2}", "2"]);
    let (text, known) = merged(&second, &text, &known, false);
    assert_eq!((text.as_str(), known.version), ("{\"id\":2}\n", Some(2)));
}

#[test]
fn a_version_begun_in_one_run_and_ended_in_the_next_loses_nothing() {
    let known = Known { version: Some(1), ..Known::default() };
    let begun = stream("\"id\"", &["2{\"id\":2}"]);
    let (text, known) = merged(&begun, "{\"id\":1}\n", &known, false);
    assert_eq!((known.version, known.next), (Some(1), Some(2)));
    let ended = stream("\"id\"", &["2{\"id\":3}", "2"]);
    let (text, known) = merged(&ended, &text, &known, false);
    assert!(text.contains("\"id\":2") && text.contains("\"id\":3"), "{text}");
    assert_eq!((known.version, known.next), (Some(2), None));
}

#[test]
fn what_is_no_stream_is_not_taken_for_one() {
    let stream = stream("\"id\"", &[]);
    let how = How { known: None, replace: false };
    let why = merge(&stream, Some(b"{\"id\":1}\nid,name\n"), &how).unwrap_err();
    assert!(why.starts_with("line 2 is "), "{why}");
}
