//! The record of what was pruned, as documented.

use super::{PruneRecord, PrunedContent, Tombstone};
use crate::pointer::ContentId;
use crate::revision::Revision;

#[test]
fn a_record_reads_as_documented() {
    let content = PrunedContent {
        id: ContentId::from_bytes([0x4d; 32]),
        size: 5_000_000_000,
        resource: "raw/big".parse().expect("a name"),
        revision: Revision::from_bytes([0x2b; 20]),
        keep: "all 7d, daily 2y".into(),
    };
    let time = "2027-05-01T10:00:00Z".parse().expect("a time");
    let record = PruneRecord { time, contents: vec![content] };
    let text = String::from_utf8(record.to_bytes()).expect("text");
    let (id, revision) = ("4d".repeat(32), "2b".repeat(20));
    let expected = format!(
        "=====prune v1\n\ttime: 2027-05-01T10:00:00Z\n=====content\n\tcontent-id: sha256:{id}\n\tsize: 5000000000\n\
         \tresource: raw/big\n\trevision: {revision}\n\tkeep: all 7d, daily 2y\n"
    );
    assert_eq!(text, expected);
    assert_eq!(PruneRecord::from_bytes(text.as_bytes()), Ok(record.clone()));
    // A later esker may say more.
    let more = text.replace("\tsize", "\tcolour: red\n\tsize") + "=====extra\n\tx: y\n";
    assert_eq!(PruneRecord::from_bytes(more.as_bytes()), Ok(record));
    for bad in ["", "=====run v1\n", "=====prune v1\n", "=====prune v1\n\ttime: x\n", "noise"] {
        assert!(PruneRecord::from_bytes(bad.as_bytes()).is_err(), "{bad:?}");
    }
    assert!(PruneRecord::from_bytes(text.replace("size", "sise").as_bytes()).is_err());
    assert_eq!(PruneRecord::resource(time, 0).as_str(), "prune/2027-05-01T10-00-00Z");
    assert_eq!(PruneRecord::resource(time, 2).as_str(), "prune/2027-05-01T10-00-00Z-2");
}

#[test]
fn a_tombstone_comes_back() {
    let tombstone = Tombstone {
        time: "2027-05-01T10:00:00Z".parse().expect("a time"),
        keep: "daily 2y".into(),
    };
    assert_eq!(tombstone.to_string(), "2027-05-01T10:00:00Z daily 2y");
    assert_eq!(tombstone.to_string().parse::<Tombstone>().expect("its own"), tombstone);
    assert!("yesterday 90d".parse::<Tombstone>().is_err());
}
