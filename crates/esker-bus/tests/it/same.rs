//! What holds over both ways, in process and tcp.

use std::time::Duration;

use bytes::Bytes;
use esker_bus::bus::Limits;
use esker_wire::fault::Code;

use crate::desk::{Ask, SOON, block_on, both, say};

#[test]
fn what_is_said_comes_back() {
    both(&Limits::default(), |office, to| {
        let caller = office.bus.caller(&to);
        say(&caller, "hello");
        let mut ask = Ask::<false>::new("SAY", "with a body");
        ask.0.body = vec![Bytes::from_static(b"\0\xff"), Bytes::new(), vec![7; 3_000_000].into()];
        let reply = caller.call_blocking(&ask, SOON).unwrap();
        assert_eq!(reply.body, ask.0.body);
    });
}

#[test]
fn a_service_s_fault_is_the_call_s() {
    both(&Limits::default(), |office, to| {
        let ask = Ask::<false>::new("SING", "");
        let fault = office.bus.caller(&to).call_blocking(&ask, SOON).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest);
        assert_eq!(fault.message, "no verb \"SING\" here");
    });
}

#[test]
fn any_form_of_message_can_be_exchanged() {
    both(&Limits::default(), |office, to| {
        let caller = office.bus.caller(&to);
        let check = |request: &'static str, reply: &str| {
            let frames = vec![Bytes::from_static(request.as_bytes())];
            let answer = block_on(caller.exchange(frames, SOON)).unwrap();
            let answer = String::from_utf8(answer.concat()).unwrap();
            assert!(answer.starts_with(reply), "{answer}");
        };
        check("=====PUT raw qplan\n\tx", "OK");
        check("=====GET raw qplan", "=====raw qplan\n\tabcde\n=====data");
        check("", "ERROR: ");
        check("=====esker/1 SAY x\n\tid: 7", "=====esker/1 OK\n\tid: 7\n\tsaid: x\n");
    });
}

#[test]
fn many_are_under_way_at_once() {
    both(&Limits::default(), |office, to| {
        let caller = office.bus.caller(&to);
        block_on(async {
            let calls: Vec<_> = (0..500)
                .map(|number| {
                    let caller = caller.clone();
                    tokio::spawn(async move {
                        let ask = Ask::<false>::new("SAY", &number.to_string());
                        let reply = caller.call(&ask, SOON).await.unwrap();
                        assert_eq!(reply.head().get("said"), Some(&*number.to_string()));
                    })
                })
                .collect();
            for call in calls {
                call.await.unwrap();
            }
        });
    });
}

#[test]
fn a_late_answer_is_a_timeout() {
    both(&Limits::default(), |office, to| {
        let caller = office.bus.caller(&to);
        say(&caller, "connected");
        let wait = Duration::from_millis(50);
        let ask = Ask::<true>::new("HOLD", "");
        let fault = caller.call_blocking(&ask, wait).unwrap_err();
        assert_eq!(fault.code, Code::Timeout);
        let place = match &to {
            esker_bus::endpoint::Endpoint::Local(_) => "in this process",
            esker_bus::endpoint::Endpoint::Tcp { requests, .. } => requests,
        };
        assert!(fault.message.contains(place), "{fault}");
        office.open.send(()).unwrap();
        say(&caller, "still well");
    });
}

#[test]
fn an_ended_service_is_unavailable() {
    both(&Limits::default(), |office, to| {
        let caller = office.bus.caller(&to);
        say(&caller, "hello");
        office.server.shutdown();
        let ask = Ask::<false>::new("SAY", "anybody?");
        let wait = Duration::from_secs(1);
        let fault = caller.call_blocking(&ask, wait).unwrap_err();
        assert_eq!(fault.code, Code::Unavailable, "{fault}");
    });
}

#[test]
fn what_was_accepted_is_answered_before_the_end() {
    both(&Limits::default(), |office, to| {
        let caller = office.bus.caller(&to);
        let hold = move || caller.call_blocking(&Ask::<false>::new("HOLD", ""), SOON);
        let held = std::thread::spawn(hold);
        office.held.recv_timeout(SOON).unwrap();
        let open = office.open.clone();
        let ending = std::thread::spawn(move || office.server.shutdown());
        open.send(()).unwrap();
        held.join().unwrap().unwrap();
        ending.join().unwrap();
    });
}
