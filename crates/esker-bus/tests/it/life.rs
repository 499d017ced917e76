//! Large messages of many at once: nobody is given up who only waits for its turn.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::desk::{Office, SOON};
use crate::hostile;
use crate::python;

/// A sign of life that told when the next one is due had libzmq hang up in the middle of a large message, which was lost
/// then, if the hub had much to read meanwhile.
#[test]
fn no_sign_of_life_promises_the_next_one() {
    let office = Office::new();
    let address = office.server.requests()[0].trim_start_matches("tcp://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let mut hello = hostile::handshake("DEALER");
    // ZMTP 3.1: the first version that knows signs of life.
    hello[11] = 1;
    stream.write_all(&hello).unwrap();
    let mut heard = Vec::new();
    let at = loop {
        let mut bytes = [0; 256];
        let count = stream.read(&mut bytes).unwrap();
        assert!(count > 0, "hung up");
        heard.extend_from_slice(&bytes[..count]);
        let ping = heard.windows(5).position(|window| window == b"\x04PING");
        if let Some(at) = ping.filter(|at| at + 7 <= heard.len()) {
            break at;
        }
    };
    assert_eq!(heard[at + 5..at + 7], [0, 0], "the time to live");
}

#[test]
fn large_messages_of_many_are_all_answered() {
    let office = Office::new();
    let script = r#"
context = zmq.Context()
dealers = []
for number in range(16):
    dealer = context.socket(zmq.DEALER)
    dealer.setsockopt(zmq.RCVTIMEO, 60000)
    dealer.connect(sys.argv[1])
    dealers.append(dealer)
body = bytes(40_000_000)
for dealer in dealers:
    dealer.send_multipart([b"", b"=====esker/1 PUT raw/large\n", body], copy=False)
for dealer in dealers:
    reply = dealer.recv_multipart()
    assert b" OK" in reply[1] and len(reply[2]) == 40_000_000, reply[1]
"#;
    python::run(script, &[&office.server.requests()[0]]);
}
