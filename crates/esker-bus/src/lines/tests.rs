//! Whose turn it is, what is dear, and the end.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::{Semaphore, oneshot};

use super::{DEAR_MAX, Lines, Taken};
use crate::bus::Limits;
use crate::queue::{Asked, Back, Mail, Peer};

/// A request of a peer.
fn asked(peer: &Arc<Peer>, text: &'static str) -> Asked {
    let (reply, _) = oneshot::channel();
    let share = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
    let back = Back::Local(reply, peer.admit(usize::MAX).unwrap());
    Asked { frames: vec![Bytes::from_static(text.as_bytes())], back, share }
}

fn take(lines: &mut Lines, batch_max: usize) -> Option<Vec<Asked>> {
    let limits = Limits { batch_max, ..Limits::default() };
    match lines.take(Instant::now(), &limits, |asked| asked.frames[0].starts_with(b"dear")) {
        Taken::Batch(batch) => Some(batch),
        Taken::Late | Taken::Woken => Some(Vec::new()),
        Taken::Ended => None,
    }
}

fn texts(batch: &[Asked]) -> String {
    let texts: Vec<_> =
        batch.iter().map(|asked| String::from_utf8_lossy(&asked.frames[0])).collect();
    texts.join(" ")
}

fn peers() -> [Arc<Peer>; 3] {
    [(); 3].map(|()| Arc::default())
}

#[test]
fn peers_have_turns_and_each_keeps_its_order() {
    let [a, b, c] = peers();
    let mut lines = Lines::new(channel(), Arc::default());
    for (peer, text) in
        [(&a, "a1"), (&a, "a2"), (&a, "a3"), (&b, "b1"), (&a, "a4"), (&c, "c1"), (&b, "b2")]
    {
        lines.sort(Mail::Asked(asked(peer, text)));
    }
    assert_eq!(texts(&take(&mut lines, 2).unwrap()), "a1 b1");
    let mut batch = take(&mut lines, 4).unwrap();
    assert_eq!(texts(&batch), "c1 a2 b2 a3");
    // What was not answered comes first, and of one peer in its order.
    lines.put_back(batch.split_off(1).into_iter());
    lines.sort(Mail::Asked(asked(&c, "c2")));
    assert_eq!(texts(&take(&mut lines, 10).unwrap()), "b2 a2 c2 a3 a4");
    assert_eq!(texts(&take(&mut lines, 10).unwrap()), "");
}

#[test]
fn who_is_woken_again_and_again_answers_in_between() {
    let [a, ..] = peers();
    let mut lines = Lines::new(channel(), Arc::default());
    let mut taken = Vec::new();
    for _ in 0..4 {
        lines.sort(Mail::Wake);
        lines.sort(Mail::Asked(asked(&a, "a")));
        taken.push(match lines.take(Instant::now(), &Limits::default(), |_| false) {
            Taken::Woken => "woken",
            Taken::Batch(_) => "batch",
            Taken::Late | Taken::Ended => "nothing",
        });
    }
    assert_eq!(taken, ["woken", "batch", "woken", "batch"]);
}

#[test]
fn what_is_dear_waits_and_hinders_nobody_else() {
    let [a, b, c] = peers();
    let mut lines = Lines::new(channel(), Arc::default());
    for _ in 0..10 {
        lines.sort(Mail::Asked(asked(&a, "dear a")));
    }
    for (peer, text) in [(&a, "a"), (&b, "dear b"), (&c, "c")] {
        lines.sort(Mail::Asked(asked(peer, text)));
    }
    let batch = take(&mut lines, 100).unwrap();
    assert_eq!(texts(&batch), "dear a dear b c dear a dear a");
    let mut under_way: Vec<_> = (0..DEAR_MAX).map(|_| lines.dear()).collect();
    assert_eq!(texts(&take(&mut lines, 100).unwrap()), "");
    lines.sort(Mail::Asked(asked(&c, "c")));
    assert_eq!(texts(&take(&mut lines, 100).unwrap()), "c");
    under_way.pop();
    assert_eq!(texts(&take(&mut lines, 100).unwrap()), "dear a");
}

#[test]
fn what_was_accepted_is_taken_before_the_end() {
    let [a, ..] = peers();
    let mut lines = Lines::new(channel(), Arc::default());
    lines.sort(Mail::Asked(asked(&a, "a")));
    lines.sort(Mail::Stop);
    assert_eq!(texts(&take(&mut lines, 100).unwrap()), "a");
    assert!(take(&mut lines, 100).is_none());
}
