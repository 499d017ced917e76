//! A page is never over its limits, and never empty while there is something.

use esker_wire::revision::Revision;
use jiff::Timestamp;

use super::*;

fn entry(author: usize) -> Entry {
    Entry {
        resource: "raw/plan".parse().unwrap(),
        pruned: None,
        asked: None,
        moved_from: None,
        revision: Revision::from_bytes([1; 20]),
        previous: None,
        blob: None,
        size: 0,
        content_type: None,
        content_id: None,
        time: Timestamp::UNIX_EPOCH,
        author: "a".repeat(author),
        summary: String::new(),
        provenance: None,
    }
}

#[test]
fn a_page_is_full_by_count_or_by_bytes() {
    let mut room = Room::new(2);
    assert_eq!(
        [room.take(&entry(1)), room.take(&entry(1)), room.take(&entry(1))],
        [true, true, false]
    );
    let mut room = Room::new(usize::MAX);
    let half = entry(PAGE_MAX / 2);
    assert_eq!([room.take(&half), room.take(&half), room.take(&entry(1))], [true, false, true]);
    assert!(!Room::new(0).take(&entry(1)));
}

#[test]
fn the_first_is_on_the_page_however_large() {
    let mut room = Room::new(9);
    assert!(room.take(&entry(2 * PAGE_MAX)));
    assert!(!room.take(&entry(1)));
}
