//! Relays: a replica that is published again, and those who follow it.

use std::collections::HashMap;
use std::time::Duration;

use esker_replica::ask::Ask;
use esker_replica::digest::Digest;
use esker_replica::model::Model;
use esker_replica::op::{Act, Op};
use esker_replica::path::{Path, path};
use esker_replica::publisher::{Now, Options, Publication, Publisher};
use esker_replica::relay::Relay;
use esker_replica::replica::{self, Counts, Replica, State, Wish};
use esker_replica::section::Junctions;
use esker_wire::fault::{Code, Fault};

use crate::dice::Dice;
use crate::pair::set;

/// A publisher, a relay of it, and two replicas that follow the relay: one everything, one a single section.
struct Line {
    publisher: Publisher,
    relay: Relay,
    middle: Replica,
    ends: [Replica; 2],
    section: Path,
    now: Duration,
    dice: Dice,
    /// Of a thousand messages, so many get lost.
    loss: u64,
    /// What the publisher had when: as a whole, and in the section.
    history: HashMap<(u64, u64), (Digest, Digest)>,
}

fn options(epoch: u64) -> Options {
    let junctions = Junctions::new([path(["b"])]);
    Options { junctions, ring_bytes_max: 3000, ..Options::new("m", epoch) }
}

impl Line {
    fn new(seed: u64, loss: u64) -> Self {
        let (relay, middle) = Relay::new("m", seed);
        let section = path(["a"]);
        let end = |sections| Replica::new(replica::Options { sections, seed });
        let mut line = Self {
            publisher: Publisher::new(options(1)),
            relay,
            middle,
            ends: [end(Vec::new()), end(vec![section.clone()])],
            section,
            now: Duration::from_secs(1),
            dice: Dice::new(seed),
            loss,
            history: HashMap::new(),
        };
        line.relay.at("tcp://relay");
        line.remember();
        line
    }

    fn moment(&self) -> Now {
        Now { since: self.now, wall: u64::try_from(self.now.as_micros()).unwrap() }
    }

    fn remember(&mut self) {
        let model = self.publisher.model().clone();
        let digests = (model.digest(), model.digest_at(&self.section));
        self.history.insert((self.publisher.epoch(), self.publisher.seq()), digests);
    }

    fn is_lost(&mut self) -> bool {
        let loss = self.loss;
        self.dice.chance(loss)
    }

    fn change(&mut self, ops: &[Op]) {
        let now = self.moment();
        let published = self.publisher.change(ops, now).unwrap();
        self.remember();
        self.hear(published);
    }

    fn hear(&mut self, published: Vec<Publication>) {
        for [_, header, body] in published {
            if !self.is_lost() {
                self.middle.frame(&header, body, self.now);
                self.relayed();
            }
        }
    }

    /// What became of the relay's replica reaches those who follow it.
    fn relayed(&mut self) {
        let now = self.moment();
        self.relay.take(&mut self.middle, now);
        let published = self.relay.published();
        self.pass_on(published);
    }

    fn pass_on(&mut self, published: Vec<Publication>) {
        let topics = [Path::new(), self.section.clone()];
        let topics = topics.map(|section| esker_replica::path::topic("m", &section));
        for [topic, header, body] in published {
            for index in 0..2 {
                let hears = index == 0 || topics.iter().any(|wanted| topic == *wanted);
                if hears && !self.is_lost() {
                    self.ends[index].frame(&header, body.clone(), self.now);
                    self.check(index);
                }
            }
        }
    }

    /// Who says that it is in step has what the publisher had then.
    fn check(&self, index: usize) {
        let end = &self.ends[index];
        if let (State::Live, Some(last)) = (end.state(), end.last()) {
            let model = end.model().clone();
            let (whole, section) = self.history[&last];
            match index {
                0 => assert_eq!(model.digest(), whole, "{last:?}"),
                _ => assert_eq!(model.digest_at(&self.section), section, "{last:?}"),
            }
        }
    }

    /// Time goes by, and everybody has asked and was answered.
    fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.middle.tick(self.now);
        self.relayed();
        for end in &mut self.ends {
            end.tick(self.now);
        }
        while self.serve_middle() || self.serve_end(0) || self.serve_end(1) {}
    }

    fn serve_middle(&mut self) -> bool {
        let Some(wish) = self.middle.wish() else { return false };
        if let Wish::Ask(id, ask) = wish {
            let now = self.moment();
            let answer = self.publisher.answer(&ask, now).0.now();
            let epoch = self.publisher.epoch();
            let answer = if self.is_lost() { Err(late()) } else { answer };
            self.middle.answer(id, answer.map(|answer| (epoch, answer)), self.now);
            self.relayed();
        }
        true
    }

    fn serve_end(&mut self, index: usize) -> bool {
        let Some(wish) = self.ends[index].wish() else { return false };
        if let Wish::Ask(id, ask) = wish {
            let now = self.moment();
            let reply = self.relay.answer(&self.middle, &ask, now);
            let answer = reply.and_then(|reply| reply.now());
            let answer = if self.is_lost() { Err(late()) } else { answer };
            let epoch = self.relay.epoch();
            self.ends[index].answer(id, answer.map(|answer| (epoch, answer)), self.now);
            self.check(index);
        }
        true
    }

    fn beat(&mut self) {
        let now = self.moment();
        let published = self.publisher.tick(now);
        self.hear(published);
        let published = self.relay.tick(&self.middle, now);
        self.pass_on(published);
    }

    fn is_in_step(&self) -> bool {
        let (whole, section) = self.history[&(self.publisher.epoch(), self.publisher.seq())];
        let [all, some] = &self.ends;
        self.ends.iter().all(|end| end.state() == State::Live)
            && all.model().digest() == whole
            && some.model().clone().digest_at(&self.section) == section
    }

    fn settle(&mut self) {
        self.loss = 0;
        for _ in 0..200 {
            for _ in 0..5 {
                self.wait(200);
            }
            self.beat();
            if self.is_in_step() {
                return;
            }
        }
        panic!("never in step: {:?} {:?}", self.middle.counts(), self.counts());
    }

    fn counts(&self) -> [Counts; 2] {
        [self.ends[0].counts(), self.ends[1].counts()]
    }

    /// The relay is started anew, and has to copy everything.
    fn restart_relay(&mut self) {
        (self.relay, self.middle) = Relay::new("m", 7);
        self.relay.at("tcp://relay");
    }

    /// The publisher is started anew, with what it has, nothing, or what it had before some changes.
    fn restart(&mut self) {
        let epoch = self.publisher.epoch() + 1;
        let mut model = self.publisher.model().clone();
        match self.dice.below(3) {
            0 => {}
            1 => model = Publisher::new(options(epoch)).model().clone(),
            _ => model.take(&[Op::set(path(["a", "restored"]), 1_i64)], 1),
        }
        self.publisher = Publisher::with(options(epoch), model);
        self.remember();
    }
}

fn late() -> Fault {
    Fault::new(Code::Timeout, "lost")
}

#[test]
fn who_follows_a_relay_hears_what_its_publisher_said() {
    let mut line = Line::new(1, 0);
    line.change(&[set(&["a", "x"], 1), set(&["b", "y", "z"], 2)]);
    line.settle();
    let before = line.counts();
    for at in 0..50 {
        line.change(&[set(&["a", "x"], at), set(&["c", "x"], at)]);
        assert!(line.is_in_step(), "with every change");
    }
    let after = line.counts();
    assert_eq!(after[0].applied - before[0].applied, 50);
    assert_eq!((after[0].losses, after[0].copies), (0, 1));
    let last = (line.publisher.epoch(), line.publisher.seq());
    assert_eq!(line.ends.each_ref().map(|end| end.last()), [Some(last); 2]);
}

#[test]
fn what_a_relay_lost_its_followers_get_by_digests() {
    let mut line = Line::new(2, 0);
    let ops: Vec<Op> = (0..1000).map(|at| set(&["a", &at.to_string()], at)).collect();
    line.change(&ops);
    line.settle();
    let before = line.counts();
    line.loss = 1000;
    for at in 0..100 {
        line.change(&[set(&["a", "7"], -at), Op::delete(path(["a", &at.to_string()]))]);
    }
    line.settle();
    let after = line.counts();
    assert_eq!(after.map(|one| one.copies), before.map(|one| one.copies));
    assert!(after[0].diffs + after[0].repairs > before[0].diffs + before[0].repairs);
}

#[test]
fn a_relay_does_not_say_what_was_taken_away_before_its_time() {
    let mut line = Line::new(5, 0);
    line.change(&[set(&["a", "x"], 1), set(&["a", "y"], 1)]);
    line.settle();
    line.loss = 1000;
    line.change(&[Op::delete(path(["a", "x"]))]);
    line.loss = 0;
    line.restart_relay();
    line.settle();
    let counts = line.counts();
    assert_eq!(counts.map(|one| (one.copies, one.repairs, one.mismatches)), [(1, 1, 0); 2]);
}

#[test]
fn all_sections_are_told_when_a_relay_has_jumped() {
    let mut line = Line::new(6, 0);
    for at in 0..200 {
        line.change(&[set(&[&at.to_string(), "x"], at), set(&["a", "x"], at)]);
    }
    line.settle();
    line.restart_relay();
    line.wait(0);
    line.loss = 1000;
    line.change(&[set(&["a", "x"], -1)]);
    line.loss = 0;
    line.beat();
    line.wait(30);
    // The relay knows now; at its next heartbeats all others do.
    line.beat();
    line.wait(30);
    assert!(line.is_in_step());
}

#[test]
fn a_relay_says_nothing_of_what_is_wrong() {
    let mut line = Line::new(7, 0);
    line.change(&[set(&["a", "x"], 1)]);
    line.settle();
    let now = line.moment();
    for [_, header, body] in line.publisher.change(&[set(&["a", "x"], 2)], now).unwrap() {
        let mut header = header.to_vec();
        header[32] ^= 1;
        line.middle.frame(&header, body, line.now);
    }
    line.relay.take(&mut line.middle, now);
    let fault = line.relay.answer(&line.middle, &Ask::Hello, now).err().unwrap();
    assert_eq!(fault.code, Code::Unavailable);
    assert!(line.relay.tick(&line.middle, now).is_empty() && !line.relay.has_news());
    line.remember();
    line.settle();
}

#[test]
fn a_relay_that_is_not_in_step_is_silent() {
    let mut line = Line::new(3, 0);
    line.change(&[set(&["a", "x"], 1)]);
    line.settle();
    // Its publisher is gone.
    for _ in 0..10 {
        line.now += Duration::from_secs(1);
        line.middle.tick(line.now);
        line.relayed();
        let now = line.moment();
        let published = line.relay.tick(&line.middle, now);
        line.pass_on(published);
        line.ends[0].tick(line.now);
    }
    assert_eq!(line.ends[0].state(), State::Stale);
    assert_eq!(line.ends[0].model().digest(), line.publisher.model().digest(), "and keeps it");
}

#[test]
fn a_relay_that_has_nothing_yet_refuses() {
    let (mut relay, mut replica) = Relay::new("m", 1);
    relay.at("tcp://relay");
    let now = Now::default();
    relay.take(&mut replica, now);
    let fault = relay.answer(&replica, &Ask::Hello, now).err().unwrap();
    assert_eq!(fault.code, Code::Unavailable);
    assert!(relay.tick(&replica, now).is_empty() && relay.bye(&replica, now).is_none());
}

#[test]
fn a_goodbye_makes_stale_at_once() {
    let mut line = Line::new(4, 0);
    line.change(&[set(&["a", "x"], 1)]);
    line.settle();
    let now = line.moment();
    let bye = line.relay.bye(&line.middle, now).unwrap();
    line.pass_on(vec![bye]);
    assert_eq!(line.ends.each_ref().map(Replica::state), [State::Stale; 2]);
    // It was another's, or somebody is there again.
    line.settle();
}

#[test]
fn whatever_happens_those_behind_a_relay_are_in_step_in_the_end() {
    let mut seen = [0; 4];
    for seed in 0..60 {
        let mut line = Line::new(seed, 0);
        for _ in 0..120 {
            let loss = line.dice.below(200);
            line.loss = if line.dice.chance(30) { 1000 } else { loss };
            let ops = line.dice.ops(4);
            let ops: Vec<Op> = ops.into_iter().filter(|op| may_be(op, &line.section)).collect();
            line.change(&ops);
            match line.dice.below(40) {
                0 => line.restart(),
                1 => line.restart_relay(),
                2..10 => line.beat(),
                _ => {}
            }
            let millis = line.dice.below(60);
            line.wait(millis);
        }
        line.settle();
        let [all, some] = line.counts();
        for (sum, count) in seen.iter_mut().zip([all.diffs, all.repairs, all.copies, some.applied])
        {
            *sum += count;
        }
        assert_eq!((all.malformed, some.malformed), (0, 0), "seed {seed}");
        // A heartbeat of a section does not tell that a relay just started is behind who hears it.
        assert_eq!(all.mismatches, 0, "seed {seed}");
    }
    assert!(seen.iter().all(|count| *count > 0), "something never happened: {seen:?}");
}

/// Junctions stay.
fn may_be(op: &Op, section: &[esker_replica::path::Key]) -> bool {
    let is_junction = op.path == path(["b"]);
    let is_section_gone = op.path == section && !matches!(op.act, Act::Dict);
    !is_junction && !is_section_gone
}

#[test]
fn a_model_may_be_told_by_a_relay_of_a_relay() {
    let mut line = Line::new(9, 0);
    line.change(&[set(&["a", "x"], 1)]);
    line.settle();
    let (mut second, mut replica) = Relay::new("m", 5);
    second.at("tcp://second");
    replica.tick(line.now);
    while let Some(wish) = replica.wish() {
        let Wish::Ask(id, ask) = wish else { continue };
        let now = line.moment();
        let answer = line.relay.answer(&line.middle, &ask, now).and_then(|reply| reply.now());
        let epoch = line.relay.epoch();
        replica.answer(id, answer.map(|answer| (epoch, answer)), line.now);
        second.take(&mut replica, now);
    }
    let now = line.moment();
    let beats = second.tick(&replica, now);
    assert!(!beats.is_empty());
    let model: Model = replica.model().clone();
    assert_eq!((model.digest(), second.epoch()), (line.publisher.model().digest(), 1));
}

/// Has a relay's replica ask another relay, until it has nothing to ask.
fn ask(
    (relay, replica): (&mut Relay, &mut Replica),
    (of, other): (&mut Relay, &Replica),
    now: Now,
) {
    replica.tick(now.since);
    while let Some(wish) = replica.wish() {
        let Wish::Ask(id, ask) = wish else { continue };
        let answer = of.answer(other, &ask, now).and_then(|reply| reply.now());
        let epoch = of.epoch();
        replica.answer(id, answer.map(|answer| (epoch, answer)), now.since);
        relay.take(replica, now);
    }
}

/// A heartbeat or two, heard by a replica.
fn hear(replica: &mut Replica, beats: &[Publication], now: Now) {
    beats.iter().for_each(|[_, header, body]| replica.frame(header, body.clone(), now.since));
}

#[test]
fn relays_that_follow_each_other_in_a_circle_are_soon_silent() {
    for count in 1..5 {
        let mut line = Line::new(3, 0);
        line.change(&[set(&["a", "x"], 1)]);
        line.settle();
        // The publisher's clock is told by its heartbeats, and passed on.
        let mut now = Now { since: line.now, wall: 1_000 };
        let beats = line.publisher.tick(now);
        hear(&mut line.middle, &beats, now);
        line.relay.take(&mut line.middle, now);
        let mut others: Vec<(Relay, Replica)> = Vec::new();
        for seed in 0..count {
            let (mut relay, mut replica) = Relay::new("m", seed + 5);
            relay.at("tcp://relay");
            let of = match others.last_mut() {
                Some((relay, replica)) => (relay, &*replica),
                None => (&mut line.relay, &line.middle),
            };
            ask((&mut relay, &mut replica), of, now);
            assert_eq!(replica.state(), State::Live);
            others.push((relay, replica));
        }
        let mut heard = 0;
        for second in 0..60 {
            now.since += Duration::from_secs(1);
            now.wall += 1_000_000;
            // Each beats after the one that hears it, so that old times are under way. The publisher is there for five seconds.
            let is_there = second < 5;
            for at in (0..others.len()).rev() {
                let (relay, replica) = &mut others[at];
                let beats = relay.tick(replica, now);
                if let Some((relay, replica)) = others.get_mut(at + 1) {
                    hear(replica, &beats, now);
                    relay.take(replica, now);
                } else if !is_there {
                    heard += u32::from(!beats.is_empty());
                    hear(&mut line.middle, &beats, now);
                }
            }
            let beats = line.relay.tick(&line.middle, now);
            let (relay, replica) = &mut others[0];
            hear(replica, &beats, now);
            relay.take(replica, now);
            if is_there {
                let beats = line.publisher.tick(now);
                hear(&mut line.middle, &beats, now);
            }
            line.relay.take(&mut line.middle, now);
        }
        assert!((1..15).contains(&heard), "{count}: they were heard for {heard} seconds");
        let hello = line.relay.answer(&line.middle, &Ask::Hello, now);
        assert!(hello.is_ok(), "what it has can be seen");
    }
}
