//! Lines of `.gitattributes` come and go with their resources, and nothing else does.

use esker_wire::name::Resource;

use super::edit;

fn resource(name: &str) -> Resource {
    name.parse().expect("a name")
}

#[test]
fn lines_come_and_go() {
    let (big, odd) = (resource("raw/big"), resource("raw/a \"b\" [c]*"));
    let both = edit("*.bin binary\n", &[(&big, true), (&odd, true)]).expect("changed");
    let expected = "*.bin binary\n\
        /raw/big filter=lfs diff=lfs merge=lfs -text\n\
        \"/raw/a \\\"b\\\" \\\\[c]\\\\*\" filter=lfs diff=lfs merge=lfs -text\n";
    assert_eq!(both, expected);
    assert_eq!(edit(&both, &[(&big, true)]), None);
    let without = edit(&both, &[(&big, false), (&odd, false)]);
    assert_eq!(without.as_deref(), Some("*.bin binary\n"));
    assert_eq!(edit("", &[(&big, false)]), None);
}
