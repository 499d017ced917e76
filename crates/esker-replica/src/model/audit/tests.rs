//! Audits find what is wrong, and where.

use std::sync::Arc;

use crate::model::Model;
use crate::op::Op;
use crate::path::path;

fn model() -> Model {
    let mut model = Model::default();
    for number in 0..1000_i64 {
        let keys = [number % 3, number % 40, number].map(|one| one.to_string());
        model.take(&[Op::set(path(keys), number)], 1);
    }
    assert!(model.audit().is_empty());
    model
}

#[test]
fn a_leaf_that_is_another_one_is_found_in_its_dict() {
    let mut model = model();
    let before = model.digest();
    model.corrupt(&path(["0", "3", "3"]), 4_i64);
    assert_eq!((model.digest(), model.audit()), (before, vec![path(["0", "3"])]));
    model.rebuild();
    assert!(model.audit().is_empty());
    assert_eq!(model.digest(), model.recompute());
    assert!(model.digest() != before);
}

#[test]
fn a_sum_that_is_another_one_is_found_too() {
    let mut model = model();
    let before = model.digest();
    Arc::make_mut(&mut model.root).digest.0 ^= 1 << 77;
    assert_eq!(model.audit(), [path::<&str>([])]);
    model.rebuild();
    assert_eq!((model.digest(), model.audit().len()), (before, 0));
    Arc::make_mut(&mut model.root).nodes += 1;
    assert_eq!(model.audit().len(), 1);
}
