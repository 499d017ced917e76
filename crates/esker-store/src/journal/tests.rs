//! Records survive the way to disk and back; a cut or a flipped bit ends the journal there.

use super::*;

fn id(number: u8) -> Revision {
    Revision::from_bytes([number; 20])
}

fn record(number: u8) -> Record {
    let name = "refs/heads/main".to_owned();
    Record {
        moves: vec![Move { name, from: (number > 1).then(|| id(number - 1)), to: id(number) }],
        objects: vec![(id(number), b"\nmove x\n".to_vec()), (id(9), Vec::new())],
    }
}

#[test]
fn there_and_back() {
    let dir = tempfile::TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("esker")).unwrap();
    let (mut journal, found) = Journal::open(dir.path()).unwrap();
    assert_eq!(found, []);
    journal.append(&record(1)).unwrap();
    let length = journal.length();
    journal.append(&record(2)).unwrap();
    journal.cut(length).unwrap();
    journal.append(&record(3)).unwrap();
    let (_, found) = Journal::open(dir.path()).unwrap();
    assert_eq!(found, [record(1), record(3)]);
}

#[test]
fn what_is_broken_is_not_read() {
    let whole = write(&record(2)).unwrap();
    assert_eq!(read(&whole), Some((record(2), [].as_slice())));
    for end in 0..whole.len() {
        assert_eq!(read(&whole[..end]), None);
        let mut flipped = whole.clone();
        flipped[end] ^= 1;
        assert_eq!(read(&flipped), None, "byte {end}");
    }
}
