//! The table `[cluster]`: the worker that `esker up` has, and the cluster that it takes part in.

use super::page::{Page, Table};
use super::value;

/// The keys of `[cluster]`.
pub(super) const KEYS: [&str; 5] = ["worker", "join", "bind", "memory", "name"];
/// The least and the most that a worker may hold, in bytes.
const MEMORY_MIN: u64 = 1 << 20;
const MEMORY_MAX: u64 = 1 << 50;
/// The longest name of a worker, in bytes.
const NAME_MAX: usize = 255;
/// How a cluster's address begins.
const JOINS: [&str; 3] = ["consul://", "consul+https://", "static:"];

/// What a project has to do with a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Whether `esker up` has a worker.
    pub worker: bool,
    /// The cluster: `consul://HOST:PORT` or `static:members.toml`; without one the worker is for this machine alone.
    pub join: Option<String>,
    /// Where the worker takes small requests, `HOST:PORT`; bulk data goes by the next port.
    pub bind: Option<String>,
    /// How much it may hold in memory, in bytes.
    pub memory: Option<u64>,
    /// What people call it.
    pub name: Option<String>,
}

impl Default for Cluster {
    fn default() -> Self {
        Self { worker: true, join: None, bind: None, memory: None, name: None }
    }
}

pub(super) fn cluster(page: &mut Page<'_>, root: &Table<'_, '_>) -> Cluster {
    let mut cluster = Cluster::default();
    let Some(table) = page.table(root.entries, "cluster") else {
        return cluster;
    };
    page.check_keys(&table, &KEYS);
    cluster.worker = page.boolean(&table, "worker").unwrap_or(true);
    cluster.join = page.parsed(&table, "join", join);
    cluster.memory = page.parsed(&table, "memory", memory);
    cluster.name = page.parsed(&table, "name", name);
    cluster.bind = page.parsed(&table, "bind", bind);
    if !cluster.worker {
        let idle = ["bind", "memory", "name"];
        for key in idle.into_iter().filter(|key| table.entries.contains_key(*key)) {
            let message = format!("`{key}` in [cluster] is of no use: there is no worker");
            page.warning(&table.span, message, "remove it, or `worker = false`");
        }
    }
    cluster
}

fn join(text: &str) -> Result<String, String> {
    let rest = JOINS.iter().find_map(|scheme| text.strip_prefix(scheme));
    let is_address =
        rest.is_some_and(|rest| !rest.is_empty() && !rest.chars().any(char::is_control));
    if is_address {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no cluster; write consul://HOST:PORT or static:members.toml"))
}

/// Where the worker is: on this machine, since nobody has to say there who they are.
fn bind(text: &str) -> Result<String, String> {
    if value::is_local(text)? {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not a loopback address, and whoever gets there may read and write"))
}

fn memory(text: &str) -> Result<u64, String> {
    match value::any_size(text)? {
        size @ MEMORY_MIN..=MEMORY_MAX => Ok(size),
        size if size < MEMORY_MIN => Err(format!("{text:?}: a worker needs 1MiB at least")),
        _ => Err(format!("{text:?}: no machine has so much; at most 1024TiB")),
    }
}

fn name(text: &str) -> Result<String, String> {
    if (1..=NAME_MAX).contains(&text.len()) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is no name of 1 to {NAME_MAX} printable characters"))
}

#[cfg(test)]
mod tests;
