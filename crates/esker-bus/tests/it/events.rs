//! Following: what begins with `Lost`, what is filtered, and what reveals a loss.

use std::time::{Duration, Instant};

use esker_bus::bus::{Bus, Limits};
use esker_bus::caller::Caller;
use esker_bus::follow::{Follow, Item};

use crate::desk::{Ask, Office, SOON, both};

/// The next item as text: `lost`, or the resource and its sequence.
fn next(follow: &mut Follow) -> String {
    match follow.recv_timeout(SOON) {
        Some(Item::Lost) => "lost".to_owned(),
        Some(Item::Event(event)) => {
            let frames = event.to_frames();
            let topic = String::from_utf8_lossy(&frames[0]).into_owned();
            format!("{} {}", topic.trim_start_matches("esker/1 "), event.link().seq)
        }
        None => "nothing".to_owned(),
    }
}

fn ask(caller: &Caller, verb: &str, subject: &str) {
    caller.call_blocking(&Ask::<false>::new(verb, subject), SOON).unwrap();
}

#[test]
fn a_follower_hears_everything_in_order_after_the_first_lost() {
    both(&Limits::default(), |office, to| {
        let mut follow = office.bus.follow(&to, &["esker/1 "]);
        assert_eq!(next(&mut follow), "lost");
        let caller = office.bus.caller(&to);
        for seq in 1..=50 {
            ask(&caller, "PUT", "raw/qplan");
            assert_eq!(next(&mut follow), format!("raw/qplan {seq}"));
        }
    });
}

#[test]
fn a_filter_s_gaps_are_no_loss() {
    both(&Limits::default(), |office, to| {
        let mut follow = office.bus.follow(&to, &["esker/1 raw/", "esker/1 results/plan"]);
        assert_eq!(next(&mut follow), "lost");
        let caller = office.bus.caller(&to);
        for name in ["raw/a", "cond/b", "cond/c", "results/plan", "results/other", "raw/d"] {
            ask(&caller, "PUT", name);
        }
        assert_eq!(next(&mut follow), "raw/a 1");
        assert_eq!(next(&mut follow), "results/plan 4");
        assert_eq!(next(&mut follow), "raw/d 6");
    });
}

#[test]
fn a_gap_is_told_before_what_reveals_it() {
    both(&Limits::default(), |office, to| {
        let mut follow = office.bus.follow(&to, &["esker/1 raw/"]);
        assert_eq!(next(&mut follow), "lost");
        let caller = office.bus.caller(&to);
        ask(&caller, "PUT", "raw/a");
        ask(&caller, "SKIP", "");
        ask(&caller, "PUT", "raw/b");
        assert_eq!(next(&mut follow), "raw/a 1");
        assert_eq!(next(&mut follow), "lost");
        assert_eq!(next(&mut follow), "raw/b 3");
    });
}

#[test]
fn a_heartbeat_reveals_a_loss_that_nothing_followed() {
    both(&Limits::default(), |office, to| {
        let mut follow = office.bus.follow(&to, &["esker/1 raw/"]);
        assert_eq!(next(&mut follow), "lost");
        ask(&office.bus.caller(&to), "SKIP", "");
        assert_eq!(next(&mut follow), "lost");
    });
}

#[test]
fn a_new_publisher_is_a_loss() {
    let office = Office::new();
    let bus = office.bus.clone();
    let binds = office.binds();
    let to = office.tcp();
    let mut follow = bus.follow(&to, &["esker/1 "]);
    assert_eq!(next(&mut follow), "lost");
    office.server.shutdown();
    let office = Office::at(&bus, 2, &binds);
    assert_eq!(next(&mut follow), "lost");
    ask(&office.caller(), "PUT", "raw/a");
    assert_eq!(next(&mut follow), "raw/a 1");
}

#[test]
fn a_slow_follower_is_told_and_delays_nobody() {
    both(&Limits::default(), |office, to| {
        let mut follow = office.bus.follow(&to, &["esker/1 "]);
        assert_eq!(next(&mut follow), "lost");
        let caller = office.bus.caller(&office.server.local());
        let began = Instant::now();
        ask(&caller, "BURST", "30000");
        assert!(began.elapsed() < SOON, "the publisher was delayed");
        // What arrives is in order, and every gap in it is told.
        let (mut seq, mut lost) = (0, false);
        while seq <= 30_000 {
            match follow.recv_timeout(Duration::from_millis(100)) {
                None => ask(&caller, "PUT", "raw/end"),
                Some(Item::Lost) => lost = true,
                Some(Item::Event(event)) => {
                    let now = event.link().seq;
                    assert!(lost || now == seq + 1, "{seq}, then {now} without a word");
                    (seq, lost) = (now, false);
                }
            }
            assert!(began.elapsed() < SOON, "{seq} was the last");
        }
    });
}

#[test]
fn in_process_the_event_is_there_before_the_reply() {
    let office = Office::new();
    let to = office.server.local();
    let mut follow = office.bus.follow(&to, &["esker/1 raw/"]);
    assert_eq!(next(&mut follow), "lost");
    let caller = office.bus.caller(&to);
    for _ in 0..100 {
        ask(&caller, "PUT", "raw/a");
        let item = follow.recv_timeout(Duration::ZERO);
        assert!(matches!(item, Some(Item::Event(_))), "{item:?}");
    }
}

#[test]
fn a_follower_of_nobody_waits_no_longer_than_asked() {
    let bus = Bus::start().unwrap();
    let office = Office::new();
    let to = office.tcp();
    office.server.shutdown();
    let wait = Duration::from_millis(100);
    assert_eq!(bus.follow(&to, &["esker/1 "]).recv_timeout(wait), None);
}
