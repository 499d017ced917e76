//! The grammar of stacked streams, byte for byte.

use proptest::prelude::*;

use super::{Malformed, parse, write};

/// Parses and shows each stream as `name: line|line`.
fn check(document: &[u8], expected: &[&str]) {
    let streams = parse(document).expect("the document follows the grammar");
    let shown: Vec<String> = streams
        .iter()
        .map(|s| {
            let lines: Vec<_> = s.lines.iter().map(|l| String::from_utf8_lossy(l)).collect();
            format!("{}: {}", String::from_utf8_lossy(s.name), lines.join("|"))
        })
        .collect();
    assert_eq!(shown, expected, "{:?}", String::from_utf8_lossy(document));
}

#[test]
fn reads_streams_in_order() {
    check(b"", &[]);
    check(b"=====a\n", &["a: "]);
    check(b"=====a", &["a: "]);
    check(b"=====a\n\tx\n\ty\n=====b\n\tz\n", &["a: x|y", "b: z"]);
    check(b"=====a\n\tx", &["a: x"]);
    check(b"======six\n\tx\n", &["=six: x"]);
}

#[test]
fn keeps_every_byte_of_a_line() {
    check(b"=====a b \n\t trailing \t\n\t\n\tcr\r\n", &["a b :  trailing \t||cr\r"]);
    let streams = parse(b"=====a\n\t\xff\xfe\n").expect("any bytes");
    assert_eq!(streams[0].lines, [b"\xff\xfe"]);
}

#[test]
fn a_content_may_be_a_stacked_stream() {
    let document = b"=====outer\n\t=====inner\n\t\tdeep\n\t=====next\n";
    let streams = parse(document).expect("nested");
    let content = streams[0].content();
    assert_eq!(content, b"=====inner\n\tdeep\n=====next\n");
    check(&content, &["inner: deep", "next: "]);
}

#[test]
fn names_the_line_that_breaks_the_grammar() {
    let cases: [(&[u8], &str); 6] = [
        (b"x", "line 1: expected a header `=====NAME`, found \"x\""),
        (b"\n", "line 1: expected a header `=====NAME`, found \"\""),
        (b"=====\n", "line 1: the header has no name after `=====`"),
        (b"=====a\n\tx\ny\n", "line 3: content must start with a tab, found \"y\""),
        (b"=====a\n\n\tx\n", "line 2: content must start with a tab, found \"\""),
        (b"=====a\n====b\n", "line 2: content must start with a tab, found \"====b\""),
    ];
    for (document, expected) in cases {
        let error = parse(document).expect_err("it breaks the grammar");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn an_error_shows_only_the_beginning_of_a_long_line() {
    let long = "é".repeat(1000);
    let Err(Malformed::NoHeader { found }) = parse(long.as_bytes()) else {
        panic!("no header");
    };
    assert_eq!(found, format!("{}…", "é".repeat(40)));
}

#[test]
fn a_final_line_feed_is_written_once() {
    for content in [&b"a\nb"[..], b"a\nb\n"] {
        let mut out = Vec::new();
        write(&mut out, "n", content);
        assert_eq!(out, b"=====n\n\ta\n\tb\n");
    }
    let mut out = Vec::new();
    write(&mut out, "n", b"");
    write(&mut out, "m", b"\n");
    assert_eq!(out, b"=====n\n=====m\n\t\n");
}

proptest! {
    #[test]
    fn what_is_written_is_read(contents in prop::collection::vec(
        ("[^\n]{1,12}", prop::collection::vec("[^\n]{0,9}", 0..6)), 0..6,
    )) {
        let mut out = Vec::new();
        for (name, lines) in &contents {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            write(&mut out, name, text.as_bytes());
        }
        let streams = parse(&out).expect("we are strict when writing");
        prop_assert_eq!(streams.len(), contents.len());
        for (stream, (name, lines)) in streams.iter().zip(&contents) {
            prop_assert_eq!(stream.name, name.as_bytes());
            let expected: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
            prop_assert_eq!(&stream.lines, &expected);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_nothing_is_lost(document: Vec<u8>) {
        if let Ok(streams) = parse(&document) {
            let mut again = Vec::new();
            for stream in &streams {
                again.extend_from_slice(b"=====");
                again.extend_from_slice(stream.name);
                again.push(b'\n');
                for line in &stream.lines {
                    again.push(b'\t');
                    again.extend_from_slice(line);
                    again.push(b'\n');
                }
            }
            let whole = [&document[..], b"\n"].concat();
            prop_assert!(again == document || again == whole || document.is_empty());
        }
    }
}
