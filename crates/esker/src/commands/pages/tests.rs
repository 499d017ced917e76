//! Pages: everything once, in order, and no page too many.

use esker_wire::revision::Revision;

use super::*;

fn entry(number: u8) -> Entry {
    let revision = |number| Revision::from_bytes([number; 20]);
    Entry {
        resource: "raw/a".parse().unwrap(),
        pruned: None,
        asked: None,
        moved_from: None,
        revision: revision(number),
        previous: number.checked_sub(1).map(revision),
        blob: None,
        size: 0,
        content_type: None,
        content_id: None,
        time: "2025-11-20T12:00:00Z".parse().unwrap(),
        author: String::new(),
        summary: String::new(),
        provenance: None,
    }
}

/// The numbers visited up to `last`, and how many pages of three that took.
fn visited(newest: u8, last: u8) -> (Vec<u8>, usize) {
    let (mut seen, mut pages) = (Vec::new(), 0);
    let page = |after: Option<Mark>| {
        pages += 1;
        let end = after.map_or(newest + 1, |mark| mark.revision.as_bytes()[0]);
        let numbers = end.saturating_sub(3)..end;
        let revision = Revision::from_bytes([numbers.start; 20]);
        let next = (numbers.start > 0).then_some(Mark { revision, resource: None });
        Ok(Page { entries: numbers.rev().map(entry).collect(), next })
    };
    let visit = |entry: Entry| {
        let number = entry.revision.as_bytes()[0];
        seen.push(number);
        Ok(if number == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    turn(page, visit).unwrap();
    (seen, pages)
}

#[test]
fn every_revision_once_and_no_page_too_many() {
    assert_eq!(visited(6, 0), (vec![6, 5, 4, 3, 2, 1, 0], 3));
    assert_eq!(visited(5, u8::MAX), (vec![5, 4, 3, 2, 1, 0], 2));
    assert_eq!(visited(6, 4), (vec![6, 5, 4], 1));
}
