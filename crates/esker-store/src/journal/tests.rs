//! Records survive the way to disk and back; a cut ends the journal there, and damage stops the opening.

use super::*;

fn object(text: &str) -> Object {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let id = crate::objects::id_of(Kind::Blob, &bytes).unwrap();
    Object { id, kind: Kind::Blob, bytes, base: None }
}

fn batch(number: u8) -> Batch {
    let id = |number: u8| Revision::from_bytes([number; 20]);
    let name = "refs/heads/main".to_owned();
    let from = (number > 1).then(|| id(number - 1));
    Batch {
        objects: vec![object(&format!("\nmove {number} x\n")), object("")],
        moves: vec![Move { name, from, to: id(number) }],
    }
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::TempDir::new().unwrap();
    fs::create_dir(dir.path().join("esker")).unwrap();
    dir
}

/// The numbers of the batches that are found.
fn found(dir: &Path) -> Vec<u8> {
    let numbers = load(dir).unwrap().batches.into_iter().map(|batch| {
        let number = batch.moves[0].to.as_bytes()[0];
        let expected = self::batch(number);
        assert_eq!(batch.moves, expected.moves);
        let ids = |batch: &Batch| -> Vec<(Revision, Bytes)> {
            batch.objects.iter().map(|object| (object.id, object.bytes.clone())).collect()
        };
        assert_eq!(ids(&batch), ids(&expected));
        number
    });
    numbers.collect()
}

fn open(dir: &Path) -> Journal {
    Journal::open(dir).unwrap().0
}

#[test]
fn there_and_back() {
    let dir = folder();
    let mut journal = open(dir.path());
    journal.append(&batch(1)).unwrap();
    journal.append(&batch(2)).unwrap();
    assert_eq!(found(dir.path()), [1, 2]);
    let mut journal = open(dir.path());
    journal.append(&batch(3)).unwrap();
    assert_eq!(found(dir.path()), [1, 2, 3]);
    journal.turn().unwrap();
    journal.append(&batch(4)).unwrap();
    assert_eq!(found(dir.path()), [1, 2, 3, 4]);
    journal.turn().unwrap();
    journal.append(&batch(5)).unwrap();
    assert_eq!(found(dir.path()), [4, 5], "what was settled is written over");
    let mut journal = open(dir.path());
    journal.finish().unwrap();
    assert!(found(dir.path()).is_empty());
    let mut journal = open(dir.path());
    journal.finish().unwrap();
    journal.append(&batch(6)).unwrap();
    assert_eq!(found(dir.path()), [6]);
}

/// Many generations over each other, closed at any point, with batches of different lengths.
#[test]
fn what_is_left_of_earlier_generations_is_not_read() {
    let dir = folder();
    let mut expected: Vec<u8> = Vec::new();
    let mut journal = open(dir.path());
    let mut turned = 0;
    for number in 1..=250 {
        let mut next = batch(number);
        if number % 7 == 0 {
            next.objects.push(object(&"x".repeat(usize::from(number) * 100)));
        }
        journal.append(&next).unwrap();
        expected.push(number);
        if number % 5 == 0 {
            journal.turn().unwrap();
            expected.drain(..turned);
            turned = expected.len();
        }
        if number % 11 == 0 {
            journal = open(dir.path());
        }
        let batches = load(dir.path()).unwrap().batches;
        let numbers: Vec<u8> =
            batches.iter().map(|batch| batch.moves[0].to.as_bytes()[0]).collect();
        assert!(numbers.ends_with(&expected), "{numbers:?} {expected:?}");
    }
}

/// The file that is written.
fn written(dir: &Path, journal: &Journal) -> PathBuf {
    paths(dir)[(journal.generation % 2) as usize].clone()
}

#[test]
fn a_cut_anywhere_loses_the_last_record_only() {
    let dir = folder();
    let mut journal = open(dir.path());
    journal.append(&batch(1)).unwrap();
    let before = journal.length() as usize;
    journal.append(&batch(2)).unwrap();
    let path = written(dir.path(), &journal);
    let whole = fs::read(&path).unwrap();
    for at in before..journal.length() as usize {
        let mut torn = whole.clone();
        torn[at..].fill(0);
        fs::write(&path, &torn).unwrap();
        let expected: &[u8] = if torn == whole { &[1, 2] } else { &[1] };
        assert_eq!(found(dir.path()), expected, "cut at {at}");
        torn.truncate(at);
        fs::write(&path, &torn).unwrap();
        assert_eq!(found(dir.path()), [1]);
        let mut journal = open(dir.path());
        journal.append(&batch(3)).unwrap();
        assert_eq!(found(dir.path()), [1, 3]);
        fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn damage_before_whole_records_stops_the_opening() {
    let dir = folder();
    let mut journal = open(dir.path());
    journal.append(&batch(1)).unwrap();
    let first = journal.length() as usize;
    journal.append(&batch(2)).unwrap();
    let path = written(dir.path(), &journal);
    let whole = fs::read(&path).unwrap();
    for at in 0..first {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let error = Journal::open(dir.path()).err().unwrap();
        assert!(matches!(error, Error::Journal { .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "nothing was cut off");
    }
}

/// The first record of a generation is torn, and an earlier one's are behind it.
#[test]
fn a_torn_first_record_is_no_damage() {
    let dir = folder();
    let mut journal = open(dir.path());
    for number in 1..=3 {
        journal.append(&batch(number)).unwrap();
    }
    journal.turn().unwrap();
    journal.append(&batch(4)).unwrap();
    journal.turn().unwrap();
    let path = written(dir.path(), &journal);
    let before = fs::read(&path).unwrap();
    journal.append(&batch(5)).unwrap();
    let mut torn = fs::read(&path).unwrap();
    let end = journal.length() as usize;
    torn[end - 5..].copy_from_slice(&before[end - 5..]);
    torn[end - 1] = b'?';
    fs::write(&path, &torn).unwrap();
    assert_eq!(found(dir.path()), [4]);
    let mut journal = open(dir.path());
    journal.append(&batch(6)).unwrap();
    assert_eq!(found(dir.path()), [4, 6]);
}

/// The disk takes a part of a record, then neither the rest nor the zeros over it.
#[test]
fn nothing_is_appended_behind_what_cannot_be_taken_back() {
    let dir = folder();
    let mut journal = open(dir.path());
    journal.append(&batch(1)).unwrap();
    let path = written(dir.path(), &journal);
    let half = (journal.generation % 2) as usize;
    let read_only = File::open(&path).unwrap();
    let good = std::mem::replace(&mut journal.files[half].file, read_only);
    for _ in 0..2 {
        journal.append(&batch(2)).unwrap_err();
        assert!(journal.is_torn);
    }
    journal.files[half].file = good;
    journal.append(&batch(3)).unwrap();
    assert_eq!(found(dir.path()), [1, 3]);
}

/// Someone puts what looks like records of the journal, of every generation that can be guessed.
#[test]
fn a_content_that_looks_like_records_is_none() {
    let dir = folder();
    let mut journal = open(dir.path());
    let record = |generation: u64| {
        let payload = "move refs/heads/main none 1111111111111111111111111111111111111111\n";
        let head = format!("{generation} 7 {}", payload.len());
        format!("{MAGIC} {head} {:08x}\n{payload}", sum(&head, payload.as_bytes()))
    };
    let mut hostile = batch(1);
    hostile.objects.push(object(&(0..200).map(record).collect::<String>()));
    for number in 1..=4 {
        journal.append(&hostile).unwrap();
        journal.turn().unwrap();
        journal.append(&batch(number)).unwrap();
        assert!(load(dir.path()).is_ok(), "after turn {number}");
        let forged = Revision::from_bytes([0x11; 20]);
        let is_ours = |batch: &Batch| batch.moves.iter().all(|step| step.to != forged);
        assert!(salvage(dir.path()).unwrap().iter().all(is_ours));
    }
}

/// The same, and then the other file is taken: what could not be taken back is not read as if it were stored.
#[test]
fn what_was_refused_is_taken_back_before_the_turn() {
    let dir = folder();
    let mut journal = open(dir.path());
    journal.append(&batch(7)).unwrap();
    // From here on a turn has nothing to say of the generation before.
    journal.finish().unwrap();
    journal.append(&batch(1)).unwrap();
    let length = journal.length;
    journal.append(&batch(2)).unwrap();
    // The disk has said that it could not, of this and of taking it back.
    journal.length = length;
    journal.number -= 1;
    journal.is_torn = true;
    journal.turn().unwrap();
    journal.append(&batch(3)).unwrap();
    assert_eq!(found(dir.path()), [1, 3]);
}

/// What is read may be what a flush that failed was for: it is written and flushed once more.
#[test]
fn what_is_read_is_flushed() {
    let dir = folder();
    let mut journal = open(dir.path());
    journal.append(&batch(1)).unwrap();
    let path = written(dir.path(), &journal);
    let bytes = fs::read(&path).unwrap()[..journal.length as usize].to_vec();
    drop(journal);
    let watch = files::watched::Watch::begin(dir.path());
    drop(open(dir.path()));
    use files::watched::Deed::{Sync, Write};
    let (write, sync) = (Write(path.clone(), 0, bytes), Sync(path));
    assert!(watch.deeds().windows(2).any(|deeds| deeds == [write.clone(), sync.clone()]));
}

#[test]
fn a_record_of_a_later_esker_is_not_passed_over() {
    let dir = folder();
    let mut journal = open(dir.path());
    journal.append_payload(b"wish something\n").unwrap();
    let error = Journal::open(dir.path()).err().unwrap();
    assert!(error.to_string().contains("a later esker wrote it"), "{error}");
}

/// As esker 0.1 wrote it: loose files, in `journal.old` and then `journal`.
#[test]
fn the_first_form_is_read() {
    let dir = folder();
    let record = |number: u8, boot: &str| {
        let batch = batch(number);
        let mut payload = boot.as_bytes().to_vec();
        for step in &batch.moves {
            let from = step.from.map_or("none".to_owned(), |from| from.to_string());
            payload.extend(format!("move {} {from} {}\n", step.name, step.to).bytes());
        }
        for object in &batch.objects {
            let mut loose =
                flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
            let head = format!("blob {}\0", object.bytes.len());
            io::Write::write_all(&mut loose, head.as_bytes()).unwrap();
            io::Write::write_all(&mut loose, &object.bytes).unwrap();
            let loose = loose.finish().unwrap();
            payload.extend(format!("object {} {}\n", object.id, loose.len()).bytes());
            payload.extend(loose);
        }
        let sum = crate::objects::id_of(Kind::Blob, &payload).unwrap();
        let mut out = format!("esker journal 1 {} {sum}\n", payload.len()).into_bytes();
        out.append(&mut payload);
        out
    };
    fs::write(dir.path().join("esker/journal.old"), record(1, "boot b-1\n")).unwrap();
    let mut bytes = record(2, "");
    bytes.extend(&record(3, "boot b-2\n")[..50]);
    fs::write(dir.path().join("esker/journal"), &bytes).unwrap();
    assert_eq!(found(dir.path()), [1, 2]);
    let mut damaged = [record(2, ""), record(3, "")].concat();
    damaged[60] ^= 1;
    fs::write(dir.path().join("esker/journal"), damaged).unwrap();
    assert!(load(dir.path()).is_err());
    remove_old(dir.path()).unwrap();
    assert!(found(dir.path()).is_empty());
}
