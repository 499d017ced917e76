//! What a plane offers to the bus: a synchronous state machine with one owner thread.

use bytes::Bytes;
use esker_wire::fault::Fault;
use esker_wire::message::Message;

/// One message as it travels, frame by frame.
pub type Frames = Vec<Bytes>;

/// What makes a reply and needs nothing of the service.
pub type Work = Box<dyn FnOnce() -> Frames + Send>;

/// A reply that others have to give first.
pub type Awaited = std::pin::Pin<Box<dyn Future<Output = Frames> + Send>>;

/// What a service answers to one request.
#[derive(Default)]
pub struct Outcome {
    /// The reply. The bus puts the request's `id` into it.
    pub reply: Frames,
    /// What to publish, before the reply is sent; each is a topic frame and what follows it.
    pub events: Vec<Frames>,
    /// What makes the reply instead, on another thread, while the service goes on.
    pub later: Option<Work>,
    /// What is waited for instead, as long as the server is there, while the service goes on.
    pub awaited: Option<Awaited>,
}

impl Outcome {
    /// A reply and nothing else.
    pub fn reply(reply: Frames) -> Self {
        Self { reply, ..Self::default() }
    }

    /// A refusal.
    pub fn error(fault: &Fault) -> Self {
        Self::reply(Message::error(fault).to_frames())
    }

    /// The reply, made here and now.
    pub fn into_reply(self) -> Frames {
        self.later.map_or(self.reply, |work| work())
    }
}

impl From<Result<Self, Fault>> for Outcome {
    fn from(answered: Result<Self, Fault>) -> Self {
        answered.unwrap_or_else(|fault| Self::error(&fault))
    }
}

/// A plane's service. It never sends, spawns or sleeps: it answers.
pub trait Service: Send + 'static {
    /// Answers requests that were waiting together, in order: one outcome for each of the first so many, at
    /// least for the first. The rest is asked again when these replies are on their way, so that a service may
    /// stop when it has made enough of them, or when others have waited long enough. What is answered must be durable before this returns.
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome>;

    /// Whether answering a request makes a [`Work`]. Few of those are handed over before they are done: what they hold
    /// may be large.
    fn is_dear(&self, request: &Frames) -> bool {
        let _ = request;
        false
    }

    /// Called when a [`crate::server::Waker`] was used, once for all times since the last call: what to publish.
    fn wake(&mut self) -> Vec<Frames> {
        Vec::new()
    }

    /// Called about once a second: what to publish although nothing was asked, such as a heartbeat.
    fn tick(&mut self) -> Vec<Frames>;

    /// Called once, when everything that was accepted is answered and the server ends: what to publish as its last word.
    fn end(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

/// A service that may be asked by many threads at once, and whose answers take no longer than reading the questions: they
/// are made where a request comes in, and nobody is woken up for it. Only requests from other processes come here.
pub trait Prompt: Send + Sync + 'static {
    /// Answers a request. [`Outcome::later`] is made on another thread, while whoever asked waits with all that it asks
    /// next; events and what is awaited have no place here.
    fn answer(&self, request: &Frames) -> Outcome;
}
