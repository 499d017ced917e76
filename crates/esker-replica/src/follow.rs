//! A replica at work: a thread that hears a publisher, asks it, and keeps a model in step.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::hear::Hear;
use esker_wire::fault::{Code, Fault};
use esker_wire::message::Message;
use tokio::sync::{Notify, mpsc};

use crate::ask::{Answer, Ask, Hello};
use crate::model::{Model, audit};
use crate::op::Op;
use crate::path::{self, Path};
use crate::replica::{Counts, Options, Ready, Replica, State, Wish};

/// How long an answer may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// The changes that wait for who follows; one who takes none of them is told to look at the whole model.
const NEWS_MAX: usize = 1024;

/// The operations that wait with them, in all: beyond, the whole model is soonest looked at.
const NEWS_OPS_MAX: usize = 100_000;

/// The frames taken in before anything else is done.
const FRAMES_MAX: usize = 64;

/// What came of a question, by its number: the publisher's start, and the answer.
type Answered = (u64, Result<(u64, Ready), Fault>);

/// What is done whenever something may have become of a replica.
pub(crate) type After = Box<dyn FnMut(&mut Replica) + Send>;

/// What a follower is told.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// The model changed so.
    Changed(Vec<Op>),
    /// The model is another one, or more changed than can be told: look at it.
    Renewed,
    /// It is in another state.
    State(State),
}

/// Follows a model. Dropping it ends its thread.
#[derive(Debug)]
pub struct Follow {
    shared: Arc<Shared>,
    news: mpsc::Receiver<News>,
    bus: Bus,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    replica: Mutex<Replica>,
    /// The operations of the changes that were told and not taken yet.
    waiting: AtomicUsize,
    is_over: AtomicBool,
    over: Notify,
}

impl Shared {
    pub(crate) fn replica(&self) -> MutexGuard<'_, Replica> {
        // A panic in the thread leaves a replica that its next frame puts right.
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a publisher.
///
/// # Errors
/// The publisher's fault; `timeout` or `unavailable` naming the address.
pub async fn ask(caller: &Caller, model: &str, ask: &Ask) -> Result<(u64, Answer), Fault> {
    let frames = ask.to_message(model).to_frames();
    let reply = caller.exchange(frames, DEADLINE).await?;
    Answer::from_message(ask, &Message::from_frames(&reply)?)
}

/// Asks a publisher where it is, from a plain thread.
///
/// # Errors
/// As [`ask`].
pub fn greet(bus: &Bus, caller: &Caller, model: &str) -> Result<Hello, Fault> {
    let (caller, model) = (caller.clone(), model.to_owned());
    match bus.run(async move { ask(&caller, &model, &Ask::Hello).await })? {
        (_, Answer::Hello(hello)) => Ok(hello),
        _ => Err(Fault::new(Code::BadRequest, "HELLO was answered with something else")),
    }
}

impl Follow {
    /// Begins to follow the model that is published there.
    ///
    /// # Errors
    /// `unavailable` if the system gives no thread.
    pub fn start(bus: &Bus, to: &Endpoint, model: &str, options: Options) -> Result<Self, Fault> {
        let seed = if options.seed == 0 { random() } else { options.seed };
        let options = Options { seed, ..options };
        let sections = options.sections.clone();
        Self::with((bus, to, model), Replica::new(options), &sections, Box::new(|_| {}))
    }

    /// Has a replica follow these sections; `after` is called whenever something may have become of it.
    pub(crate) fn with(
        (bus, to, model): (&Bus, &Endpoint, &str),
        mut replica: Replica,
        sections: &[Path],
        after: After,
    ) -> Result<Self, Fault> {
        replica.near(to.is_near());
        let (told, news) = mpsc::channel(NEWS_MAX);
        let is_whole = sections.is_empty();
        let topics = match is_whole {
            true => vec![path::topics(model)],
            false => {
                let sections = sections.iter().map(|section| path::topic(model, section));
                sections.chain([path::topic(model, &[])]).collect()
            }
        };
        let shared = Arc::new(Shared {
            replica: Mutex::new(replica),
            waiting: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
            over: Notify::new(),
        });
        let (answers, answered) = mpsc::channel(NEWS_MAX);
        let (audits, audited) = mpsc::channel(1);
        let follower = Follower {
            shared: Arc::clone(&shared),
            bus: bus.clone(),
            to: to.clone(),
            caller: bus.caller(to),
            model: model.to_owned(),
            hear: Some(bus.hear(to, topics.clone())),
            topics,
            is_whole,
            begun: Instant::now(),
            answers,
            answered,
            audits,
            audited,
            told,
            owes: false,
            after,
        };
        let thread = std::thread::Builder::new()
            .name("replica".to_owned())
            .spawn(move || follower.run())
            .map_err(|error| {
                Fault::new(
                    Code::Unavailable,
                    format!("cannot start the thread of a replica: {error}"),
                )
            })?;
        Ok(Self { shared, news, bus: bus.clone(), thread: Some(thread) })
    }

    /// The replica, for who serves it to others.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// The model as it is now; it stays so.
    pub fn model(&self) -> Model {
        self.shared.replica().model().clone()
    }

    /// How much the model is worth.
    pub fn state(&self) -> State {
        self.shared.replica().state()
    }

    /// The publisher's start and the last transaction.
    pub fn last(&self) -> Option<(u64, u64)> {
        self.shared.replica().last()
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.shared.replica().counts()
    }

    /// What is new. Cancelling this loses nothing.
    pub async fn next(&mut self) -> Option<News> {
        let news = self.news.recv().await;
        if let Some(News::Changed(ops)) = &news {
            self.shared.waiting.fetch_sub(ops.len(), Ordering::Relaxed);
        }
        news
    }

    /// What is new, or nothing if that takes longer; from a plain thread.
    pub fn recv_timeout(&mut self, wait: Duration) -> Option<News> {
        let bus = self.bus.clone();
        bus.block_on(async { tokio::time::timeout(wait, self.next()).await.ok().flatten() })
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        self.shared.over.notify_one();
        if let Some(thread) = self.thread.take() {
            // Its panic was printed.
            drop(thread.join());
        }
    }
}

/// A number that others do not have.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// Works out what needs nothing of the replica, chunks beside one another.
async fn ready(question: Ask, answer: Answer, is_whole: bool) -> Result<Ready, Fault> {
    if !is_whole || !matches!(question, Ask::Chunk { .. }) {
        return Ok(answer.into());
    }
    let work = tokio::task::spawn_blocking(move || Ready::new(&question, answer));
    work.await
        .map_err(|error| Fault::new(Code::Unavailable, format!("a chunk is not read: {error}")))
}

/// What came.
enum Came {
    Frames(Vec<esker_bus::service::Frames>),
    Answer(Answered),
    Audit(Vec<Path>),
    Time,
}

/// The thread's own.
struct Follower {
    shared: Arc<Shared>,
    bus: Bus,
    to: Endpoint,
    caller: Caller,
    model: String,
    topics: Vec<Vec<u8>>,
    /// It follows the whole model.
    is_whole: bool,
    /// Nothing while the replica asks at its own pace.
    hear: Option<Hear>,
    begun: Instant,
    answers: mpsc::Sender<Answered>,
    answered: mpsc::Receiver<Answered>,
    /// What audits of the model found.
    audits: mpsc::Sender<Vec<Path>>,
    audited: mpsc::Receiver<Vec<Path>>,
    told: mpsc::Sender<News>,
    /// Something could not be told: the model is to be looked at.
    owes: bool,
    after: After,
}

impl Follower {
    fn run(mut self) {
        while !self.shared.is_over.load(Ordering::Acquire) {
            let due = self.shared.replica().due(self.begun.elapsed());
            let came = self.wait(due);
            let now = self.begun.elapsed();
            let wishes = {
                let mut replica = self.shared.replica();
                match came {
                    Came::Frames(all) => {
                        for frames in all {
                            if let [_, header, body] = &frames[..] {
                                replica.frame(header, body.clone(), now);
                            }
                        }
                    }
                    Came::Answer((id, answer)) => replica.answer(id, answer, now),
                    Came::Audit(wrong) => replica.audited(&wrong, now),
                    Came::Time => {}
                }
                replica.tick(now);
                (self.after)(&mut replica);
                std::iter::from_fn(|| replica.wish()).collect::<Vec<_>>()
            };
            for wish in wishes {
                self.fulfil(wish);
            }
            // Heartbeats come when nothing else does, so that what is owed is told at last.
            self.settle();
        }
    }

    /// Tells who follows to look at the whole model, if something could not be told.
    fn settle(&mut self) {
        if self.owes {
            self.owes = self.told.try_send(News::Renewed).is_err();
        }
    }

    /// Waits for whatever comes first.
    fn wait(&mut self, due: Duration) -> Came {
        let (hear, answered, over) = (&mut self.hear, &mut self.answered, &self.shared.over);
        let audited = &mut self.audited;
        self.bus.block_on(async {
            let heard = async {
                match hear {
                    Some(hear) => hear.next_many(FRAMES_MAX).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                frames = heard => Came::Frames(frames),
                Some(answer) = answered.recv() => Came::Answer(answer),
                Some(wrong) = audited.recv() => Came::Audit(wrong),
                () = over.notified() => Came::Time,
                () = tokio::time::sleep(due) => Came::Time,
            }
        })
    }

    fn fulfil(&mut self, wish: Wish) {
        match wish {
            Wish::Ask(id, question) => {
                let (caller, model, answers) =
                    (self.caller.clone(), self.model.clone(), self.answers.clone());
                let is_whole = self.is_whole;
                self.bus.spawn(async move {
                    let answer = match ask(&caller, &model, &question).await {
                        Ok((epoch, answer)) => {
                            ready(question, answer, is_whole).await.map(|ready| (epoch, ready))
                        }
                        Err(fault) => Err(fault),
                    };
                    // The replica may have ended.
                    drop(answers.send((id, answer)).await);
                });
            }
            Wish::Changed(ops) => self.tell(News::Changed(ops)),
            Wish::Renewed => self.tell(News::Renewed),
            Wish::State(state) => self.tell(News::State(state)),
            Wish::Resubscribe(moved) => {
                if let (Endpoint::Tcp { events, .. }, Some(moved)) = (&mut self.to, moved) {
                    *events = moved;
                }
                self.hear = Some(self.bus.hear(&self.to, self.topics.clone()));
            }
            Wish::Subscribe(true) => {
                self.hear = Some(self.bus.hear(&self.to, self.topics.clone()));
            }
            Wish::Subscribe(false) => self.hear = None,
            Wish::Audit => {
                let (model, audits) = (self.shared.replica().model().clone(), self.audits.clone());
                self.bus.spawn(async move {
                    let work = tokio::task::spawn_blocking(move || audit::told(&model));
                    if let Ok(wrong) = work.await {
                        // The replica may have ended.
                        drop(audits.send(wrong).await);
                    }
                });
            }
        }
    }

    fn tell(&mut self, news: News) {
        if self.owes {
            self.settle();
            if matches!(news, News::Changed(_) | News::Renewed) {
                return;
            }
        }
        let ops = if let News::Changed(ops) = &news { ops.len() } else { 0 };
        let waiting = self.shared.waiting.fetch_add(ops, Ordering::Relaxed);
        let is_too_much = waiting > 0 && waiting + ops > NEWS_OPS_MAX;
        if is_too_much || self.told.try_send(news).is_err() {
            self.shared.waiting.fetch_sub(ops, Ordering::Relaxed);
            self.owes = true;
        }
    }
}
