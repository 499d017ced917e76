//! Interop mode at work: their two sockets beside a model of ours; and a model of ours that follows their publisher.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use esker_bus::bus::{Binds, Bus};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::hear::Hear;
use esker_bus::server::{Server, Waker};
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::fault::{Code, Fault};

use super::mirror::{Mirror, Verdict};
use super::{Interop, Told, shown};
use crate::follow::{Follow, News};
use crate::live::Source;
use crate::model::Model;
use crate::op::Op;
use crate::replica::Options;

/// The changes that may wait to be published.
const WAITING_MAX: usize = 1024;

/// How long to wait for news before looking whether this is over.
const WAIT: Duration = Duration::from_millis(100);

/// How often their publisher is asked to `verify`, and how long it may take to answer.
const VERIFY_EVERY: Duration = Duration::from_secs(5);
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// The most that is asked of their publisher before something that was published is taken.
const TRIES_PAUSE: Duration = Duration::from_secs(1);

/// A thread that ends when this is dropped.
#[derive(Debug)]
struct Thread {
    over: Arc<AtomicBool>,
    handle: Option<JoinHandle<()>>,
}

impl Thread {
    fn start(name: &str, run: impl FnOnce(&AtomicBool) + Send + 'static) -> Result<Self, Fault> {
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let handle = std::thread::Builder::new().name(name.to_owned()).spawn(move || run(&is_over));
        let handle = handle.map_err(|error| {
            Fault::new(Code::Unavailable, format!("cannot start the thread {name}: {error}"))
        })?;
        Ok(Self { over, handle: Some(handle) })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        if let Some(handle) = self.handle.take() {
            // Its panic was printed.
            drop(handle.join());
        }
    }
}

/// Their sockets beside a model of ours. Dropping it closes them.
#[derive(Debug)]
pub struct Published {
    // Dropped first: what it feeds goes on taking until then.
    _feeder: Thread,
    server: Server,
}

impl Published {
    /// The addresses that take `update` and `verify`, with their real ports.
    pub fn requests(&self) -> &[String] {
        self.server.requests()
    }

    /// The addresses that publish changes.
    pub fn events(&self) -> &[String] {
        self.server.events()
    }
}

/// What the model did.
enum Fed {
    Changed(Vec<Op>),
    Renewed(Box<Model>),
}

/// Publishes the model of this name at `from` on their sockets.
///
/// # Errors
/// As [`Bus::serve`].
pub fn publish(bus: &Bus, from: &Endpoint, name: &str, binds: &Binds) -> Result<Published, Fault> {
    let (feed, fed) = sync_channel(WAITING_MAX);
    let server = bus.serve("interop", Sockets { interop: Interop::default(), fed }, binds)?;
    let follow = Follow::start(bus, from, name, Options::default())?;
    let waker = server.waker();
    let feeder = Thread::start("interop-feed", move |over| pass_on(follow, &feed, &waker, over))?;
    Ok(Published { _feeder: feeder, server })
}

fn pass_on(mut follow: Follow, feed: &SyncSender<Fed>, waker: &Waker, over: &AtomicBool) {
    while !over.load(Ordering::Acquire) {
        let fed = match follow.recv_timeout(WAIT) {
            Some(News::Changed(ops)) => Fed::Changed(ops),
            Some(News::Renewed) => Fed::Renewed(Box::new(follow.model())),
            Some(News::State(_)) | None => continue,
        };
        if feed.send(fed).is_err() {
            return;
        }
        waker.wake();
    }
}

/// The service behind their sockets.
struct Sockets {
    interop: Interop,
    fed: Receiver<Fed>,
}

fn wall() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

impl Sockets {
    /// Takes what the model did, so that who asks is told the newest.
    fn take(&mut self) -> Vec<Frames> {
        let mut events = Vec::new();
        while let Ok(fed) = self.fed.try_recv() {
            let told = match fed {
                Fed::Changed(ops) => self.interop.change(&ops, wall()),
                Fed::Renewed(model) => self.interop.renew(&model, wall()),
            };
            let Told { events: said, left_out, first } = told;
            if left_out > 0 {
                let path = shown(first.as_ref());
                tracing::warn!(left_out, path, "changes that interop mode has no words for");
            }
            events.extend(said.into_iter().map(|text| vec![Bytes::from(text)]));
        }
        events
    }
}

impl Service for Sockets {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        let mut events = self.take();
        let answered = requests.iter().map(|request| {
            let said = match &request[..] {
                [request] => self.interop.answer(request),
                _ => self.interop.answer(b""),
            };
            let mut outcome = Outcome::reply(vec![Bytes::from(said)]);
            outcome.events = std::mem::take(&mut events);
            outcome
        });
        answered.collect()
    }

    fn wake(&mut self) -> Vec<Frames> {
        self.take()
    }

    fn tick(&mut self) -> Vec<Frames> {
        self.take()
    }
}

/// Keeps a model of ours as their publisher's is. Dropping it ends that.
#[derive(Debug)]
pub struct Following(#[expect(dead_code, reason = "it is there to be dropped")] Thread);

/// Follows their publisher at `from` into the model of `source`, which nobody else should change.
///
/// # Errors
/// `unavailable` if the system gives no thread.
pub fn follow(bus: &Bus, from: &Endpoint, source: Source) -> Result<Following, Fault> {
    from.check()?;
    // Everything they publish: there are no topics.
    let hear = bus.hear(from, vec![Vec::new()]);
    let (runner, caller) = (bus.clone(), bus.caller(from));
    let copy = Copy { mirror: Mirror::default(), caller, source };
    let run = move |over: &AtomicBool| runner.block_on(copy.run(hear, over));
    Thread::start("interop-follow", run).map(Following)
}

/// A copy of theirs at work.
struct Copy {
    mirror: Mirror,
    caller: Caller,
    source: Source,
}

impl Copy {
    async fn run(mut self, mut hear: Hear, over: &AtomicBool) {
        let mut next = tokio::time::Instant::now();
        while !over.load(Ordering::Acquire) {
            if tokio::time::Instant::now() >= next {
                let pause = self.verify().await;
                next = tokio::time::Instant::now() + pause;
            }
            let Ok(frames) = tokio::time::timeout(WAIT, hear.next()).await else { continue };
            let read = frames.first().map(|message| self.mirror.delta(message));
            self.take(read.unwrap_or_else(|| Err("a message is empty".to_owned())));
        }
    }

    /// Verifies, and updates if that is needed; how long to wait until the next time.
    async fn verify(&mut self) -> Duration {
        let Some(answer) = self.ask("verify").await else { return TRIES_PAUSE };
        match self.mirror.verify(&answer) {
            Ok(Verdict::Same) => VERIFY_EVERY,
            Ok(Verdict::Later) => TRIES_PAUSE,
            Ok(Verdict::Update) => {
                let Some(answer) = self.ask("update").await else { return TRIES_PAUSE };
                let read = self.mirror.update(&answer);
                self.take(read);
                TRIES_PAUSE
            }
            Err(error) => {
                tracing::warn!(error, "cannot read what the publisher answers");
                VERIFY_EVERY
            }
        }
    }

    async fn ask(&self, what: &'static str) -> Option<Bytes> {
        let request = vec![Bytes::from_static(what.as_bytes())];
        match self.caller.exchange(request, ANSWER_MAX).await {
            Ok(answer) => answer.into_iter().next(),
            Err(error) => {
                tracing::debug!(%error, what, "their publisher does not answer");
                None
            }
        }
    }

    fn take(&self, read: Result<Vec<Op>, String>) {
        let changed = match read {
            Ok(ops) if ops.is_empty() => return,
            Ok(ops) => self.source.push(ops).map_err(|fault| fault.to_string()),
            Err(error) => Err(error),
        };
        if let Err(error) = changed {
            tracing::warn!(error, "a change of theirs is left out");
        }
    }
}
