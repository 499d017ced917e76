//! Servers that die, connections that break, and what a caller hears of it.

use std::time::{Duration, Instant};

use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_wire::fault::Code;

use crate::desk::{Ask, Office, SOON, say};
use crate::proxy::Proxy;

#[test]
fn nobody_there_is_unavailable_in_time_and_names_the_address() {
    let bus = Bus::start().unwrap();
    let office = Office::new();
    let to = office.tcp();
    let Endpoint::Tcp { requests, .. } = &to else { unreachable!() };
    office.server.shutdown();
    let began = Instant::now();
    let wait = Duration::from_millis(200);
    let ask = Ask::<true>::new("SAY", "anybody?");
    let fault = bus.caller(&to).call_blocking(&ask, wait).unwrap_err();
    assert_eq!(fault.code, Code::Unavailable);
    assert!(fault.message.contains(requests), "{fault}");
    assert!(fault.hint.contains("esker up"), "{fault}");
    assert!(began.elapsed() < SOON);
}

#[test]
fn a_caller_outlives_its_server() {
    let office = Office::new();
    let bus = office.bus.clone();
    let binds = office.binds();
    let caller = office.caller();
    say(&caller, "the first server");
    office.server.shutdown();
    let asking = {
        let caller = caller.clone();
        std::thread::spawn(move || say(&caller, "asked in between"))
    };
    let wait = Duration::from_millis(100);
    let ask = Ask::<false>::new("SAY", "nobody");
    let fault = caller.call_blocking(&ask, wait).unwrap_err();
    assert_eq!(fault.code, Code::Unavailable, "{fault}");
    let _office = Office::at(&bus, 2, &binds);
    asking.join().unwrap();
    say(&caller, "the second server");
}

#[test]
fn a_lost_connection_fails_what_must_not_be_done_twice() {
    let office = Office::new();
    let proxy = Proxy::new(&office.server.requests()[0]);
    let caller = office.bus.caller(&through(&proxy));
    let held = {
        let caller = caller.clone();
        std::thread::spawn(move || caller.call_blocking(&Ask::<false>::new("HOLD", ""), SOON))
    };
    office.held.recv_timeout(SOON).unwrap();
    proxy.cut();
    let fault = held.join().unwrap().unwrap_err();
    assert_eq!(fault.code, Code::Unavailable);
    assert!(fault.message.contains("was lost before the answer"), "{fault}");
    office.open.send(()).unwrap();
    say(&caller, "connected again");
}

#[test]
fn a_lost_connection_asks_again_what_may_be_asked_twice() {
    let office = Office::new();
    let proxy = Proxy::new(&office.server.requests()[0]);
    let caller = office.bus.caller(&through(&proxy));
    let held =
        std::thread::spawn(move || caller.call_blocking(&Ask::<true>::new("HOLD", ""), SOON));
    office.held.recv_timeout(SOON).unwrap();
    proxy.cut();
    office.open.send(()).unwrap();
    office.held.recv_timeout(SOON).unwrap();
    office.open.send(()).unwrap();
    held.join().unwrap().unwrap();
}

fn through(proxy: &Proxy) -> Endpoint {
    Endpoint::Tcp { requests: proxy.address.clone(), events: proxy.address.clone() }
}
