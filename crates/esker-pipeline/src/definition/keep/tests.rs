//! What `[keep]` may say.

use jiff::Timestamp;

use crate::definition::Definition;

fn parse(rules: &str) -> (Option<Definition>, Vec<String>) {
    let text = format!("[project]\nname = \"p\"\n[keep]\n{rules}\n");
    let (definition, defects) = Definition::parse(&text, Timestamp::UNIX_EPOCH);
    (definition, defects.iter().map(ToString::to_string).collect())
}

#[test]
fn rules_are_read_by_resource() {
    let (definition, defects) =
        parse("\"raw/scan\" = \"90d\"\n\"raw/b c\" = \"all 7d, hourly 30d, daily for 2y\"");
    assert_eq!(defects, [""; 0]);
    let keep = definition.expect("it is good").keep;
    let rules: Vec<String> = keep.iter().map(|(name, rule)| format!("{name}: {rule}")).collect();
    assert_eq!(rules, ["raw/b c: all 7d, hourly 30d, daily for 2y", "raw/scan: 90d"]);
}

#[test]
fn a_bad_rule_is_told_with_its_place() {
    for (rule, expected) in [
        ("\"raw/scan\" = \"90x\"", "4:14"),
        ("\"raw/scan\" = 90", "must be a string"),
        ("scan = \"90d\"", "needs the form stage/name"),
        ("\"raw/scan\" = \"\"", "a part of it is empty"),
    ] {
        let (definition, defects) = parse(rule);
        assert!(definition.is_none(), "{rule}");
        assert!(defects.iter().any(|defect| defect.contains(expected)), "{rule}: {defects:?}");
    }
}
