//! Bytes that mean harm, while an honest client goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use esker_bus::bus::Limits;

use crate::desk::{Office, SOON, say};
use crate::python;

/// Longer than the handshake time-out here, shorter than any other that might throw a peer out.
const THROWN_OUT_MAX: Duration = Duration::from_secs(6);

/// A ZMTP 3.0 greeting, mechanism NULL.
fn greeting() -> Vec<u8> {
    let mut bytes = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0];
    bytes.extend(b"NULL");
    bytes.resize(64, 0);
    bytes
}

/// The greeting and the READY command of a socket of this type.
pub(crate) fn handshake(kind: &str) -> Vec<u8> {
    let mut ready = b"\x05READY\x0bSocket-Type".to_vec();
    ready.extend([0, 0, 0, u8::try_from(kind.len()).unwrap()]);
    ready.extend(kind.as_bytes());
    let mut bytes = greeting();
    bytes.extend([4, u8::try_from(ready.len()).unwrap()]);
    bytes.extend(ready);
    bytes
}

/// Attacks both sockets while a client that was there before, and one that comes new each time, are served.
fn check(attack: impl Fn(TcpStream, &str)) {
    let limits = Limits { handshake_timeout: Duration::from_millis(300), ..Limits::default() };
    let office = Office::with(limits);
    let honest = office.caller();
    let (bus, to) = (&office.bus, &office.tcp());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                say(&honest, "honest");
                say(&bus.caller(to), "new");
            }
        });
        let targets = [(office.server.requests(), "DEALER"), (office.server.events(), "SUB")];
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for (addresses, kind) in targets {
                let stream = TcpStream::connect(addresses[0].trim_start_matches("tcp://"));
                let stream = stream.unwrap();
                stream.set_read_timeout(Some(THROWN_OUT_MAX)).unwrap();
                stream.set_write_timeout(Some(SOON)).unwrap();
                attack(stream, kind);
            }
        }));
        over.store(true, Ordering::Relaxed);
        done.unwrap();
    });
    let mut follow = office.bus.follow(&office.tcp(), &["esker/1 "]);
    assert!(follow.recv_timeout(SOON).is_some(), "no event after the attack");
}

/// Expects to be thrown out.
pub(crate) fn thrown_out(mut stream: &TcpStream) {
    let mut bytes = [0; 4096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                let kind = error.kind();
                assert_eq!(kind, std::io::ErrorKind::ConnectionReset, "{error}");
                return;
            }
        }
    }
}

#[test]
fn random_bytes() {
    // xorshift64, a fixed seed.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let blocks: Vec<Vec<u8>> = (0..100)
        .map(|_| {
            let words = random() % 500 + 9;
            (0..words).flat_map(|_| random().to_le_bytes()).collect()
        })
        .collect();
    check(|stream, kind| {
        for block in &blocks {
            let mut naked = TcpStream::connect(stream.peer_addr().unwrap()).unwrap();
            // The far end may close before it has all.
            naked.write_all(block).ok();
            let mut polite = TcpStream::connect(stream.peer_addr().unwrap()).unwrap();
            polite.write_all(&handshake(kind)).ok();
            polite.write_all(block).ok();
        }
    });
}

#[test]
fn http() {
    check(|mut stream, _| {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        thrown_out(&stream);
    });
}

#[test]
fn two_gigabytes_announced() {
    check(|mut stream, kind| {
        stream.write_all(&handshake(kind)).unwrap();
        stream.write_all(&[2, 0, 0, 0, 0, 0x80, 0, 0, 0]).unwrap();
        thrown_out(&stream);
    });
}

#[test]
fn two_gigabytes_before_the_handshake() {
    check(|mut stream, _| {
        stream.write_all(&greeting()).unwrap();
        stream.write_all(&[2, 0, 0, 0, 0, 0x80, 0, 0, 0]).unwrap();
        thrown_out(&stream);
    });
}

#[test]
fn half_a_greeting() {
    check(|mut stream, _| {
        stream.write_all(&greeting()[..20]).unwrap();
        thrown_out(&stream);
    });
}

#[test]
fn a_handshake_that_never_ends() {
    check(|mut stream, _| {
        stream.write_all(&greeting()).unwrap();
        thrown_out(&stream);
    });
}

#[test]
fn frames_without_an_end() {
    check(|mut stream, kind| {
        stream.write_all(&handshake(kind)).unwrap();
        // More empty frames than any message may have; a closed connection ends it.
        let block = [1, 0].repeat(64 * 1024);
        let refused = (0..64).any(|_| stream.write_all(&block).is_err());
        if !refused {
            thrown_out(&stream);
        }
    });
}

#[test]
fn answers_nobody_reads() {
    check(|mut stream, kind| {
        stream.write_all(&handshake(kind)).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        // A frame that is followed by another, then a long last one.
        let head = b"=====esker/1 SAY x";
        let mut request = vec![1, u8::try_from(head.len()).unwrap()];
        request.extend(head);
        request.extend([2, 0, 0, 0, 0, 0, 1, 0x86, 0xa0]);
        request.resize(request.len() + 100_000, 7);
        // More than any buffer on the way holds; the far end may well stop reading.
        for _ in 0..2000 {
            if stream.write_all(&request).is_err() {
                return;
            }
        }
    });
}

#[test]
fn three_hundred_at_once() {
    check(|stream, kind| {
        let address = stream.peer_addr().unwrap();
        let mut crowd: Vec<_> = (0..300).map(|_| TcpStream::connect(address).unwrap()).collect();
        for stream in crowd.iter_mut().step_by(2) {
            stream.write_all(&handshake(kind)).unwrap();
        }
        drop(crowd.split_off(200));
        for stream in crowd.iter().skip(1).step_by(2) {
            stream.set_read_timeout(Some(THROWN_OUT_MAX)).unwrap();
            thrown_out(stream);
        }
    });
}

#[test]
fn ten_thousand_empty_frames() {
    let office = Office::new();
    let script = "
dealer = zmq.Context().socket(zmq.DEALER)
dealer.setsockopt(zmq.RCVTIMEO, 20000)
dealer.connect(sys.argv[1])
for count in [1, 2, 10000, 16384, 20000]:
    dealer.send_multipart([b''] * count)
    print(count, dealer.recv_multipart()[-1][:30].decode())
";
    let said = python::run(script, &[&office.server.requests()[0]]);
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 5, "{said}");
    assert!(lines.iter().all(|line| line.contains("ERROR: ")), "{said}");
    assert!(lines[4].contains("ERROR: the request has 19999"), "{said}");
    say(&office.caller(), "still well");
}
