//! Writing many at once: what belongs to the same worker goes in the same messages.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use esker_wire::bulk::{ITEMS_MAX, Key, Part, Reply, Request, Status, Store};
use esker_wire::fault::{Code, Fault};
use tokio::task::JoinSet;

use crate::client::send::{Group, Patience, Unsent};
use crate::client::task::Author;
use crate::client::{Inner, about_id, check_id, unasked};
use crate::compress;

/// How many bytes of contents one message carries, about.
const MESSAGE: usize = 1024 * 1024;

impl Inner {
    /// Contents as they are sent.
    pub(crate) fn stores(&self, items: Vec<(Bytes, Bytes)>) -> Result<Vec<Store>, Fault> {
        let store = |(id, bytes): (Bytes, Bytes)| {
            check_id(&id)?;
            let part =
                if self.options.compress { compress::part(bytes) } else { Part::plain(bytes) };
            Ok(Store { id, part })
        };
        items.into_iter().map(store).collect()
    }

    /// Has contents written; the length of each then. Those of one node are written in their order.
    pub(crate) async fn write_all(
        self: &Arc<Self>,
        author: Option<&Arc<Author>>,
        items: Vec<Store>,
        request: fn(Vec<Store>) -> Request,
    ) -> Result<Vec<u64>, Fault> {
        let items = Arc::new(items);
        let weigh = |items: &[Store], place: usize| {
            let Store { id, part } = &items[place];
            id.len() + 16 + part.bytes.len()
        };
        let each = {
            let items = Arc::clone(&items);
            move |places: &[usize]| {
                request(places.iter().map(|place| items[*place].clone()).collect())
            }
        };
        let ids: Vec<Bytes> = items.iter().map(|item| item.id.clone()).collect();
        let sizes = (0..items.len()).map(|place| weigh(&items, place)).collect();
        let stored = self.write_groups(author, (ids.clone(), sizes), each).await?;
        let length = |(place, (status, length)): (usize, (Status, u64))| match status {
            Status::Done => Ok(length),
            status => Err(about_id(&ids[place], status)),
        };
        stored.into_iter().enumerate().map(length).collect()
    }

    /// Has messages of ids done, each made from the places of its ids; what became of each id.
    async fn write_groups(
        self: &Arc<Self>,
        author: Option<&Arc<Author>>,
        (ids, sizes): (Vec<Bytes>, Vec<usize>),
        request: impl Fn(&[usize]) -> Request + Clone + Send + Sync + 'static,
    ) -> Result<Vec<(Status, u64)>, Fault> {
        let mut patience = Patience::new(self.options.deadline);
        let mut done = vec![None; ids.len()];
        let mut known = self.directory.ready(patience.left()).await?;
        loop {
            let open =
                done.iter().enumerate().filter(|(_, it)| it.is_none()).map(|(place, _)| place);
            let open = open.map(|place| (place, ids[place].as_ref()));
            let groups = self.group(&known, open, 0)?;
            let mut tasks = JoinSet::new();
            let is_single = groups.len() == 1;
            let mut ended = Vec::with_capacity(groups.len());
            for group in groups {
                let messages = split(&group, &sizes);
                let (inner, request, left) = (Arc::clone(self), request.clone(), patience.left());
                let author = author.cloned();
                let task = async move {
                    inner.write_group((&group, messages), author.as_deref(), request, left).await
                };
                // One alone needs no task of its own.
                match is_single {
                    true => ended.push(task.await),
                    false => drop(tasks.spawn(task)),
                }
            }
            while let Some(task) = tasks.join_next().await {
                ended.push(task.map_err(|error| Fault::new(Code::Internal, error.to_string()))?);
            }
            let mut has_moved = false;
            for (stored, unsent) in ended {
                stored.into_iter().for_each(|(place, stored)| done[place] = Some(stored));
                match unsent {
                    Some(Unsent::Fault(fault)) => return Err(fault),
                    Some(Unsent::Moved) => has_moved = true,
                    None => {}
                }
            }
            if !has_moved {
                let all = done.into_iter().map(|it| it.unwrap_or((Status::Lost, 0)));
                return Ok(all.collect());
            }
            if !patience.wait().await {
                let text =
                    "where ids are could not be learnt in time: it was changed again and again";
                return Err(
                    Fault::new(Code::Timeout, text).hint("is Consul there? `esker cluster status`")
                );
            }
            known = self.directory.known();
        }
    }

    async fn write_group(
        &self,
        (group, messages): (&Group, Vec<Vec<usize>>),
        author: Option<&Author>,
        request: impl Fn(&[usize]) -> Request,
        left: Duration,
    ) -> (Vec<(usize, (Status, u64))>, Option<Unsent>) {
        let mut done = Vec::new();
        let mut patience = Patience::new(left);
        for places in messages {
            let way = (&*group.node, &group.route);
            match self.write(way, author, request(&places), &mut patience).await {
                Ok(Reply::Stored(stored)) if stored.len() == places.len() => {
                    let stored = stored.into_iter().map(|it| (it.status, it.length));
                    done.extend(places.into_iter().zip(stored));
                }
                Ok(_) => return (done, Some(Unsent::Fault(unasked()))),
                Err(unsent) => return (done, Some(unsent)),
            }
        }
        (done, None)
    }

    /// Has keys asked about, or removed; of each the length, if there was one.
    pub(crate) async fn ask_keys(
        self: &Arc<Self>,
        keys: Vec<Key>,
        request: fn(Vec<Key>) -> Request,
    ) -> Result<Vec<Option<u64>>, Fault> {
        let ids: Vec<Bytes> = keys.iter().map(|key| key.id.clone()).collect();
        let sizes = ids.iter().map(|id| id.len() + 2).collect();
        let keys = Arc::new(keys);
        let each = move |places: &[usize]| {
            request(places.iter().map(|place| keys[*place].clone()).collect())
        };
        let found = self.write_groups(None, (ids.clone(), sizes), each).await?;
        let one = |(place, (status, length)): (usize, (Status, u64))| match status {
            Status::Done => Ok(Some(length)),
            Status::Unknown => Ok(None),
            status => Err(about_id(&ids[place], status)),
        };
        found.into_iter().enumerate().map(one).collect()
    }
}

/// The places of a group, message by message.
fn split(group: &Group, sizes: &[usize]) -> Vec<Vec<usize>> {
    let mut messages: Vec<Vec<usize>> = Vec::new();
    let mut size = usize::MAX;
    for place in &group.places {
        let is_full = size.saturating_add(sizes[*place]) > MESSAGE;
        match messages.last_mut().filter(|last| !is_full && last.len() < ITEMS_MAX) {
            Some(last) => {
                last.push(*place);
                size += sizes[*place];
            }
            None => {
                messages.push(vec![*place]);
                size = sizes[*place];
            }
        }
    }
    messages
}
