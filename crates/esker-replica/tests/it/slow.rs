//! A wire of 150 kilobytes a second, as a tunnel to another host may be: a copy takes many seconds, and the publisher changes more
//! meanwhile than it keeps.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use esker_bus::bus::{Binds, Bus};
use esker_bus::endpoint::Endpoint;
use esker_replica::follow::Follow;
use esker_replica::live;
use esker_replica::model::Model;
use esker_replica::op::Op;
use esker_replica::path::path;
use esker_replica::publisher::Options;
use esker_replica::replica::{self, State};

use crate::dice::Dice;

/// Bytes a second.
const RATE: u64 = 150_000;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Forwards what connects, no faster than the wire is towards who connects; where it listens, and the bytes that came through.
fn wire(to: &str) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let to = to.strip_prefix("tcp://").unwrap().to_owned();
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let (near, far) = (near.unwrap(), TcpStream::connect(&to).unwrap());
            let (mut asking, mut asked) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut asking, &mut asked));
            let counted = Arc::clone(&counted);
            std::thread::spawn(move || slowly(far, near, &counted));
        }
    });
    (address, count)
}

/// What the wire does until one end has gone.
fn slowly(mut from: TcpStream, mut to: TcpStream, count: &AtomicU64) {
    let mut buffer = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        // The wire is what takes the time here: nothing is waited for.
        std::thread::sleep(Duration::from_micros(read as u64 * 1_000_000 / RATE));
        count.fetch_add(read as u64, Ordering::Relaxed);
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
}

#[test]
fn a_copy_over_a_slow_wire_ends_though_more_changes_than_is_kept() {
    let mut dice = Dice::new(1);
    let mut model = Model::default();
    for at in 0..30_000 {
        let leaf = path([format!("section {}", at / 1000), format!("leaf {}", at % 1000)]);
        let value = format!("{:016x}{:016x}", dice.below(u64::MAX), dice.below(u64::MAX));
        model.take(&[Op::set(leaf, value.as_str())], 1);
    }
    let options = Options { ring_bytes_max: 20_000, ..Options::new("m", 1) };
    let free = || vec!["tcp://127.0.0.1:0".to_owned()];
    let binds = Binds { requests: free(), events: free(), ..Binds::default() };
    let bus = Bus::start().unwrap();
    let (server, source) = live::serve(&bus, &options, Some(model), &binds).unwrap();
    let (requests, through) = wire(&server.requests()[0]);
    let to = Endpoint::Tcp { requests, events: server.events()[0].clone() };
    let follow = Follow::start(&bus, &to, "m", replica::Options::default()).unwrap();
    let begun = Instant::now();
    let mut changes = 0_u64;
    while follow.state() != State::Live {
        assert!(begun.elapsed() < PATIENCE, "{:?} {:?}", follow.state(), follow.counts());
        let leaf = path([format!("section {}", changes % 30), format!("leaf {}", changes % 977)]);
        source.change(vec![Op::set(leaf, format!("changed {changes}").as_str())]).unwrap();
        changes += 1;
    }
    let digest = source.model().unwrap().digest();
    while follow.state() != State::Live || follow.model().digest() != digest {
        assert!(begun.elapsed() < PATIENCE, "{:?} {:?}", follow.state(), follow.counts());
        std::thread::yield_now();
    }
    assert!(changes > 1000, "{changes} changes are more than is kept");
    assert_eq!((follow.model().recompute(), follow.counts().mismatches), (digest, 0));
    let bytes = through.load(Ordering::Relaxed);
    assert!(
        (500_000..4_000_000).contains(&bytes),
        "{bytes} bytes: it was copied, and not again and again"
    );
}
