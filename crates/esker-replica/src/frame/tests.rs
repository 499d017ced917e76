//! Frames: what is read is what was written, and hostile ones are refused before they cost memory.

use proptest::prelude::*;

use super::*;
use crate::bytes::put_varint;

proptest! {
    #[test]
    fn whatever_header_can_be_read_is_written_the_same(bytes in proptest::collection::vec(any::<u8>(), HEADER), plain: bool) {
        let mut bytes = bytes;
        let kind = 1 + bytes[3] % 6;
        bytes[..8].copy_from_slice(&[0xe5, 0x1c, 1, kind, u8::from(plain), 0, 1, 1]);
        if let Ok(header) = Header::from_bytes(&bytes) {
            prop_assert_eq!(&header.to_bytes()[..], &bytes[..]);
        }
    }

    #[test]
    fn a_body_comes_back_compressed_or_not(body: Vec<u8>, times in 1_usize..200, compressed: bool) {
        let frame = Frame { header: Header::new(Type::Chunk), body: body.repeat(times).into() };
        prop_assert_eq!(Frame::from_one(&frame.to_one(compressed)), Ok(frame));
    }
}

fn compressed(size: u64, bytes: &[u8]) -> Result<Frame, Malformed> {
    let header = Header { compressed: true, ..Header::new(Type::Chunk) };
    let mut body = Vec::new();
    put_varint(&mut body, size);
    body.extend(bytes);
    Frame::read(&header.to_bytes(), body.into())
}

#[test]
fn what_grows_beyond_all_measure_is_refused() {
    let bomb = zstd::bulk::compress(&vec![0; 64 * 1024 * 1024], 1).unwrap();
    assert!(bomb.len() < 10_000);
    for size in [64 * 1024 * 1024, 4 << 30, u64::MAX] {
        assert!(compressed(size, &bomb).unwrap_err().what.contains("too large once"));
    }
    // It lies about its size.
    assert!(compressed(1000, &bomb).is_err());
    assert!(compressed(BODY_MAX as u64, &bomb).is_err());
    let small = zstd::bulk::compress(b"text", 1).unwrap();
    assert_eq!(compressed(4, &small).unwrap().body, "text");
    for size in [0, 3, 5, 1000] {
        assert!(compressed(size, &small).is_err(), "{size}");
    }
    assert!(compressed(4, b"text").is_err());
}

#[test]
fn a_body_is_bounded() {
    let header = Header::new(Type::Delta).to_bytes();
    assert!(Frame::read(&header, vec![0; BODY_MAX].into()).is_ok());
    assert!(Frame::read(&header, vec![0; BODY_MAX + 1].into()).is_err());
}

#[test]
fn other_headers_are_refused() {
    let good = Header::new(Type::Delta).to_bytes();
    let wrong = |at: usize, byte: u8| {
        let mut bytes = good;
        bytes[at] = byte;
        Header::from_bytes(&bytes).unwrap_err().what
    };
    assert_eq!(wrong(0, 0), "this is no frame of a model");
    assert_eq!(wrong(1, 0), "this is no frame of a model");
    assert_eq!(wrong(2, 2), "the frame is of another version");
    assert_eq!(wrong(3, 0), "there is no such type of frame");
    assert_eq!(wrong(3, 7), "there is no such type of frame");
    assert_eq!(wrong(4, 4), "the frame has flags of another version");
    assert_eq!(wrong(5, 1), "the frame has flags of another version");
    assert_eq!(wrong(6, 0), "the frame has another codec or digest");
    assert_eq!(wrong(7, 2), "the frame has another codec or digest");
    assert_eq!(wrong(60, 1), "the frame is a part of none");
    assert_eq!(wrong(62, 0), "the frame is a part of none");
    for size in [0, 71, 73] {
        assert!(Header::from_bytes(&vec![0; size]).is_err());
        assert!(Frame::from_one(&Bytes::from(vec![0; size.min(71)])).is_err());
    }
}
