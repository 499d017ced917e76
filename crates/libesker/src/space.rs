//! Spaces: beginning and ending them, and where ids are.

use std::ffi::{c_char, c_int};

use esker_bulk::client::Init;
use esker_bulk::space::{Keep, Strategy};
use esker_wire::bulk::{ID_MAX, TableNode};

use crate::border::{self, Out};
use crate::cache;
use crate::client::{Session, connected};
use crate::error::{ESK_BAD_REQUEST, ESK_OK, ESK_TOO_SMALL, Failure};

/// Every worker gets as many ids.
pub const ESK_UNIFORM_NODES: c_int = 0;
/// Workers get ids by the cores they have.
pub const ESK_UNIFORM_CPU: c_int = 1;
/// Workers get ids by the memory that is free there.
pub const ESK_UNIFORM_MEMORY: c_int = 2;

/// When memory is short, contents go to disk.
pub const ESK_KEEP_ALL: c_int = 0;
/// When memory is short, contents are forgotten, the least asked for first.
pub const ESK_KEEP_CACHE: c_int = 1;

/// The bytes of a worker's name and of its address, with the zero at the end.
pub const ESK_NODE_TEXT: usize = 256;
/// The bytes of a worker's identity, with the zero at the end.
pub const ESK_NODE_ID: usize = 33;

/// A worker that has an id, or would.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Node {
    /// Its identity: 32 hexadecimal digits.
    pub id: [c_char; ESK_NODE_ID],
    /// What people call it.
    pub name: [c_char; ESK_NODE_TEXT],
    /// Where it is: "tcp://HOST:PORT".
    pub address: [c_char; ESK_NODE_TEXT],
}

/// Which attempt at a task counts.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Winner {
    /// The task.
    pub task: u32,
    /// The attempt.
    pub attempt: u16,
}

fn init(strategy: c_int, keep: c_int) -> Result<Init, Failure> {
    let unknown = |what: &str, value: c_int| {
        let message = format!("{value} is no {what}");
        Failure::new(ESK_BAD_REQUEST, message, "esker.h has those there are")
    };
    let strategy = match strategy {
        ESK_UNIFORM_NODES => Strategy::UniformNodes,
        ESK_UNIFORM_CPU => Strategy::UniformCpu,
        ESK_UNIFORM_MEMORY => Strategy::UniformMemory,
        other => return Err(unknown("strategy", other)),
    };
    let keep = match keep {
        ESK_KEEP_ALL => Keep::All,
        ESK_KEEP_CACHE => Keep::Cache,
        other => return Err(unknown("keep", other)),
    };
    Ok(Init { strategy, keep })
}

/// Begins a space with the ids that a pattern makes: its "{}" is each number from 0 to before `count`. Needs Consul.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_init_numbered(
    client: *const Session,
    pattern: *const c_char,
    count: u64,
    strategy: c_int,
    keep: c_int,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let pattern = unsafe { border::text(pattern, ID_MAX, "the pattern") }?;
        let init = init(strategy, keep)?;
        connected.client.block_on(connected.client.init_numbered(pattern, count, &init))?;
        Ok(ESK_OK)
    })
}

/// Begins a space with these ids, which have the same before their last slash. Needs Consul.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_init(
    client: *const Session,
    ids: *const *const c_char,
    count: usize,
    strategy: c_int,
    keep: c_int,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let ids = unsafe { cache::ids(ids, count) }?;
        let init = init(strategy, keep)?;
        connected.client.block_on(connected.client.init(&ids, &init))?;
        Ok(ESK_OK)
    })
}

/// Ends all writing to a space, and says which attempt at each task counts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_seal(
    client: *const Session,
    space: *const c_char,
    winners: *const Winner,
    count: usize,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let space = unsafe { border::text(space, ID_MAX, "the space") }?;
        // SAFETY: as C promised.
        let winners = unsafe { border::list(winners, count, "winners") }?;
        let winners: Vec<_> = winners.iter().map(|it| (it.task, it.attempt)).collect();
        connected.client.block_on(connected.client.seal(space, &winners))?;
        Ok(ESK_OK)
    })
}

/// Forgets a space and all in it. It may be begun again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_drop_space(client: *const Session, space: *const c_char) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let space = unsafe { border::text(space, ID_MAX, "the space") }?;
        connected.client.block_on(connected.client.drop_space(space))?;
        Ok(ESK_OK)
    })
}

/// The workers that have an id, or would, the first copy's first. No worker is asked. `nodes` has room for `room`; `count` is
/// how many there are. ESK_TOO_SMALL, and as many as there is room for, if there are more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_node_ids(
    client: *const Session,
    id: *const c_char,
    nodes: *mut Node,
    room: usize,
    count: *mut usize,
) -> c_int {
    border::run(|| {
        let connected = connected(client)?;
        // SAFETY: as C promised.
        let id = unsafe { cache::id(id) }?;
        // SAFETY: as C promised.
        let count = unsafe { Out::new(count, "count") }?;
        count.put(0);
        let owners = connected.client.block_on(connected.client.node_ids(id))?;
        count.put(owners.len());
        // SAFETY: as C promised.
        let places = unsafe { border::places(nodes, room.min(owners.len()), "nodes") }?;
        places.iter().zip(&owners).for_each(|(place, owner)| place.put(node(owner)));
        if places.len() < owners.len() {
            let message = format!("{} workers, there is room for {}", owners.len(), places.len());
            return Err(Failure::new(ESK_TOO_SMALL, message, "an id is never on more than 3"));
        }
        Ok(ESK_OK)
    })
}

fn node(owner: &TableNode) -> Node {
    Node {
        id: field(&owner.node.to_string()),
        name: field(&owner.name),
        address: field(&owner.bulk),
    }
}

/// A text with a zero behind it; what is longer than a name or an address may be is cut off.
fn field<const SIZE: usize>(text: &str) -> [c_char; SIZE] {
    let mut field = [0; SIZE];
    let (places, _end) = field.split_at_mut(SIZE - 1);
    places.iter_mut().zip(text.bytes()).for_each(|(place, byte)| *place = byte as c_char);
    field
}
