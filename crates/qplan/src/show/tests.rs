//! Numbers as the original printed them.

use super::*;
use crate::number::real;
use proptest::prelude::*;

fn shown(number: f32) -> String {
    let mut out = Vec::new();
    float(&mut out, number);
    String::from_utf8(out).expect("digits")
}

#[test]
fn numbers_the_original_printed() {
    let printed = [
        "0.0",
        "1.0",
        "5.0e-2",
        "0.1",
        "0.3",
        "1.0e-3",
        "2.0000002",
        "11.599994",
        "11.5999975",
        "5.7999988",
        "17.600004",
        "7.6000013",
        "10.333333",
        "3.3333333",
        "64.0",
        "37.8",
        "9999993.0",
        "1.0e7",
        "1.0000031e7",
        "1.2345678e7",
        "1.2345714e7",
        "-1.234565e7",
        "-9999993.0",
        "-5.0e-2",
        "-1.0",
    ];
    for text in printed {
        let number = real(text).expect("a number");
        assert_eq!(shown(number), text);
    }
}

#[test]
fn ties_go_up_and_the_ends_of_the_interval_are_outside() {
    let cases = [
        (266_898.63, "266898.63"),
        (16_777_216.0, "1.6777216e7"),
        (8_388_607.5, "8388607.5"),
        (33_554_432.0, "3.3554432e7"),
        (f32::MAX, "3.4028235e38"),
        (f32::MIN_POSITIVE, "1.1754944e-38"),
        (f32::from_bits(1), "1.0e-45"),
        (f32::from_bits(0x007f_ffff), "1.1754942e-38"),
        (0.099_999_994, "9.9999994e-2"),
        (9_999_999.0, "9999999.0"),
        (0.125, "0.125"),
    ];
    for (number, expected) in cases {
        let found = shown(number);
        assert_eq!(found.parse::<f32>(), Ok(number), "{found} reads back");
        assert_eq!(found, expected);
    }
}

#[test]
fn numbers_that_are_none() {
    assert_eq!(shown(f32::NAN), "NaN");
    assert_eq!(shown(f32::INFINITY), "Infinity");
    assert_eq!(shown(f32::NEG_INFINITY), "-Infinity");
    assert_eq!(shown(-0.0), "-0.0");
}

proptest! {
    #[test]
    fn every_number_reads_back(bits in any::<u32>()) {
        let number = f32::from_bits(bits);
        let again = real(&shown(number)).expect("what is printed is read");
        prop_assert!(again.to_bits() == bits || number.is_nan());
    }

    #[test]
    fn a_number_is_as_short_as_rust_prints_it_or_longer_beside_an_end(bits in 0_u32..0x7f80_0000) {
        /// What tells every `f32` from its neighbours.
        const DIGITS_MAX: usize = 9;
        let digits = |text: String| text.bytes().filter(u8::is_ascii_digit).count();
        let (ours, _) = if bits == 0 { (vec![b'0'], 0) } else { shortest(f32::from_bits(bits)) };
        let rusts = format!("{:e}", f32::from_bits(bits));
        let mantissa = rusts.split('e').next().unwrap_or_default().to_owned();
        // Where Rust takes an end of the interval, which may be a round number, ours is a number inside.
        prop_assert!((digits(mantissa)..=DIGITS_MAX).contains(&ours.len()));
    }
}
