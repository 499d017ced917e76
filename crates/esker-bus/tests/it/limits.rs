//! What is over a limit is refused, and nobody else notices.

use bytes::Bytes;
use esker_bus::bus::Limits;
use esker_wire::fault::Code;

use crate::desk::{Ask, Office, SOON, block_on, both, say};
use crate::python;

#[test]
fn a_peer_with_too_much_under_way_is_told_to_wait() {
    let limits = Limits { in_flight_max: 10, ..Limits::default() };
    both(&limits, |office, to| {
        let caller = office.bus.caller(&to);
        let other = office.bus.caller(&to);
        let hold = {
            let caller = caller.clone();
            move || caller.call_blocking(&Ask::<false>::new("HOLD", ""), SOON)
        };
        let held = std::thread::spawn(hold);
        office.held.recv_timeout(SOON).unwrap();
        block_on(async {
            let mut calls = tokio::task::JoinSet::new();
            for _ in 0..20 {
                let caller = caller.clone();
                let ask = Ask::<false>::new("SAY", "");
                calls.spawn(async move { caller.call(&ask, SOON).await });
            }
            // Nine of them wait with the one that is held; the rest are refused, whatever their form.
            for _ in 0..11 {
                let fault = calls.join_next().await.unwrap().unwrap().unwrap_err();
                assert_eq!(fault.code, Code::Busy, "{fault}");
            }
            let frames = vec![Bytes::from_static(b"=====GET raw qplan")];
            let refused = match caller.exchange(frames, SOON).await {
                Ok(reply) => String::from_utf8(reply[0].to_vec()).unwrap(),
                Err(fault) => format!("ERROR: {fault}"),
            };
            assert!(refused.starts_with("ERROR: 10 requests of this client"), "{refused}");
            office.open.send(()).unwrap();
            while let Some(call) = calls.join_next().await {
                call.unwrap().unwrap();
            }
        });
        held.join().unwrap().unwrap();
        say(&other, "another peer is served");
        say(&caller, "and so is this one, again");
    });
}

#[test]
fn a_request_that_is_too_large_is_refused() {
    let limits = Limits { message_max: 1_000_000, ..Limits::default() };
    both(&limits, |office, to| {
        let caller = office.bus.caller(&to);
        let mut ask = Ask::<false>::new("SAY", "large");
        ask.0.body = vec![vec![7; 1_000_001].into()];
        let fault = caller.call_blocking(&ask, SOON).unwrap_err();
        assert_eq!(fault.code, Code::TooLarge, "{fault}");
        assert!(fault.message.starts_with("the request has 1000"), "{fault}");
        ask.0.body = vec![Bytes::new(); 20_000];
        let fault = caller.call_blocking(&ask, SOON).unwrap_err();
        assert!(fault.message.starts_with("the request has 20001 frames"), "{fault}");
        say(&caller, "small");
    });
}

#[test]
fn an_answer_that_is_too_large_is_a_fault() {
    let limits = Limits { message_max: 1_000_000, ..Limits::default() };
    both(&limits, |office, to| {
        let caller = office.bus.caller(&to);
        let ask = Ask::<false>::new("HUGE", "");
        let fault = caller.call_blocking(&ask, SOON).unwrap_err();
        assert_eq!(fault.code, Code::TooLarge, "{fault}");
        say(&caller, "small");
    });
}

/// A peer that asks for 2 MB a hundred times and reads only then: it is told to wait for most of them, and is
/// served again once it has read. What changes something is never answered so, however much is unread.
#[test]
fn large_answers_that_are_not_read_are_bounded() {
    let limits = Limits { unread_max: 10_000_000, ..Limits::default() };
    let office = Office::with(limits);
    let port = office.server.requests()[0].rsplit(':').next().unwrap().to_owned();
    let script = r#"
dealer = zmq.Context().socket(zmq.DEALER)
dealer.setsockopt(zmq.RCVHWM, 1)
dealer.setsockopt(zmq.LINGER, 0)
dealer.connect("tcp://127.0.0.1:" + sys.argv[1])
ask = [b"", b"=====esker/1 HUGE\n"]
def answer():
    assert dealer.poll(20000), "no answer"
    return dealer.recv_multipart()[1]
for _ in range(100):
    dealer.send_multipart(ask)
for _ in range(3):
    dealer.send_multipart([b"", b"=====esker/1 PUT raw/large\n", bytes(2_000_000)])
heads = [answer() for _ in range(103)]
assert all(b" OK" in head for head in heads[100:]), heads[100:]
busy = sum(b" ERROR busy" in head for head in heads)
assert 0 < busy < 100, busy
dealer.send_multipart(ask)
assert b" OK" in answer(), "it has read everything"
"#;
    python::run(script, &[&port]);
    say(&office.bus.caller(&office.server.local()), "and others were never held up");
}
