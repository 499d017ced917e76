//! Repairs against every kind of difference; what they ask, and that they give up.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::frame::Type;
use crate::path::path;
use crate::publisher::pages;

fn model(leaves: u32) -> Model {
    let mut model = Model::default();
    for at in 0..leaves {
        let keys = path(["a", &format!("{}", at % 7), &format!("{at:05}")]);
        model.apply(&keys, &Act::Set(i64::from(at).into()), 1);
    }
    model
}

fn cut(model: &Model) -> Cutting {
    Cutting { cut: 1, seq: 2, digest: model.digest(), nodes: model.nodes() }
}

/// Repairs one model to be another; how many questions that took and how many bytes were answered.
fn run(ours: &Model, theirs: &Model) -> (Repair, usize, usize) {
    let mut repair = Repair::new(ours.clone(), cut(theirs), &[Path::new()]);
    let (mut asked, mut bytes) = (0, 0);
    loop {
        asked += 1;
        match repair.next() {
            Wants::Nodes(queries) => {
                let body = nodes::answer(theirs, &queries).unwrap();
                bytes += body.len();
                repair.compare(&body).unwrap();
            }
            Wants::Get(mut paths, after) => {
                paths.sort();
                let wish = pages::Wish { after: after.as_deref(), ..pages::Wish::of(&paths) };
                let page = pages::page(theirs, &wish, 1000);
                let next = page.next.clone();
                let frame = Frame::from_one(&page.frame(Type::Chunk, (1, 2), false)).unwrap();
                bytes += frame.body.len();
                repair.fetch(&frame, next).unwrap();
            }
            Wants::Done | Wants::GiveUp => return (repair, asked, bytes),
        }
    }
}

fn change(model: &mut Model, dice: &[(u8, u16, u8)]) {
    for &(act, at, depth) in dice {
        let keys = ["a", &format!("{}", at % 7), &format!("{:05}", at % 600), "below"];
        let path = path(&keys[..usize::from(depth % 4) + 1]);
        let act = match act % 6 {
            0 | 1 => Act::Delete,
            2 => Act::Dict,
            3 => Act::Clear,
            _ => Act::Set(i64::from(act).into()),
        };
        model.apply(&path, &act, 5);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn whatever_differs_is_put_right(
        one in proptest::collection::vec(any::<(u8, u16, u8)>(), 0..20),
        other in proptest::collection::vec(any::<(u8, u16, u8)>(), 0..20),
    ) {
        let (mut ours, mut theirs) = (model(500), model(500));
        change(&mut ours, &one);
        change(&mut theirs, &other);
        let (repair, ..) = run(&ours, &theirs);
        prop_assert_eq!(repair.model.recompute(), theirs.digest());
        let mut told = ours.clone();
        for op in &repair.done {
            told.apply(&op.path, &op.act, 9);
        }
        prop_assert_eq!(told.digest(), theirs.digest(), "what it says it did is all it did");
    }
}

#[test]
fn what_agrees_is_not_fetched() {
    let ours = model(5000);
    let (repair, asked, bytes) = run(&ours, &ours);
    assert_eq!((asked, repair.fetched, repair.done.len()), (2, 0, 0));
    assert!(bytes < 100, "{bytes}");
    let mut theirs = ours.clone();
    theirs.apply(&path(["a", "3", "00003"]), &Act::Set(true.into()), 2);
    let (repair, asked, bytes) = run(&ours, &theirs);
    assert_eq!((repair.fetched, repair.done.len()), (1, 1));
    assert!(asked < 8 && bytes < 2000, "{asked} {bytes}");
}

#[test]
fn a_repair_that_fetches_much_gives_up() {
    let theirs = model(40_000);
    let mut ours = theirs.clone();
    for at in 0..40_000_u32 {
        let keys = path(["a", &format!("{}", at % 7), &format!("{at:05}")]);
        ours.apply(&keys, &Act::Set(false.into()), 2);
    }
    let (repair, ..) = run(&ours, &theirs);
    assert!(repair.fetched < 20_000 && repair.model != theirs);
}

#[test]
fn who_answers_nonsense_is_not_asked_for_ever() {
    let ours = model(100);
    let mut repair =
        Repair::new(ours.clone(), Cutting { nodes: u64::MAX, ..cut(&ours) }, &[Path::new()]);
    // Every answer says that sixteen ranges differ.
    let nonsense = |_| {
        let mut body = vec![2];
        body.extend([7; 16]);
        body.extend([1, 16]);
        for first in 0..16_u8 {
            body.extend([1, b'0' + first, 200, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
        body
    };
    for asked in 0.. {
        assert!(asked < 20_000);
        match repair.next() {
            Wants::Nodes(queries) => {
                let count = queries.len().min(1000);
                let asked = repair.asked.len();
                assert!(count > 0 && repair.open.len() <= OPEN_MAX + 16 * QUERIES_MAX);
                let body: Vec<u8> = (0..asked).flat_map(nonsense).collect();
                repair.compare(&body).unwrap();
            }
            wants => {
                assert_eq!(wants, Wants::GiveUp);
                return;
            }
        }
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    let ours = model(10);
    let mut repair = Repair::new(ours.clone(), cut(&ours), &[Path::new()]);
    assert!(matches!(repair.next(), Wants::Nodes(_)));
    assert!(repair.compare(b"\x03").is_err());
    let header = crate::frame::Header::new(Type::Chunk);
    let frame = Frame { header, body: Bytes::from_static(b"\x09") };
    assert!(repair.fetch(&frame, None).is_err());
}

#[test]
fn paths_of_long_keys_are_asked_for_in_several_gets() {
    let mut theirs = Model::default();
    for at in 0..100 {
        let mut keys = vec![Key::from("k".repeat(1000)); 40];
        keys.insert(0, Key::from(format!("{at}")));
        theirs.apply(&keys, &Act::Set(1_i64.into()), 1);
    }
    let mut ours = theirs.clone();
    for at in 0..100 {
        let mut keys = vec![Key::from("k".repeat(1000)); 40];
        keys.insert(0, Key::from(format!("{at}")));
        ours.apply(&keys, &Act::Set(2_i64.into()), 1);
    }
    let (mut repair, mut gets) = (Repair::new(ours, cut(&theirs), &[Path::new()]), 0);
    loop {
        match repair.next() {
            Wants::Nodes(queries) => {
                repair.compare(&nodes::answer(&theirs, &queries).unwrap()).unwrap()
            }
            Wants::Get(paths, _) => {
                gets += 1;
                let bytes: usize = paths.iter().flatten().map(|key| key.len()).sum();
                assert!(bytes < KEYS_MAX + 65_536, "{bytes}");
                let page = pages::page(&theirs, &pages::Wish::of(&paths), usize::MAX);
                let frame = Frame::from_one(&page.frame(Type::Chunk, (1, 2), false)).unwrap();
                repair.fetch(&frame, None).unwrap();
            }
            wants => {
                assert_eq!(wants, Wants::Done);
                break;
            }
        }
    }
    assert!(gets > 3, "{gets}");
    assert_eq!(repair.model, theirs);
}
