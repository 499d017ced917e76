//! The model against an oracle: plain nested maps that are hashed whole after every step.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::op::Op;
use crate::path::{DEPTH_MAX, path};

/// What a model is, said as plainly as can be.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    Leaf(Value),
    Dict(BTreeMap<Key, Plain>),
}

impl Plain {
    fn dict() -> Self {
        Self::Dict(BTreeMap::new())
    }

    fn apply(&mut self, path: &[Key], act: &Act) {
        let Some((key, rest)) = path.split_first() else {
            return match act {
                Act::Set(value) => *self = Self::Leaf(value.clone()),
                Act::Dict if matches!(self, Self::Dict(_)) => {}
                Act::Dict | Act::Clear => *self = Self::dict(),
                Act::Delete => unreachable!("taken out of what is above"),
            };
        };
        if matches!((act, &*self), (Act::Delete, Self::Leaf(_))) {
            return;
        }
        if matches!(self, Self::Leaf(_)) {
            *self = Self::dict();
        }
        let Self::Dict(children) = self else { unreachable!("it is one now") };
        match (act, rest.is_empty()) {
            (Act::Delete, true) => drop(children.remove(key)),
            (Act::Delete, false) => {
                if let Some(child) = children.get_mut(key) {
                    child.apply(rest, act);
                }
            }
            _ => children.entry(key.clone()).or_insert(Self::Leaf(Value::Null)).apply(rest, act),
        }
    }

    /// Its digest and how many nodes it is.
    fn digest(&self, path: &mut Path) -> (Digest, u64) {
        match self {
            Self::Leaf(value) => (Digest::of_leaf(path, value), 1),
            Self::Dict(children) => {
                let mut all = (of_dict(path), 1);
                for (key, child) in children {
                    path.push(key.clone());
                    let (digest, nodes) = child.digest(path);
                    all = (all.0 + digest, all.1 + nodes);
                    path.pop();
                }
                all
            }
        }
    }

    fn of(found: Found<'_>) -> Self {
        match found {
            Found::Leaf(value) => Self::Leaf(value.clone()),
            Found::Dict(branch) => Self::Dict(
                branch.children().map(|(key, one)| (key.clone(), Self::of(one))).collect(),
            ),
        }
    }
}

fn any_key() -> impl Strategy<Value = Key> {
    let keys = ["a", "b", "", "/", "\0", "\u{1}", "\u{e9}", "e\u{301}", "😀", "__proto__"];
    proptest::sample::select(keys.to_vec()).prop_map(Key::new)
}

fn any_op() -> impl Strategy<Value = Op> {
    let act = prop_oneof![
        2 => Just(Act::Delete),
        1 => Just(Act::Dict),
        1 => Just(Act::Clear),
        2 => (0_i64..3).prop_map(|number| Act::Set(number.into())),
        2 => Just(Act::Set("a text that needs memory of its own".into())),
        1 => any::<u64>().prop_map(|bits| Act::Set(f64::from_bits(bits).into())),
        1 => Just(Act::Set(Value::List([Value::Null].as_slice().into()))),
    ];
    (proptest::collection::vec(any_key(), 0..5), act).prop_map(|(path, act)| match act {
        Act::Set(_) | Act::Delete if path.is_empty() => Op { path, act: Act::Dict },
        act => Op { path, act },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_model_is_what_the_plainest_one_is(ops in proptest::collection::vec(any_op(), 1..60)) {
        let mut model = Model::default();
        let mut plain = Plain::dict();
        let mut held = Vec::new();
        for (seq, op) in (1..).zip(&ops) {
            let before = plain.clone();
            plain.apply(&op.path, &op.act);
            let changed = model.apply(&op.path, &op.act, seq);
            prop_assert_eq!(changed, before != plain);
            prop_assert_eq!((model.digest(), model.nodes()), plain.digest(&mut Path::new()));
            prop_assert_eq!(&Plain::of(Found::Dict(model.root())), &plain);
            if seq % 7 == 0 {
                held.push((model.clone(), plain.clone()));
            }
        }
        prop_assert_eq!(model.recompute(), model.digest());
        for (model, plain) in held {
            prop_assert_eq!((model.recompute(), model.nodes()), plain.digest(&mut Path::new()));
            prop_assert_eq!(Plain::of(Found::Dict(model.root())), plain, "a cut has changed");
        }
    }

    #[test]
    fn history_does_not_matter(ops in proptest::collection::vec(any_op(), 1..40)) {
        let mut model = Model::default();
        for op in &ops {
            model.apply(&op.path, &op.act, 1);
        }
        let mut steps = Vec::new();
        told(Found::Dict(model.root()), &mut Path::new(), &mut steps);
        // Whatever order its nodes are made in.
        for turn in 0..steps.len().min(5) {
            steps.rotate_left(turn);
            if turn % 2 == 1 {
                steps.reverse();
            }
            let mut other = Model::default();
            for Op { path, act } in &steps {
                other.apply(path, act, 9);
            }
            prop_assert_eq!(other.digest(), model.digest());
        }
    }
}

/// The operations that make a node, in order.
fn told(found: Found<'_>, path: &mut Path, steps: &mut Vec<Op>) {
    match found {
        Found::Leaf(value) => steps.push(Op::set(path.clone(), value.clone())),
        Found::Dict(branch) => {
            steps.push(Op { path: path.clone(), act: Act::Dict });
            for (key, child) in branch.children() {
                path.push(key.clone());
                told(child, path, steps);
                path.pop();
            }
        }
    }
}

fn of(ops: &[Op]) -> Model {
    let mut model = Model::default();
    model.take(ops, 1);
    assert_eq!(model.recompute(), model.digest());
    model
}

#[test]
fn an_empty_dict_is_not_nothing() {
    let dict = |keys: &[&str]| Op { path: path(keys), act: Act::Dict };
    let all = [
        of(&[]),
        of(&[dict(&["a"])]),
        of(&[dict(&["a", "b"])]),
        of(&[dict(&["a"]), dict(&["b"])]),
        of(&[Op::set(path(["a"]), Value::Null)]),
        of(&[Op::set(path(["a"]), Value::List([].as_slice().into()))]),
        of(&[Op::set(path(["a"]), "")]),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(all[..at].iter().all(|other| other != one), "{at}");
    }
}

#[test]
fn the_digest_of_every_part_is_known() {
    let model = of(&[Op::set(path(["a", "b"]), 1_i64), Op::set(path(["a", "c", "d"]), 2_i64)]);
    let leaf = Digest::of_leaf(&path(["a", "b"]), &1_i64.into());
    let deep = Digest::of_leaf(&path(["a", "c", "d"]), &2_i64.into());
    assert_eq!(model.digest_at(&path(["a", "b"])), leaf);
    assert_eq!(model.digest_at(&path(["a", "c"])), of_dict(&path(["a", "c"])) + deep);
    assert_eq!(
        model.digest_at(&path(["a"])),
        of_dict(&path(["a"])) + leaf + of_dict(&path(["a", "c"])) + deep
    );
    assert_eq!(model.digest_at(&path(["x"])), Digest::ZERO);
    assert_eq!(model.digest_at(&path(["a", "b", "c"])), Digest::ZERO);
    assert_eq!(model.digest_at(&[]), model.digest());
    let Some(Found::Dict(branch)) = model.get(&path(["a"])) else { panic!("a dict") };
    assert_eq!((branch.len(), branch.nodes(), branch.is_empty()), (2, 4, false));
    assert!(branch.get("b").is_some() && branch.get("x").is_none());
}

/// On a stack as small as threads have.
fn on_a_thread(deed: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(deed).unwrap().join().unwrap();
}

#[test]
fn the_deepest_path_needs_no_deep_stack() {
    on_a_thread(|| {
        let deep: Path = (0..DEPTH_MAX).map(|at| Key::from(format!("{at}"))).collect();
        let mut model = of(&[Op::set(deep.clone(), 1_i64)]);
        assert_eq!(model.nodes(), DEPTH_MAX as u64 + 1);
        let held = model.clone();
        assert!(model.apply(&deep, &Act::Clear, 2));
        assert!(model.apply(&deep, &Act::Delete, 2));
        assert_eq!(held.recompute(), held.digest());
        model.begin_anew();
        drop(held);
        assert!(model.apply(&deep[..1], &Act::Delete, 3));
        assert_eq!(model, Model::default());
    });
}

#[test]
fn a_hundred_thousand_leaves_go_and_come_back() {
    let mut model = Model::default();
    let leaf = |at: u32| path(["all", &format!("{}", at % 100), &format!("{at}")]);
    for at in 0..100_000 {
        model.apply(&leaf(at), &Act::Set(i64::from(at).into()), 1);
    }
    let full = model.clone();
    assert_eq!(full.nodes(), 100_000 + 102);
    assert!(model.apply(&path(["all"]), &Act::Delete, 2));
    assert_eq!(model, Model::default());
    assert!(!model.apply(&path(["all"]), &Act::Delete, 3));
    for at in (0..100_000).rev() {
        model.apply(&leaf(at), &Act::Set(i64::from(at).into()), 4);
    }
    assert_eq!(model.digest(), full.digest());
    assert_eq!(model.recompute(), model.digest());
}

#[test]
fn what_a_fork_alone_has_goes_with_it() {
    let mut model = Model::default();
    let leaf = |at: u64| path([format!("{}", at / 500), format!("{}", at % 500)]);
    for at in 0..5000 {
        model.apply(&leaf(at), &Act::Set(at.into()), 1);
    }
    let (root, digest) = (Arc::downgrade(&model.root), model.digest());
    let mut fork = model.clone();
    assert_eq!(root.strong_count(), 2, "a fork is no copy");
    for at in (0..5000).step_by(7) {
        fork.apply(&leaf(at), &Act::Set(Value::Null), 2);
    }
    let own = Arc::downgrade(&fork.root);
    assert_eq!((root.strong_count(), own.strong_count()), (1, 1));
    assert_eq!((model.digest(), model.recompute()), (digest, digest), "it shows nowhere else");
    drop(fork);
    assert_eq!(own.strong_count(), 0);
    // Nothing is shared any more: a change copies nothing.
    drop(root);
    let before = Arc::as_ptr(&model.root);
    model.apply(&leaf(1), &Act::Set(Value::Null), 2);
    assert_eq!(Arc::as_ptr(&model.root), before);
}
