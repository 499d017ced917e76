//! Sums over parts of a model, beside the same worked out node by node.

use proptest::prelude::*;

use crate::digest::{Digest, Hasher};
use crate::model::Model;
use crate::model::walk::{Step, Walk};
use crate::op::{Act, Op};
use crate::path::{Key, Path, path};

fn any_path() -> impl Strategy<Value = Path> {
    let key = proptest::sample::select(vec!["", "a", "b", "c", "\0"]).prop_map(Key::new);
    proptest::collection::vec(key, 0..4)
}

/// Node by node.
fn plainly(model: &Model, base: &[Key], after: Option<&[Key]>, upto: Option<&[Key]>) -> Digest {
    let mut walk = Walk::of(model, base);
    let mut hasher = Hasher::default();
    let mut digest = Digest::ZERO;
    while let Some((path, step)) = walk.next(None) {
        if after.is_some_and(|after| path <= after) || upto.is_some_and(|upto| path > upto) {
            continue;
        }
        digest += match step {
            Step::Leaf(value) | Step::Beside(value) => hasher.leaf(path, value),
            Step::Dict => hasher.dict(path),
        };
    }
    digest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_part_sums_to_what_its_nodes_do(
        leaves in proptest::collection::vec((any_path(), any::<bool>()), 0..30),
        (base, after, upto) in (any_path(), any_path(), any_path()),
        (has_after, has_upto) in any::<(bool, bool)>(),
    ) {
        let mut model = Model::default();
        for (number, (path, is_leaf)) in (0_i64..).zip(leaves) {
            let act = if is_leaf && !path.is_empty() { Act::Set(number.into()) } else { Act::Dict };
            model.take(&[Op { path, act }], 1);
        }
        let after = [base.clone(), after].concat();
        let after = has_after.then_some(after.as_slice());
        let upto = has_upto.then_some(upto.as_slice());
        let sum = model.digest_between(&base, after, upto);
        prop_assert_eq!(sum, plainly(&model, &base, after, upto));
    }
}

#[test]
fn a_wide_dict_has_parts_too() {
    let mut model = Model::default();
    for number in 0..1000_i64 {
        model.take(&[Op::set(path(["w", &format!("{number:04}")]), number)], 1);
    }
    let ends: Vec<Path> =
        [0, 1, 127, 128, 129, 999].iter().map(|at| path(["w", &format!("{at:04}")])).collect();
    for after in &ends {
        for upto in &ends {
            let (after, upto) = (Some(after.as_slice()), Some(upto.as_slice()));
            let sum = model.digest_between(&[], after, upto);
            assert_eq!(sum, plainly(&model, &[], after, upto));
        }
    }
}
