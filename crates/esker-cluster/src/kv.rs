//! What a cluster agrees on: keys with small values, changed only by who knows what was there.
//!
//! Keys are relative to the cluster's prefix. In one process without Consul they are kept in memory. A change that
//! fails with no more than that Consul did not answer may have been made: whoever expected an index reads again.

use std::sync::Arc;
use std::time::Duration;

use esker_wire::fault::{Code, Fault};

use crate::asked::{self, Asked};
use crate::consul::http::Consul;
use crate::consul::keys;
use crate::join::needs_consul;
use crate::local::Local;
use crate::pace::Stop;

/// The largest value.
pub const VALUE_MAX: usize = 512 * 1024;
/// The most operations at once.
pub const OPS_MAX: usize = 64;
/// The longest key.
pub const KEY_MAX: usize = 512;

/// A key with what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: Vec<u8>,
    /// When it was changed last: what [`Kv::cas`] expects. Never 0.
    pub index: u64,
    /// The session that holds it.
    pub session: Option<String>,
}

/// One of several operations that are done together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Sets a value.
    Put {
        /// The key.
        key: String,
        /// Its value.
        value: Vec<u8>,
    },
    /// Sets a value if the key was changed last at this index; 0 is for one that is not there.
    Cas {
        /// The key.
        key: String,
        /// Its value.
        value: Vec<u8>,
        /// When it was changed last.
        index: u64,
    },
    /// Deletes a key, if it is there.
    Delete {
        /// The key.
        key: String,
    },
    /// Goes on only if the key was changed last at this index; 0 is for one that is not there.
    Expect {
        /// The key.
        key: String,
        /// When it was changed last.
        index: u64,
    },
}

impl Op {
    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Put { key, .. }
            | Self::Cas { key, .. }
            | Self::Delete { key }
            | Self::Expect { key, .. } => key,
        }
    }

    fn value(&self) -> &[u8] {
        match self {
            Self::Put { value, .. } | Self::Cas { value, .. } => value,
            Self::Delete { .. } | Self::Expect { .. } => &[],
        }
    }
}

/// What is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One key.
    Key(String),
    /// All keys that begin so.
    Prefix(String),
}

/// Keys and values.
#[derive(Clone)]
pub struct Kv {
    pub(crate) store: Store,
}

#[derive(Clone)]
pub(crate) enum Store {
    Consul(Arc<Consul>),
    Local(Arc<Local>),
    /// The one worker keeps them.
    Asked(Arc<Asked>),
    /// There is none that all members share.
    None,
}

/// Calls back for as long as it is kept. What is on its way when it is dropped may still be told.
pub struct Watch {
    stop: Arc<Stop>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.stop();
    }
}

impl Kv {
    /// Whether all members share them: those of a list have none.
    pub fn is_shared(&self) -> bool {
        !matches!(self.store, Store::None)
    }

    /// What a key holds.
    pub fn get(&self, key: &str) -> Result<Option<Pair>, Fault> {
        check_key(key)?;
        match &self.store {
            Store::Consul(consul) => keys::get(consul, key),
            Store::Local(local) => Ok(local.get(key)),
            Store::Asked(asked) => asked.get(key),
            Store::None => Err(no_store(key)),
        }
    }

    /// Sets a value.
    pub fn put(&self, key: &str, value: &[u8]) -> Result<(), Fault> {
        check(key, value)?;
        match &self.store {
            Store::Consul(consul) => keys::put(consul, key, value, None).map(drop),
            Store::Local(local) => {
                local.txn(&[Op::Put { key: key.to_owned(), value: value.to_vec() }]);
                Ok(())
            }
            Store::Asked(asked) => {
                asked.txn(&[Op::Put { key: key.to_owned(), value: value.to_vec() }]).map(drop)
            }
            Store::None => Err(no_store(key)),
        }
    }

    /// Sets a value if the key was changed last at this index, 0 for a key that is not there; whether it was so.
    pub fn cas(&self, key: &str, value: &[u8], index: u64) -> Result<bool, Fault> {
        check(key, value)?;
        match &self.store {
            Store::Consul(consul) => {
                keys::put(consul, key, value, Some(("cas", index.to_string())))
            }
            Store::Local(local) => {
                let op = Op::Cas { key: key.to_owned(), value: value.to_vec(), index };
                Ok(local.txn(&[op]).is_none())
            }
            Store::Asked(asked) => {
                let op = Op::Cas { key: key.to_owned(), value: value.to_vec(), index };
                Ok(asked.txn(&[op])?.is_none())
            }
            Store::None => Err(no_store(key)),
        }
    }

    /// Deletes a key, if it is there.
    pub fn delete(&self, key: &str) -> Result<(), Fault> {
        check_key(key)?;
        match &self.store {
            Store::Consul(consul) => keys::delete(consul, key),
            Store::Local(local) => {
                local.txn(&[Op::Delete { key: key.to_owned() }]);
                Ok(())
            }
            Store::Asked(asked) => asked.txn(&[Op::Delete { key: key.to_owned() }]).map(drop),
            Store::None => Err(no_store(key)),
        }
    }

    /// All keys that begin so, with what they hold, sorted.
    pub fn list(&self, prefix: &str) -> Result<Vec<Pair>, Fault> {
        check_text(prefix)?;
        match &self.store {
            Store::Consul(consul) => keys::list(consul, prefix),
            Store::Local(local) => Ok(local.list(prefix)),
            Store::Asked(asked) => asked.list(prefix),
            Store::None => Err(no_store(prefix)),
        }
    }

    /// Does all of these or nothing; the number of the one that stands against it.
    pub fn txn(&self, ops: &[Op]) -> Result<Result<(), usize>, Fault> {
        if ops.len() > OPS_MAX {
            let message =
                format!("cannot do {} operations at once: {OPS_MAX} are allowed", ops.len());
            return Err(Fault::new(Code::TooLarge, message).hint("do them in parts"));
        }
        for op in ops {
            check(op.key(), op.value())?;
        }
        let Some(first) = ops.first() else {
            return Ok(Ok(()));
        };
        match &self.store {
            Store::Consul(consul) => keys::txn(consul, ops),
            Store::Local(local) => Ok(local.txn(ops).map_or(Ok(()), Err)),
            Store::Asked(asked) => Ok(asked.txn(ops)?.map_or(Ok(()), Err)),
            Store::None => Err(no_store(first.key())),
        }
    }

    /// Answers what another process has asked of the keys that are kept in this one.
    ///
    /// # Errors
    /// `bad-request` for what asks nothing, `too-large` for more than an answer holds.
    pub fn answer(&self, question: &[u8]) -> Result<Vec<u8>, Fault> {
        asked::answer(self, question)
    }

    /// Tells what is there, now and after each change, on a thread of its own. While Consul is away nothing is told.
    pub fn watch(
        &self,
        target: Target,
        tell: impl Fn(&[Pair]) + Send + 'static,
    ) -> Result<Watch, Fault> {
        let (Target::Key(text) | Target::Prefix(text)) = &target;
        check_text(text)?;
        let stop = Arc::new(Stop::default());
        let store = self.store.clone();
        if matches!(store, Store::None) {
            return Err(no_store(text));
        }
        let ends = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("watch".to_owned());
        let spawned = thread.spawn(move || match store {
            Store::Consul(consul) => keys::watch(&consul, &target, &tell, &ends),
            Store::Local(local) => local.watch(&target, &tell, &ends),
            Store::Asked(asked) => asked.watch(&target, &tell, &ends),
            Store::None => {}
        });
        spawned.map_err(|error| {
            Fault::new(Code::Internal, format!("cannot start a thread to watch keys: {error}"))
        })?;
        Ok(Watch { stop })
    }
}

/// How long a watch that has nothing to tell sleeps at a time.
pub(crate) const WATCH_WAIT: Duration = Duration::from_secs(10);

fn no_store(key: &str) -> Fault {
    needs_consul(&format!("use key {key:?}"))
}

fn check_text(key: &str) -> Result<(), Fault> {
    let is_plain =
        key.len() <= KEY_MAX && !key.starts_with('/') && !key.chars().any(char::is_control);
    if is_plain {
        return Ok(());
    }
    let shown: String = key.chars().take(80).collect();
    let message = format!("cannot use key {shown:?}");
    let hint =
        format!("a key has at most {KEY_MAX} bytes, none of control, and begins with no slash");
    Err(Fault::bad_request(message).hint(hint))
}

fn check_key(key: &str) -> Result<(), Fault> {
    if key.is_empty() {
        return Err(Fault::bad_request("cannot use a key without a name"));
    }
    check_text(key)
}

fn check(key: &str, value: &[u8]) -> Result<(), Fault> {
    check_key(key)?;
    if value.len() > VALUE_MAX {
        let message =
            format!("cannot put {} bytes into key {key:?}: {VALUE_MAX} are allowed", value.len());
        return Err(Fault::new(Code::TooLarge, message)
            .hint("put large values elsewhere, and their name into the key"));
    }
    Ok(())
}
