//! Connecting and closing.

use std::ffi::{c_char, c_int};
use std::ptr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use esker_bulk::client::{Client, Options as ClientOptions, joining};
use esker_bus::bus::Bus;
use esker_cluster::cluster::Cluster;
use esker_cluster::join::Join;

use crate::border::{self, Out};
use crate::error::{self, ESK_BAD_REQUEST, ESK_OK, Failure};
use crate::flight::Load;
use crate::state::{self, Held};

/// The longest address of a cluster, in bytes.
const JOIN_MAX: usize = 4096;
/// The longest that a call may be told to take: a day.
const DEADLINE_MAX_MS: u32 = 24 * 60 * 60 * 1000;

/// A client of a cluster.
pub struct Session {
    _private: [u8; 0],
}

/// What a client does.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long any call may take in all, in milliseconds; 0 for 30 s.
    pub deadline_ms: u32,
    /// Not 0 if contents are to be sent and kept as they are, never compressed.
    pub plain: u32,
}

/// A client and what it works with.
pub(crate) struct Connected {
    pub(crate) client: Client,
    pub(crate) bus: Bus,
    pub(crate) load: Mutex<Load>,
}

/// The client of a handle.
pub(crate) fn connected(client: *const Session) -> Result<Arc<Connected>, Failure> {
    if client.is_null() {
        return Err(Failure::new(error::ESK_NULL, "client is NULL", "esk_connect gives one"));
    }
    state::look(client.addr() as u64, |held| match held {
        Held::Client(connected) => Some(Arc::clone(connected)),
        Held::Future(_) | Held::View { .. } => None,
    })
}

/// Connects to a cluster: "consul://HOST:PORT" or "static:members.toml". Workers are looked for when something is asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_connect(join: *const c_char, out: *mut *mut Session) -> c_int {
    // SAFETY: as C promised; NULL stands for no options.
    unsafe { esk_connect_with(join, ptr::null(), out) }
}

/// The same with options; NULL for the usual ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn esk_connect_with(
    join: *const c_char,
    options: *const Options,
    out: *mut *mut Session,
) -> c_int {
    border::run(|| {
        // SAFETY: as C promised.
        let out = unsafe { Out::new(out, "out") }?;
        out.put(ptr::null_mut());
        // SAFETY: as C promised.
        let join = unsafe { border::text(join, JOIN_MAX, "join") }?;
        // SAFETY: as C promised; NULL has none.
        let options = unsafe { border::list(options, usize::from(!options.is_null()), "options") }?;
        let options = client_options(options.first())?;
        let join: Join = join.parse()?;
        let bus = Bus::start()?;
        let cluster = Cluster::join(&join, joining(&bus))?;
        let client = Client::new(&bus, &cluster, None, options)?;
        let held = Held::Client(Arc::new(Connected { client, bus, load: Mutex::default() }));
        let handle = state::begun().hold(held)?;
        out.put(ptr::without_provenance_mut(handle as usize));
        Ok(ESK_OK)
    })
}

fn client_options(told: Option<&Options>) -> Result<ClientOptions, Failure> {
    let mut options = ClientOptions::default();
    let Some(told) = told else { return Ok(options) };
    if told.deadline_ms > DEADLINE_MAX_MS {
        let message = format!("a deadline of {} ms; a day is allowed", told.deadline_ms);
        return Err(Failure::new(ESK_BAD_REQUEST, message, "0 stands for 30 s"));
    }
    if told.deadline_ms > 0 {
        options.deadline = Duration::from_millis(told.deadline_ms.into());
    }
    options.compress = told.plain == 0;
    Ok(options)
}

/// Closes a client. What is under way goes on, views stay good.
#[unsafe(no_mangle)]
pub extern "C" fn esk_close(client: *mut Session) -> c_int {
    border::run(|| {
        if client.is_null() {
            return Err(Failure::new(error::ESK_NULL, "client is NULL", "esk_connect gives one"));
        }
        state::give_back(client.addr() as u64, |held| matches!(held, Held::Client(_)))?;
        Ok(ESK_OK)
    })
}
