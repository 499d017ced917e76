//! What a key depends on, and what not.

use super::*;
use crate::definition::Definition;

fn stage(line: &str) -> Stage {
    let text = format!(
        "project.name = \"p\"\n[stage.s]\ninput = \"raw/a\"\noutput = \"b/b\"\nrun = [\"esker\", \"x\"]\n{line}\n"
    );
    let now = "2027-01-04T00:00:00Z".parse().unwrap();
    let (definition, defects) = Definition::parse(&text, now);
    let mut definition = definition.unwrap_or_else(|| panic!("{defects:?}"));
    definition.stages.remove(0)
}

fn blob(byte: u8) -> Revision {
    Revision::from_bytes([byte; 20])
}

fn key(line: &str, print: &Print, byte: u8) -> String {
    let stage = stage(line);
    let input = stage.inputs[0].clone();
    of_stage(&stage, print, &[(&input, blob(byte))])
}

#[test]
fn the_format_is_a_promise() {
    let expected = sha256(
        b"15:esker run key 1\n5:stage\n7:outputs\n1:1\n3:b/b\n4:argv\n1:2\n5:esker\n1:x\n4:code\n0:\n\
          3:env\n1:0\n6:inputs\n1:1\n5:raw/a\n40:0101010101010101010101010101010101010101\n\
          11:allow_empty\n5:false\n",
    );
    assert_eq!(key("", &Print::default(), 1), expected);
}

#[test]
fn what_cannot_change_the_effect_is_left_out() {
    let plain = key("", &Print::default(), 1);
    for line in ["timeout = \"1s\"", "retry = 5", "grace = \"1s\"", "output_max = \"1MB\""] {
        assert_eq!(key(line, &Print::default(), 1), plain, "{line}");
    }
}

#[test]
fn what_can_is_not() {
    let code = Print { code: "c".to_owned(), ..Print::default() };
    let env = |value: Option<&str>| Print {
        env: vec![("TOKEN".to_owned(), value.map(str::to_owned))],
        ..Print::default()
    };
    let keys = [
        key("", &Print::default(), 1),
        key("", &Print::default(), 2),
        key("", &code, 1),
        key("", &env(None), 1),
        key("", &env(Some("a")), 1),
        key("allow_empty = true", &Print::default(), 1),
    ];
    let distinct: std::collections::BTreeSet<&String> = keys.iter().collect();
    assert_eq!(distinct.len(), keys.len());
}
