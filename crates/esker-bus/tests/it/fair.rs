//! One peer that asks much keeps no other waiting for all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_bus::service::{Frames, Outcome, Service};

use crate::desk::{FREE, SOON};
use crate::python;

/// Answers one request at a time: `slow` after a moment, `dear` beside itself when it is let go, others at once.
struct Shop {
    served: Arc<AtomicUsize>,
    gate: Arc<std::sync::Mutex<Receiver<()>>>,
}

impl Service for Shop {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        let reply = requests[0].clone();
        let served = self.served.fetch_add(1, Ordering::Relaxed) + 1;
        if reply[0].as_ref() == b"slow" {
            let until = Instant::now() + Duration::from_millis(2);
            while Instant::now() < until {
                std::hint::spin_loop();
            }
        }
        if self.is_dear(&reply) {
            let gate = Arc::clone(&self.gate);
            let work = move || {
                gate.lock().unwrap().recv_timeout(SOON).ok();
                reply
            };
            return vec![Outcome { later: Some(Box::new(work)), ..Outcome::default() }];
        }
        vec![Outcome::reply(vec![Bytes::from(served.to_string())])]
    }

    fn is_dear(&self, request: &Frames) -> bool {
        request[0].as_ref() == b"dear"
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

fn shop() -> (Bus, Server, Arc<AtomicUsize>, mpsc::Sender<()>) {
    let bus = Bus::start().unwrap();
    let served = Arc::new(AtomicUsize::new(0));
    let (go, gate) = mpsc::channel();
    let shop = Shop { served: Arc::clone(&served), gate: Arc::new(std::sync::Mutex::new(gate)) };
    let binds = Binds { requests: vec![FREE.to_owned()], ..Binds::default() };
    let server = bus.serve("shop", shop, &binds).unwrap();
    (bus, server, served, go)
}

/// Has a client of another kind ask `what` 900 times without waiting; asks in between, and tells how many were served
/// meanwhile.
fn meanwhile(what: &str, requests: &str, ask: impl Fn() -> usize) -> Vec<usize> {
    let script = r#"
dealer = zmq.Context().socket(zmq.DEALER)
dealer.setsockopt(zmq.RCVTIMEO, 60000)
dealer.connect(sys.argv[1])
for _ in range(900):
    dealer.send_multipart([b"", sys.argv[2].encode()])
for _ in range(900):
    dealer.recv_multipart()
"#;
    std::thread::scope(|scope| {
        let crowd = scope.spawn(|| python::run(script, &[requests, what]));
        let mut waits = Vec::new();
        while !crowd.is_finished() {
            waits.push(ask());
        }
        crowd.join().unwrap();
        waits
    })
}

#[test]
fn another_peer_is_served_in_its_turn() {
    let (bus, server, served, _go) = shop();
    let requests = &server.requests()[0];
    let to = Endpoint::Tcp { requests: requests.clone(), events: requests.clone() };
    let caller = bus.caller(&to);
    let waits = meanwhile("slow", requests, || {
        let before = served.load(Ordering::Relaxed);
        let reply = caller.exchange(vec![Bytes::from_static(b"quick")], SOON);
        let reply = crate::desk::block_on(reply).unwrap();
        let after: usize = std::str::from_utf8(&reply[0]).unwrap().parse().unwrap();
        after - before
    });
    let most = waits.iter().max().unwrap();
    assert!(waits.len() > 10 && *most < 100, "{waits:?}");
}

#[test]
fn what_is_dear_to_one_keeps_nobody_else_waiting() {
    let (bus, server, served, go) = shop();
    let caller = bus.caller(&server.local());
    let waits = meanwhile("dear", &server.requests()[0], || {
        let reply = caller.exchange(vec![Bytes::from_static(b"quick")], SOON);
        crate::desk::block_on(reply).unwrap();
        // Those that are under way wait for this; none was answered by the thread that serves.
        go.send(()).unwrap();
        served.load(Ordering::Relaxed)
    });
    assert!(waits.len() > 10, "{waits:?}");
}
