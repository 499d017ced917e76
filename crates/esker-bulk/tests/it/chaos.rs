//! A network that loses messages and answers, holds them back, and brings them twice, also long after: whatever was
//! acknowledged is there once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use esker_bulk::client::Client;
use esker_bus::bus::{Binds, Bus, Limits};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_bus::service::{Frames, Outcome, Service};
use esker_wire::bulk::BULK_MAX;
use tokio::task::JoinSet;

use crate::cluster::{MIB, World};

/// Of so many messages, one meets each of the mishaps.
const ONE_IN: u64 = 20;
/// How long a worker may take to answer what is passed on.
const PASSED_ON: Duration = Duration::from_secs(20);

/// Stands before a worker and passes its messages on, most of them.
struct Chaos {
    to: Caller,
    state: u64,
    done: Done,
}

/// How often each mishap was.
type Done = Arc<Mutex<BTreeMap<&'static str, usize>>>;

impl Chaos {
    /// Before an address: where it listens, and what it has done.
    fn before(bus: &Bus, address: &str) -> (Server, Done) {
        let (requests, events) = (address.to_owned(), address.to_owned());
        let (to, done) = (bus.caller(&Endpoint::Tcp { requests, events }), Done::default());
        let limits = Limits { message_max: BULK_MAX, ..Limits::default() };
        let requests = vec!["tcp://127.0.0.1:0".to_owned()];
        let binds = Binds { requests, events: Vec::new(), limits };
        let chaos = Self { to, state: 0x9e37_79b9_7f4a_7c15, done: Arc::clone(&done) };
        (bus.serve("chaos", chaos, &binds).expect("a server"), done)
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    }

    fn pass(&mut self, frames: Frames) -> Outcome {
        let (to, chance, wait) = (self.to.clone(), self.next() % ONE_IN, self.next() % 300);
        let wait = Duration::from_millis(wait);
        let mishap = match chance {
            0 => "lost",
            1 => "answer lost",
            2 => "held back",
            3 => "twice",
            4 => "again later",
            _ => "none",
        };
        *self.done.lock().expect("no panic").entry(mishap).or_default() += 1;
        let ask = move |frames: Frames| {
            let to = to.clone();
            async move { to.exchange(frames, PASSED_ON).await.expect("the worker answers") }
        };
        let awaited = async move {
            match mishap {
                "lost" => std::future::pending().await,
                "answer lost" => {
                    ask(frames).await;
                    std::future::pending().await
                }
                "held back" => {
                    tokio::time::sleep(wait).await;
                    ask(frames).await
                }
                "twice" => {
                    let first = tokio::spawn(ask(frames.clone()));
                    let second = ask(frames).await;
                    drop(first.await);
                    second
                }
                "again later" => {
                    let answer = ask(frames.clone()).await;
                    tokio::spawn(async move {
                        tokio::time::sleep(wait).await;
                        ask(frames).await
                    });
                    answer
                }
                _ => ask(frames).await,
            }
        };
        Outcome { awaited: Some(Box::pin(awaited)), ..Outcome::default() }
    }
}

impl Service for Chaos {
    fn handle(&mut self, requests: &[Frames]) -> Vec<Outcome> {
        requests.iter().map(|frames| self.pass(frames.clone())).collect()
    }

    fn tick(&mut self) -> Vec<Frames> {
        Vec::new()
    }
}

/// What one client adds: lines that only it adds, some to each id, all at once.
async fn add(client: Client, who: usize) {
    let mut tasks = JoinSet::new();
    for number in 0..300 {
        let client = client.clone();
        tasks.spawn(async move {
            let line = format!("{who} {number}\n");
            client.append(format!("log{}", number % 7), line).await
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no panic").expect("added");
    }
}

#[test]
fn whatever_a_network_does_each_batch_is_there_once() {
    let world = World::listed(2, 64 * MIB);
    let chaos: Vec<(Server, Done)> = world
        .workers
        .iter()
        .map(|worker| Chaos::before(&world.bus, &worker.addresses()[0]))
        .collect();
    let behind: Vec<&str> = chaos.iter().map(|(server, _)| &*server.requests()[0]).collect();
    let cluster = world.list(&behind);
    let clients: Vec<Client> = (0..4).map(|_| world.client_of(&cluster)).collect();
    let long: Bytes = (0..12_000_000_u32).map(|number| (number >> 3) as u8).collect();
    std::thread::scope(|scope| {
        for (who, client) in clients.iter().enumerate() {
            let long = long.clone();
            scope.spawn(move || {
                client.block_on(async {
                    add(client.clone(), who).await;
                    client.set(format!("long{who}"), long).await.expect("set");
                });
            });
        }
    });
    // What comes again later comes while this is looked at, too.
    let honest = world.client();
    honest.block_on(async {
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        for log in 0..7 {
            let text = honest.get(format!("log{log}")).await.expect("read").expect("there");
            for line in String::from_utf8(text.to_vec()).expect("UTF-8").lines() {
                *lines.entry(line.to_owned()).or_default() += 1;
            }
        }
        assert_eq!(lines.len(), 4 * 300, "none is missing");
        assert!(lines.values().all(|count| *count == 1), "none is there twice");
        for who in 0..4 {
            assert!(honest.get(format!("long{who}")).await.expect("read") == Some(long.clone()));
        }
        let logs = (0..7).map(|log| format!("log{log}"));
        let ids = logs.chain((0..4).map(|who| format!("long{who}")));
        assert_eq!(honest.remove_all(ids.map(Bytes::from).collect()).await, Ok(11));
    });
    for (at, (_, done)) in chaos.iter().enumerate() {
        let done = done.lock().expect("no panic");
        assert_eq!(done.len(), 6, "each mishap has been: {done:?}");
        let standing = world.standing(at);
        for class in ["cached", "pinned", "staged", "flight", "disk"] {
            assert_eq!(standing["ledger"][class], 0, "{class} of {standing}");
        }
        assert!(standing["tally"]["duplicates"].as_u64().expect("a number") > 0, "{standing}");
    }
}
