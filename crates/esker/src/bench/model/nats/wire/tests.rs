//! Lines of NATS' protocol, read and refused.

use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

/// A server that says this, and what it is told until the client ends.
fn server(says: &'static str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let told = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(says.as_bytes()).unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).unwrap();
        told
    });
    (address, told)
}

#[test]
fn what_is_delivered_is_taken_apart() {
    let (address, told) = server(
        "INFO {}\r\nMSG a.b 2 5\r\nhello\r\nPING\r\nMSG a.b 2 to.me 0\r\n\r\nHMSG a 2 back 12 15\r\nNATS/1.0\r\n\r\nend\r\n",
    );
    let mut wire = Wire::connect(&address).unwrap();
    let mut delivered = Delivered::default();
    let mut seen = Vec::new();
    for _ in 0..3 {
        wire.next(&mut delivered).unwrap();
        let Delivered { subject, reply, header, body } = &delivered;
        let texts = [header, body].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        seen.push(format!("{subject}|{reply}|{}|{}", texts[0].trim(), texts[1]));
    }
    assert_eq!(seen, ["a.b|||hello", "a.b|to.me||", "a|back|NATS/1.0|end"]);
    drop(wire);
    let told = told.join().unwrap();
    assert!(told.ends_with("PONG\r\n"), "{told:?}");
}

#[test]
fn each_subject_has_a_number_of_its_own() {
    let (address, told) = server("");
    let mut wire = Wire::connect(&address).unwrap();
    wire.subscribe("a").unwrap();
    wire.subscribe("b").unwrap();
    wire.publish("c", b"hello").unwrap();
    wire.flush().unwrap();
    drop(wire);
    let told = told.join().unwrap();
    assert!(told.ends_with("SUB a 2\r\nSUB b 3\r\nPUB c 5\r\nhello\r\n"), "{told:?}");
}

#[test]
fn what_a_server_says_is_wrong_ends_it() {
    for says in
        ["-ERR 'Unknown'\r\n", "MSG a\r\n", "MSG a 1 many\r\n", "HMSG a 1 5\r\n", "MSG a 1 5\r\nhe"]
    {
        let (address, told) = server(says);
        let mut wire = Wire::connect(&address).unwrap();
        // The server stays, so that an end of what it says is not waited for.
        wire.writer.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
        assert!(wire.next(&mut Delivered::default()).is_err(), "{says:?}");
        drop(wire);
        drop(told.join());
    }
}
