//! A service that answers where a request comes in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus, Limits};
use esker_bus::endpoint::Endpoint;
use esker_bus::service::{Frames, Outcome, Prompt, Service};

use crate::desk::SOON;

/// Says who of it was asked.
struct Clerk;

fn frames(text: &str) -> Frames {
    vec![Bytes::copy_from_slice(text.as_bytes())]
}

impl Service for Clerk {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        requests.iter().map(|_| Outcome::reply(frames("the owner"))).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

impl Prompt for Clerk {
    fn answer(&self, request: &Frames) -> Outcome {
        match request[0].as_ref() {
            b"later" => Outcome { later: Some(Box::new(|| frames("later"))), ..Outcome::default() },
            _ => Outcome::reply(frames("at once")),
        }
    }
}

#[test]
fn what_comes_from_outside_is_answered_at_once() {
    let bus = Bus::start().unwrap();
    let limits = Limits {
        message_max: 1000,
        refusal: |_, fault| vec![format!("refused: {}", fault.message).into()],
        ..Limits::default()
    };
    let requests = vec!["tcp://127.0.0.1:0".to_owned()];
    let binds = Binds { requests, events: Vec::new(), limits };
    let server = bus.serve_promptly("clerk", (Clerk, Arc::new(Clerk)), &binds).unwrap();
    let address = server.requests()[0].clone();
    let outside = bus.caller(&Endpoint::Tcp { requests: address.clone(), events: address });
    let here = bus.caller(&server.local());
    let ask = |caller: &esker_bus::caller::Caller, text: &str, wait: Duration| {
        let reply = bus.block_on(caller.exchange(frames(text), wait)).unwrap();
        String::from_utf8(reply[0].to_vec()).unwrap()
    };
    assert_eq!(ask(&here, "now", SOON), "the owner");
    assert_eq!(ask(&outside, "now", SOON), "at once");
    assert_eq!(ask(&outside, "later", SOON), "later");
    let long = "x".repeat(1001);
    assert!(ask(&outside, &long, SOON).starts_with("refused: the request has 1001 bytes"));
    assert_eq!(ask(&outside, "now", SOON), "at once");
}
