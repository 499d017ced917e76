//! Appending what chunks tell, and refusing what does not rise.

use super::*;
use crate::frame::{HEADER, Type};
use crate::op::Writer;
use crate::path::{self, Key, Path, path};
use crate::publisher::pages::{self, Wish};
use crate::value::Value;

/// Appends what a chunk's body tells.
fn append(model: &mut Model, body: &[u8]) -> Result<(), Malformed> {
    model.join(Piece::read(body, 1)?)
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
