//! What is above what.

use jiff::Timestamp;

use crate::definition::Definition;

#[test]
fn everything_above_and_nothing_else() {
    let text = "project.name = \"p\"\n\
        [source.s]\nfile = \"s\"\noutput = \"raw/s\"\n[source.t]\nfile = \"t\"\noutput = \"raw/t\"\n\
        [stage.a]\ninput = \"raw/s\"\nrun = [\"cat\"]\noutput = [\"a/1\", \"a/2\"]\n\
        [stage.b]\ninput = [\"raw/t\", \"by/hand\"]\nrun = [\"cat\"]\noutput = \"b/1\"\n\
        [stage.c]\ninput = [\"a/2\", \"raw/s\"]\nrun = [\"cat\"]\noutput = \"c/1\"\n";
    let (definition, defects) = Definition::parse(text, Timestamp::now());
    let definition = definition.unwrap_or_else(|| panic!("{defects:?}"));
    let above = |names: &[&str]| -> Vec<String> {
        definition.with_above(names.iter().map(|name| (*name).to_owned())).into_iter().collect()
    };
    assert_eq!(above(&["c"]), ["a", "c", "s"]);
    assert_eq!(above(&["b", "s"]), ["b", "s", "t"]);
    assert_eq!(above(&[]), [] as [&str; 0]);
}
