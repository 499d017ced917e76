//! Clocks that jump: real engines whose clock is libfaketime's.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::{lines, versions};
use crate::world::{Running, World};

/// A clock that a test sets, and the engine that goes by it.
struct Clock<'a> {
    world: &'a World,
}

impl<'a> Clock<'a> {
    /// Starts the engine at this time.
    fn start(world: &'a World, time: &str) -> (Self, Running) {
        let clock = Self { world };
        clock.set(time);
        let library = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
        let file = world.path("clock");
        let running = world.up_with(&[
            ("LD_PRELOAD", library),
            ("FAKETIME_TIMESTAMP_FILE", file.to_str().expect("UTF-8")),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ]);
        (clock, running)
    }

    /// Sets it to a time in UTC; it goes on from there.
    fn set(&self, time: &str) {
        let time: DateTime = time.parse().expect("a time");
        let time = time.in_tz("UTC").expect("UTC").timestamp();
        let ahead: SignedDuration = time.duration_since(Timestamp::now());
        self.world.write("clock", format!("{:+}\n", ahead.as_secs()));
    }
}

/// A project whose source is read at these times, in this zone, and notes it.
fn project(schedule: &str) -> World {
    let world = World::new(&format!(
        "[project]\nname = \"p\"\n[source.a]\nrun = [\"sh\", \"-c\", \"echo run >> runs; wc -l < runs\"]\n\
         {schedule}\noutput = \"raw/a\"\n[source.beat]\nfile = \"beat\"\nallow_empty = true\noutput = \"raw/beat\"\n"
    ));
    world.write("beat", "");
    world
}

/// Has the engine look at everything, and waits until it has: what it does then is done before what it is asked next.
fn look(world: &World, beat: &str) {
    world.write("beat", beat);
    world.wait_for_content("raw/beat", |content| content == beat);
}

/// How often the source had been read some while after the clock showed this time.
fn runs_at(world: &World, clock: &Clock<'_>, time: &str, expected: usize) {
    clock.set(time);
    look(world, time);
    world.wait_for_or(
        &format!("{expected} runs at {time}"),
        || format!("{} runs", lines(world, "runs")),
        || lines(world, "runs") >= expected,
    );
    look(world, &format!("{time}, again"));
    world.wait_for("its end", || versions(world, "raw/a") == expected);
    assert_eq!(lines(world, "runs"), expected, "{time}");
}

#[test]
fn the_nights_in_which_the_clocks_are_changed_have_each_one_run() {
    let world = project("cron = \"30 2 * * *\"\ntimezone = \"Europe/Paris\"");
    let (clock, _up) = Clock::start(&world, "2027-03-27T20:00:00");
    let at = |time: &str, runs: usize| runs_at(&world, &clock, time, runs);
    at("2027-03-27T20:01:00", 1);
    // 02:30 does not exist; it is read when the clock has gone forward from 02:00 to 03:00.
    at("2027-03-28T00:59:30", 1);
    at("2027-03-28T01:00:05", 2);
    at("2027-03-28T02:00:00", 2);
    at("2027-03-29T00:29:00", 2);
    at("2027-03-29T00:30:05", 3);
    // 02:30 comes twice.
    at("2027-10-30T12:00:00", 4);
    at("2027-10-31T00:30:05", 5);
    at("2027-10-31T01:30:05", 5);
    at("2027-11-01T01:30:05", 6);
}

#[test]
fn a_laptop_that_slept_over_three_ticks_makes_up_for_them_once() {
    let world = project("cron = \"0 * * * *\"\ntimezone = \"UTC\"");
    let (clock, up) = Clock::start(&world, "2027-01-04T09:10:00");
    let at = |time: &str, runs: usize| runs_at(&world, &clock, time, runs);
    at("2027-01-04T09:11:00", 1);
    at("2027-01-04T12:20:00", 2);
    at("2027-01-04T12:59:00", 2);
    at("2027-01-04T13:00:01", 3);
    // The same with esker not running.
    up.stop();
    let (clock, _up) = Clock::start(&world, "2027-01-04T16:20:00");
    let at = |time: &str, runs: usize| runs_at(&world, &clock, time, runs);
    at("2027-01-04T16:21:00", 4);
    at("2027-01-04T16:30:00", 4);
}

#[test]
fn a_clock_set_back_by_an_hour_stops_nothing() {
    let world = project("every = \"15m\"");
    let (clock, up) = Clock::start(&world, "2027-01-04T09:10:00");
    let at = |time: &str, runs: usize| runs_at(&world, &clock, time, runs);
    at("2027-01-04T09:11:00", 1);
    at("2027-01-04T09:26:00", 2);
    // The schedule begins anew: once now, and then as it says.
    at("2027-01-04T08:26:00", 3);
    at("2027-01-04T08:40:00", 3);
    at("2027-01-04T08:42:00", 4);
    // The order is that of the commits, whatever their times say.
    assert_eq!(world.content("raw/a").as_deref(), Some("4\n"));
    let log = world.json(&["log", "raw/a", "--json"]);
    let first =
        |at: usize| world.content(&format!("raw/a@{}", log[at]["revision"].as_str().expect("one")));
    assert_eq!((first(0).as_deref(), first(3).as_deref()), (Some("4\n"), Some("1\n")));
    let times = log.as_array().expect("a list").iter().map(|entry| entry["time"].as_str());
    assert!(times.rev().is_sorted(), "and those never go back: {log}");
    world.ok_with(&["put", "raw/b"], b"by hand");
    assert_eq!(world.content("raw/b").as_deref(), Some("by hand"));
    up.stop();
    world.git(&["fsck", "--strict"]);
}
