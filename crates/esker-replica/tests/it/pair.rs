//! One publisher and one replica with nothing between them but what a test wants there.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use esker_replica::ask::{Answer, Ask};
use esker_replica::frame::{Frame, Header};
use esker_replica::model::Model;
use esker_replica::op::Op;
use esker_replica::path::{Path, path};
use esker_replica::publisher::{Now, Options, Publication, Publisher};
use esker_replica::replica::{self, Counts, Replica, State, Wish};
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Message;

pub(crate) struct Pair {
    pub(crate) publisher: Publisher,
    pub(crate) replica: Replica,
    pub(crate) now: Duration,
    /// What was asked, by verb.
    pub(crate) asked: BTreeMap<String, u32>,
    /// The bytes of all questions and answers.
    pub(crate) bytes: usize,
    /// Whether the publisher answers.
    pub(crate) answers: bool,
    pub(crate) wishes: Vec<Wish>,
    sections: Vec<Path>,
}

impl Pair {
    pub(crate) fn new(options: Options) -> Self {
        Self::of(Publisher::new(options), Vec::new())
    }

    /// A publisher, and a replica of some of its sections.
    pub(crate) fn of(publisher: Publisher, sections: Vec<Path>) -> Self {
        let options = replica::Options { sections: sections.clone(), seed: 1 };
        Self {
            publisher,
            replica: Replica::new(options),
            now: Duration::from_secs(1),
            asked: BTreeMap::new(),
            bytes: 0,
            answers: true,
            wishes: Vec::new(),
            sections,
        }
    }

    /// With a model of a few leaves, and in step.
    pub(crate) fn in_step() -> Self {
        let mut pair = Self::new(Options { writable: true, ..Options::new("m", 5) });
        pair.change(&[set(&["a", "x"], 1), set(&["b", "y"], 2), set(&["c", "z"], 3)]);
        pair.settle();
        assert!(pair.is_in_step());
        pair.asked.clear();
        pair
    }

    pub(crate) fn moment(&self) -> Now {
        Now { since: self.now, wall: 0 }
    }

    /// Changes the model; what is published is not heard unless it is delivered.
    pub(crate) fn change(&mut self, ops: &[Op]) -> Vec<Publication> {
        let now = self.moment();
        self.publisher.change(ops, now).unwrap()
    }

    pub(crate) fn deliver(&mut self, published: &[Publication]) {
        for [topic, header, body] in published {
            let wanted =
                |section: &Path| topic.starts_with(&esker_replica::path::topic("m", section));
            let all = self.sections.is_empty() || wanted(&Path::new());
            if all || self.sections.iter().any(wanted) {
                self.replica.frame(header, body.clone(), self.now);
            }
        }
        self.serve();
    }

    /// Changes the model and lets it be heard.
    pub(crate) fn tell(&mut self, ops: &[Op]) {
        let published = self.change(ops);
        self.deliver(&published);
    }

    /// A second's heartbeats are heard.
    pub(crate) fn beat(&mut self) {
        let now = self.moment();
        let published = self.publisher.tick(now);
        self.deliver(&published);
    }

    /// A frame somebody made up.
    pub(crate) fn forge(&mut self, header: &Header, body: impl Into<Bytes>) {
        self.replica.frame(&header.to_bytes(), body.into(), self.now);
        self.serve();
    }

    /// Time goes by.
    pub(crate) fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.replica.tick(self.now);
        self.serve();
    }

    /// Time goes by with heartbeats, until the replica has nothing to do any more.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100 {
            self.wait(100);
            self.wait(100);
            self.beat();
            if self.is_in_step() {
                return;
            }
        }
        panic!("never in step: {:?} {:?}", self.replica.state(), self.counts());
    }

    pub(crate) fn is_in_step(&self) -> bool {
        let ours = self.replica.model().clone();
        let theirs = self.publisher.model().clone();
        let same = match self.sections.is_empty() {
            true => ours == theirs,
            false => self.sections.iter().all(|one| ours.digest_at(one) == theirs.digest_at(one)),
        };
        same && self.replica.state() == State::Live
    }

    pub(crate) fn counts(&self) -> Counts {
        self.replica.counts()
    }

    pub(crate) fn asked(&self, verb: &str) -> u32 {
        self.asked.get(verb).copied().unwrap_or(0)
    }

    /// Another publisher takes the place of this one.
    pub(crate) fn restart(&mut self, epoch: u64, model: Model) -> Publisher {
        let next = Publisher::with(Options { writable: true, ..Options::new("m", epoch) }, model);
        std::mem::replace(&mut self.publisher, next)
    }

    /// Answers, as over the wire, until nothing is asked any more; more than a thousand times is for ever.
    pub(crate) fn serve(&mut self) {
        for _ in 0..1000 {
            let Some(wish) = self.replica.wish() else { return };
            if let Wish::Ask(id, ask) = &wish {
                let answer = self.answer(ask);
                self.replica.answer(*id, answer, self.now);
            }
            self.wishes.push(wish);
        }
        panic!("it asks for ever: {:?}", self.asked);
    }

    fn answer(&mut self, ask: &Ask) -> Result<(u64, Answer), Fault> {
        let frames = ask.to_message("m").to_frames();
        let message = Message::from_frames(&frames).unwrap();
        *self.asked.entry(message.verb().to_owned()).or_default() += 1;
        if !self.answers {
            return Err(Fault::new(Code::Timeout, "no answer"));
        }
        let ask = Ask::from_message(&message)?;
        let now = self.moment();
        let (reply, published) = self.publisher.answer(&ask, now);
        assert!(published.is_empty());
        let told = match reply.now() {
            Ok(answer) => answer.to_message(self.publisher.epoch()),
            Err(fault) => Message::error(&fault),
        };
        let told = told.to_frames();
        self.bytes += frames.iter().chain(&told).map(Bytes::len).sum::<usize>();
        Answer::from_message(&ask, &Message::from_frames(&told).unwrap())
    }
}

pub(crate) fn set(keys: &[&str], value: i64) -> Op {
    Op::set(path(keys), value)
}

/// The header of a publication, and its body.
pub(crate) fn read(published: &Publication) -> (Header, Bytes) {
    let frame = Frame::read(&published[1], published[2].clone()).unwrap();
    (frame.header, frame.body)
}
