//! Making parts smaller where that is worth it, and reading them again.

use bytes::Bytes;
use esker_wire::bulk::{Codec, Part};
use esker_wire::fault::{Code, Fault};

/// What is shorter is not worth it, in bytes.
const WORTH: usize = 512;
/// How much of a long part is tried first, in bytes.
const SAMPLE: usize = 4096;

/// A part of these bytes, compressed if a look at its beginning says that this saves an eighth.
pub(crate) fn part(bytes: Bytes) -> Part {
    let saves = |compressed: usize, raw: usize| compressed < raw - raw / 8;
    if bytes.len() < WORTH {
        return Part::plain(bytes);
    }
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    if !saves(lz4_flex::block::compress(sample).len(), sample.len()) {
        return Part::plain(bytes);
    }
    let compressed = lz4_flex::block::compress(&bytes);
    if !saves(compressed.len(), bytes.len()) {
        return Part::plain(bytes);
    }
    let raw = bytes.len() as u32;
    Part { codec: Codec::Lz4, raw, ..Part::plain(compressed.into()) }
}

/// What was made a part.
///
/// # Errors
/// `internal` if these are not the bytes that were written. No more than the part says is ever allocated.
pub(crate) fn read(part: &Part) -> Result<Bytes, Fault> {
    let damaged = || {
        let text = "a part of a content is not as it was written: its bytes are damaged";
        Fault::new(Code::Internal, text).hint("read it again, or write it anew")
    };
    if !part.is_whole() {
        return Err(damaged());
    }
    match part.codec {
        Codec::Plain => Ok(part.bytes.clone()),
        Codec::Lz4 => {
            let mut raw = vec![0; part.raw as usize];
            let count = lz4_flex::block::decompress_into(&part.bytes, &mut raw);
            let is_all = count.is_ok_and(|count| count == raw.len());
            if is_all { Ok(raw.into()) } else { Err(damaged()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(count: usize) -> Bytes {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..count).map(|_| next()).collect::<Vec<u8>>().into()
    }

    #[test]
    fn what_repeats_is_made_smaller_and_what_does_not_is_left() {
        let text = Bytes::from("a line that repeats\n".repeat(10_000));
        let small = part(text.clone());
        assert_eq!(small.codec, Codec::Lz4);
        assert!(small.bytes.len() < text.len() / 50);
        assert_eq!(read(&small), Ok(text));
        for count in [0, 100, 100_000] {
            let noise = noise(count);
            let plain = part(noise.clone());
            assert_eq!((plain.codec, plain.bytes.as_ptr()), (Codec::Plain, noise.as_ptr()));
            assert_eq!(read(&plain), Ok(noise));
        }
    }

    #[test]
    fn what_is_damaged_or_lies_about_its_size_is_told() {
        let good = part(Bytes::from("again and again ".repeat(1000)));
        let mut bytes = good.bytes.to_vec();
        bytes[20] ^= 1;
        assert!(read(&Part { bytes: bytes.into(), ..good.clone() }).is_err());
        for raw in [good.raw - 1, good.raw + 1] {
            assert!(read(&Part { raw, ..good.clone() }).is_err(), "{raw}");
        }
    }
}
