//! Any sequence of requests gives what a simple model gives, also after closing and opening again.

use std::collections::BTreeMap;

use esker_wire::fault::Code;
use esker_wire::name::Branch;
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, Item, List, Log};
use proptest::prelude::*;

use crate::support::{Bench, put, resource};

const NAMES: [&str; 5] = ["a/b", "a/c", "a/b/c", "b/a", "b/a b"];

#[derive(Debug, Clone)]
enum Deed {
    /// Resource and content; no content removes it.
    Put(Vec<(usize, Option<u8>)>),
    Reopen,
}

fn deed() -> impl Strategy<Value = Deed> {
    let item = (0..NAMES.len(), prop::option::weighted(0.8, 0..4_u8));
    prop_oneof![
        9 => prop::collection::vec(item, 1..4).prop_map(Deed::Put),
        1 => Just(Deed::Reopen),
    ]
}

/// The revision and content of each resource.
type State = BTreeMap<usize, (Revision, u8)>;

/// What each resource was after each commit.
#[derive(Default)]
struct Model {
    now: State,
    then: Vec<(Revision, State)>,
}

impl Model {
    /// What the items leave; none if a name is a resource and the beginning of another's at once.
    fn after(&self, items: &[(usize, Option<u8>)]) -> Option<BTreeMap<usize, u8>> {
        let mut after: BTreeMap<usize, u8> =
            self.now.iter().map(|(name, (_, content))| (*name, *content)).collect();
        for (name, content) in items {
            match content {
                Some(content) => after.insert(*name, *content),
                None => after.remove(name),
            };
        }
        let clash = after.contains_key(&0) && after.contains_key(&2);
        (!clash).then_some(after)
    }
}

fn check_put(bench: &mut Bench, model: &mut Model, items: &[(usize, Option<u8>)]) {
    let mut ask = put(NAMES[0], "");
    ask.items = items
        .iter()
        .map(|(name, content)| Item {
            content: content.map(|content| vec![content; 3].into()),
            ..put(NAMES[*name], "").items.remove(0)
        })
        .collect();
    let mut names: Vec<usize> = items.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    let stored = bench.call(&ask);
    if names.len() < items.len() {
        assert_eq!(stored.unwrap_err().code, Code::BadRequest);
        return;
    }
    let Some(after) = model.after(items) else {
        assert_eq!(stored.unwrap_err().code, Code::BadRequest);
        return;
    };
    let stored = stored.unwrap();
    for ((name, _), item) in items.iter().zip(&stored.items) {
        let before = model.now.get(name);
        assert_eq!(item.previous, before.map(|(revision, _)| *revision));
        let same = before.map(|(_, content)| *content) == after.get(name).copied();
        assert_eq!(item.is_changed(), !same);
    }
    let fresh = |name: &usize, content: u8| match model.now.get(name) {
        Some((revision, old)) if *old == content => (*revision, content),
        _ => (stored.revision, content),
    };
    let now: BTreeMap<_, _> =
        after.iter().map(|(name, content)| (*name, fresh(name, *content))).collect();
    if now != model.now {
        model.then.push((stored.revision, now.clone()));
        model.now = now;
    }
}

fn check_reads(bench: &mut Bench, model: &Model) {
    for (at, then) in &model.then {
        for (index, name) in NAMES.iter().enumerate() {
            let got = bench.call(&Get { at: At::from(*at), ..Get::head(resource(name)) });
            match then.get(&index) {
                Some((revision, content)) => {
                    let got = got.unwrap();
                    assert_eq!((got.at, got.entry.revision), (*at, *revision));
                    assert_eq!(got.bytes.unwrap(), vec![*content; 3]);
                }
                None => assert_eq!(got.unwrap_err().code, Code::NotFound),
            }
        }
        let ask = List { at: At::from(*at), ..List::all(Branch::main()) };
        let entries = bench.call(&ask).unwrap().entries;
        let mut listed: Vec<(String, Revision)> =
            entries.iter().map(|entry| (entry.resource.to_string(), entry.revision)).collect();
        let mut known: Vec<(String, Revision)> =
            then.iter().map(|(name, (revision, _))| (NAMES[*name].to_owned(), *revision)).collect();
        listed.sort();
        known.sort();
        assert_eq!(listed, known);
    }
    for name in NAMES {
        let ask = Log { resource: Some(resource(name)), ..Log::newest(10_000) };
        let log = bench.call(&ask).map(|page| page.entries).unwrap_or_default();
        for pair in log.windows(2) {
            assert_eq!(pair[0].previous, Some(pair[1].revision));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_its_model(deeds in prop::collection::vec(deed(), 1..25)) {
        let mut bench = Bench::new();
        let mut model = Model::default();
        for deed in deeds {
            match deed {
                Deed::Put(items) => check_put(&mut bench, &mut model, &items),
                Deed::Reopen => bench = bench.reopen(),
            }
        }
        check_reads(&mut bench, &model);
        let mut bench = bench.reopen();
        check_reads(&mut bench, &model);
        bench.assert_sound();
    }
}
