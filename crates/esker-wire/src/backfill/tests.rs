//! What a backfill says of itself, written and read again.

use super::*;

const GOLDEN: &str = "=====backfill v1\n\tstage: condition\n\tinput: raw/plan\n\tinput: raw/notes\n\
    \toptional: raw/notes\n\toutput: conditioned/plan\n\
    \tfrom: 2b7e151628aed2a6abf7158809cf4f3c762e7160\n\tbegun: 2026-11-20T17:00:00Z\n\
    \tadopted: 2026-11-21T08:00:00Z\n";

#[test]
fn what_is_promised_is_written_and_read() {
    let name = |text: &str| text.parse::<Resource>().unwrap();
    let about = About {
        stage: "condition".to_owned(),
        inputs: vec![name("raw/plan"), name("raw/notes")],
        optional: vec![name("raw/notes")],
        outputs: vec![name("conditioned/plan")],
        from: Some("2b7e151628aed2a6abf7158809cf4f3c762e7160".parse().unwrap()),
        begun: "2026-11-20T17:00:00Z".parse().unwrap(),
        adopted: Some("2026-11-21T08:00:00Z".parse().unwrap()),
    };
    assert_eq!(String::from_utf8(about.to_bytes()).unwrap(), GOLDEN);
    assert_eq!(About::from_bytes(GOLDEN.as_bytes()).unwrap(), about);
    let fresh = About { from: None, adopted: None, ..about };
    assert_eq!(About::from_bytes(&fresh.to_bytes()).unwrap(), fresh);
}

#[test]
fn what_is_none_is_refused_and_what_is_new_is_skipped() {
    for text in ["", "\tstage: a\n", "=====backfill v2\n", "=====backfill v1\n\tstage: a\n"] {
        assert!(About::from_bytes(text.as_bytes()).is_err(), "{text:?}");
    }
    let more = GOLDEN.replace("\tbegun", "\tcolour: blue\n\tbegun");
    assert!(About::from_bytes(more.as_bytes()).is_ok());
}
