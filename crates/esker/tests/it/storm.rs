//! Many clients over real sockets, and a hub that is killed again and again.
//!
//! `ESKER_KILLS=200` kills it so often; `ESKER_RUNS=20` does the check of the order so many times.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_bus::bus::Bus;
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_wire::fault::{Code, Fault};
use esker_wire::revision::{At, Revision};
use esker_wire::snapshot::{Get, Put};

use crate::world::{Running, World};

/// How long an answer is waited for.
const DEADLINE: Duration = Duration::from_secs(5);
/// How many clients there are.
const CLIENTS: usize = 32;

/// How often something is done: as the environment says, or as often as is quick.
pub(crate) fn often(variable: &str, quick: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(quick)
}

/// A number that is another in every run.
pub(crate) fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |now| u64::from(now.subsec_nanos()))
}

/// Numbers that look random.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A hub that many clients ask while it is killed and started.
pub(crate) struct Stormy<'a> {
    world: &'a World,
    bus: Bus,
    /// Where it is, and how often it was started.
    endpoint: RwLock<Option<(usize, Endpoint)>>,
    starts: AtomicUsize,
    is_over: AtomicBool,
}

impl<'a> Stormy<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        let bus = Bus::start().expect("a bus");
        Self {
            world,
            bus,
            endpoint: RwLock::new(None),
            starts: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        }
    }

    /// Starts the hub and lets the clients in.
    pub(crate) fn start(&self) -> Running {
        drop(std::fs::remove_file(self.world.path(".esker/endpoints.json")));
        let running = self.world.start(&["hub", "--port-base", "0"]);
        self.world.wait_for("the hub", || self.world.endpoints()["hub"].is_object());
        let hub = &self.world.endpoints()["hub"];
        let text = |key: &str| hub[key].as_str().expect("an address").to_owned();
        let endpoint = Endpoint::Tcp { requests: text("requests"), events: text("events") };
        *self.endpoint.write().expect("no client panics") =
            Some((self.starts.fetch_add(1, Ordering::SeqCst), endpoint));
        running
    }

    /// Kills it; what is under way is lost.
    pub(crate) fn kill(&self, running: Running) {
        running.kill();
        *self.endpoint.write().expect("no client panics") = None;
    }

    /// The clients end when this is dropped, however a test ends.
    pub(crate) fn ending(&self) -> Ending<'_> {
        Ending(&self.is_over)
    }

    /// Asks until the end; `client` is called with what asks, and again whenever the hub was started anew.
    pub(crate) fn ask_on(&self, mut client: impl FnMut(&mut dyn FnMut(Ask) -> Answer)) {
        let mut known: Option<(usize, Caller)> = None;
        while !self.is_over.load(Ordering::SeqCst) {
            let endpoint = self.endpoint.read().expect("no client panics").clone();
            let Some((start, endpoint)) = endpoint else {
                std::thread::park_timeout(Duration::from_millis(1));
                continue;
            };
            let caller = match known.take().filter(|(of, _)| *of == start) {
                Some((_, caller)) => caller,
                None => self.bus.caller(&endpoint),
            };
            client(&mut |ask| match ask {
                Ask::Put(put) => Answer::Stored(
                    caller.call_blocking(&*put, DEADLINE).map(|stored| stored.revision),
                ),
                Ask::Get(get) => Answer::Content(
                    caller
                        .call_blocking(&get, DEADLINE)
                        .map(|content| (content.entry.revision, content.bytes.unwrap_or_default())),
                ),
            });
            known = Some((start, caller));
        }
    }
}

/// What a client asks.
pub(crate) enum Ask {
    Put(Box<Put>),
    Get(Get),
}

/// What it is told.
pub(crate) enum Answer {
    Stored(Result<Revision, Fault>),
    Content(Result<(Revision, Bytes), Fault>),
}

/// Whether it is certain that nothing was stored.
pub(crate) fn is_refused(fault: &Fault) -> bool {
    matches!(fault.code, Code::Conflict | Code::NotWritable | Code::BadRequest | Code::Busy)
}

/// A PUT that was told to be stored.
struct Told {
    resource: String,
    revision: Revision,
    content: String,
}

fn put_on(stormy: &Stormy<'_>, client: usize, told: &Mutex<Vec<Told>>) {
    let resource = format!("raw/c{client}");
    let mut number = 0;
    stormy.ask_on(|ask| {
        number += 1;
        let content = format!("{client} {number}\n{}", "x".repeat(number % 700));
        let put = Put::one(resource.parse().expect("a name"), Bytes::from(content.clone()));
        if let Answer::Stored(Ok(revision)) = ask(Ask::Put(Box::new(put))) {
            let resource = resource.clone();
            told.lock().expect("no panic").push(Told { resource, revision, content });
        }
    });
}

#[test]
fn nothing_told_is_lost_in_a_storm() {
    let world = World::new("[project]\nname = \"p\"\n");
    let stormy = Stormy::new(&world);
    let told = Mutex::new(Vec::new());
    let seed = seed();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let kills = often("ESKER_KILLS", 20);
    std::thread::scope(|scope| {
        let (stormy, told) = (&stormy, &told);
        for client in 0..CLIENTS {
            scope.spawn(move || put_on(stormy, client, told));
        }
        let end = stormy.ending();
        for kill in 0..kills {
            let hub = stormy.start();
            let before = told.lock().expect("no panic").len();
            world.wait_for("an answer", || told.lock().expect("no panic").len() > before);
            std::thread::park_timeout(Duration::from_millis(dice.below(60)));
            stormy.kill(hub);
            // git knows the store before esker has opened it again. The later, the longer git takes.
            if kill < 20 || kill % 20 == 0 {
                world.git(&["fsck", "--strict"]);
            }
        }
        drop(end);
    });
    let told = told.into_inner().expect("no panic");
    println!("{kills} kills, {} told", told.len());
    assert!(told.len() as u64 >= kills);
    all_is_there(&world, &told);
}

/// Ends the clients when it is dropped.
pub(crate) struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Everything that was told is there, and main is nothing but what was put.
fn all_is_there(world: &World, told: &[Told]) {
    let stormy = Stormy::new(world);
    let hub = stormy.start();
    let (_, endpoint) = stormy.endpoint.read().expect("no panic").clone().expect("it runs");
    let caller = stormy.bus.caller(&endpoint);
    for told in told {
        let at: At = told.revision.to_string().parse().expect("a revision");
        let get = Get { at, ..Get::head(told.resource.parse().expect("a name")) };
        let found = caller.call_blocking(&get, DEADLINE).expect("what was told is there");
        assert_eq!(found.bytes.as_deref(), Some(told.content.as_bytes()), "{}", told.revision);
    }
    hub.stop();
    world.git(&["fsck", "--strict"]);
    let main = world.git(&["rev-list", "main"]);
    let main: BTreeSet<&str> = main.lines().collect();
    for told in told {
        assert!(main.contains(told.revision.to_string().as_str()), "{}", told.revision);
    }
    // What was under way at a kill may be there as well, and the first commit is.
    let kills = often("ESKER_KILLS", 20) as usize;
    let most = told.len() + kills * CLIENTS + 1;
    assert!(main.len() <= most, "{} commits, {} told", main.len(), told.len());
}

/// How long a moment has lasted, in nanoseconds.
pub(crate) fn since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
