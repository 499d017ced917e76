//! Replicas behind a network that is cut in the middle, half open, or still: all there is of it are real connections.

use esker_bus::endpoint::Endpoint;
use esker_replica::follow::Follow;
use esker_replica::op::Op;
use esker_replica::path::path;
use esker_replica::replica::State;

use crate::model_storm::{Writer, wait_for};
use crate::proxy::{Proxy, Way};
use crate::sync_clients::Model;
use crate::world::Running;

/// A published model, and the network between it and its replicas.
struct Net {
    requests: Proxy,
    events: Proxy,
    /// Not behind the network.
    writer: Writer,
    _publisher: Running,
    model: Model,
}

impl Net {
    fn new() -> Self {
        let model = Model::new();
        let publisher = model.serve();
        let Endpoint::Tcp { requests, events } = model.endpoint() else { panic!("tcp") };
        let [requests, events] = [Proxy::before(&requests), Proxy::before(&events)];
        let writer = Writer::new(&model.endpoint());
        Self { requests, events, writer, _publisher: publisher, model }
    }

    fn follow(&self, seed: u64) -> Follow {
        let [requests, events] = [self.requests.address(), self.events.address()];
        self.writer.follow_at(&Endpoint::Tcp { requests, events }, seed)
    }

    /// Changes the model, so that it is another one for each number.
    fn change(&self, number: u64) {
        let large = |at: u64| noise(number * 100 + at, 60_000);
        let op = |at: u64| Op::set(path(["tasks", &format!("{at}"), "log"]), large(at).as_str());
        self.writer.put((0..10).map(|at| vec![op(at)]));
    }

    fn wait_for(&self, what: &str, follow: &Follow, holds: impl FnMut() -> bool) {
        let told = || {
            format!(
                "{:?} {:?} {:?} {:?}\n{}",
                follow.state(),
                follow.last(),
                follow.counts(),
                self.writer.hello(),
                self.model.world.logs()
            )
        };
        wait_for(what, told, holds);
    }

    fn in_step(&self, follow: &Follow) {
        let digest = self.writer.hello().digest;
        self.wait_for("step", follow, || {
            follow.state() == State::Live && follow.model().digest() == digest
        });
        assert_eq!(follow.model().recompute(), digest);
    }
}

/// Text that nobody compresses by much.
pub(crate) fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b' ' + u8::try_from(state >> 32 & 63).expect("it is small"))
    };
    (0..bytes).map(|_| next()).collect()
}

#[test]
fn connections_that_are_cut_in_the_middle_are_made_again() {
    let net = Net::new();
    for number in 0..3 {
        net.change(number);
    }
    // In a handshake, in a head, in chunks.
    let mut cuts = 0;
    let mut follows = Vec::new();
    for (seed, after) in (0..).zip([40, 300, 150_000, 400_000]) {
        net.requests.cut_after(after);
        let follow = net.follow(seed);
        net.in_step(&follow);
        cuts += 1;
        assert_eq!(net.requests.cuts(), cuts, "after {after} bytes of {seed}");
        follows.push(follow);
    }
    // One that was cut before it had asked for anything.
    let follow = follows.remove(0);
    drop(follows);
    let mut number = 10;
    for after in [0, 71, 100_000, 333_333] {
        let before = net.events.cuts();
        net.events.cut_after(after);
        // Who lost three times hears nothing for a while.
        net.wait_for("the cut", &follow, || {
            number += 1;
            net.change(number);
            net.events.cuts() > before
        });
        net.in_step(&follow);
    }
    let counts = follow.counts();
    assert!(counts.losses > 0, "{counts:?}");
    assert_eq!((counts.copies, counts.repairs, counts.mismatches), (1, 0, 0), "{counts:?}");
}

#[test]
fn a_replica_that_hears_nothing_and_is_answered_is_stale_and_asks() {
    let net = Net::new();
    net.change(1);
    let follow = net.follow(1);
    net.in_step(&follow);
    net.events.hold(Some(Way::Down));
    net.change(2);
    net.wait_for("silence to be noticed", &follow, || follow.state() == State::Stale);
    net.change(3);
    let digest = net.writer.hello().digest;
    // It asks every three seconds.
    net.wait_for("what it did not hear", &follow, || follow.model().digest() == digest);
    assert_eq!(follow.state(), State::Stale, "it may miss something at any time");
    net.events.hold(None);
    net.change(4);
    net.in_step(&follow);
    let counts = follow.counts();
    assert_eq!((counts.copies, counts.repairs, counts.mismatches), (1, 0, 0), "{counts:?}");
}

#[test]
fn one_direction_that_is_still_makes_nobody_believe_to_be_in_step() {
    let net = Net::new();
    net.change(1);
    for (number, way) in (2..).zip([Way::Up, Way::Down]) {
        let follow = net.follow(number);
        net.in_step(&follow);
        net.requests.hold(Some(way));
        // Something is lost, and cannot be asked for.
        net.events.cut_after(70_000);
        net.change(number);
        net.wait_for("a loss", &follow, || follow.state() == State::CatchingUp);
        let digest = net.writer.hello().digest;
        assert_ne!(follow.model().digest(), digest, "{way:?}");
        net.requests.hold(None);
        net.in_step(&follow);
        let counts = follow.counts();
        assert_eq!((counts.copies, counts.mismatches), (1, 0), "{counts:?}");
    }
}
