//! What is damaged is no entry, and stops nobody. That whole packs are read is held by `upkeep/tests.rs`.

use super::*;

#[test]
fn a_distance_beyond_every_pack_is_no_entry() {
    for byte in [0xfe, 0xff] {
        let mut bytes = vec![byte; 40];
        bytes[0] = OFS_DELTA << 4;
        assert!(head_of(&bytes).is_none());
        bytes[39] = 0;
        assert!(head_of(&bytes).is_none());
    }
    assert_eq!(head_of(&[OFS_DELTA << 4, 0x81, 0x00]).unwrap().back, 256);
}
