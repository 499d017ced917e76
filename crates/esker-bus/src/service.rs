//! What a plane offers to the bus: a synchronous state machine with one owner thread.

use bytes::Bytes;

/// One message as it travels, frame by frame.
pub type Frames = Vec<Bytes>;

/// What a service answers to one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The reply. The bus puts the request's `id` into it.
    pub reply: Frames,
    /// What to publish, before the reply is sent; each is a topic frame and what follows it.
    pub events: Vec<Frames>,
}

/// A plane's service. It never sends, spawns or sleeps: it answers.
pub trait Service: Send + 'static {
    /// Answers requests that were waiting together, one outcome per request, in order. What they ask for
    /// must be durable before this returns: the replies are sent next.
    fn handle(&mut self, requests: Vec<Frames>) -> Vec<Outcome>;

    /// Called about once a second: what to publish although nothing was asked, such as a heartbeat.
    fn tick(&mut self) -> Vec<Frames>;
}
