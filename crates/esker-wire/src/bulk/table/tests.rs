//! How even a table is, and how little of it moves.

use proptest::prelude::*;

use super::*;

fn node(number: u32, weight: u32) -> TableNode {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&crate::bulk::hash(&number.to_le_bytes()).to_be_bytes());
    let member = Member {
        node: NodeId::from_bytes(bytes),
        name: format!("node{number}"),
        control: String::new(),
        bulk: format!("tcp://127.0.0.1:{}", 1000 + number),
        cpus: 1,
        memory: 1,
        free: 0,
    };
    TableNode::new(&member, weight)
}

fn equal(numbers: impl IntoIterator<Item = u32>) -> Vec<TableNode> {
    numbers.into_iter().map(|number| node(number, 1)).collect()
}

/// How many slots have another primary.
fn moved(before: &Table, after: &Table) -> usize {
    let first = |table: &Table, slot| table.owners(slot).next().expect("a primary").node;
    (0..SLOTS).filter(|slot| first(before, *slot) != first(after, *slot)).count()
}

fn most_over_fair(table: &Table, ids: usize) -> f64 {
    let mut counts = vec![0_usize; table.nodes().len()];
    for id in 0..ids {
        let first = table.owners(id).next().expect("a primary").node;
        let at = table.nodes().iter().position(|node| node.node == first).expect("a node");
        counts[at] += 1;
    }
    let fair = ids as f64 / table.nodes().len() as f64;
    counts.into_iter().max().unwrap_or(0) as f64 / fair
}

#[test]
fn numbered_ids_are_dealt_out_evenly_whatever_their_number() {
    let table = Table::new(equal(0..10), 0);
    for (ids, most) in [(10, 1.0), (200, 1.0), (1000, 1.0), (1_000_000, 1.002)] {
        let found = most_over_fair(&table, ids);
        assert!(found <= most, "{ids} ids: {found}");
    }
}

#[test]
fn from_ten_nodes_to_nine_and_to_eleven() {
    let ten = Table::new(equal(0..10), 0);
    let nine = ten.next(equal((0..10).filter(|number| *number != 3)));
    let eleven = nine.next(equal(0..11));
    for (table, nodes) in [(&ten, 10), (&nine, 9), (&eleven, 11)] {
        let (least, most) = (SLOTS / nodes, SLOTS.div_ceil(nodes));
        let counts = table.primaries();
        assert!(counts.iter().all(|count| (least..=most).contains(count)), "{counts:?}");
    }
    // What the node that went had is all that anybody else is given.
    assert_eq!(moved(&ten, &nine), ten.primaries()[place(&ten, 3)]);
    // Two nodes came, and get what is theirs, and nothing else moves.
    let new = eleven.primaries()[place(&eleven, 3)] + eleven.primaries()[place(&eleven, 10)];
    assert_eq!(moved(&nine, &eleven), new);
}

fn place(table: &Table, number: u32) -> usize {
    let name = format!("node{number}");
    table.nodes().iter().position(|node| node.name == name).expect("a node")
}

#[test]
fn a_copy_takes_the_place_of_a_primary_that_is_gone() {
    let ten = Table::new(equal(0..10), 1);
    let nine = ten.next(equal(1..10));
    let gone = node(0, 1).node;
    let kept = (0..SLOTS).filter(|slot| {
        let mut before = ten.owners(*slot);
        let was = before.next().expect("a primary").node == gone;
        let copy = before.next().expect("a copy").node;
        was && nine.since(*slot, copy).is_some()
    });
    assert_eq!(
        kept.count(),
        ten.primaries()[place(&ten, 0)],
        "each copy is still one of the owners"
    );
    let total: usize = (0..SLOTS).map(|slot| nine.owners(slot).count()).sum();
    assert_eq!(total, 2 * SLOTS);
}

#[test]
fn since_tells_who_has_had_a_slot_all_the_time() {
    let one = Table::new(equal(0..3), 0);
    let two = one.next(equal(0..2));
    let three = two.next(equal(0..3));
    let back = node(2, 1).node;
    let slots: Vec<usize> = (0..SLOTS).filter(|slot| three.since(*slot, back).is_some()).collect();
    assert!(!slots.is_empty() && slots.iter().all(|slot| three.since(*slot, back) == Some(3)));
    let stayed = node(0, 1).node;
    assert!((0..SLOTS).any(|slot| three.since(slot, stayed) == Some(1)));
}

#[test]
fn a_table_is_read_as_it_is_written() {
    for (nodes, replicas) in [(1, 2), (2, 2), (5, 1), (300, 2)] {
        let table = Table::new(equal(0..nodes), replicas);
        let table = table.next(equal(1..nodes.max(2)));
        let text = table.to_text();
        assert!(text.len() < 400_000, "{} bytes fit where it is kept", text.len());
        assert_eq!(Table::from_text(&text), Ok(table));
    }
}

#[test]
fn what_is_no_table_is_refused() {
    let text = Table::new(equal(0..2), 1).to_text();
    let spoilt = [
        String::new(),
        text.replace("esker-table 1", "esker-table 2"),
        text.replace("version: 1", "version: x"),
        text.replace("replicas: 1", "replicas: 9"),
        text.replace("node: ", "nod: "),
        text.replacen("slots: 0000", "slots: 0007", 1),
        text.replacen("slots: 0000", "slots: ffff", 1),
        text.replacen("since: 0", "since: ", 1),
        format!("{text}more"),
        text[..text.len() / 2].to_owned(),
    ];
    for text in spoilt {
        assert!(Table::from_text(&text).is_err(), "{}", &text[..text.len().min(200)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever comes and goes: every slot has its owners, no node one twice, everyone its share, and nothing moves
    /// but what has to.
    #[test]
    fn churn_keeps_tables_even_and_still(
        steps in proptest::collection::vec(proptest::collection::btree_map(0_u32..24, 1_u32..5, 1..12), 1..8),
        replicas in 0_u8..3,
    ) {
        let nodes = |step: &std::collections::BTreeMap<u32, u32>| -> Vec<TableNode> {
            step.iter().map(|(number, weight)| node(*number, *weight)).collect()
        };
        let mut table = Table::new(nodes(&steps[0]), replicas);
        for step in &steps[1..] {
            let next = table.next(nodes(step));
            let all: u64 = step.values().map(|weight| u64::from(*weight)).sum();
            let mut incoming = 0;
            for (at, count) in next.primaries().into_iter().enumerate() {
                let TableNode { node, weight, .. } = &next.nodes()[at];
                let fair = SLOTS as u64 * u64::from(*weight) / all;
                prop_assert!((fair..=fair + 1).contains(&(count as u64)), "{count} where {fair} are fair");
                let before = table.nodes().iter().position(|it| it.node == *node);
                incoming += count.saturating_sub(before.map_or(0, |at| table.primaries()[at]));
            }
            let new = (0..SLOTS).filter(|slot| {
                let first = next.owners(*slot).next().expect("a primary").node;
                table.since(*slot, first).is_none()
            });
            // A copy that becomes the primary has it all already.
            let new = new.count();
            prop_assert!(new <= incoming, "{new} are to be filled where {incoming} had to");
            let copies = usize::from(replicas).min(step.len() - 1);
            for slot in 0..SLOTS {
                let owners: std::collections::BTreeSet<NodeId> = next.owners(slot).map(|it| it.node).collect();
                prop_assert_eq!(owners.len(), 1 + copies);
            }
            table = next;
        }
    }
}
