//! Writing as an attempt at a task: every batch once, and seen by nobody until the space is sealed and this attempt
//! counts; and reading parts with who wrote them.

use std::sync::Arc;

use bytes::Bytes;
use esker_wire::bulk::{Label, PART_MAX, Request};
use esker_wire::fault::Fault;

use crate::client::long::RANGE;
use crate::client::node::Turns;
use crate::client::{Client, check_id};
use crate::compress;

/// Whom batches are from, and which of them are acknowledged.
#[derive(Debug)]
pub(crate) struct Author {
    /// The task and the attempt.
    pub(crate) writer: (u32, u16),
    pub(crate) turns: Turns,
}

/// An attempt at a task, which writes to one space.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    author: Arc<Author>,
}

impl Client {
    /// An attempt at a task. What it writes is there when the space is sealed and names it, and nowhere before. Each
    /// attempt is begun once: one that is tried again has another number.
    ///
    /// # Panics
    /// If the task has the number of nobody in particular.
    pub fn writer(&self, task: u32, attempt: u16) -> Writer {
        assert!(!Label::is_anonymous(task), "{task} is nobody's task in particular");
        let author = Author { writer: (task, attempt), turns: Turns::default() };
        Writer { client: self.clone(), author: Arc::new(author) }
    }

    /// The parts of a content from a byte on at which one of them begins, with who wrote each, as many as come at
    /// once; none behind its end.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn parts(
        &self,
        id: impl Into<Bytes>,
        offset: u64,
    ) -> Result<Vec<(Label, Bytes)>, Fault> {
        let id = id.into();
        check_id(&id)?;
        let Some(value) = self.inner.piece(&id, (offset, RANGE)).await? else {
            return Ok(Vec::new());
        };
        let read = |part: &esker_wire::bulk::Part| Ok((part.label, compress::read(part)?));
        value.parts.iter().map(read).collect()
    }
}

impl Writer {
    /// Adds to contents; those of one node in their order.
    ///
    /// # Errors
    /// As [`Client::set`], and `bad-request` for more than a part holds. This attempt is to be given up then.
    pub async fn append_all(&self, items: Vec<(Bytes, Bytes)>) -> Result<(), Fault> {
        let inner = &self.client.inner;
        if items.iter().any(|(_, bytes)| bytes.len() > PART_MAX) {
            let text = format!("a part has at most {PART_MAX} bytes");
            return Err(Fault::bad_request(text).hint("append it in parts"));
        }
        let stores = inner.stores(items)?;
        inner.write_all(Some(&self.author), stores, Request::Append).await.map(drop)
    }
}
