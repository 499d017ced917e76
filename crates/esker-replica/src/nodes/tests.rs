//! Digests by which two models find where they differ.

use proptest::prelude::*;

use super::*;
use crate::op::{Act, Op};
use crate::path::path;
use crate::value::Value;

fn wide(keys: u32) -> Model {
    let mut model = Model::default();
    for key in 0..keys {
        let path = path(["wide", &format!("{key:06}")]);
        model.apply(&path, &Act::Set(i64::from(key).into()), 1);
    }
    model
}

fn ask(model: &Model, queries: &[Query]) -> Vec<Told> {
    let body = answer(model, &encode(queries)).unwrap();
    answers(&body, queries.len()).unwrap()
}

fn query(keys: &[&str], from: Option<&str>, to: Option<&str>) -> Query {
    Query { path: path(keys), from: from.map(Key::new), to: to.map(Key::new) }
}

#[test]
fn up_to_sixteen_are_told_one_by_one() {
    for (keys, children) in [(0, true), (1, true), (16, true), (17, false), (1000, false)] {
        let mut model = wide(keys);
        if keys == 0 {
            model.apply(&path(["wide"]), &Act::Dict, 1);
        }
        let told = ask(&model, &[query(&["wide"], None, None)]);
        match &told[0] {
            Told::Children(digest, all) => {
                assert!(children && all.len() == keys as usize);
                assert_eq!(*digest, model.digest_at(&path(["wide"])));
            }
            Told::Ranges(_, all) => {
                assert!(!children && all.len() <= FAN);
                assert_eq!(all.iter().map(|range| range.count).sum::<u64>(), u64::from(keys));
                for (at, range) in all.iter().enumerate() {
                    let to = all.get(at + 1).map(|next| next.first.clone());
                    let part = Query { path: path(["wide"]), from: Some(range.first.clone()), to };
                    assert_eq!(sum(&model, &part), (range.count, range.low));
                }
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn ranges_lead_to_the_leaf_in_few_steps() {
    let model = wide(10_000);
    let mut asked = query(&["wide"], None, None);
    for step in 0.. {
        assert!(step < 5, "16^4 is more than there is");
        match ask(&model, &[asked.clone()]).remove(0) {
            Told::Children(_, all) => {
                let child = all.iter().find(|child| child.key == "004711").unwrap();
                let digest = model.digest_at(&path(["wide", "004711"]));
                assert_eq!((child.is_dict, child.low), (false, digest.low()));
                return;
            }
            Told::Ranges(_, all) => {
                let at = all.partition_point(|range| range.first.as_str() <= "004711") - 1;
                asked.from = Some(all[at].first.clone());
                asked.to = all.get(at + 1).map(|next| next.first.clone());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nothing_and_leaves_are_told_as_such() {
    let model = wide(1);
    let leaf = ["wide", "000000"];
    let told = ask(
        &model,
        &[
            query(&leaf, None, None),
            query(&["wide", "x"], None, None),
            query(&["wide", "000000", "x"], None, None),
        ],
    );
    assert_eq!(told[0], Told::Leaf(Digest::of_leaf(&path(leaf), &0_i64.into())));
    assert_eq!(told[1..], [Told::Nothing, Told::Nothing]);
}

#[test]
fn bad_queries_are_refused() {
    let model = wide(20);
    let what = |bytes: &[u8]| answer(&model, bytes).unwrap_err().what;
    let many = vec![query(&[], None, None); QUERIES_MAX + 1];
    assert!(answer(&model, &encode(&many[1..])).is_ok());
    assert_eq!(what(&encode(&many)), "there are too many queries");
    assert_eq!(what(&[1, 0, 0, 4]), "a query has flags of another version");
    assert_eq!(what(&[1, 0, 0, 0, 0]), "there is more than the queries");
    assert_eq!(what(&[0xff, 0xff, 0xff, 0xff, 0x0f]), "it announces more than there is");
}

#[test]
fn who_asks_for_the_same_again_and_again_is_refused() {
    let model = wide(3000);
    let often = |times: usize| answer(&model, &encode(&vec![query(&["wide"], None, None); times]));
    assert!(often(300).is_ok());
    assert_eq!(often(400).unwrap_err().what, "the queries ask for the same again and again");
}

#[test]
fn bad_answers_are_refused() {
    let model = wide(1);
    let good = answer(&model, &encode(&[query(&["wide"], None, None)])).unwrap();
    assert!(answers(&good, 1).is_ok());
    assert!(answers(&good, 2).is_err() && answers(&good, 0).is_err());
    for end in 0..good.len() {
        assert!(answers(&good[..end], 1).is_err());
    }
    let mut wrong = good.clone();
    wrong[0] = 3;
    assert!(answers(&wrong, 1).is_err());
    wrong[0] = DICT;
    wrong[17] = 2;
    assert!(answers(&wrong, 1).is_err());
    let mut wrong = good[..18].to_vec();
    wrong.push(17);
    wrong.extend([0; 200]);
    assert_eq!(answers(&wrong, 1).unwrap_err().what, "a node is told in too many parts");
}

proptest! {
    #[test]
    fn whatever_is_asked_or_answered_reading_ends(bytes: Vec<u8>, queries in 0_usize..4) {
        let model = wide(20);
        if let Ok(body) = answer(&model, &bytes) {
            let count = decode(&bytes).unwrap().len();
            prop_assert_eq!(answers(&body, count).unwrap().len(), count);
        }
        drop(answers(&bytes, queries));
    }

    #[test]
    fn queries_come_back(all in proptest::collection::vec((proptest::collection::vec("[ab\u{0}]{0,2}", 0..3), proptest::option::of("[ab]?"), proptest::option::of("[ab]?")), 0..20)) {
        let queries: Vec<Query> = all
            .into_iter()
            .map(|(keys, from, to)| Query { path: path(keys), from: from.map(Key::from), to: to.map(Key::from) })
            .collect();
        prop_assert_eq!(decode(&encode(&queries)), Ok(queries));
    }
}

#[test]
fn a_dict_in_place_of_a_leaf_is_seen() {
    let mut one = wide(1);
    let mut other = wide(1);
    one.apply(&path(["x"]), &Act::Dict, 1);
    let op = Op::set(path(["x"]), Value::Null);
    other.apply(&op.path, &op.act, 1);
    let root = [query(&[], None, None)];
    assert_ne!(ask(&one, &root), ask(&other, &root));
}
