//! What clients are given to do: the same for ours and for every peer.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;

use super::store::Store;
use crate::bench::contents::Random;

/// The bytes of contents that a client sets or gets in turn, about.
const SPREAD: usize = 1 << 20;
/// The most messages it does so with.
const SPREAD_MAX: usize = 256;

/// Noise: what cannot be made smaller.
pub(super) fn noise(size: usize, seed: u64) -> Bytes {
    let mut random = Random(seed);
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        bytes.extend_from_slice(&random.below(u64::MAX).to_le_bytes());
    }
    bytes.truncate(size);
    bytes.into()
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Contents are replaced.
    Set,
    /// Contents are read.
    Get,
}

impl Verb {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Get => "get",
        }
    }
}

/// The work of some clients.
pub(super) struct Load {
    /// Of each client, one message after the other.
    items: Vec<Vec<Vec<(Bytes, Bytes)>>>,
    ids: Vec<Vec<Vec<Bytes>>>,
    size: usize,
}

impl Load {
    /// Contents of `size` bytes, so many in a message of each of so many clients.
    pub(super) fn new(clients: usize, depth: usize, size: usize) -> Self {
        let messages = (SPREAD / (depth * size)).clamp(1, SPREAD_MAX);
        let content = noise(size, size as u64);
        let message = |client: usize, message: usize| {
            let item = |number: usize| {
                (
                    Bytes::from(format!("{size}-{client}-{}", message * depth + number)),
                    content.clone(),
                )
            };
            (0..depth).map(item).collect::<Vec<_>>()
        };
        let of_client =
            |client: usize| (0..messages).map(|number| message(client, number)).collect::<Vec<_>>();
        let items: Vec<_> = (0..clients).map(of_client).collect();
        let only_ids =
            |items: &Vec<(Bytes, Bytes)>| items.iter().map(|(id, _)| id.clone()).collect();
        let ids = items.iter().map(|of_client| of_client.iter().map(only_ids).collect()).collect();
        Self { items, ids, size }
    }

    /// Sets all contents once, so that they are there.
    pub(super) fn fill(&self, store: &mut dyn Store) -> Result<()> {
        self.items.iter().flatten().try_for_each(|items| store.set(items))
    }

    /// How many contents a second all clients together set or get, each on a thread of its own.
    pub(super) fn rate(
        &self,
        stores: &mut [Box<dyn Store>],
        verb: Verb,
        window: Duration,
    ) -> Result<f64> {
        if let [store] = stores {
            return self.one(&mut **store, (0, verb), window);
        }
        let begin = Barrier::new(stores.len());
        let work = |(client, store): (usize, &mut Box<dyn Store>)| {
            begin.wait();
            self.one(&mut **store, (client, verb), window)
        };
        let (work, mut all) = (&work, 0.0);
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                stores.iter_mut().enumerate().map(|it| scope.spawn(move || work(it))).collect();
            for thread in threads {
                all += thread.join().expect("what it is given panics nowhere")?;
            }
            Ok(all)
        })
    }

    fn one(
        &self,
        store: &mut dyn Store,
        (client, verb): (usize, Verb),
        window: Duration,
    ) -> Result<f64> {
        let begun = Instant::now();
        let mut done = 0;
        loop {
            for (items, ids) in self.items[client].iter().zip(&self.ids[client]) {
                match verb {
                    Verb::Set => store.set(items)?,
                    Verb::Get => {
                        let bytes = store.get(ids)?;
                        if bytes != ids.len() * self.size {
                            bail!("{bytes} bytes are no {} contents of {}", ids.len(), self.size);
                        }
                    }
                }
                done += items.len();
                let taken = begun.elapsed();
                if taken >= window {
                    return Ok(done as f64 / taken.as_secs_f64());
                }
            }
        }
    }
}
