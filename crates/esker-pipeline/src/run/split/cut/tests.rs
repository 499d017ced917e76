//! Every way to cut, and that what is cut and put together again is what it was.

use proptest::prelude::*;

use super::*;

fn by(text: &str) -> By {
    text.parse().unwrap()
}

fn parts(how: &str, input: &str) -> Vec<(String, String)> {
    let parts = cut(&by(how), &Bytes::copy_from_slice(input.as_bytes())).unwrap();
    let text = |content: &Bytes| String::from_utf8(content.to_vec()).unwrap();
    parts.iter().map(|part| (part.title.clone(), text(&part.content))).collect()
}

fn fault(how: &str, input: &str) -> String {
    cut(&by(how), &Bytes::copy_from_slice(input.as_bytes())).unwrap_err().summary
}

fn joined(how: &str, made: &[&str]) -> Result<String, String> {
    let part = |index: usize| Part {
        title: format!("part {index}"),
        name: Some(format!("p{index}")),
        content: Bytes::new(),
    };
    let parts: Vec<Part> = (0..made.len()).map(part).collect();
    let made: Vec<Bytes> =
        made.iter().map(|made| Bytes::copy_from_slice(made.as_bytes())).collect();
    let made: Vec<(&Part, &Bytes)> = parts.iter().zip(&made).collect();
    let joined = join(&by(how), &made).map_err(|broken| broken.summary)?;
    Ok(String::from_utf8(joined.to_vec()).unwrap())
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(title, text)| ((*title).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn lines() {
    assert_eq!(
        parts("lines:2", "a\nb\nc\n"),
        pairs(&[("lines 1-2", "a\nb\n"), ("lines 3-3", "c\n")])
    );
    assert_eq!(parts("lines:2", "a\nb"), pairs(&[("lines 1-2", "a\nb")]));
    assert_eq!(parts("lines:1", ""), []);
    assert_eq!(joined("lines:1", &["a", "", "b\n"]), Ok("a\nb\n".to_owned()));
}

#[test]
fn rows_keep_their_heading_and_quoted_line_feeds() {
    let table = "id,text\n1,\"two\nlines\"\n2,b\n3,c";
    assert_eq!(
        parts("rows:2", table),
        pairs(&[("rows 2-3", "id,text\n1,\"two\nlines\"\n2,b\n"), ("rows 4-4", "id,text\n3,c\n")])
    );
    assert_eq!(parts("rows:2", "id,text\n"), []);
    assert!(fault("rows:2", "").contains("no heading"));
    assert_eq!(joined("rows:2", &["n\n1\n", "", "n\n2\n"]), Ok("n\n1\n2\n".to_owned()));
    let fault = joined("rows:2", &["n\n1\n", "m\n2\n"]).unwrap_err();
    assert!(fault.contains("part 0 has the heading \"n\", part 1 has \"m\""), "{fault}");
}

#[test]
fn keys_group_rows_in_the_order_they_come() {
    let table = "team\thours\nred\t1\nblue\t2\nred\t3\n";
    assert_eq!(
        parts("key:team", table),
        pairs(&[
            ("team red", "team\thours\nred\t1\nred\t3\n"),
            ("team blue", "team\thours\nblue\t2\n")
        ])
    );
    let fault = fault("key:tem", table);
    assert!(fault.contains("by key:tem: there is no such column, but team, hours"), "{fault}");
}

#[test]
fn elements_of_an_array() {
    let document = "{\"items\": [1, {\"b\": 2}]}";
    assert_eq!(
        parts("json:/items", document),
        pairs(&[("/items/0", "1\n"), ("/items/1", "{\"b\":2}\n")])
    );
    let long = r#"{"a~/b": [0, [{"b": 1.10, "a": 12345678901234567890123, "c": "é\n"}]]}"#;
    assert_eq!(
        parts("json:/a~0~1b/1", long),
        pairs(&[("/a~0~1b/1/0", "{\"a\":12345678901234567890123,\"b\":1.10,\"c\":\"é\\n\"}\n")]),
        "no digit is lost"
    );
    for nothing in ["json:/a~0~1b/01", "json:/a~0~1b/+1", "json:/a~0~1b/2", "json:/a~0~1b/0/x"] {
        assert!(fault(nothing, long).contains("nothing at that place"), "{nothing}");
    }
    assert_eq!(parts("json:", "[7]"), pairs(&[("/0", "7\n")]));
    assert!(fault("json:/x", document).contains("nothing at that place"));
    assert!(fault("json:/items/0", document).contains("no array"));
    assert!(fault("json:", "[1,").contains("EOF"));
    assert_eq!(joined("json:", &["1\n", "\n", "[2]\n"]), Ok("[\n1,\n[2]\n]\n".to_owned()));
    assert!(joined("json:", &["x"]).unwrap_err().contains("part 0 is not JSON"));
}

#[test]
fn streams() {
    let folder = "=====a.csv\n\tx\n\t1\n=====b.csv\n\ty\n";
    assert_eq!(parts("streams", folder), pairs(&[("a.csv", "x\n1\n"), ("b.csv", "y\n")]));
    assert!(fault("streams", "text\n").contains("expected a header"));
    assert_eq!(joined("streams", &["x\n"]), Ok("=====p0\n\tx\n".to_owned()));
    assert!(joined("streams", &["\0"]).unwrap_err().contains("NUL"));
}

#[test]
fn too_many_parts_are_refused() {
    let input = "x\n".repeat(PARTS_MAX + 1);
    assert!(fault("lines:1", &input).contains("10001 parts, and 10000 are the most"));
}

#[test]
fn what_can_name_no_part_is_refused() {
    let long = "x".repeat(NAME_MAX + 1);
    for value in ["a\0b", &long] {
        let fault = fault("key:team", &format!("team,hours\n{value},1\n"));
        assert!(fault.contains("cannot name a part"), "{fault}");
    }
}

#[test]
fn what_is_no_way_to_split_is_told() {
    for (text, told) in [
        ("lines", "lines:1000"),
        ("rows:0", "\"0\" is no length"),
        ("key:", "no column"),
        ("json:x", "JSON pointer"),
        ("glob", "no way to split"),
        ("streams:1", "no way to split"),
    ] {
        let fault = text.parse::<By>().unwrap_err();
        assert!(fault.contains(told), "{fault}");
    }
    for text in ["lines:10", "rows:1", "key:a:b", "json:/a", "json:", "streams"] {
        assert_eq!(by(text).to_string(), text);
    }
}

proptest! {
    #[test]
    fn what_is_cut_is_put_together_again(
        lines in prop::collection::vec("[a-c,\" ]{0,6}", 1..40),
        length in 1..7usize,
    ) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let text = Bytes::from(text);
        for by in [By::Lines(length), By::Rows(length)] {
            let Ok(parts) = cut(&by, &text) else {
                continue;
            };
            let made: Vec<(&Part, &Bytes)> = parts.iter().map(|part| (part, &part.content)).collect();
            if !made.is_empty() {
                let joined = join(&by, &made).unwrap();
                // Blank lines before the heading are no rows.
                let blank = text.iter().take_while(|byte| **byte == b'\n').count();
                let skipped = if matches!(by, By::Rows(_)) { blank } else { 0 };
                prop_assert_eq!(joined, text.slice(skipped..));
            }
        }
    }

    #[test]
    fn no_input_is_too_odd(input in prop::collection::vec(any::<u8>(), 0..200)) {
        let input = Bytes::from(input);
        for how in ["lines:3", "rows:2", "key:a", "json:/a", "streams"] {
            drop(cut(&by(how), &input));
        }
    }
}
