//! Publishing again what a replica follows, so that many hang on replicas, and few on the publisher.
//!
//! Pure, but for [`serve`]. The frames, numbers and digests are the publisher's own: who follows a relay can prove to be in step with the
//! publisher. What the replica got in another way than by frames, its followers get by digests, as it did.

pub mod serve;

use std::collections::VecDeque;
use std::time::Duration;

use esker_wire::fault::{Code, Fault};

use crate::ask::Ask;
use crate::publisher::{Now, Options, Publication, Publisher, Reply};
use crate::replica::steps::Step;
use crate::replica::{Replica, State};

/// A relay that has not been in step for this long says nothing any more.
const PATIENCE: Duration = Duration::from_secs(3);

/// The times of heartbeats that are remembered: circles of no more relays than this end.
const BEATS_MAX: usize = 64;

/// Publishes what a replica follows.
#[derive(Debug)]
pub struct Relay {
    name: String,
    events: String,
    /// Of the publisher's start that the replica knows; nothing before.
    publisher: Option<Publisher>,
    published: Vec<Publication>,
    /// When the replica was last in step with a publisher that is there.
    live: Option<Duration>,
    /// What heartbeats told of the publisher's clock, the last ones, and when that was new.
    beats: VecDeque<u64>,
    news: Duration,
}

impl Relay {
    /// A relay of the model of this name, and the replica it is of: what happens to one has to be told to the other.
    pub fn new(name: impl Into<String>, seed: u64) -> (Self, Replica) {
        let relay = Self {
            name: name.into(),
            events: String::new(),
            publisher: None,
            published: Vec::new(),
            live: None,
            beats: VecDeque::new(),
            news: Duration::ZERO,
        };
        (relay, Replica::stepping(seed))
    }

    /// Says where it publishes.
    pub fn at(&mut self, events: impl Into<String>) {
        self.events = events.into();
        if let Some(publisher) = &mut self.publisher {
            publisher.at(&self.events);
        }
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Takes in what its replica did, in order. Called whenever that may have done something, before anything else is asked of the relay.
    pub fn take(&mut self, replica: &mut Replica, now: Now) {
        let steps = replica.take_steps();
        // Who follows at its own pace hears no heartbeats.
        if self.is_news(replica.beat()) || !steps.is_empty() || replica.is_pulling() {
            self.news = now.since;
        }
        // Relays that follow each other would hear each other forever, and their publisher never.
        if replica.state() == State::Live && self.news + PATIENCE > now.since {
            self.live = Some(now.since);
        }
        for step in steps {
            match step {
                Step::Applied { frames, deleted } => {
                    if let Some(publisher) = &mut self.publisher {
                        self.published.extend(publisher.mirror(frames, deleted, now));
                    }
                }
                Step::Jumped { at: (epoch, seq), deleted } => {
                    let known = self.publisher.take().filter(|known| known.epoch() == epoch);
                    // Of another start nothing is known that was before.
                    let deleted = deleted.filter(|_| known.is_some());
                    let mut publisher = known.unwrap_or_else(|| self.begin(epoch, replica));
                    publisher.jump(seq, (replica.model(), now.since), deleted);
                    self.publisher = Some(publisher);
                }
            }
        }
    }

    /// Whether nobody told this time of the publisher's clock yet, as far as is remembered: in a circle, old ones come round again.
    fn is_news(&mut self, beat: u64) -> bool {
        if self.beats.contains(&beat) {
            return false;
        }
        if self.beats.len() == BEATS_MAX {
            self.beats.pop_front();
        }
        self.beats.push_back(beat);
        true
    }

    fn begin(&self, epoch: u64, replica: &Replica) -> Publisher {
        let mut publisher = Publisher::new(Options {
            junctions: replica.junctions().clone(),
            writable: replica.is_writable(),
            ..Options::new(&self.name, epoch)
        });
        publisher.at(&self.events);
        publisher
    }

    /// Whether something is to be published.
    pub fn has_news(&self) -> bool {
        !self.published.is_empty()
    }

    /// The publisher's start that it tells of; 0 before the first.
    pub fn epoch(&self) -> u64 {
        self.publisher.as_ref().map_or(0, Publisher::epoch)
    }

    /// Whether a request means this start.
    ///
    /// # Errors
    /// `gone` if not.
    pub(crate) fn is_epoch(&self, epoch: u64) -> Result<(), Fault> {
        self.publisher.as_ref().map_or(Ok(()), |publisher| publisher.is_epoch(epoch))
    }

    /// Whether its publisher was heard lately.
    ///
    /// # Errors
    /// `unavailable` if not.
    pub(crate) fn is_live(&self, now: Now) -> Result<(), Fault> {
        if self.live.is_some_and(|live| live + PATIENCE > now.since) {
            return Ok(());
        }
        let text = format!("the publisher of {} is not heard", self.name);
        Err(Fault::new(Code::Unavailable, text).hint("ask again when it is there"))
    }

    /// What is to be published since the last time.
    pub fn published(&mut self) -> Vec<Publication> {
        std::mem::take(&mut self.published)
    }

    /// Answers with what the replica has.
    ///
    /// # Errors
    /// `unavailable` while that is nothing, or wrong; `not-writable` to a PUT: only the publisher takes those.
    pub fn answer(&mut self, replica: &Replica, ask: &Ask, now: Now) -> Result<Reply, Fault> {
        if matches!(ask, Ask::Put(_)) {
            let text = format!("the model {} is published again here, and not changed", self.name);
            return Err(Fault::new(Code::NotWritable, text).hint("ask its publisher"));
        }
        match &mut self.publisher {
            Some(publisher) if replica.is_right() && !self.events.is_empty() => {
                let answer = |publisher: &mut Publisher| publisher.answer(ask, now).0;
                Ok(publisher.with_model(replica.model(), answer))
            }
            _ => {
                let text = format!("the model {} is not in step here", self.name);
                Err(Fault::new(Code::Unavailable, text).hint("ask again soon, or its publisher"))
            }
        }
    }

    /// Called about once a second: heartbeats, as long as the replica is in step.
    pub fn tick(&mut self, replica: &Replica, now: Now) -> Vec<Publication> {
        let is_live = self.is_live(now).is_ok();
        match &mut self.publisher {
            Some(publisher) if is_live && replica.is_right() => {
                let now = Now { wall: replica.beat(), ..now };
                publisher.with_model(replica.model(), |publisher| publisher.tick(now))
            }
            _ => Vec::new(),
        }
    }

    /// What is published at the end.
    pub fn bye(&mut self, replica: &Replica, now: Now) -> Option<Publication> {
        let publisher = self.publisher.as_mut()?;
        let now = Now { wall: replica.beat(), ..now };
        Some(publisher.with_model(replica.model(), |publisher| publisher.bye(now)))
    }
}
