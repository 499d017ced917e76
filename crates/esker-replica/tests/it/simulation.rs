//! A publisher and replicas in a network that loses, repeats and reorders, with restarts on both sides, publishers that do not
//! know they are over, and replicas that stop: in the end all are equal, and what says that it is live always is.

use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use bytes::Bytes;
use esker_replica::ask::{Answer, Ask};
use esker_replica::digest::Digest;
use esker_replica::model::Model;
use esker_replica::path::{Path, path};
use esker_replica::publisher::{Now, Options, Publication, Publisher};
use esker_replica::replica::{self, Replica, State, Wish};
use esker_replica::section::Junctions;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Message;

use crate::dice::Dice;

/// The worlds of a common run; thousands are for a build that is optimized.
const SEEDS: u64 = 60;

const REPLICAS: usize = 4;

/// Disturbed steps, of a few milliseconds each.
const STEPS: u64 = 300;

/// Until then everybody has to be in step once nothing is disturbed any more.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long one waits for an answer.
const DEADLINE: Duration = Duration::from_secs(2);

/// How bad a world is, in thousandths.
struct Weather {
    loss: u64,
    twice: u64,
    late: u64,
    ask_loss: u64,
    restart: u64,
    leave: u64,
    stop: u64,
}

/// What is on its way.
enum Parcel {
    Frame(usize, Publication),
    Ask(usize, Question, Ask),
    Answer(usize, Question, Result<(u64, Answer), Fault>),
}

/// Which start of a replica asked, and its number.
type Question = (u64, u64);

/// By time of arrival; what comes at the same time comes in the order it was sent.
struct Sent {
    at: Duration,
    number: u64,
    parcel: Parcel,
}

impl PartialEq for Sent {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.number) == (other.at, other.number)
    }
}
impl Eq for Sent {}
impl PartialOrd for Sent {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Sent {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

/// A replica, and one who was told all that it says of its changes.
struct Follower {
    replica: Replica,
    sections: Vec<Path>,
    start: u64,
    mirror: Publisher,
    is_subscribed: bool,
    /// It hears nothing until then; what comes is lost beyond so many parcels.
    stopped_until: Duration,
    held: Vec<Parcel>,
}

struct World {
    dice: Dice,
    weather: Weather,
    now: Duration,
    publisher: Publisher,
    /// Those who were replaced and do not know.
    zombies: Vec<Publisher>,
    followers: Vec<Follower>,
    network: BinaryHeap<Sent>,
    sent: u64,
    /// What each transaction of each epoch made of the model, and of its sections.
    history: BTreeMap<(u64, u64), Digest>,
    /// Models of before.
    past: Vec<Model>,
    next_tick: Duration,
    serious: bool,
}

fn options(epoch: u64, dice: &mut Dice) -> Options {
    Options {
        junctions: Junctions::new([path(["a"])]),
        ring_bytes_max: usize::try_from(dice.below(20_000)).unwrap(),
        writable: true,
        ..Options::new("m", epoch)
    }
}

impl Follower {
    fn new(index: usize, seed: u64) -> Self {
        // The last one follows two sections only.
        let some = [path(["b"]), path(["a", "b"])];
        let sections = if index == REPLICAS - 1 { some.to_vec() } else { Vec::new() };
        let mut replica = Replica::new(replica::Options { sections: sections.clone(), seed });
        replica.near(seed.is_multiple_of(2));
        Self {
            replica,
            sections,
            start: seed,
            mirror: Publisher::new(Options::new("mirror", 1)),
            is_subscribed: true,
            stopped_until: Duration::ZERO,
            held: Vec::new(),
        }
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let weather = Weather {
            loss: dice.below(200),
            twice: dice.below(200),
            late: dice.below(400),
            ask_loss: dice.below(150),
            restart: dice.below(15),
            leave: dice.below(10),
            stop: dice.below(10),
        };
        let publisher = Publisher::new(options(1, &mut dice));
        let followers = (0..REPLICAS).map(|index| Follower::new(index, seed + index as u64));
        Self {
            publisher,
            followers: followers.collect(),
            dice,
            weather,
            now: Duration::from_millis(1),
            zombies: Vec::new(),
            network: BinaryHeap::new(),
            sent: 0,
            history: BTreeMap::new(),
            past: Vec::new(),
            next_tick: Duration::ZERO,
            serious: true,
        }
    }

    fn moment(&self) -> Now {
        Now { since: self.now, wall: 0 }
    }

    fn send(&mut self, after: Duration, parcel: Parcel) {
        self.sent += 1;
        self.network.push(Sent { at: self.now + after, number: self.sent, parcel });
    }

    fn delay(&mut self) -> Duration {
        let late = self.serious && self.dice.chance(self.weather.late);
        Duration::from_micros(if late { self.dice.below(40_000) } else { 200 })
    }

    fn publish(&mut self, publications: Vec<Publication>) {
        for publication in publications {
            for to in 0..REPLICAS {
                let times = match () {
                    () if self.serious && self.dice.chance(self.weather.loss) => 0,
                    () if self.serious && self.dice.chance(self.weather.twice) => 2,
                    () => 1,
                };
                for _ in 0..times {
                    let delay = self.delay();
                    self.send(delay, Parcel::Frame(to, publication.clone()));
                }
            }
        }
    }

    fn remember(&mut self) {
        let place = (self.publisher.epoch(), self.publisher.seq());
        self.history.insert(place, self.publisher.model().digest());
    }

    fn change(&mut self) {
        let ops = self.dice.ops(12);
        let publications = self.publisher.change(&ops, self.moment()).unwrap_or_default();
        self.remember();
        self.publish(publications);
        if self.dice.chance(100) {
            self.past.push(self.publisher.model().clone());
        }
    }

    /// The publisher is started anew: with its model, with one of before, or with nothing.
    fn restart(&mut self) {
        let options = options(self.publisher.epoch() + 1, &mut self.dice);
        let next = match self.dice.below(3) {
            0 => Publisher::with(options, self.publisher.model().clone()),
            1 if !self.past.is_empty() => {
                let index = self.dice.below(self.past.len() as u64);
                let model = self.past[usize::try_from(index).unwrap()].clone();
                Publisher::with(options, model)
            }
            _ => Publisher::new(options),
        };
        self.zombies.push(std::mem::replace(&mut self.publisher, next));
        self.remember();
    }

    fn disturb(&mut self) {
        if self.dice.chance(self.weather.restart) {
            self.restart();
        }
        if self.dice.chance(50) {
            // One that is over goes on for a while.
            if let Some(mut zombie) = self.zombies.pop() {
                let ops = self.dice.ops(5);
                let mut publications = zombie.change(&ops, self.moment()).unwrap_or_default();
                publications.extend(zombie.tick(self.moment()));
                // Who has not heard of its end yet follows it rightly.
                let place = (zombie.epoch(), zombie.seq());
                self.history.insert(place, zombie.model().digest());
                self.publish(publications);
                if self.dice.chance(800) {
                    self.zombies.push(zombie);
                }
            }
        }
        for index in 0..REPLICAS {
            if self.dice.chance(self.weather.leave) {
                let seed = self.dice.next();
                self.followers[index] = Follower::new(index, seed);
            }
            if self.dice.chance(self.weather.stop) {
                let pause = Duration::from_millis(self.dice.below(5000));
                self.followers[index].stopped_until = self.now + pause;
            }
        }
    }

    /// Goes on to a moment, with all that comes until then.
    fn go_to(&mut self, end: Duration) {
        loop {
            let next = self.network.peek().map(|sent| sent.at).filter(|at| *at <= end);
            let timer = self.next_timer().filter(|at| *at <= end);
            match (next, timer) {
                (Some(at), timer) if timer.is_none_or(|timer| at <= timer) => {
                    self.now = self.now.max(at);
                    let parcel = self.network.pop().unwrap().parcel;
                    self.deliver(parcel);
                }
                (_, Some(at)) => {
                    self.now = self.now.max(at);
                    self.tick();
                }
                _ => break,
            }
        }
        self.now = end;
    }

    fn next_timer(&self) -> Option<Duration> {
        let dues = self.followers.iter().map(|follower| {
            let due = self.now + follower.replica.due(self.now).max(Duration::from_millis(1));
            due.max(follower.stopped_until)
        });
        dues.chain([self.next_tick]).min()
    }

    fn tick(&mut self) {
        if self.now >= self.next_tick {
            self.next_tick = self.now + Duration::from_secs(1);
            let publications = self.publisher.tick(self.moment());
            self.publish(publications);
        }
        for index in 0..REPLICAS {
            let follower = &mut self.followers[index];
            if follower.stopped_until > self.now {
                continue;
            }
            for parcel in std::mem::take(&mut follower.held) {
                self.deliver(parcel);
            }
            self.followers[index].replica.tick(self.now);
            self.serve(index);
        }
    }

    fn deliver(&mut self, parcel: Parcel) {
        let (Parcel::Frame(to, _) | Parcel::Ask(to, ..) | Parcel::Answer(to, ..)) = parcel;
        let is_ask = matches!(parcel, Parcel::Ask(..));
        if !is_ask && self.followers[to].stopped_until > self.now {
            // Whoever asks for a replica waits for the answer, or for the deadline.
            let is_answer = matches!(parcel, Parcel::Answer(..));
            if is_answer || self.followers[to].held.len() < 50 {
                self.followers[to].held.push(parcel);
            }
            return;
        }
        match parcel {
            Parcel::Frame(_, [topic, header, body]) => {
                if self.hears(to, &topic) {
                    self.followers[to].replica.frame(&header, body, self.now);
                }
            }
            Parcel::Ask(_, id, ask) => return self.answer(to, id, &ask),
            Parcel::Answer(_, (start, id), answer) => {
                if start == self.followers[to].start {
                    self.followers[to].replica.answer(id, answer, self.now);
                }
            }
        }
        self.serve(to);
    }

    fn hears(&self, to: usize, topic: &Bytes) -> bool {
        let follower = &self.followers[to];
        let wanted = |wanted: Vec<u8>| topic.starts_with(&wanted);
        let sections = &follower.sections;
        follower.is_subscribed
            && (sections.is_empty()
                || wanted(esker_replica::path::topic("m", &[]))
                || sections.iter().any(|one| wanted(esker_replica::path::topic("m", one))))
    }

    /// Answers as it would go over the wire.
    fn answer(&mut self, to: usize, id: Question, ask: &Ask) {
        let ask = Ask::from_message(&ask.to_message("m")).unwrap();
        let (reply, publications) = self.publisher.answer(&ask, self.moment());
        let epoch = self.publisher.epoch();
        let message = match reply.now() {
            Ok(answer) => answer.to_message(epoch),
            Err(fault) => Message::error(&fault),
        };
        let message = Message::from_frames(&message.to_frames()).unwrap();
        let answer = Answer::from_message(&ask, &message);
        self.publish(publications);
        let lost = self.serious && self.dice.chance(self.weather.ask_loss);
        let (delay, answer) = match lost {
            true => (DEADLINE, Err(Fault::new(Code::Timeout, "no answer"))),
            false => (self.delay(), answer),
        };
        self.send(delay, Parcel::Answer(to, id, answer));
    }

    /// Does what a replica wishes.
    fn serve(&mut self, index: usize) {
        while let Some(wish) = self.followers[index].replica.wish() {
            match wish {
                Wish::Ask(id, ask) => {
                    let delay = self.delay();
                    let start = self.followers[index].start;
                    self.send(delay, Parcel::Ask(index, (start, id), ask));
                }
                Wish::Changed(ops) => {
                    let now = self.moment();
                    self.followers[index].mirror.change(&ops, now).unwrap();
                }
                Wish::Renewed => {
                    let model = self.followers[index].replica.model().clone();
                    let options = Options::new("mirror", 1);
                    self.followers[index].mirror = Publisher::with(options, model);
                }
                Wish::Subscribe(is_subscribed) => {
                    self.followers[index].is_subscribed = is_subscribed;
                }
                Wish::State(_) | Wish::Resubscribe(_) | Wish::Audit => {}
            }
        }
        self.check(index);
    }

    /// What says that it is live is what the publisher had, and all it told of changes makes the same.
    fn check(&self, index: usize) {
        let Follower { replica, sections, mirror, .. } = &self.followers[index];
        assert_eq!(mirror.model().digest(), replica.model().digest(), "what {index} told");
        let Some(last) = replica.last().filter(|_| sections.is_empty()) else { return };
        if replica.state() == State::Live {
            let known = self.history.get(&last);
            assert_eq!(Some(&replica.model().digest()), known, "replica {index} at {last:?}");
        }
    }

    fn is_in_step(&mut self, index: usize) -> bool {
        let Follower { replica, sections, .. } = &self.followers[index];
        let ours = replica.model().clone();
        let theirs = self.publisher.model().clone();
        let same = match sections.is_empty() {
            true => ours == theirs,
            false => sections.iter().all(|one| ours.digest_at(one) == theirs.digest_at(one)),
        };
        replica.state() == State::Live && same
    }

    fn settle(&mut self) {
        self.serious = false;
        self.zombies.clear();
        for follower in &mut self.followers {
            follower.stopped_until = Duration::ZERO;
        }
        let end = self.now + PATIENCE;
        while !(0..REPLICAS).all(|index| self.is_in_step(index)) {
            assert!(self.now < end, "never in step: {:?}", self.told());
            self.go_to(self.now + Duration::from_millis(100));
        }
        // And it stays so, with changes.
        for _ in 0..20 {
            self.change();
            self.go_to(self.now + Duration::from_millis(20));
        }
        self.go_to(self.now + Duration::from_secs(2));
        for index in 0..REPLICAS {
            let model = self.followers[index].replica.model();
            assert_eq!(model.recompute(), model.digest());
            assert!(self.is_in_step(index), "out of step again: {:?}", self.told());
        }
    }

    fn told(&self) -> Vec<String> {
        let told = |one: &Follower| {
            format!("{:?} {:?} {:?}", one.replica.state(), one.replica.last(), one.replica.counts())
        };
        let publisher = format!("{:?}", (self.publisher.epoch(), self.publisher.seq()));
        self.followers.iter().map(told).chain([publisher]).collect()
    }
}

fn simulate(seed: u64) -> World {
    let mut world = World::new(seed);
    world.remember();
    for _ in 0..STEPS {
        let busy = world.dice.below(4);
        for _ in 0..busy {
            world.change();
        }
        world.disturb();
        let step = Duration::from_micros(world.dice.below(30_000));
        world.go_to(world.now + step);
    }
    world.settle();
    world
}

/// The seeds there are: `ESKER_SEEDS=10000` for many, `ESKER_SEEDS=360..361` for one.
fn seeds() -> std::ops::Range<u64> {
    let wish = std::env::var("ESKER_SEEDS").unwrap_or_default();
    let number = |text: &str| text.parse().ok();
    let range = match wish.split_once("..") {
        Some((from, to)) => number(from).zip(number(to)),
        None => number(&wish).map(|end| (0, end)),
    };
    let (from, to) = range.unwrap_or((0, SEEDS));
    from..to
}

#[test]
fn whatever_happens_all_are_equal_in_the_end() {
    let mut seen = replica::Counts::default();
    for seed in seeds() {
        let world = std::panic::catch_unwind(|| simulate(seed));
        let world = world.unwrap_or_else(|_| panic!("seed {seed}"));
        for follower in &world.followers {
            let counts = follower.replica.counts();
            seen.duplicates += counts.duplicates;
            seen.zombies += counts.zombies;
            seen.losses += counts.losses;
            seen.replays += counts.replays;
            seen.diffs += counts.diffs;
            seen.repairs += counts.repairs;
            seen.copies += counts.copies;
            seen.mismatches += counts.mismatches;
            assert_eq!(counts.malformed, 0, "seed {seed}");
        }
    }
    println!("{seen:?}");
    let happened =
        [seen.duplicates, seen.zombies, seen.losses, seen.replays, seen.diffs, seen.repairs];
    assert!(happened.iter().all(|count| *count > 0), "something never happened: {seen:?}");
}
