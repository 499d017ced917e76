//! Beginning spaces, sealing them, forgetting them, and looking at what is in them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use esker_cluster::kv::{Op as KvOp, Pair};
use esker_cluster::membership::Membership;
use esker_wire::bulk::{Ask, ITEMS_MAX, Reply, Request, Table, TableNode, hash, space_of};
use esker_wire::fault::{Code, Fault};

use crate::client::directory::Known;
use crate::client::node::Node;
use crate::client::send::{Patience, Unsent};
use crate::client::{Client, Inner, check_id, unasked};
use crate::space::{About, Ids, Keep, Strategy};
use crate::tables::{self, SPACES};

/// The longest name of a space, in bytes: it is part of a key.
const NAME_MAX: usize = 400;

/// How a space is to begin.
#[derive(Debug, Clone, Default)]
pub struct Init {
    /// By what its ids are dealt out.
    pub strategy: Strategy,
    /// What becomes of contents when memory is short.
    pub keep: Keep,
}

impl Client {
    /// Begins a space with the ids that a pattern makes: its `{}` is each number from 0 to before `count`. Nothing is
    /// sent to any worker. Begun again the same way, it stays as it is.
    ///
    /// # Errors
    /// `bad-request` for a pattern without `{}`, `conflict` if the space is another one, `unavailable` if the cluster
    /// cannot agree on it.
    pub async fn init_numbered(&self, pattern: &str, count: u64, init: &Init) -> Result<(), Fault> {
        let name = pattern.rsplit_once('/').map_or("", |(space, _)| space).to_owned();
        let ids = Ids::Numbered { pattern: pattern.to_owned(), count };
        self.inner.begin(name, init, |_| ids.clone()).await.map(drop)
    }

    /// Begins a space with the ids of a list; all have to be in the same space. Every worker is sent the hashes of its
    /// share.
    ///
    /// # Errors
    /// As [`Client::init_numbered`], and `bad-request` for ids of several spaces or the same id twice.
    pub async fn init(&self, ids: &[Bytes], init: &Init) -> Result<(), Fault> {
        let Some(first) = ids.first() else { return Ok(()) };
        ids.iter().try_for_each(|id| check_id(id))?;
        let space = space_of(first);
        if let Some(other) = ids.iter().find(|id| space_of(id) != space) {
            let (one, other) = (String::from_utf8_lossy(first), String::from_utf8_lossy(other));
            let text = format!("{one} and {other} are not in the same space");
            return Err(Fault::bad_request(text)
                .hint("begin each space by itself: it is what stands before the last /"));
        }
        let mut hashes: Vec<u64> = ids.iter().map(|id| hash(id)).collect();
        hashes.sort_unstable();
        if hashes.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Fault::bad_request("an id is there twice"));
        }
        let all: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        let (count, digest) = (ids.len() as u64, hash(&all));
        let name = String::from_utf8_lossy(space).into_owned();
        let listed =
            |table: &Table| Ids::Listed { count, digest, ends: ends(&hashes, table.nodes()) };
        let about = self.inner.begin(name, init, listed).await?;
        self.inner.share_out(&about, &hashes).await
    }

    /// Ends all writing to a space, and says which attempt at each task counts.
    ///
    /// # Errors
    /// `conflict` if it was sealed otherwise; `unavailable` or `timeout`.
    pub async fn seal(&self, space: &str, winners: &[(u32, u16)]) -> Result<(), Fault> {
        if winners.len() > ITEMS_MAX {
            let text = format!("{} tasks; {ITEMS_MAX} can be sealed at once", winners.len());
            return Err(Fault::new(Code::TooLarge, text));
        }
        let request = Request::Seal(winners.to_vec());
        self.inner.ask_nodes(space, &request).await.map(drop)
    }

    /// Forgets a space and all in it. It may be begun again.
    ///
    /// # Errors
    /// `unavailable` or `timeout`.
    pub async fn drop_space(&self, space: &str) -> Result<(), Fault> {
        self.inner.forget(space).await?;
        if let Ok(kv) = self.inner.directory.kv() {
            let (kv, key) = (kv.clone(), format!("{SPACES}{space}"));
            blocking(move || kv.delete(&key)).await?;
            self.inner.directory.dropped(space.as_bytes());
            let is_gone = |known: &Known| known.space(space.as_bytes()).is_none();
            self.inner.directory.wait(self.inner.options.deadline, is_gone).await;
        }
        Ok(())
    }

    /// The ids of a space that begin so and have contents, in their order, behind one of them, with their lengths.
    ///
    /// # Errors
    /// `unavailable` or `timeout`.
    pub async fn list(
        &self,
        prefix: &str,
        after: &str,
        limit: u32,
    ) -> Result<Vec<(Bytes, u64)>, Fault> {
        let space = prefix.rsplit_once('/').map_or("", |(space, _)| space);
        let (prefix, after) = (Bytes::from(prefix.to_owned()), Bytes::from(after.to_owned()));
        let request = Request::List { prefix, after, limit };
        let mut all = Vec::new();
        for (_, reply) in self.inner.ask_nodes(space, &request).await? {
            match reply {
                Reply::Ids(ids) => all.extend(ids),
                _ => return Err(unasked()),
            }
        }
        all.sort_unstable();
        all.truncate(limit as usize);
        Ok(all)
    }

    /// Who is there, as believed now.
    pub(crate) fn members(&self) -> Arc<Membership> {
        self.inner.cluster.members()
    }

    /// What is known of where ids are.
    pub(crate) fn known(&self) -> Known {
        self.inner.directory.known()
    }

    /// How these workers stand, as JSON, in their order; all of them are asked at the same time.
    pub(crate) fn ask_standings(
        &self,
        nodes: &[TableNode],
        within: Duration,
    ) -> Vec<Result<Bytes, Fault>> {
        self.block_on(async {
            let asked: Vec<_> = nodes
                .iter()
                .map(|owner| {
                    let node = self.inner.node(owner);
                    tokio::spawn(async move { standing(&node, within).await })
                })
                .collect();
            let mut answers = Vec::with_capacity(asked.len());
            for one in asked {
                let ended = one.await;
                answers.push(ended.unwrap_or_else(|_| Err(unasked())));
            }
            answers
        })
    }

    /// How every worker stands, as JSON; why not, of those that do not say.
    ///
    /// # Errors
    /// `unavailable` if no worker is known.
    pub async fn standing(&self) -> Result<Vec<(TableNode, Result<Bytes, Fault>)>, Fault> {
        let known = self.inner.directory.ready(self.inner.options.deadline).await?;
        let mut all = Vec::new();
        for owner in known.nodes(b"") {
            let node = self.inner.node(&owner);
            let told = standing(&node, self.inner.options.deadline).await;
            all.push((owner, told));
        }
        Ok(all)
    }
}

async fn standing(node: &Node, within: Duration) -> Result<Bytes, Fault> {
    match node.ask(&Ask::new(Request::Status), within).await? {
        Reply::Text(text) => Ok(text),
        Reply::Refused(_, fault) => Err(fault),
        _ => Err(unasked()),
    }
}

/// Where the share of each node ends, so that every node has as many of these hashes as its weight says.
fn ends(hashes: &[u64], nodes: &[TableNode]) -> Vec<u64> {
    let all: u64 = nodes.iter().map(|node| u64::from(node.weight)).sum();
    let mut weight = 0;
    let end = |node: &TableNode| {
        weight += u64::from(node.weight);
        let count = (u128::from(weight) * hashes.len() as u128 / u128::from(all)) as usize;
        hashes.get(count).copied().unwrap_or(u64::MAX)
    };
    nodes.iter().map(end).collect()
}

/// Who has begun a space.
enum Begun {
    /// This client, just now.
    Here,
    /// Somebody else, as this says, unless it is gone again.
    Before(Option<Pair>),
}

impl Inner {
    /// Agrees with the cluster on a space; it is there when this returns, and known here.
    async fn begin(
        self: &Arc<Self>,
        name: String,
        init: &Init,
        ids: impl Fn(&Table) -> Ids,
    ) -> Result<About, Fault> {
        if name.len() > NAME_MAX {
            let text = format!("a space's name of {} bytes; {NAME_MAX} are allowed", name.len());
            return Err(Fault::bad_request(text));
        }
        let mut patience = Patience::new(self.options.deadline);
        self.directory.ready(patience.left()).await?;
        let kv = self.directory.kv()?.clone();
        let key = format!("{SPACES}{name}");
        loop {
            let members = self.cluster.members();
            if members.members.is_empty() {
                // The table of all nodes may be heard of before the members are.
                if !patience.wait().await {
                    let text = format!("no worker is known for the space {name:?}");
                    return Err(Fault::new(Code::Unavailable, text)
                        .hint("is a worker running there? `esker cluster members`"));
                }
                continue;
            }
            let table = Table::new(tables::nodes(&members.members, init.strategy), 0);
            let (text, known) = (table.to_text(), self.directory.known());
            let table_key = tables::key(&text);
            let about = About {
                name: name.clone(),
                generation: 1,
                keep: init.keep,
                strategy: init.strategy,
                replicas: 0,
                ids: ids(&table),
                tables: vec![table_key.clone()],
            };
            if let Some(opened) = known.space(name.as_bytes()) {
                return agreed(&opened.about, &about);
            }
            let ops = vec![
                KvOp::Put { key: table_key, value: text.into_bytes() },
                KvOp::Cas { key: key.clone(), value: about.to_json(), index: 0 },
            ];
            let (own_kv, own_key) = (kv.clone(), key.clone());
            // Most often nobody has begun it: to be told that first would be a second question.
            let there = blocking(move || match own_kv.txn(&ops)? {
                Ok(()) => Ok(Begun::Here),
                Err(_) => own_kv.get(&own_key).map(Begun::Before),
            });
            match there.await? {
                Begun::Here => {
                    self.directory.begun(about.clone(), table);
                    return Ok(about);
                }
                Begun::Before(Some(pair)) => {
                    let about = agreed(&About::from_json(&pair.value)?, &about)?;
                    return self.known_here(about, &patience).await;
                }
                Begun::Before(None) => {}
            }
            if !patience.wait().await {
                let text = format!("the cluster did not agree on the space {name:?} in time");
                return Err(Fault::new(Code::Timeout, text));
            }
        }
    }

    async fn known_here(&self, about: About, patience: &Patience) -> Result<About, Fault> {
        let is_it = |known: &Known| known.space(about.name.as_bytes()).is_some();
        let known = self.directory.wait(patience.left(), is_it).await;
        known.map(|_| about).ok_or_else(|| {
            Fault::new(Code::Timeout, "the space was begun, and cannot be seen here yet")
                .hint("try again")
        })
    }

    /// Tells every worker the hashes of its share.
    async fn share_out(&self, about: &About, hashes: &[u64]) -> Result<(), Fault> {
        let Ids::Listed { ends, .. } = &about.ids else { return Err(unasked()) };
        let mut patience = Patience::new(self.options.deadline);
        let known = self.directory.known();
        let route = known.space_route(about.name.as_bytes()).ok_or_else(unasked)?;
        let mut from = 0;
        for (owner, end) in known.nodes(about.name.as_bytes()).iter().zip(ends) {
            let to = match *end {
                u64::MAX => hashes.len(),
                end => hashes.partition_point(|hash| *hash < end),
            };
            let node = self.node(owner);
            // As much as a message holds.
            for share in hashes[from..to].chunks(256 * 1024) {
                let bytes: Vec<u8> = share.iter().flat_map(|hash| hash.to_le_bytes()).collect();
                let request = Request::Share(bytes.into());
                let head = route.head(request.op());
                let sent = self.send((&node, &route), &Ask { head, request }, &mut patience).await;
                sent.map_err(given_up)?;
            }
            from = to;
        }
        Ok(())
    }

    /// Asks all nodes of a space.
    async fn ask_nodes(
        &self,
        space: &str,
        request: &Request,
    ) -> Result<Vec<(TableNode, Reply)>, Fault> {
        let mut patience = Patience::new(self.options.deadline);
        let known = self.directory.ready(patience.left()).await?;
        let route = known.space_route(space.as_bytes());
        let route = route.ok_or_else(|| Fault::new(Code::Unavailable, "no worker is known"))?;
        let mut replies = Vec::new();
        for owner in known.nodes(space.as_bytes()) {
            let node = self.node(&owner);
            let ask = Ask { head: route.head(request.op()), request: request.clone() };
            let reply = self.send((&node, &route), &ask, &mut patience).await.map_err(given_up)?;
            replies.push((owner, reply));
        }
        Ok(replies)
    }
}

/// What is there, if it is what was to be begun, on whichever nodes.
fn agreed(there: &About, wanted: &About) -> Result<About, Fault> {
    let is_same_list = match (&there.ids, &wanted.ids) {
        (Ids::Listed { digest: one, .. }, Ids::Listed { digest: other, .. }) => one == other,
        (one, other) => one == other,
    };
    if is_same_list && there.keep == wanted.keep && there.strategy == wanted.strategy {
        return Ok(there.clone());
    }
    let text = format!("the space {:?} is there, and is another one", there.name);
    Err(Fault::new(Code::Conflict, text).hint("drop it first, or begin one with another name"))
}

pub(crate) fn given_up(unsent: Unsent) -> Fault {
    match unsent {
        Unsent::Fault(fault) => fault,
        Unsent::Moved => {
            Fault::new(Code::Conflict, "the space was changed meanwhile").hint("try again")
        }
    }
}

/// Runs what waits for others on a thread where it holds up nobody.
async fn blocking<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let ended = tokio::task::spawn_blocking(run).await;
    ended.map_err(|error| Fault::new(Code::Internal, error.to_string()))?
}
