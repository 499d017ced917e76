//! Appending what chunks tell, and refusing what does not rise.

use proptest::prelude::*;

use super::*;
use crate::frame::{HEADER, Type};
use crate::op::{self, Writer};
use crate::path::{self, Key, Path, path};
use crate::publisher::pages::{self, Wish};
use crate::value::Value;

/// Appends what a chunk's body tells.
fn append(model: &mut Model, body: &[u8]) -> Result<(), Malformed> {
    model.join(Piece::read(&Bytes::copy_from_slice(body), 1)?)
}

/// The whole of a model as the chunks of a copy tell it.
fn told(model: &Model, bytes_max: usize) -> Vec<Vec<u8>> {
    let bases = [Path::new()];
    let mut bodies = Vec::new();
    let mut after: Option<Path> = None;
    loop {
        let wish = Wish { after: after.as_deref(), ..Wish::of(&bases) };
        let page = pages::page(model, &wish, bytes_max);
        let next = page.next.clone();
        bodies.push(page.frame(Type::Chunk, (1, 1), false)[HEADER..].to_vec());
        let Some(path) = next else { return bodies };
        after = Some(path);
    }
}

#[test]
fn what_is_appended_is_what_was_told() {
    let mut model = Model::default();
    for number in 0..3000_i64 {
        let keys = [number % 7, number % 300, number];
        let path: Path = keys.iter().map(|key| Key::new(key.to_string())).collect();
        model.apply(&path[..1 + usize::try_from(number % 3).unwrap()], &Act::Dict, 1);
        model.apply(&path, &Act::Set(Value::from(number)), 1);
    }
    for bytes_max in [1, 50, 1000, 1_000_000] {
        let mut copy = Model::default();
        for body in told(&model, bytes_max) {
            append(&mut copy, &body).unwrap();
        }
        assert_eq!((copy.digest(), copy.nodes()), (model.digest(), model.nodes()));
        assert_eq!(copy.recompute(), model.digest());
        copy.apply(&path(["0", "0", "0"]), &Act::Delete, 2);
        assert_eq!(copy.recompute(), copy.digest());
    }
}

#[test]
fn what_does_not_rise_is_not_appended() {
    let set = |keys: &[&str]| (path(keys), Act::Set(Value::Null));
    let dict = |keys: &[&str]| (path(keys), Act::Dict);
    let bad = [
        vec![set(&["b"]), set(&["a"])],
        vec![set(&["a"]), set(&["a"])],
        vec![dict(&["a"]), dict(&["b"]), set(&["a", "x"])],
        vec![set(&["a", "x"])],
        vec![set(&["a"]), set(&["a", "x"])],
        vec![dict(&["a"]), dict(&[])],
        vec![dict(&["a"]), (path(["b"]), Act::Delete)],
    ];
    for ops in bad {
        let mut writer = Writer::default();
        for (path, act) in &ops {
            writer.push(path, act);
        }
        assert!(append(&mut Model::default(), &writer.finish()).is_err(), "{ops:?}");
    }
}

#[test]
fn paths_that_are_told_whole_are_appended_too() {
    let mut body = Vec::new();
    for (kind, keys) in
        [(3, vec!["a"]), (3, vec!["a", "b"]), (3, vec!["a", "b", "c"]), (3, vec!["a", "d"])]
    {
        body.push(kind);
        path::encode_shared(0, &path(keys), &mut body);
    }
    let mut model = Model::default();
    append(&mut model, &body).unwrap();
    assert_eq!((model.nodes(), model.recompute()), (5, model.digest()));
}

/// A model of leaves and dicts at every level, some wide.
fn mixed() -> impl Strategy<Value = Model> {
    let keys = prop::collection::vec("[a-d]{0,2}|[0-9]{1,3}|é", 1..4);
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        "\\PC{0,80}".prop_map(|text| Value::from(text.as_str())),
        Just(Value::Null),
    ];
    let wide = (0_i64..400).prop_map(|count| {
        let op = |at: i64| (path(["wide", &at.to_string()]), Value::from(at));
        (0..count).map(op).collect::<Vec<_>>()
    });
    let few =
        prop::collection::vec((keys, value).prop_map(|(keys, value)| (path(keys), value)), 0..60);
    (few, wide).prop_map(|(few, wide)| {
        let mut model = Model::default();
        for (path, value) in few.into_iter().chain(wide) {
            model.apply(&path, &Act::Set(value), 1);
        }
        model
    })
}

proptest! {
    #[test]
    fn a_copy_is_its_model_in_chunks_of_any_size(model in mixed(), bytes_max in 1_usize..3000) {
        let mut copy = Model::default();
        for body in told(&model, bytes_max) {
            append(&mut copy, &body).unwrap();
        }
        prop_assert_eq!((copy.digest(), copy.nodes()), (model.digest(), model.nodes()));
        prop_assert_eq!(copy.recompute(), model.digest());
        prop_assert_eq!(told(&copy, bytes_max), told(&model, bytes_max));
    }

    #[test]
    fn what_was_damaged_is_refused_or_is_what_it_says(
        model in mixed(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = told(&model, usize::MAX).remove(0);
        prop_assume!(!body.is_empty());
        let at = at.index(body.len());
        body[at] = byte;
        let mut copy = Model::default();
        if append(&mut copy, &body).is_ok() {
            // Operation by operation comes to the same.
            let mut plain = Model::default();
            plain.take(&op::decode(&body).unwrap(), 1);
            prop_assert_eq!((copy.digest(), copy.nodes()), (plain.digest(), plain.nodes()));
            prop_assert_eq!(copy.recompute(), copy.digest());
        }
    }
}
