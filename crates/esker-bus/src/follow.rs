//! Following a service's events: nothing is missed without being told.

use std::collections::VecDeque;
use std::time::Duration;

use esker_wire::chain::{Follower, Step};
use esker_wire::event::{Event, TOPIC};
use tokio::sync::{broadcast, mpsc};

use crate::bus::Bus;
use crate::endpoint::Endpoint;
use crate::service::Frames;
use crate::zmq::Subscriber;

/// The events that wait between the socket and the follower.
const WAITING_MAX: usize = 1000;

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
    source: Source,
    judge: Judge,
}

#[derive(Debug)]
enum Source {
    Local(broadcast::Receiver<Frames>),
    Tcp(mpsc::Receiver<Frames>),
}

impl Source {
    /// The next thing published; waits for ever once there is nobody to publish. Cancelling loses nothing.
    async fn next(&mut self) -> Frames {
        loop {
            match self {
                Self::Tcp(frames) => match frames.recv().await {
                    Some(frames) => return frames,
                    None => std::future::pending().await,
                },
                Self::Local(frames) => match frames.recv().await {
                    Ok(frames) => return frames,
                    // What comes next tells of the gap.
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                },
            }
        }
    }
}

impl Follow {
    pub(crate) fn new(bus: &Bus, to: &Endpoint, topics: &[&str]) -> Self {
        let source = match to {
            Endpoint::Local(local) => Source::Local(local.events.subscribe()),
            Endpoint::Tcp { events, .. } => {
                let (found, source) = mpsc::channel(WAITING_MAX);
                // The task ends when this follower does; its handle is of no use.
                drop(bus.handle().spawn(subscribe(events.clone(), found)));
                Source::Tcp(source)
            }
        };
        Self { bus: bus.clone(), source, judge: Judge::new(topics) }
    }

    /// The next item, from asynchronous code. Cancelling this loses nothing.
    pub async fn next(&mut self) -> Item {
        loop {
            if let Some(item) = self.judge.ready.pop_front() {
                return item;
            }
            let frames = self.source.next().await;
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

async fn subscribe(address: String, found: mpsc::Sender<Frames>) {
    let Ok(subscriber) = Subscriber::connect(&address, TOPIC).await else {
        return;
    };
    loop {
        let taken = tokio::select! {
            () = found.closed() => return,
            taken = subscriber.take() => taken,
        };
        let Some(events) = taken else { return };
        for frames in events {
            if found.send(frames).await.is_err() {
                return;
            }
        }
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
