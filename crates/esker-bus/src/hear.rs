//! Hearing what a service publishes, as it was published: for chains of other kinds than that of [`crate::follow`].

use tokio::sync::{broadcast, mpsc};

use crate::bus::Bus;
use crate::endpoint::Endpoint;
use crate::service::Frames;
use crate::zmq::Subscriber;

/// The events that wait between the socket and who hears.
const WAITING_MAX: usize = 1000;

/// Hears the events of one service whose topics begin so. What is lost, is: their chain has to tell.
#[derive(Debug)]
pub struct Hear(Source);

#[derive(Debug)]
enum Source {
    Local(broadcast::Receiver<Frames>, Vec<Vec<u8>>),
    Tcp(mpsc::Receiver<Frames>),
}

impl Hear {
    pub(crate) fn new(bus: &Bus, to: &Endpoint, topics: Vec<Vec<u8>>) -> Self {
        Self(match to {
            Endpoint::Local(local) => Source::Local(local.events.subscribe(), topics),
            Endpoint::Tcp { events, .. } => {
                let (found, source) = mpsc::channel(WAITING_MAX);
                // The task ends when this does; its handle is of no use.
                drop(bus.handle().spawn(subscribe(events.clone(), topics, found)));
                Source::Tcp(source)
            }
        })
    }

    /// The next things published, as many as are there already, up to so many. Cancelling this loses nothing.
    pub async fn next_many(&mut self, most: usize) -> Vec<Frames> {
        let mut all = vec![self.next().await];
        while all.len() < most {
            let next = match &mut self.0 {
                Source::Tcp(frames) => frames.try_recv().ok(),
                Source::Local(frames, _) => frames.try_recv().ok(),
            };
            let Some(next) = next else { break };
            all.push(next);
        }
        if let Source::Local(_, topics) = &self.0 {
            all.retain(|frames| is_wanted(frames, topics));
        }
        all
    }

    /// The next thing published; waits for ever once there is nobody to publish. Cancelling this loses nothing.
    pub async fn next(&mut self) -> Frames {
        loop {
            match &mut self.0 {
                Source::Tcp(frames) => match frames.recv().await {
                    Some(frames) => return frames,
                    None => std::future::pending().await,
                },
                Source::Local(frames, topics) => match frames.recv().await {
                    Ok(frames) if is_wanted(&frames, topics) => return frames,
                    // What comes next tells of the gap.
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                },
            }
        }
    }
}

fn is_wanted(frames: &Frames, topics: &[Vec<u8>]) -> bool {
    let topic = frames.first();
    topic.is_some_and(|topic| topics.iter().any(|wanted| topic.starts_with(wanted)))
}

async fn subscribe(address: String, topics: Vec<Vec<u8>>, found: mpsc::Sender<Frames>) {
    let Ok(subscriber) = Subscriber::connect(&address, &topics).await else {
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
