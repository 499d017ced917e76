//! Bytes to nodes and back; what differs between two trees.

use super::*;

fn id(number: u8) -> Revision {
    Revision::from_bytes([number; 20])
}

#[test]
fn there_and_back_in_gits_order() {
    let mut nodes =
        vec![node(FOLDER, "a", id(1)), node(FILE, "a.b", id(2)), node(FILE, "a0", id(3))];
    nodes.sort_by(|a, b| a.key().cmp(b.key()));
    let names: Vec<&[u8]> = nodes.iter().map(|node| node.name.as_ref()).collect();
    assert_eq!(names, [b"a.b".as_slice(), b"a", b"a0"]);
    let bytes = Bytes::from(to_bytes(&nodes));
    assert_eq!(from_bytes(&bytes), Some(nodes));
}

#[test]
fn broken_bytes_are_no_tree() {
    let whole = Bytes::from(to_bytes(&[node(FILE, "a", id(1))]));
    for end in 1..whole.len() {
        assert_eq!(from_bytes(&whole.slice(..end)), None, "{end} bytes");
    }
}

#[test]
fn pairs_of_what_differs() {
    let old = [node(FILE, "a", id(1)), node(FILE, "b", id(2)), node(FOLDER, "c", id(3))];
    let new = [node(FILE, "b", id(4)), node(FILE, "c", id(5)), node(FILE, "d", id(6))];
    let found: Vec<(bool, bool)> = pairs(&old, &new)
        .iter()
        .map(|(before, after)| (before.is_some(), after.is_some()))
        .collect();
    // a is gone, b changed, the file c came, the folder c is gone, d came.
    assert_eq!(found, [(true, false), (true, true), (false, true), (true, false), (false, true)]);
}
