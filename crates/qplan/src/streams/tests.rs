//! How leniently stacked streams are read.

use super::*;

fn read_ok(text: &str) -> Vec<Stream<'_>> {
    read(text.as_bytes()).expect("a document")
}

#[test]
fn the_first_character_of_content_goes_whatever_it_is() {
    let streams = read_ok("=====a\n\tx\nÄy\n====z\n\t\t=====in\n");
    assert_eq!(streams[0].lines, ["x", "y", "===z", "\t=====in"]);
    assert_eq!(streams[0].untabbed, Some(2));
    assert_eq!(streams[0].blank, None);
}

#[test]
fn headers_may_be_odd() {
    let streams = read_ok("=====\n======six\n=====a \n");
    let names: Vec<&str> = streams.iter().map(|stream| stream.name).collect();
    assert_eq!(names, ["", "=six", "a "]);
    assert_eq!(streams[2].line, 3);
}

#[test]
fn one_final_newline_is_optional_and_a_second_one_is_a_blank_line() {
    assert_eq!(read_ok("=====a\n\tx")[0].lines, ["x"]);
    assert_eq!(read_ok("=====a\n\tx\n")[0].lines, ["x"]);
    assert_eq!(read_ok("=====a\n\tx\n\n")[0].blank, Some(2));
    assert_eq!(read_ok("=====a\n\t\n")[0].lines, [""]);
    assert!(read_ok("").is_empty());
}

#[test]
fn what_is_no_document_is_told() {
    let message = |input: &[u8]| read(input).expect_err("no document").problem;
    assert!(message(b"hello\n").contains("\"hello\""));
    assert!(message("\u{feff}=====a\n".as_bytes()).contains("byte order mark"));
    assert!(message(b"=====a\n\t\xff\n").contains("line 2 of the input is not UTF-8"));
    assert!(message(b"\n").contains("expected a header"));
}

#[test]
fn a_missing_stream_is_told_with_what_there_is() {
    let message = |text: &str| find(&read_ok(text), "b").expect_err("missing").problem;
    assert!(message("").contains("the input is empty"));
    assert!(message("=====a\n=====c\n").contains("\"a\", \"c\""));
    assert!(message("=====b\r\n").contains("carriage return"));
    assert!(message("=====b \n").contains("blanks around"));
}
