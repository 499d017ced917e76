//! Events as they are published.

use bytes::Bytes;

use super::{Event, TOPIC};
use crate::chain::Link;
use crate::name::Branch;
use crate::revision::Revision;

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

fn put(revision: Option<&str>, previous: Option<&str>) -> Event {
    let read = |text: &str| text.parse::<Revision>().expect("40 digits");
    Event::Put {
        link: Link { epoch: 9, seq: 4 },
        resource: "raw/plan".parse().expect("a name"),
        now: None,
        branch: Branch::main(),
        revision: revision.map(read),
        previous: previous.map(read),
    }
}

#[test]
fn a_put_reads_as_documented() {
    let frames = put(Some(TWO), Some(ONE)).to_frames();
    assert_eq!(frames[0], "esker/1 raw/plan");
    let head = format!(
        "=====esker/1 EVENT raw/plan\n\tkind: put\n\tbranch: main\n\trevision: {TWO}\n\tprevious: {ONE}\n\
         \tepoch: 9\n\tseq: 4\n"
    );
    assert_eq!(frames[1], head);
    assert_eq!(frames.len(), 2);
}

#[test]
fn an_event_by_an_older_name_tells_the_newer() {
    let Event::Put { link, resource, branch, revision, previous, .. } = put(Some(TWO), Some(ONE))
    else {
        panic!("a put");
    };
    let now = Some("raw/schedule".parse().expect("a name"));
    let event = Event::Put { link, resource, now, branch, revision, previous };
    let frames = event.to_frames();
    assert_eq!(frames[0], "esker/1 raw/plan");
    assert!(String::from_utf8_lossy(&frames[1]).contains("\tnow: raw/schedule\n"));
    assert_eq!(Event::from_frames(&frames), Ok(event));
}

#[test]
fn who_follows_a_resource_hears_nothing_of_what_would_be() {
    let Event::Put { link, resource, now, revision, previous, .. } = put(Some(TWO), Some(ONE))
    else {
        panic!("it is a put");
    };
    let branch = "whatif/more-of-b".parse().expect("a branch");
    let event = Event::Put { link, resource, now, branch, revision, previous };
    let frames = event.to_frames();
    assert_eq!(frames[0], "esker/1 whatif/more-of-b raw/plan");
    assert_eq!(Event::from_frames(&frames), Ok(event));
}

#[test]
fn every_event_comes_back() {
    let events = [
        put(Some(TWO), Some(ONE)),
        put(Some(ONE), Some(ONE)),
        put(Some(ONE), None),
        put(None, Some(ONE)),
        Event::Heartbeat { link: Link { epoch: 9, seq: 0 } },
    ];
    for event in events {
        let frames = event.to_frames();
        assert!(frames[0].starts_with(TOPIC.as_bytes()));
        assert_eq!(Event::from_frames(&frames), Ok(event));
    }
    assert!(put(Some(ONE), Some(ONE)).is_unchanged());
    assert!(!put(Some(ONE), None).is_unchanged());
}

#[test]
fn a_broken_event_is_refused_with_its_field() {
    let topic = Bytes::from_static(b"esker/1 raw/plan");
    let cases: [(&'static [u8], &str); 4] = [
        (b"=====esker/1 EVENT raw/plan\n", "the field `epoch` is missing"),
        (b"=====esker/1 EVENT raw/plan\n\tepoch: x\n", "cannot read the field `epoch`"),
        (b"=====esker/1 NOISE\n\tepoch: 1\n\tseq: 1\n", "\"NOISE\" is no event of esker/1"),
        (b"=====esker/2 EVENT raw/plan\n", "the head begins with \"esker/2\""),
    ];
    for (head, expected) in cases {
        let fault =
            Event::from_frames(&[topic.clone(), Bytes::from_static(head)]).expect_err(expected);
        assert!(fault.message.contains(expected), "{fault}");
    }
    assert!(Event::from_frames(&[topic]).is_err());
    assert!(Event::from_frames(&[]).is_err());
}
