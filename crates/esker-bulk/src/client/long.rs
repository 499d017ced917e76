//! Long contents: sent in pieces and seen as a whole, read in ranges that belong together.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use esker_wire::bulk::{Ask, CHUNK, Found, Get, Head, Part, Reply, Request, Status, Store, Value};
use esker_wire::fault::{Code, Fault};
use tokio::task::JoinSet;

use crate::client::read::join;
use crate::client::send::{Patience, Unsent};
use crate::client::{Inner, about_id, unasked, writer};
use crate::compress;

/// How many pieces are under way at once.
const WINDOW: usize = 8;
/// How many bytes are asked for at once.
pub(crate) const RANGE: u64 = 4 * 1024 * 1024;
/// How much memory is taken at once for a content that is read in pieces, in bytes.
const ROOM_MAX: u64 = 64 * 1024 * 1024;
/// How often it is begun anew if a content is replaced while it is read.
const TRIES: usize = 8;

impl Inner {
    /// Replaces a content by one that is too long for a message: its pieces are kept aside until all are there.
    pub(crate) async fn set_long(self: &Arc<Self>, id: &Bytes, bytes: &Bytes) -> Result<(), Fault> {
        super::check_id(id)?;
        loop {
            match self.try_long(id, bytes).await {
                Ok(()) => return Ok(()),
                // Begun anew where it is now.
                Err(Unsent::Moved) => {}
                Err(Unsent::Fault(fault)) => return Err(fault),
            }
        }
    }

    async fn try_long(self: &Arc<Self>, id: &Bytes, bytes: &Bytes) -> Result<(), Unsent> {
        let (task, attempt) = writer()?;
        let mut patience = Patience::new(self.options.deadline);
        let known = self.directory.ready(patience.left()).await?;
        let mut groups = self.group(&known, std::iter::once((0, id.as_ref())), 0)?;
        let group = Arc::new(groups.pop().ok_or_else(unasked)?);
        let count = bytes.len().div_ceil(CHUNK) as u32;
        let mut pieces = JoinSet::new();
        for seq in 0..count {
            while pieces.len() >= WINDOW {
                done(pieces.join_next().await)?;
            }
            let from = seq as usize * CHUNK;
            let piece = bytes.slice(from..bytes.len().min(from + CHUNK));
            let (inner, group, id) = (Arc::clone(self), Arc::clone(&group), id.clone());
            pieces.spawn(async move {
                let part =
                    if inner.options.compress { compress::part(piece) } else { Part::plain(piece) };
                let request = Request::Append(vec![Store { id, part }]);
                let head = group.route.head(request.op());
                let head = Head { task, attempt, seq, flags: Head::STAGED, ..head };
                let mut patience = Patience::new(inner.options.deadline);
                let ask = Ask { head, request };
                inner.send((&group.node, &group.route), &ask, &mut patience).await.map(drop)
            });
        }
        while let Some(piece) = pieces.join_next().await {
            done(Some(piece))?;
        }
        let request = Request::Set(vec![Store { id: id.clone(), part: Part::plain(Bytes::new()) }]);
        let head = group.route.head(request.op());
        let head = Head { task, attempt, seq: count, flags: Head::STAGED, ..head };
        let ask = Ask { head, request };
        match self.send((&group.node, &group.route), &ask, &mut patience).await? {
            Reply::Stored(stored) if stored.iter().all(|it| it.status == Status::Done) => Ok(()),
            _ => {
                let text = format!("{}: what was sent of it is gone", String::from_utf8_lossy(id));
                Err(Fault::new(Code::Unavailable, text).hint("set it again").into())
            }
        }
    }

    /// All of a content, of which a beginning is known.
    pub(crate) async fn whole(self: &Arc<Self>, id: &Bytes, first: Value) -> Result<Bytes, Fault> {
        let known: u64 = first.parts.iter().map(|part| u64::from(part.raw)).sum();
        if known == first.length {
            return join(&first.parts);
        }
        let range = self.range_from(id, (0, u64::MAX), Some(first)).await?;
        range.ok_or_else(|| about_id(id, Status::Unknown))
    }

    /// A range of a content, all of it as it was at one moment; nothing if there is none.
    pub(crate) async fn range(
        self: &Arc<Self>,
        id: &Bytes,
        range: (u64, u64),
    ) -> Result<Option<Bytes>, Fault> {
        self.range_from(id, range, None).await
    }

    /// The same where its beginning may be known already.
    async fn range_from(
        self: &Arc<Self>,
        id: &Bytes,
        (offset, length): (u64, u64),
        mut known: Option<Value>,
    ) -> Result<Option<Bytes>, Fault> {
        let end = offset.saturating_add(length);
        for _ in 0..TRIES {
            let first = match known.take() {
                Some(first) => Some(first),
                None => self.piece(id, (offset, length.min(RANGE))).await?,
            };
            let Some(first) = first else { return Ok(None) };
            let end = end.min(first.length);
            if let Some(bytes) = self.rest(id, first, (offset, end)).await? {
                return Ok(Some(bytes));
            }
        }
        let text =
            format!("{}: it is replaced faster than it can be read", String::from_utf8_lossy(id));
        Err(Fault::new(Code::Busy, text).hint("try again"))
    }

    /// All from its first piece on; nothing if it was replaced meanwhile.
    async fn rest(
        self: &Arc<Self>,
        id: &Bytes,
        first: Value,
        (offset, end): (u64, u64),
    ) -> Result<Option<Bytes>, Fault> {
        let (stamp, mut next, mut piece) = (first.stamp, offset, first);
        if let [part] = piece.parts.as_slice()
            && piece.offset + u64::from(part.raw) >= end
        {
            let (from, to) = (offset - piece.offset.min(offset), end - piece.offset.min(end));
            return Ok(Some(compress::read(part)?.slice(from as usize..(to.max(from)) as usize)));
        }
        let room = end.saturating_sub(offset).min(ROOM_MAX);
        let mut bytes = BytesMut::with_capacity(usize::try_from(room).unwrap_or_default());
        loop {
            let mut at = piece.offset;
            for part in &piece.parts {
                let raw = compress::read(part)?;
                let size = raw.len() as u64;
                let from = next.saturating_sub(at).min(size);
                let to = end.saturating_sub(at).clamp(from, size);
                bytes.extend_from_slice(&raw[from as usize..to as usize]);
                (at, next) = (at + size, next + to - from);
            }
            if next >= end {
                return Ok(Some(bytes.freeze()));
            }
            match self.piece(id, (next, (end - next).min(RANGE))).await? {
                Some(more) if more.stamp == stamp && !more.parts.is_empty() => piece = more,
                _ => return Ok(None),
            }
        }
    }

    /// The parts of a content that have some of these bytes, as many as came at once.
    pub(crate) async fn piece(
        self: &Arc<Self>,
        id: &Bytes,
        (offset, length): (u64, u64),
    ) -> Result<Option<Value>, Fault> {
        let mut patience = Patience::new(self.options.deadline);
        let mut known = self.directory.ready(patience.left()).await?;
        loop {
            let groups = self.group(&known, std::iter::once((0, id.as_ref())), 0)?;
            let group = groups.first().ok_or_else(unasked)?;
            let request = Request::Get(vec![Get { id: id.clone(), offset, length }]);
            match self.read((group, &request), Head::RANGE, &mut patience).await {
                Ok(found) => match found.into_iter().next() {
                    Some(Found::Value(value)) => return Ok(Some(value)),
                    Some(Found::Not(Status::Unknown)) => return Ok(None),
                    Some(Found::Not(status)) => return Err(about_id(id, status)),
                    None => return Err(unasked()),
                },
                Err(Unsent::Moved) if patience.wait().await => known = self.directory.known(),
                Err(Unsent::Moved) => {
                    return Err(Fault::new(
                        Code::Timeout,
                        "where ids are could not be learnt in time",
                    ));
                }
                Err(Unsent::Fault(fault)) => return Err(fault),
            }
        }
    }
}

/// What became of a piece.
fn done(ended: Option<Result<Result<(), Unsent>, tokio::task::JoinError>>) -> Result<(), Unsent> {
    match ended {
        None => Ok(()),
        Some(Ok(sent)) => sent,
        Some(Err(error)) => Err(Fault::new(Code::Internal, error.to_string()).into()),
    }
}
