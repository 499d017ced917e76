//! What is saved is read again, whole or as far as it is good.

use super::*;

fn id(number: u32) -> Revision {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_le_bytes());
    bytes[4..8].copy_from_slice(&number.to_le_bytes());
    Revision::from_bytes(bytes)
}

fn grow(history: &mut History, count: u32) {
    let first = history.last().map_or(0, |last| last + 1);
    for number in first..first + count {
        let one = (format!("raw/r{}", number % 7).parse().unwrap(), Some(id(number + 1)));
        let mut changes = vec![one];
        if number % 5 == 4 {
            changes.push((format!("a/n{number}").parse().unwrap(), None));
        }
        if number % 11 == 10 {
            changes.clear();
        }
        history.push(id(number), i64::from(number) * 3 - 20, changes);
    }
}

fn assert_same(a: &History, b: &History, last: u32) {
    assert_eq!(b.last(), Some(last));
    for position in 0..=last {
        assert_eq!(a.step(position), b.step(position));
        assert!(a.changed_at(position).eq(b.changed_at(position)));
        for resource in a.changed_at(position) {
            assert_eq!(a.changes(resource, position), b.changes(resource, position));
        }
        assert_eq!(b.position(a.step(position).revision), Some(position));
    }
}

#[test]
fn there_and_back_in_parts() {
    let dir = tempfile::TempDir::new().unwrap();
    let branch: Branch = "whatif/x".parse().unwrap();
    let (mut history, mut index) = Index::load(dir.path(), &branch).unwrap();
    assert_eq!((history.last(), index.steps()), (None, 0));
    std::fs::create_dir(dir.path().join("esker")).unwrap();
    for count in [1, 30, 300] {
        grow(&mut history, count);
        let last = history.last().unwrap();
        index.save(&history, last).unwrap();
        let (read, again) = Index::load(dir.path(), &branch).unwrap();
        assert_same(&history, &read, last);
        assert_eq!((again.steps(), again.length), (last + 1, index.length));
        index = again;
    }
}

/// Whatever a byte becomes, what is read is a beginning of the truth, and what is saved next mends it.
#[test]
fn what_is_broken_is_left_out_and_made_again() {
    let dir = tempfile::TempDir::new().unwrap();
    let branch = Branch::main();
    let mut history = History::default();
    let mut index = Index::new(dir.path(), &branch);
    std::fs::create_dir(dir.path().join("esker")).unwrap();
    for last in [9, 19, 29] {
        grow(&mut history, 10);
        index.save(&history, last).unwrap();
    }
    let path = path(dir.path(), &branch);
    let whole = std::fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x41;
        if at % 3 == 0 {
            broken.truncate(at);
        }
        std::fs::write(&path, &broken).unwrap();
        let (read, mut index) = Index::load(dir.path(), &branch).unwrap();
        let steps = index.steps();
        assert!(steps.is_multiple_of(10) && steps < 30, "{steps} at {at}");
        if steps > 0 {
            assert_same(&history, &read, steps - 1);
        }
        index.save(&history, 29).unwrap();
        assert_eq!(std::fs::read(&path).unwrap().len(), index.length as usize);
        assert_same(&history, &Index::load(dir.path(), &branch).unwrap().0, 29);
    }
}
