//! Messages that never end, and clients that never go: bounded in time, in memory and in number.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use esker_bus::bus::Limits;

use crate::desk::{Ask, Office, SOON, say};
use crate::hostile::{handshake, thrown_out};

/// Less than anybody waits for anything here.
const SHORT: Duration = Duration::from_millis(300);

const BODY: usize = 20_000_000;

fn connect(address: &str, kind: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address.trim_start_matches("tcp://")).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.set_write_timeout(Some(SHORT)).unwrap();
    stream.write_all(&handshake(kind)).unwrap();
    stream
}

/// The beginning of a PUT of so many bytes.
fn beginning(bytes: usize) -> Vec<u8> {
    let head = b"=====esker/1 PUT raw/held";
    let mut message = vec![1, u8::try_from(head.len()).unwrap()];
    message.extend(head);
    message.push(2);
    message.extend(bytes.to_be_bytes());
    message
}

/// Sends all of a large PUT but its last byte; whether it was taken.
fn hold(stream: &mut TcpStream) -> bool {
    let mut message = beginning(BODY);
    message.resize(message.len() + BODY - 1, 7);
    stream.write_all(&message).is_ok()
}

/// Whether the far end says its greeting.
fn is_greeted(stream: &mut TcpStream, wait: Duration) -> bool {
    stream.set_read_timeout(Some(wait)).unwrap();
    stream.read_exact(&mut [0; 64]).is_ok()
}

#[test]
fn a_message_that_stalls_closes_its_connection() {
    let office = Office::with(Limits { stall_max: SHORT, ..Limits::default() });
    let address = &office.server.requests()[0];
    for sent in [1, 10, 5000] {
        let mut stream = connect(address, "DEALER");
        let message = [beginning(100_000), vec![7; 5000]].concat();
        stream.write_all(&message[..sent]).unwrap();
        thrown_out(&stream);
    }
    say(&office.caller(), "others are served");
}

#[test]
fn a_message_that_goes_on_may_take_its_time() {
    let office = Office::with(Limits { stall_max: SHORT, ..Limits::default() });
    let mut stream = connect(&office.server.requests()[0], "DEALER");
    let began = Instant::now();
    let piece = vec![7; 100_000];
    stream.write_all(&beginning(30 * piece.len())).unwrap();
    let mut heard = Vec::new();
    for number in 1..=30 {
        stream.write_all(&piece).unwrap();
        // What is not said is waited for: that is the time it takes.
        let due = began + SHORT * number / 10;
        while !due.saturating_duration_since(Instant::now()).is_zero() {
            listen(&mut stream, Duration::from_millis(10), &mut heard);
        }
    }
    while !heard.windows(3).any(|window| window == b" OK") {
        assert!(began.elapsed() < SOON && listen(&mut stream, SOON, &mut heard), "{heard:?}");
    }
}

/// Hears what is said in this time; false at the end.
fn listen(stream: &mut TcpStream, wait: Duration, heard: &mut Vec<u8>) -> bool {
    stream.set_read_timeout(Some(wait)).unwrap();
    let mut bytes = [0; 4096];
    match stream.read(&mut bytes) {
        Ok(count) => {
            heard.extend_from_slice(&bytes[..count]);
            count > 0
        }
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    }
}

#[test]
fn unfinished_messages_share_a_bounded_room() {
    let limits =
        Limits { incoming_bytes_max: 2 * BODY + 4096, stall_max: SOON, ..Limits::default() };
    let limits = Limits { message_max: 2 * BODY, ..limits };
    let office = Office::with(limits);
    let address = &office.server.requests()[0];
    let mut holders: Vec<_> = (0..8).map(|_| connect(address, "DEALER")).collect();
    let taken: Vec<_> = holders.iter_mut().map(hold).collect();
    // What the system keeps of the others is not enough for one of them.
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 2, "{taken:?}");
    say(&office.caller(), "small messages need none of it");
    // When they go, there is room for others.
    drop(holders);
    let mut ask = Ask::<false>::new("SAY", "large");
    ask.0.body = vec![vec![7; BODY].into()];
    office.caller().call_blocking(&ask, SOON).unwrap();
}

#[test]
fn clients_are_bounded_and_wait_until_one_goes() {
    let office = Office::with(Limits { clients_max: 3, ..Limits::default() });
    let address = &office.server.requests()[0];
    let mut clients: Vec<_> = (0..3).map(|_| connect(address, "DEALER")).collect();
    assert!(clients.iter_mut().all(|client| is_greeted(client, SOON)));
    let mut fourth = connect(address, "DEALER");
    assert!(!is_greeted(&mut fourth, SHORT));
    clients.pop();
    assert!(is_greeted(&mut fourth, SOON));
    drop(clients);
    say(&office.caller(), "and so does everybody else");
}

#[test]
fn followers_are_bounded() {
    let office = Office::with(Limits { followers_max: 3, ..Limits::default() });
    let address = &office.server.events()[0];
    let mut followers: Vec<_> = (0..3).map(|_| connect(address, "SUB")).collect();
    assert!(followers.iter_mut().all(|follower| is_greeted(follower, SOON)));
    let fourth = connect(address, "SUB");
    thrown_out(&fourth);
    say(&office.caller(), "requests are another matter");
}
