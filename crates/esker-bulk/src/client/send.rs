//! Sending what belongs together to the worker that has it, until it is answered: again where it is known to be done
//! at most once, elsewhere where it has moved.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use esker_wire::bulk::{Ask, Head, Reply, Request, Status};
use esker_wire::fault::{Code, Fault};
use esker_wire::member::NodeId;

use crate::client::Inner;
use crate::client::directory::{Known, Route};
use crate::client::node::Node;
use crate::client::task::Author;

/// How long one attempt waits for its answer.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long is waited before the next attempt at first; twice as long each time.
const PAUSE: Duration = Duration::from_millis(2);
/// How long at most.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// What becomes of a message in the end, if it is not answered.
pub(crate) enum Unsent {
    /// Where its ids are is not known any more as it was: they are to be looked up anew.
    Moved,
    /// It cannot be done.
    Fault(Fault),
}

impl From<Fault> for Unsent {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Things of one message: which node, and the route of one of them, and their places among all.
pub(crate) struct Group {
    pub(crate) node: Arc<Node>,
    pub(crate) route: Route,
    pub(crate) places: Vec<usize>,
}

/// Until when something is tried, and how long before the next time.
pub(crate) struct Patience {
    end: Instant,
    pause: Duration,
}

impl Patience {
    pub(crate) fn new(wait: Duration) -> Self {
        Self { end: Instant::now() + wait, pause: PAUSE }
    }

    pub(crate) fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Waits for the next time; false if there is none.
    pub(crate) async fn wait(&mut self) -> bool {
        let is_left = self.left() > self.pause;
        if is_left {
            tokio::time::sleep(self.pause).await;
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        }
        is_left
    }
}

impl Inner {
    /// Sorts ids by the messages that they are asked for in; `copy` says which of the nodes that have them is asked.
    ///
    /// # Errors
    /// `unavailable` if no worker is known.
    pub(crate) fn group<'a>(
        &self,
        known: &Known,
        ids: impl Iterator<Item = (usize, &'a [u8])>,
        copy: usize,
    ) -> Result<Vec<Group>, Fault> {
        let mut groups: Vec<Group> = Vec::new();
        let mut by_key: HashMap<(NodeId, (u64, u32, u16)), usize> = HashMap::new();
        let mut last = None;
        for (place, id) in ids {
            let nobody = || Fault::new(Code::Unavailable, "no worker is known");
            let route = known.route(id).ok_or_else(nobody)?;
            let owner = route.owner(copy).ok_or_else(nobody)?;
            let key = (owner.node, route.key());
            // Most ids go where the one before went.
            let found = match last {
                Some((last, at)) if last == key => Some(at),
                Some(_) => by_key.get(&key).copied(),
                None => None,
            };
            let at = found.unwrap_or(groups.len());
            match found {
                Some(at) => groups[at].places.push(place),
                None => {
                    let node = self.node(owner);
                    // The map is of use from the second on.
                    if let Some(last) = last {
                        by_key.extend([last, (key, at)]);
                    }
                    groups.push(Group { node, route, places: vec![place] });
                }
            }
            last = Some((key, at));
        }
        Ok(groups)
    }

    /// Has a message that writes done once, as this client or as an attempt at a task.
    pub(crate) async fn write(
        &self,
        (node, route): (&Node, &Route),
        author: Option<&Author>,
        request: Request,
        patience: &mut Patience,
    ) -> Result<Reply, Unsent> {
        let (turns, (task, attempt)) = match author {
            Some(author) => (&author.turns, author.writer),
            None => (&node.turns, self.writer),
        };
        // Numbered only when it goes: a worker remembers no more than so many numbers without an end.
        let _room = node.room(patience.left()).await?;
        let turn = turns.turn();
        let head = route.head(request.op());
        let head = Head { task, attempt, seq: turn.seq, floor: turn.floor, ..head };
        self.insist((node, route), &Ask { head, request }, patience).await
    }

    /// Has a message answered that may be asked again as often as it takes.
    pub(crate) async fn send(
        &self,
        (node, route): (&Node, &Route),
        ask: &Ask,
        patience: &mut Patience,
    ) -> Result<Reply, Unsent> {
        let _room = node.room(patience.left()).await?;
        self.insist((node, route), ask, patience).await
    }

    async fn insist(
        &self,
        (node, route): (&Node, &Route),
        ask: &Ask,
        patience: &mut Patience,
    ) -> Result<Reply, Unsent> {
        loop {
            let before = node.told();
            let fault = match node.ask(ask, ATTEMPT.min(patience.left())).await {
                Ok(Reply::Refused(Status::Stale | Status::Moved, _)) => return Err(Unsent::Moved),
                Ok(Reply::Refused(Status::Ahead, _)) => {
                    match node.tell(route, before, ATTEMPT.min(patience.left())).await {
                        Ok(()) => continue,
                        Err(fault) if is_passing(&fault) => fault,
                        Err(fault) => return Err(fault.into()),
                    }
                }
                Ok(Reply::Refused(Status::Busy | Status::Corrupt, fault)) => fault,
                Ok(Reply::Refused(_, fault)) => return Err(fault.into()),
                Ok(reply) => return Ok(reply),
                Err(fault) if is_passing(&fault) => {
                    // Who is gone from the table is asked no more.
                    if self.is_gone(route, node.node) {
                        return Err(Unsent::Moved);
                    }
                    fault
                }
                Err(fault) => return Err(fault.into()),
            };
            if !patience.wait().await {
                return Err(fault.into());
            }
        }
    }

    fn is_gone(&self, route: &Route, node: NodeId) -> bool {
        let known = self.directory.known();
        let key = route.key();
        let now = known.space_route_of(route).map(|now| now.key());
        now != Some(key) || !route.owners().iter().any(|owner| owner.node == node)
    }
}

/// Whether it may go well the next time.
fn is_passing(fault: &Fault) -> bool {
    matches!(fault.code, Code::Timeout | Code::Unavailable | Code::Busy)
}
