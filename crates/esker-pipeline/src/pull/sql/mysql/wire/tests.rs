//! Packets by the bytes, whole and cut off.

use std::time::Duration;

use super::*;

fn pair() -> (Wire, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Wire::new(Stream::Local(ours), Instant::now() + Duration::from_secs(20)), theirs)
}

#[test]
fn packets_go_and_come_in_order() {
    let (mut wire, mut server) = pair();
    wire.command(3, b"select 1").unwrap();
    let mut bytes = [0; 13];
    server.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"\x09\0\0\0\x03select 1");
    server.write_all(b"\x02\0\0\x01ok").unwrap();
    assert_eq!(wire.receive().unwrap(), b"ok");
    wire.send(b"x").unwrap();
    let mut bytes = [0; 5];
    server.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"\x01\0\0\x02x");
}

#[test]
fn long_packets_come_in_parts() {
    let (mut wire, mut server) = pair();
    let sender = std::thread::spawn(move || {
        server.write_all(b"\xff\xff\xff\0").unwrap();
        server.write_all(&vec![7; PACKET_MAX]).unwrap();
        server.write_all(b"\x01\0\0\x01\x08").unwrap();
    });
    let packet = wire.receive().unwrap();
    sender.join().unwrap();
    assert_eq!((packet.len(), packet.last()), (PACKET_MAX + 1, Some(&8)));
}

#[test]
fn a_refusal_is_an_error_and_so_is_silence() {
    let (mut wire, mut server) = pair();
    server.write_all(b"\x10\0\0\0\xff\x15\x04#28000go\naway").unwrap();
    assert!(
        matches!(wire.receive(), Err(Wrong::Told(told)) if told.code == 1045 && told.text == "go away")
    );
    server.write_all(b"\x00\0\0\0").unwrap();
    assert!(matches!(wire.receive(), Err(Wrong::Strange(_))));
    wire.set_deadline(Instant::now() + Duration::from_millis(50));
    assert!(matches!(wire.receive(), Err(Wrong::Late)));
    wire.set_deadline(Instant::now() + Duration::from_secs(20));
    server.write_all(b"\x05\0\0\0ha").unwrap();
    drop(server);
    assert!(matches!(wire.receive(), Err(Wrong::Gone(why)) if why == "it broke off"));
}

#[test]
fn fields_never_reach_beyond_their_packet() {
    let numbers = [(&b"\x07"[..], 7), (b"\xfc\x01\x02", 0x201), (b"\xfd\x01\x02\x03", 0x3_0201)];
    for (bytes, number) in numbers {
        assert_eq!(Fields::new(bytes).number().unwrap(), number);
    }
    assert_eq!(Fields::new(b"\xfe\x01\0\0\0\0\0\0\0").number().unwrap(), 1);
    for bytes in [&b""[..], b"\xff", b"\xfc\x01", b"\xfe\x01"] {
        assert!(Fields::new(bytes).number().is_err());
    }
    assert!(Fields::new(b"\x05abc").text().is_err());
    assert!(Fields::new(b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff").text().is_err());
    let mut fields = Fields::new(b"\xfb\x01a");
    assert_eq!(fields.value().unwrap(), None);
    assert_eq!(fields.value().unwrap(), Some(&b"a"[..]));
}
