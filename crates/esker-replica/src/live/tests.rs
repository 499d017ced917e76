//! What becomes of transactions that waited together.

use super::*;
use crate::path::path;

#[test]
fn a_bad_transaction_costs_nobody_else_theirs() {
    let (_feed, fed) = sync_channel(1);
    let publisher = Publisher::new(Options { nodes_max: 4, ..Options::new("m", 1) });
    let (found, begun) = (Arc::new(Found::default()), Instant::now());
    let mut live = Live { publisher, fed, found, begun, audits: sync_channel(1) };
    let change = |live: &mut Live, keys: [&[&str]; 3]| {
        let (waiting, told): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .map(|keys| {
                let ops = keys.iter().map(|key| Op::set(path([*key]), 1_i64)).collect();
                let (done, told) = sync_channel(1);
                let room = Arc::<Room>::default().take(0);
                (Transaction { ops, done: Some(done), room }, told)
            })
            .unzip();
        let published = live.change(waiting).len();
        let told = told.iter().map(|told| told.recv().expect("an answer"));
        (published, told.map(|one| one.map_err(|fault| fault.code)).collect::<Vec<_>>())
    };
    // The second alone would be too much.
    let all = change(&mut live, [&["a"], &["b", "c", "d"], &["e"]]);
    assert_eq!(all, (2, vec![Ok(1), Err(Code::TooLarge), Ok(2)]));
    let kept: Vec<_> = live.publisher.model().root().children().map(|(key, _)| key).collect();
    assert_eq!(kept, ["a", "e"]);
    // Good ones become one.
    let all = change(&mut live, [&["a", "f"], &["e"], &["f"]]);
    assert_eq!(all, (1, vec![Ok(3); 3]));
}
