//! The count of what is under way, and the queue's bounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_wire::fault::Code;
use tokio::sync::oneshot;

use super::{Back, Peer, Queue};
use crate::bus::Limits;
use crate::lines::Taken;

#[test]
fn a_peer_has_so_many_under_way_and_no_more() {
    let peer = Arc::new(Peer::default());
    let first = peer.admit(2).unwrap();
    let _second = peer.admit(2).unwrap();
    for _ in 0..3 {
        assert_eq!(peer.admit(2).unwrap_err().code, Code::Busy);
    }
    drop(first);
    let _third = peer.admit(2).unwrap();
    assert_eq!(peer.admit(2).unwrap_err().code, Code::Busy);
}

#[tokio::test(flavor = "current_thread")]
async fn the_queue_is_bounded_by_bytes_and_nothing_comes_after_its_end() {
    let limits = Limits { message_max: 1024, queue_bytes_max: 0, ..Limits::default() };
    let (queue, mut lines) = Queue::new(&limits);
    let peer = Arc::new(Peer::default());
    let push = |bytes: usize| {
        let (reply, _) = oneshot::channel();
        let back = Back::Local(reply, peer.admit(usize::MAX).unwrap());
        let pushed = queue.push(vec![Bytes::from(vec![0; bytes])], back);
        async { tokio::time::timeout(Duration::from_millis(50), pushed).await }
    };
    let mut accepted = 0;
    while push(1_000_000).await.is_ok() {
        accepted += 1;
    }
    assert_eq!(accepted, 16, "frames and bytes share the room");
    let one = Limits { batch_max: 1, ..Limits::default() };
    let Taken::Batch(batch) = lines.take(Instant::now(), &one, |_| false) else {
        panic!("nothing was queued");
    };
    drop(batch);
    assert!(push(1_000_000).await.is_ok());
    queue.stop();
    let fault = push(1).await.unwrap().unwrap_err();
    assert_eq!(fault.code, Code::Unavailable);
    let rest = lines.take(Instant::now(), &Limits::default(), |_| false);
    assert!(matches!(rest, Taken::Batch(batch) if batch.len() == 16));
    let none = lines.take(Instant::now(), &one, |_| false);
    assert!(matches!(none, Taken::Ended));
}
