//! Cuts are shared, stay as they are, and go when nobody asks for them.

use super::*;
use crate::digest::Digest;
use crate::path::path;

fn cut_of(cuts: &mut Cuts, model: &mut Model, (seq, from): (u64, u64), at: u64) -> Cutting {
    let wish = ask::Cut { sections: Vec::new(), from };
    cuts.make(model, &Junctions::default(), (seq, &wish), Duration::from_millis(at)).cutting()
}

fn set(model: &mut Model, seq: u64) {
    model.apply(&path(["a"]), &Act::Set(seq.into()), seq);
}

#[test]
fn who_asks_within_a_second_gets_the_same() {
    let (mut cuts, mut model) = (Cuts::new(1), Model::default());
    set(&mut model, 1);
    let first = cut_of(&mut cuts, &mut model, (1, 0), 0);
    assert_eq!((first.cut, first.seq, first.nodes, first.digest), (1, 1, 2, model.digest()));
    assert_eq!(cut_of(&mut cuts, &mut model, (1, 1), 5000), first, "nothing has changed");
    set(&mut model, 2);
    assert_eq!(cut_of(&mut cuts, &mut model, (2, 1), 999), first, "not a second old");
    assert_eq!(cut_of(&mut cuts, &mut model, (2, 2), 999).seq, 2, "older than what is known");
    set(&mut model, 3);
    assert_eq!(cut_of(&mut cuts, &mut model, (3, 0), 1000).seq, 2);
    assert_eq!(cut_of(&mut cuts, &mut model, (3, 0), 1999).seq, 3);
}

#[test]
fn a_cut_goes_when_nobody_asks_for_it() {
    let (mut cuts, mut model) = (Cuts::new(1), Model::default());
    let at = Duration::from_secs;
    assert_eq!(cut_of(&mut cuts, &mut model, (0, 0), 0).cut, 1);
    cuts.forget(at(29));
    assert!(cuts.get(1, at(29)).is_ok());
    cuts.forget(at(58));
    assert!(cuts.get(1, at(58)).is_ok(), "it was asked for");
    cuts.forget(at(88));
    assert_eq!(cuts.get(1, at(88)).unwrap_err().code, Code::Gone);
}

#[test]
fn no_more_than_so_many_are_held() {
    let (mut cuts, mut model) = (Cuts::new(1), Model::default());
    for seq in 1..=HELD_MAX as u64 + 1 {
        set(&mut model, seq);
        assert_eq!(cut_of(&mut cuts, &mut model, (seq, seq), 0).cut, seq);
    }
    assert_eq!(cuts.held.len(), HELD_MAX);
    assert_eq!(cuts.get(1, Duration::ZERO).unwrap_err().code, Code::Gone);
    assert!(cuts.get(2, Duration::ZERO).is_ok());
}

#[test]
fn cuts_that_were_fetched_go_before_those_that_are_about_to_be() {
    for is_ended in [false, true] {
        let (mut cuts, mut model) = (Cuts::new(1), Model::default());
        for seq in 1..=HELD_MAX as u64 {
            set(&mut model, seq);
            cut_of(&mut cuts, &mut model, (seq, seq), 0);
            let cut = cuts.get(seq, Duration::ZERO).unwrap();
            if is_ended {
                assert!(cut.chunk(0, true).is_ok());
            }
        }
        let later = if is_ended { ENDED_BUSY_MAX } else { BUSY_MAX };
        let new = HELD_MAX as u64 + 1..HELD_MAX as u64 + 20;
        for seq in new.clone() {
            set(&mut model, seq);
            cut_of(&mut cuts, &mut model, (seq, seq), later.as_secs() * 1000);
        }
        assert_eq!(cuts.held.len(), HELD_MAX);
        for seq in new {
            assert!(cuts.get(seq, later).is_ok(), "{seq}");
        }
    }
}

#[test]
fn cuts_that_nobody_fetches_take_no_place_of_others() {
    let (mut cuts, mut model) = (Cuts::new(1), Model::default());
    let some = |cuts: &mut Cuts, model: &mut Model, section: u64| {
        let wish = ask::Cut { sections: vec![path([format!("{section}")])], from: 0 };
        cuts.make(model, &Junctions::default(), (1, &wish), Duration::ZERO).cutting().cut
    };
    let of_all = cut_of(&mut cuts, &mut model, (1, 0), 0).cut;
    let fetched = some(&mut cuts, &mut model, 0);
    assert!(cuts.get(fetched, Duration::ZERO).is_ok());
    let first = some(&mut cuts, &mut model, 1);
    let newest = (2..1000).map(|section| some(&mut cuts, &mut model, section)).last().unwrap();
    assert_eq!(cuts.held.len(), HELD_MAX);
    assert_eq!(cuts.get(first, Duration::ZERO).unwrap_err().code, Code::Gone);
    for cut in [of_all, fetched, newest] {
        assert!(cuts.get(cut, Duration::ZERO).is_ok(), "{cut}");
    }
}

#[test]
fn chunks_are_the_same_for_all_and_make_the_cut() {
    let (mut cuts, mut model) = (Cuts::new(7), Model::default());
    for at in 0..200_000_u64 {
        model.apply(&path([format!("{at}")]), &Act::Set(at.into()), 1);
    }
    let told = cut_of(&mut cuts, &mut model, (1, 0), 0);
    let cut = cuts.get(told.cut, Duration::ZERO).unwrap();
    set(&mut model, 2);
    let last = cut.chunk(3, true).unwrap();
    assert_eq!(cut.chunk(3, true).unwrap(), last);
    let (mut sum, mut made) = (Digest::ZERO, Model::default());
    for index in 0.. {
        let frame = Frame::from_one(&cut.chunk(index, index % 2 == 0).unwrap()).unwrap();
        assert_eq!((frame.header.kind, frame.header.epoch, frame.header.seq), (Type::Chunk, 7, 1));
        sum += frame.header.after;
        for op in crate::op::decode(&frame.body).unwrap() {
            made.apply(&op.path, &op.act, 1);
        }
        if frame.header.last {
            assert!(index > 2);
            assert_eq!(cut.chunk(index + 1, true).unwrap_err().code, Code::BadRequest);
            assert_eq!(cut.chunk(u32::MAX, true).unwrap_err().code, Code::BadRequest);
            break;
        }
    }
    assert_eq!((sum, made.digest()), (told.digest, told.digest));
}

#[test]
fn of_sections_a_cut_has_them_and_what_is_above() {
    let (mut cuts, mut model) = (Cuts::new(1), Model::default());
    let junctions = Junctions::new([path(["c"])]);
    for keys in [["c", "x"], ["c", "y"], ["a", "z"]] {
        model.apply(&path(keys), &Act::Set(1_i64.into()), 1);
    }
    let sections = vec![path(["c", "y"]), path(["absent"]), path(["c", "y"])];
    let wish = ask::Cut { sections, from: 0 };
    let cut = cuts.make(&mut model, &junctions, (1, &wish), Duration::ZERO);
    let frame = Frame::from_one(&cut.chunk(0, false).unwrap()).unwrap();
    assert_eq!((frame.header.ops, frame.header.last), (3, true));
    assert_eq!(frame.header.after, cut.cutting().digest);
    let other = ask::Cut { sections: vec![path(["c", "x"])], from: 0 };
    let other = cuts.make(&mut model, &junctions, (1, &other), Duration::ZERO);
    assert_ne!(other.cutting().cut, cut.cutting().cut, "other sections are another cut");
}
