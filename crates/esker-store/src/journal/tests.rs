//! Records survive the way to disk and back; a cut ends the journal there, and damage stops the opening.

use proptest::prelude::*;

use super::*;

fn id(number: u8) -> Revision {
    Revision::from_bytes([number; 20])
}

fn record(number: u8) -> Record {
    let name = "refs/heads/main".to_owned();
    Record {
        boot: Some("b-1".to_owned()),
        moves: vec![Move { name, from: (number > 1).then(|| id(number - 1)), to: id(number) }],
        objects: vec![(id(number), b"\nmove x\n".to_vec()), (id(9), Vec::new())],
    }
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().unwrap();
    fs::create_dir(dir.path().join("esker")).unwrap();
    dir
}

fn found(dir: &Path) -> Vec<Record> {
    Journal::open(dir).unwrap().1
}

#[test]
fn there_and_back() {
    let dir = folder();
    let (mut journal, records) = Journal::open(dir.path()).unwrap();
    assert_eq!(records, []);
    journal.append(&record(1)).unwrap();
    let length = journal.length();
    journal.append(&record(2)).unwrap();
    journal.cut(length).unwrap();
    journal.append(&record(3)).unwrap();
    let plain = Record { boot: None, ..record(4) };
    journal.append(&plain).unwrap();
    assert_eq!(found(dir.path()), [record(1), record(3), plain]);
}

#[test]
fn what_is_broken_is_not_read() {
    let whole = write(&record(2)).unwrap();
    assert_eq!(read(&whole), Found::Whole(record(2), &[]));
    for end in 0..whole.len() {
        assert_eq!(read(&whole[..end]), Found::Torn);
        let mut flipped = whole.clone();
        flipped[end] ^= 1;
        assert_eq!(read(&flipped), Found::Torn, "byte {end}");
    }
}

/// The disk takes a part of a record, then neither the rest nor the cut.
#[test]
fn nothing_is_appended_behind_what_cannot_be_cut() {
    let dir = folder();
    let path = path(dir.path());
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    journal.append(&record(1)).unwrap();
    let good = std::mem::replace(&mut journal.file, File::open(&path).unwrap());
    let torn = write(&record(2)).unwrap();
    open(&path).unwrap().write_all(&torn[..torn.len() / 2]).unwrap();
    for _ in 0..2 {
        journal.append(&record(2)).unwrap_err();
        journal.turn().unwrap_err();
    }
    journal.file = good;
    journal.append(&record(3)).unwrap();
    assert_eq!(found(dir.path()), [record(1), record(3)]);
}

/// A cut that the disk did not confirm has still been made: what follows is not padded.
#[test]
fn a_cut_that_fails_is_made_before_the_next_record() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    journal.append(&record(1)).unwrap();
    let length = journal.length();
    journal.append(&record(2)).unwrap();
    let read_only = File::open(path(dir.path())).unwrap();
    let good = std::mem::replace(&mut journal.file, read_only);
    journal.cut(length).unwrap_err();
    journal.file = good;
    journal.append(&record(3)).unwrap();
    assert_eq!(found(dir.path()), [record(1), record(3)]);
}

#[test]
fn a_turn_keeps_what_is_told() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    journal.append(&record(1)).unwrap();
    let old = journal.turn().unwrap();
    assert_eq!(journal.length(), 0);
    journal.append(&record(2)).unwrap();
    assert_eq!(found(dir.path()), [record(1), record(2)]);
    remove(&old).unwrap();
    assert_eq!(found(dir.path()), [record(2)]);
}

/// A new journal cannot be begun: the present one goes on, and the next turn succeeds.
#[test]
fn a_turn_that_fails_loses_nothing() {
    let dir = folder();
    let (mut journal, _) = Journal::open(dir.path()).unwrap();
    journal.append(&record(1)).unwrap();
    let old = old(&path(dir.path()));
    fs::create_dir_all(old.join("in-the-way")).unwrap();
    let aside = dir.path().join("aside");
    journal.turn().unwrap_err();
    fs::rename(&old, &aside).unwrap();
    journal.append(&record(2)).unwrap();
    assert_eq!(found(dir.path()), [record(1), record(2)]);
    // As if the new file could not be made.
    fs::rename(path(dir.path()), &old).unwrap();
    journal.append(&record(3)).unwrap();
    journal.turn().unwrap();
    journal.append(&record(4)).unwrap();
    assert_eq!(found(dir.path()), [1, 2, 3, 4].map(record));
}

#[test]
fn damage_before_whole_records_stops_the_opening() {
    let dir = folder();
    let (first, second) = (write(&record(1)).unwrap(), write(&record(2)).unwrap());
    for at in 0..first.len() {
        let mut bytes = [first.clone(), second.clone()].concat();
        bytes[at] ^= 1;
        fs::write(path(dir.path()), &bytes).unwrap();
        let error = Journal::open(dir.path()).err().unwrap();
        assert!(matches!(error, Error::Journal { .. }), "{error}");
        assert_eq!(fs::read(path(dir.path())).unwrap(), bytes, "nothing was cut off");
    }
}

#[test]
fn a_record_of_a_later_esker_is_not_cut_off() {
    let dir = folder();
    let payload = b"sparkle 1\n";
    let sum = id_of(Kind::Blob, payload).unwrap();
    let mut bytes = format!("{MAGIC} {} {sum}\n", payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    fs::write(path(dir.path()), &bytes).unwrap();
    let error = Journal::open(dir.path()).err().unwrap().to_string();
    assert!(error.contains("a later esker"), "{error}");
    assert_eq!(fs::read(path(dir.path())).unwrap(), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens to the bytes from some place on: what is whole before it is found, or nothing is cut.
    #[test]
    fn whole_records_before_damage_are_kept(
        count in 1_u8..6,
        from in 0.0..1.0_f64,
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        is_mixed in any::<bool>(),
    ) {
        let records: Vec<Record> = (1..=count).map(record).collect();
        let written: Vec<Vec<u8>> = records.iter().map(|record| write(record).unwrap()).collect();
        let mut bytes = written.concat();
        let at = (bytes.len() as f64 * from) as usize;
        if is_mixed {
            for (byte, noise) in bytes[at..].iter_mut().zip(&noise) {
                *byte ^= noise;
            }
        } else {
            bytes.truncate(at);
            bytes.extend_from_slice(&noise);
        }
        let mut end = 0;
        let before = written.iter().take_while(|one| { end += one.len(); end <= at }).count();
        let dir = folder();
        fs::write(path(dir.path()), &bytes).unwrap();
        match Journal::open(dir.path()) {
            Ok((_, found)) => prop_assert_eq!(&found[..before], &records[..before]),
            Err(_) => prop_assert_eq!(fs::read(path(dir.path())).unwrap(), bytes),
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), head in any::<bool>()) {
        let head = if head { MAGIC.as_bytes() } else { b"" };
        let bytes = [head, &bytes].concat();
        prop_assert_eq!(read(&bytes), Found::Torn);
        drop(payload_of(&bytes));
    }
}
