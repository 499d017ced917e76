//! Lists as Consul tells them.

use serde_json::{Value, json};

use esker_wire::member::NodeId;

use super::*;

fn member_of(number: u8) -> Member {
    Member {
        node: NodeId::from_bytes([number; 16]),
        name: format!("node{number}"),
        control: format!("tcp://h{number}:5060"),
        bulk: format!("tcp://h{number}:5061"),
        cpus: 2,
        memory: 1 << 33,
        free: 63,
    }
}

fn entry(member: &Member, index: u64) -> Value {
    json!({
        "Node": { "Node": member.name, "Address": "10.0.0.1", "Meta": null },
        "Service": { "ID": "w", "Service": "w", "Meta": meta(member, "9"), "ModifyIndex": index },
        "Checks": []
    })
}

fn read(entries: &[Value]) -> Told {
    told(serde_json::from_value(Value::from(entries.to_vec())).unwrap())
}

#[test]
fn what_is_announced_is_told() {
    let members: Vec<Member> = (1..=3).map(member_of).collect();
    let entries: Vec<Value> = members.iter().rev().map(|member| entry(member, 1)).collect();
    assert_eq!(read(&entries), Told { members, troubles: BTreeMap::new() });
}

#[test]
fn of_two_that_are_one_the_newer_counts() {
    let mut moved = member_of(1);
    moved.control = "tcp://elsewhere:1".to_owned();
    for entries in
        [[entry(&moved, 9), entry(&member_of(1), 5)], [entry(&member_of(1), 5), entry(&moved, 9)]]
    {
        assert_eq!(read(&entries).members, std::slice::from_ref(&moved));
    }
}

#[test]
fn what_is_no_worker_is_passed_over_and_said() {
    let mut entries = vec![entry(&member_of(1), 1)];
    let mut spoil = |key: &str, value: Value| {
        let mut bad = entry(&member_of(2), 1);
        bad["Service"]["Meta"][key] = value;
        entries.push(bad);
    };
    for (key, value) in [
        ("node", "x"),
        ("node", ""),
        ("control", "h:1"),
        ("bulk", ""),
        ("cpus", "0"),
        ("cpus", "-1"),
        ("cpus", "99999999999"),
        ("memory", "much"),
        ("memory", "18446744073709551616"),
        ("free", "65"),
        ("free", "300"),
    ] {
        spoil(key, value.into());
    }
    let mut other = entry(&member_of(3), 1);
    other["Service"]["Meta"] = Value::Null;
    entries.push(other);
    let told = read(&entries);
    assert_eq!(told.members, [member_of(1)]);
    let message = &told.troubles[&Trouble::Unreadable];
    assert!(message.starts_with("12 entries") && message.contains("\"node2\""), "{message}");
}

#[test]
fn more_than_there_may_be_are_cut_the_same_way_each_time() {
    let number = |number: usize| {
        let mut member = member_of(1);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
        member.node = NodeId::from_bytes(bytes);
        entry(&member, 1)
    };
    let entries: Vec<Value> = (0..MEMBERS_MAX + 2).rev().map(number).collect();
    let told = read(&entries);
    assert_eq!(told.members.len(), MEMBERS_MAX);
    assert!(told.troubles.contains_key(&Trouble::TooMany));
    assert!(told.members.is_sorted());
}

#[test]
fn places_that_are_none_are_unknown() {
    let coord = json!({ "Vec": [0.0, 0.1], "Error": 1.0, "Height": 0.0, "Adjustment": 0.0 });
    let placed = json!([
        { "Node": "a", "Segment": "", "Coord": coord },
        { "Node": "b", "Coord": coord },
        { "Node": "c", "Segment": "", "Coord": null }
    ]);
    let places = coordinates(serde_json::from_value(placed).unwrap());
    assert_eq!(places.len(), 2);
    assert!(places.distance("a", "b").is_some() && places.distance("a", "c").is_none());
}
