//! What can be bound, and what a refusal says.

use esker_bus::bus::Binds;
use esker_bus::endpoint::Endpoint;
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::fault::{Code, Fault};

use crate::desk::{Ask, FREE, Office, SOON};

/// A service that is asked nothing.
struct Idle;

impl Service for Idle {
    fn handle(&mut self, _: &[Frames]) -> Vec<Outcome> {
        Vec::new()
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

/// What serving at these addresses comes to.
fn serve(requests: &str, events: &str) -> Result<(), Fault> {
    let office = Office::new();
    let binds = Binds {
        requests: vec![requests.to_owned()],
        events: vec![events.to_owned()],
        ..Binds::default()
    };
    office.bus.serve("second", Idle, &binds).map(drop)
}

#[test]
fn a_port_in_use_is_named_with_its_role() {
    let office = Office::new();
    let taken = office.server.requests()[0].clone();
    let check = |requests: &str, events: &str, role: &str| {
        let fault = serve(requests, events).unwrap_err();
        assert_eq!(fault.code, Code::Unavailable);
        let expected = format!("cannot bind {taken} for {role}: the port is in use");
        assert_eq!(fault.message, expected);
        assert!(fault.hint.contains("already"), "{fault}");
    };
    check(&taken, FREE, "requests");
    check(FREE, &taken, "events");
}

#[test]
fn nothing_but_loopback_is_bound() {
    for host in ["0.0.0.0", "*", "[::]", "192.168.1.1", "example.org", "localhost.example.org"] {
        let address = format!("tcp://{host}:0");
        let fault = serve(&address, FREE).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest, "{fault}");
        assert!(fault.message.contains(&address), "{fault}");
    }
    for host in ["127.0.0.1", "127.1.2.3", "localhost"] {
        serve(FREE, &format!("tcp://{host}:0")).unwrap();
    }
}

#[test]
fn nothing_but_tcp_is_understood() {
    for address in ["ipc:///tmp/x", "tcp://127.0.0.1", "127.0.0.1:5000", "tcp://:1", ""] {
        let fault = serve(address, FREE).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest, "{fault}");
        let to = Endpoint::Tcp { requests: address.to_owned(), events: FREE.to_owned() };
        let office = Office::new();
        let ask = Ask::<false>::new("SAY", "");
        let fault = office.bus.caller(&to).call_blocking(&ask, SOON).unwrap_err();
        assert_eq!(fault.code, Code::BadRequest, "{fault}");
        assert!(fault.message.contains(&format!("{address:?}")), "{fault}");
    }
}

#[test]
fn a_port_is_free_again_after_the_end() {
    let office = Office::new();
    let binds = office.binds();
    office.server.shutdown();
    for epoch in 2..5 {
        let again = Office::at(&office.bus, epoch, &binds);
        assert_eq!(again.server.requests(), binds.requests);
    }
}
