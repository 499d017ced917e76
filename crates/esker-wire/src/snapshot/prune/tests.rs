//! PRUNE, as documented.

use super::{Prune, PruneReport, PruneTally, Pruned, Stays, Tally};
use crate::message::{Message, Request, answer};
use crate::pointer::ContentId;
use crate::pruned::PrunedContent;
use crate::revision::Revision;

fn text(message: &Message) -> String {
    String::from_utf8(message.to_frames()[0].to_vec()).expect("text")
}

#[test]
fn a_prune_reads_as_documented() {
    let rule =
        |name: &str, keep: &str| (name.parse().expect("a name"), keep.parse().expect("a rule"));
    let rules = vec![rule("raw/big", "90d"), rule("raw/a b", "all 7d, daily 2y")];
    let ask = Prune { rules, remove: true, author: Some("Ann <a@b>".into()) };
    let expected = "=====esker/1 PRUNE\n\tremove: yes\n\tauthor: Ann <a@b>\n=====rule raw/big\n\tkeep: 90d\n\
                    =====rule raw/a b\n\tkeep: all 7d, daily 2y\n";
    assert_eq!(text(&ask.to_message()), expected);
    assert_eq!(Prune::from_message(&ask.to_message()), Ok(ask.clone()));
    let dry = Prune { remove: false, author: None, ..ask };
    assert_eq!(Prune::from_message(&dry.to_message()), Ok(dry.clone()));
    let many = Prune { rules: vec![dry.rules[0].clone(); 10_001], ..dry };
    assert!(Prune::from_message(&many.to_message()).is_err());
}

#[test]
fn a_report_comes_back() {
    let tally = |count, bytes| Tally { count, bytes };
    let content = PrunedContent {
        id: ContentId::from_bytes([7; 32]),
        size: 9,
        resource: "raw/big".parse().expect("a name"),
        revision: Revision::from_bytes([1; 20]),
        keep: "90d".into(),
    };
    let report = PruneReport {
        resources: vec![PruneTally {
            resource: "raw/big".parse().expect("a name"),
            keep: "90d".parse().expect("a rule"),
            goes: tally(1, 9),
            stays: vec![(Stays::Rule, tally(2, 20)), (Stays::Gone, tally(1, 5))],
        }],
        goes: tally(1, 9),
        contents: vec![content],
        record: Some("prune/x".parse().expect("a name")),
    };
    for reply in [Pruned::Done(report), Pruned::Done(PruneReport::default()), Pruned::Working] {
        assert_eq!(answer::<Prune>(&Prune::reply_to_message(&reply)), Ok(reply));
    }
    let later = "=====esker/1 OK\n\tgoes: 0 0\n=====resource raw/big\n\tkeep: 90d\n\tgoes: 0 0\n\tstays: luck 1 2\n";
    let message = Message::from_frames(&[bytes::Bytes::from_static(later.as_bytes())]);
    let Ok(Pruned::Done(report)) = answer::<Prune>(&message.expect("a head")) else {
        panic!("a report");
    };
    assert_eq!(report.resources[0].stays, [], "a reason of a later version is left out");
}
