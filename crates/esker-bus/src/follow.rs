//! Following a service's events: nothing is missed without being told.

use std::collections::VecDeque;
use std::time::Duration;

use esker_wire::chain::{Follower, Step};
use esker_wire::event::{Event, TOPIC};

use crate::bus::Bus;
use crate::endpoint::Endpoint;
use crate::hear::Hear;
use crate::service::Frames;

/// What a follower is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Something happened.
    Event(Event),
    /// The chain broke, or begins: reconcile everything. What broke it, if it is an event, comes next.
    Lost,
}

/// Follows one service's events.
///
/// The topics are filtered here and not where they are published: a heartbeat's topic begins every other, so
/// every follower sees the whole chain and knows of every loss.
#[derive(Debug)]
pub struct Follow {
    bus: Bus,
    hear: Hear,
    judge: Judge,
}

impl Follow {
    pub(crate) fn new(bus: &Bus, to: &Endpoint, topics: &[&str]) -> Self {
        let hear = bus.hear(to, vec![TOPIC.into()]);
        Self { bus: bus.clone(), hear, judge: Judge::new(topics) }
    }

    /// The next item, from asynchronous code. Cancelling this loses nothing.
    pub async fn next(&mut self) -> Item {
        loop {
            if let Some(item) = self.judge.ready.pop_front() {
                return item;
            }
            let frames = self.hear.next().await;
            self.judge.take(&frames);
        }
    }

    /// The next item, or nothing if none comes in time; from a plain thread.
    ///
    /// # Panics
    /// In asynchronous code, which must not be blocked.
    pub fn recv_timeout(&mut self, wait: Duration) -> Option<Item> {
        let runtime = self.bus.handle().clone();
        runtime.block_on(async { tokio::time::timeout(wait, self.next()).await.ok() })
    }
}

/// Decides what published frames mean to this follower.
#[derive(Debug)]
struct Judge {
    topics: Vec<String>,
    chain: Follower,
    ready: VecDeque<Item>,
}

impl Judge {
    fn new(topics: &[&str]) -> Self {
        Self {
            topics: topics.iter().map(|&topic| topic.to_owned()).collect(),
            chain: Follower::default(),
            ready: VecDeque::new(),
        }
    }

    fn take(&mut self, frames: &Frames) {
        let Some(topic) = frames.first().filter(|topic| topic.starts_with(TOPIC.as_bytes())) else {
            return;
        };
        // What a newer publisher says beyond this version leaves a gap, and the gap is told.
        let Ok(event) = Event::from_frames(frames) else {
            return;
        };
        let heartbeat = matches!(event, Event::Heartbeat { .. });
        let step = if heartbeat {
            self.chain.heartbeat(event.link())
        } else {
            self.chain.event(event.link())
        };
        if matches!(step, Step::Duplicate | Step::Zombie) {
            return;
        }
        if step == Step::Lost {
            self.ready.push_back(Item::Lost);
        }
        let wanted = |prefix: &String| topic.starts_with(prefix.as_bytes());
        if !heartbeat && self.topics.iter().any(wanted) {
            self.ready.push_back(Item::Event(event));
        }
    }
}

#[cfg(test)]
mod tests;
