//! What a delta tells is read again by the plainest reader of the format; git reads them in `pack/tests.rs`.

use proptest::prelude::*;

use super::encode;

/// The content a delta makes from its base.
fn decode(base: &[u8], delta: &[u8]) -> Vec<u8> {
    let mut bytes = delta.iter().copied();
    let mut size = || {
        let (mut value, mut shift) = (0_usize, 0);
        loop {
            let byte = bytes.next().expect("a size");
            value |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    assert_eq!(size(), base.len());
    let total = size();
    let mut out = Vec::new();
    while let Some(op) = bytes.next() {
        if op < 0x80 {
            assert_ne!(op, 0);
            out.extend(bytes.by_ref().take(usize::from(op)));
            continue;
        }
        let mut number = |bits: std::ops::Range<u8>| {
            let first = bits.start;
            bits.filter(|bit| op & (1 << bit) != 0).fold(0_usize, |value, bit| {
                value | usize::from(bytes.next().expect("a byte")) << (8 * (bit - first))
            })
        };
        let (from, length) = (number(0..4), number(4..7));
        let length = if length == 0 { 0x10000 } else { length };
        out.extend_from_slice(&base[from..from + length]);
    }
    assert_eq!(out.len(), total);
    out
}

fn check(base: &[u8], new: &[u8]) -> usize {
    let delta = encode(base, new, usize::MAX / 2).expect("a delta");
    assert_eq!(decode(base, &delta), new);
    delta.len()
}

#[test]
fn one_change_in_a_long_table_is_a_short_delta() {
    let rows: Vec<String> =
        (0..20_000).map(|row| format!("{row},name {row},2026-01-01\n")).collect();
    let base = rows.concat();
    let mut changed = rows.clone();
    changed[77] = "77,another name,2026-01-01\n".to_owned();
    changed[10_000] = "10000,name 10000,2026-02-02\n".to_owned();
    changed.remove(15_000);
    assert!(check(base.as_bytes(), changed.concat().as_bytes()) < 200);
    assert!(check(base.as_bytes(), base.as_bytes()) < 30);
}

#[test]
fn sizes_at_the_limits_of_the_format() {
    let long: Vec<u8> =
        (0..0x10_0000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for size in [0, 1, 15, 16, 17, 127, 128, 0xffff, 0x10000, 0x10001] {
        check(&long[..size], &long[..size]);
        check(&[], &long[..size]);
        check(&long[..size], &[]);
        check(&long[1..], &long[..size]);
    }
}

#[test]
fn what_has_nothing_in_common_has_no_delta() {
    let noise = |seed: u64| -> Vec<u8> {
        let mut state = seed;
        let next = std::iter::from_fn(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            Some((state >> 56) as u8)
        });
        next.take(4096).collect()
    };
    assert_eq!(encode(&noise(1), &noise(2), 2048), None);
}

proptest! {
    #[test]
    fn any_edits(
        base in proptest::collection::vec(0_u8..4, 0..600),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..40, proptest::collection::vec(0_u8..4, 0..40)), 0..6),
    ) {
        let mut new = base.clone();
        for (at, removed, added) in edits {
            let at = if new.is_empty() { 0 } else { at.index(new.len()) };
            let end = (at + removed).min(new.len());
            new.splice(at..end, added);
        }
        check(&base, &new);
    }
}
