//! What is below what.

use jiff::Timestamp;

use crate::definition::Definition;

#[test]
fn everything_made_from_it_is_below_in_the_order_of_the_file() {
    let stage = |name: &str, input: &str| {
        format!("[stage.{name}]\ninput = {input}\nrun = [\"x\"]\noutput = \"r/{name}\"\n")
    };
    let text = format!(
        "project.name = \"p\"\n[source.s]\nfile = \"s\"\noutput = \"raw/s\"\n{}{}{}{}",
        stage("last", "[\"r/mid\", \"raw/x\"]"),
        stage("mid", "\"r/first\""),
        stage("first", "\"raw/s\""),
        stage("other", "\"raw/x\""),
    );
    let (definition, defects) = Definition::parse(&text, Timestamp::now());
    let definition = definition.unwrap_or_else(|| panic!("{defects:?}"));
    let below = |name: &str| -> Vec<&str> {
        definition.below(name).into_iter().map(|stage| stage.name.as_str()).collect()
    };
    assert_eq!(below("s"), ["last", "mid", "first"]);
    assert_eq!(below("first"), ["last", "mid"]);
    assert_eq!(below("last"), [""; 0]);
    assert_eq!(below("nobody"), [""; 0]);
}
