//! What a client knows of where ids are: the table of all nodes, and the spaces that were begun. It is told when that
//! changes, and never asks for it while something is to be done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use esker_cluster::cluster::Cluster;
use esker_cluster::kv::{Kv, Pair, Target, Watch};
use esker_wire::bulk::{Head, Op, Table, TableNode, hash, space_of};
use esker_wire::fault::{Code, Fault};
use tokio::sync::watch;

use crate::space::{About, slot};
use crate::tables::{self, ROOT, SPACES};

/// A space that was begun, and its tables.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) about: About,
    tables: Vec<Arc<Table>>,
}

/// What is known at a moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Known {
    root: Option<Arc<Table>>,
    spaces: Arc<HashMap<Bytes, Arc<Opened>>>,
    has_spaces: bool,
}

/// Where an id is.
#[derive(Debug, Clone)]
pub(crate) struct Route {
    space: u64,
    /// The space, if it was begun.
    opened: Option<Arc<Opened>>,
    table: Arc<Table>,
    place: Placed,
}

/// By what the owners are found in the table.
#[derive(Debug, Clone, Copy)]
enum Placed {
    Slot(usize),
    Share(usize),
}

impl Opened {
    /// How many nodes it is on.
    pub(crate) fn nodes(&self) -> usize {
        self.tables.last().map_or(0, |table| table.nodes().len())
    }
}

impl Route {
    /// The nodes that have the id, the primary first.
    pub(crate) fn owners(&self) -> Vec<&TableNode> {
        match self.place {
            Placed::Slot(slot) => self.table.owners(slot).collect(),
            Placed::Share(at) => self.table.nodes().iter().skip(at).take(1).collect(),
        }
    }

    /// One of the nodes that have the id, counted round; the primary is 0.
    pub(crate) fn owner(&self, copy: usize) -> Option<&TableNode> {
        match self.place {
            Placed::Slot(_) if copy > 0 => {
                let owners = self.owners();
                owners.get(copy % owners.len().max(1)).copied()
            }
            Placed::Slot(slot) => self.table.owners(slot).next(),
            Placed::Share(at) => self.table.nodes().get(at),
        }
    }

    /// The head of a message about it.
    pub(crate) fn head(&self, op: Op) -> Head {
        let (generation, epoch) = match &self.opened {
            Some(opened) => (opened.about.generation, opened.about.epoch()),
            None => (self.table.version(), 0),
        };
        Head { space: self.space, generation, epoch, ..Head::new(op) }
    }

    /// What a worker is told that does not know it yet.
    pub(crate) fn tell(&self) -> Bytes {
        match &self.opened {
            Some(opened) => opened.about.to_json().into(),
            None => self.table.to_text().into(),
        }
    }

    /// What is the same for all ids that may be asked for in one message to the same node.
    pub(crate) fn key(&self) -> (u64, u32, u16) {
        let head = self.head(Op::Get);
        (head.space, head.generation, head.epoch)
    }
}

impl Known {
    /// Where an id is; nothing if no worker is known.
    pub(crate) fn route(&self, id: &[u8]) -> Option<Route> {
        let name = space_of(id);
        if let Some(opened) = self.spaces.get(name) {
            let table = Arc::clone(opened.tables.last()?);
            let place = match opened.about.share(id, &table) {
                Some(at) => Placed::Share(at),
                None => Placed::Slot(opened.about.slot(id)),
            };
            return Some(Route {
                space: hash(name),
                opened: Some(Arc::clone(opened)),
                table,
                place,
            });
        }
        let table = Arc::clone(self.root.as_ref()?);
        let place = Placed::Slot(slot(hash(id)));
        Some(Route { space: hash(name), opened: None, table, place })
    }

    /// A space that was begun.
    pub(crate) fn space(&self, name: &[u8]) -> Option<&Arc<Opened>> {
        self.spaces.get(name)
    }

    /// The table of all nodes, if it is known.
    pub(crate) fn root(&self) -> Option<&Arc<Table>> {
        self.root.as_ref()
    }

    /// All spaces that were begun.
    pub(crate) fn spaces(&self) -> impl Iterator<Item = &Arc<Opened>> {
        self.spaces.values()
    }

    /// All nodes that a space is on, or may be.
    pub(crate) fn nodes(&self, name: &[u8]) -> Vec<TableNode> {
        let table = match self.spaces.get(name) {
            Some(opened) => opened.tables.last(),
            None => self.root.as_ref(),
        };
        table.map(|table| table.nodes().to_vec()).unwrap_or_default()
    }

    /// A route to no id in particular of a space.
    pub(crate) fn space_route(&self, name: &[u8]) -> Option<Route> {
        let id = [name, b"/-"].concat();
        self.route(if name.is_empty() { b"-" } else { &id })
    }

    /// The route that the space of another one has by now.
    pub(crate) fn space_route_of(&self, route: &Route) -> Option<Route> {
        match &route.opened {
            Some(opened) => self.space_route(opened.about.name.as_bytes()),
            // Whichever space nobody has begun: the table is the same.
            None => Some(Route { table: Arc::clone(self.root.as_ref()?), ..route.clone() }),
        }
    }

    fn is_ready(&self) -> bool {
        self.root.is_some() && self.has_spaces
    }
}

/// A space that this client has begun, until the cluster tells of it.
#[derive(Debug)]
struct Begun {
    opened: Arc<Opened>,
    /// Whether the cluster has told of spaces since, and not of this one: what it told may have been from before.
    was_missed: bool,
}

type Own = Mutex<HashMap<Bytes, Begun>>;

fn lock(own: &Own) -> MutexGuard<'_, HashMap<Bytes, Begun>> {
    own.lock().expect("nothing panics while it holds what was begun")
}

/// Follows what is known.
pub(crate) struct Directory {
    known: Arc<watch::Sender<Known>>,
    own: Arc<Own>,
    kv: Option<Kv>,
    _watches: Vec<Watch>,
}

impl Directory {
    /// Follows a cluster. One without shared keys (a list of several members) has its table from the list, and no
    /// spaces.
    pub(crate) fn follow(cluster: &Cluster) -> Result<Self, Fault> {
        let known = Arc::new(watch::Sender::new(Known::default()));
        let kv = cluster.kv();
        if !kv.is_shared() {
            let nodes =
                tables::nodes(&cluster.members().members, crate::space::Strategy::UniformNodes);
            let root = (!nodes.is_empty()).then(|| Arc::new(Table::new(nodes, 0)));
            known.send_replace(Known { root, has_spaces: true, ..Known::default() });
            return Ok(Self { known, own: Arc::default(), kv: None, _watches: Vec::new() });
        }
        let root = {
            let known = Arc::clone(&known);
            kv.watch(Target::Key(ROOT.to_owned()), move |pairs| see_root(&known, pairs))?
        };
        let own = Arc::new(Own::default());
        let spaces = {
            let (known, kv, own) = (Arc::clone(&known), kv.clone(), Arc::clone(&own));
            let seen = Mutex::new(HashMap::new());
            kv.clone().watch(Target::Prefix(SPACES.to_owned()), move |pairs| {
                see_spaces((&known, &own), (&kv, &seen), pairs);
            })?
        };
        Ok(Self { known, own, kv: Some(kv), _watches: vec![root, spaces] })
    }

    /// What is known now.
    pub(crate) fn known(&self) -> Known {
        self.known.borrow().clone()
    }

    /// Where the cluster agrees on spaces.
    ///
    /// # Errors
    /// `bad-request` if it is a list of several members, which has no such place.
    pub(crate) fn kv(&self) -> Result<&Kv, Fault> {
        self.kv.as_ref().ok_or_else(|| {
            let text = "a list of several members has no place where a space could be agreed on";
            Fault::bad_request(text).hint("join through Consul, or use ids without init")
        })
    }

    /// Takes note of a space that this client has just begun with the cluster, which may be heard of later.
    pub(crate) fn begun(&self, about: About, table: Table) {
        let name = Bytes::from(about.name.clone());
        let mut own = lock(&self.own);
        self.known.send_if_modified(|known| {
            if known.spaces.contains_key(&name) {
                return false;
            }
            let opened = Arc::new(Opened { about, tables: vec![Arc::new(table)] });
            own.insert(name.clone(), Begun { opened: Arc::clone(&opened), was_missed: false });
            let mut spaces = HashMap::clone(&known.spaces);
            spaces.insert(name, opened);
            known.spaces = Arc::new(spaces);
            true
        });
    }

    /// Takes note that this client has ended a space: of one that it had begun just before, nothing may be heard.
    pub(crate) fn dropped(&self, name: &[u8]) {
        let mut own = lock(&self.own);
        if own.remove(name).is_some() {
            self.known.send_modify(|known| {
                let mut spaces = HashMap::clone(&known.spaces);
                spaces.remove(name);
                known.spaces = Arc::new(spaces);
            });
        }
    }

    /// Waits until it is known where ids are.
    pub(crate) async fn ready(&self, deadline: Duration) -> Result<Known, Fault> {
        let known = self.known();
        if known.is_ready() {
            return Ok(known);
        }
        self.wait(deadline, Known::is_ready).await.ok_or_else(|| {
            let text = format!("no worker is known after {deadline:.1?}");
            Fault::new(Code::Unavailable, text)
                .hint("is a worker running there? `esker cluster status`")
        })
    }

    /// Waits until something is known; nothing if it does not come to be.
    pub(crate) async fn wait(
        &self,
        deadline: Duration,
        is_it: impl Fn(&Known) -> bool,
    ) -> Option<Known> {
        let mut known = self.known.subscribe();
        let found = tokio::time::timeout(deadline, known.wait_for(is_it)).await;
        found.ok()?.ok().map(|known| known.clone())
    }
}

fn see_root(known: &watch::Sender<Known>, pairs: &[Pair]) {
    let Some(pair) = pairs.first() else { return };
    match tables::read(&pair.value) {
        Ok(table) => known.send_modify(|known| known.root = Some(Arc::new(table))),
        Err(fault) => tracing::warn!(%fault, key = ROOT, "what is known of nodes stays as it is"),
    }
}

type SeenTables = Mutex<HashMap<String, Arc<Table>>>;

fn see_spaces(
    (known, own): (&watch::Sender<Known>, &Own),
    (kv, seen): (&Kv, &SeenTables),
    pairs: &[Pair],
) {
    let before = Arc::clone(&known.borrow().spaces);
    let mut spaces = HashMap::new();
    let mut seen = seen.lock().expect("nothing panics while it holds the tables");
    for pair in pairs {
        let Some(name) = pair.key.strip_prefix(SPACES) else { continue };
        let opened = About::from_json(&pair.value).and_then(|about| {
            if let Some(known) = before.get(name.as_bytes()).filter(|known| known.about == about) {
                return Ok(Arc::clone(known));
            }
            let mut table = |key: &String| table(kv, &mut seen, key);
            let tables = about.tables.iter().map(&mut table).collect::<Result<_, _>>()?;
            Ok(Arc::new(Opened { about, tables }))
        });
        match opened {
            Ok(opened) => drop(spaces.insert(Bytes::copy_from_slice(name.as_bytes()), opened)),
            Err(fault) => tracing::warn!(%fault, key = pair.key, "a space cannot be read"),
        }
    }
    let is_used = |key: &String| spaces.values().any(|opened| opened.about.tables.contains(key));
    seen.retain(|key, _| is_used(key));
    let mut own = lock(own);
    own.retain(|name, begun| {
        let is_awaited = !spaces.contains_key(name) && !begun.was_missed;
        if is_awaited {
            begun.was_missed = true;
            spaces.insert(name.clone(), Arc::clone(&begun.opened));
        }
        is_awaited
    });
    known.send_modify(|known| {
        known.spaces = Arc::new(spaces);
        known.has_spaces = true;
    });
}

fn table(
    kv: &Kv,
    seen: &mut HashMap<String, Arc<Table>>,
    key: &String,
) -> Result<Arc<Table>, Fault> {
    if let Some(table) = seen.get(key) {
        return Ok(Arc::clone(table));
    }
    let lacking = || Fault::new(Code::NotFound, format!("there is no table under {key}"));
    let pair = kv.get(key)?.ok_or_else(lacking)?;
    let table = Arc::new(tables::read(&pair.value)?);
    seen.insert(key.clone(), Arc::clone(&table));
    Ok(table)
}
