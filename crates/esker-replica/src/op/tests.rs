//! Operations come back from bytes as they were, and nothing else is read as any.

use proptest::prelude::*;

use super::*;
use crate::path::path;

/// Operations made up of bytes, with keys that meet often.
fn made_up(dice: &[(u8, u8, u8)]) -> Vec<Op> {
    const KEYS: [&str; 6] =
        ["", "a", "b", "\0", "\u{1}", "a long key that needs memory of its own"];
    let one = |&(act, depth, keys): &(u8, u8, u8)| {
        let path: Path =
            (0..=depth % 4).map(|at| Key::new(KEYS[usize::from(keys >> at) % 6])).collect();
        let act = match act % 5 {
            0 => Act::Delete,
            1 => Act::Dict,
            2 => Act::Clear,
            _ => Act::Set(Value::from(i64::from(act))),
        };
        Op { path, act }
    };
    dice.iter().map(one).collect()
}

proptest! {
    #[test]
    fn operations_come_back(dice: Vec<(u8, u8, u8)>) {
        let ops = made_up(&dice);
        let bytes = encode(&ops);
        prop_assert!(bytes.len() <= ops.iter().map(Op::size).sum());
        prop_assert_eq!(decode(&bytes), Ok(ops));
    }

    #[test]
    fn whatever_bytes_there_are_reading_ends(bytes: Vec<u8>) {
        if let Ok(ops) = decode(&bytes) {
            prop_assert_eq!(decode(&encode(&ops)), Ok(ops));
        }
    }
}

#[test]
fn paths_are_told_by_what_differs() {
    let ops = [
        Op::set(path(["a", "b"]), 1_i64),
        Op::set(path(["a", "c"]), 2_i64),
        Op::delete(path(["a"])),
    ];
    assert_eq!(encode(&ops), b"\x01\0\x02\x01a\x01b\x03\x02\x01\x01\x01\x01c\x03\x04\x02\x01\0");
}

#[test]
fn the_model_itself_is_no_leaf_and_stays() {
    for kind in [1, 2] {
        assert!(decode(&[kind, 0, 0, 0]).is_err());
    }
    for kind in [3, 4] {
        assert_eq!(decode(&[kind, 0, 0]).unwrap().len(), 1);
    }
    for kind in [0, 5, 255] {
        assert_eq!(decode(&[kind, 0, 1, 1, b'a']).unwrap_err().what, "there is no such operation");
    }
}

#[test]
fn more_operations_than_fit_a_frame_are_refused() {
    let one = Op { path: path(["a"]), act: Act::Dict };
    let bytes = encode(&vec![one.clone(); OPS_MAX]);
    assert_eq!(decode(&bytes).unwrap().len(), OPS_MAX);
    let bytes = encode(&vec![one; OPS_MAX + 1]);
    assert_eq!(decode(&bytes).unwrap_err().what, "there are too many operations");
}

#[test]
fn a_writer_knows_what_it_has() {
    let mut writer = Writer::default();
    assert!(writer.is_empty() && writer.last().is_empty());
    writer.push(&path(["a", "b"]), &Act::Dict);
    writer.push(&path(["a"]), &Act::Delete);
    assert_eq!((writer.count(), writer.last(), writer.size()), (2, &path(["a"])[..], 10));
    assert_eq!(writer.finish().len(), 10);
}

#[test]
fn the_paths_of_a_frame_have_only_so_many_keys() {
    let deep: Path = (0..500).map(|at| Key::new(at.to_string())).collect();
    let ops = |count: usize| {
        let mut writer = Writer::default();
        for at in 0..count {
            let mut path = deep.clone();
            path.push(Key::new(at.to_string()));
            writer.push(&path, &Act::Dict);
        }
        writer
    };
    let fits = KEYS_MAX / 501;
    assert!(!ops(fits - 1).is_full(501) && ops(fits).is_full(501));
    assert_eq!(decode(&ops(fits).finish()).unwrap().len(), fits);
    assert!(decode(&ops(fits + 1).finish()).is_err());
}
