//! What is asked of whoever follows the live model in this process: another plane does, and answers here.

use esker_wire::fault::Fault;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};

/// The live model, as somebody in this process follows it.
#[derive(Clone)]
pub struct Live {
    /// Where parts of it are asked for; following begins with the first question.
    pub looks: mpsc::Sender<Look>,
    /// Another number with every change.
    pub changes: watch::Receiver<u64>,
}

/// A question: what is there, if it is not what is known already?
pub struct Look {
    /// The keys that lead there.
    pub path: Vec<String>,
    /// The digest of what is known.
    pub known: Option<u128>,
    /// Where the answer goes; none if it is what is known.
    pub reply: oneshot::Sender<Option<Part>>,
}

/// A part of the model.
pub struct Part {
    /// The digest of it and all below.
    pub digest: u128,
    /// What is there, null if nothing is; or that it is too much.
    pub value: Result<Value, Fault>,
}
