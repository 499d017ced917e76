//! What is published at once is heard in full, as long as it is no more than a subscriber may have waiting.

use std::time::Duration;

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_bus::service::{Frames, Outcome, Service};

use crate::desk::{FREE, SOON};

/// The frames of a burst, and the bytes of each: several times what sockets hold by themselves.
const BURST: usize = 512;
const FRAME: usize = 8 * 1024;

/// How long a probe may take to come.
const PROBE_WAIT: Duration = Duration::from_millis(50);

/// Publishes a probe at each tick, and a burst when it is woken.
struct Busy;

impl Service for Busy {
    fn handle(&mut self, _: &[Frames]) -> Vec<Outcome> {
        Vec::new()
    }

    fn wake(&mut self) -> Vec<Frames> {
        let body = Bytes::from(vec![b'.'; FRAME]);
        (0..BURST)
            .map(|number| vec![Bytes::from(format!("burst {number}")), body.clone()])
            .collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        vec![vec![Bytes::from_static(b"probe")]]
    }
}

#[test]
fn a_burst_is_heard_in_full() {
    let free = || vec![FREE.to_owned()];
    let binds = Binds { requests: free(), events: free(), ..Binds::default() };
    let server = Bus::start().unwrap().serve("busy", Busy, &binds).unwrap();
    let [requests, events] = [server.requests(), server.events()].map(|all| all[0].clone());
    let bus = Bus::start().unwrap();
    let mut hear = bus.hear(&Endpoint::Tcp { requests, events }, vec![Vec::new()]);
    let mut next = |wait| bus.block_on(async { tokio::time::timeout(wait, hear.next()).await });
    while next(PROBE_WAIT).is_err() {}
    server.waker().wake();
    let mut heard = 0;
    while heard < BURST {
        let frames = next(SOON).unwrap();
        if frames[0] != "probe" {
            assert_eq!(frames[0], format!("burst {heard}"));
            heard += 1;
        }
    }
}
