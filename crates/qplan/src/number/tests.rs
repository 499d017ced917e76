//! What is a number and what is not.

use super::*;

#[test]
fn whole_numbers() {
    let accepted = [
        ("7", 7),
        (" 7 ", 7),
        ("(5)", 5),
        ("( ( 5 ) )", 5),
        ("-3", -3),
        ("- 3", -3),
        ("(-3)", -3),
        ("007", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("-9223372036854775808", i64::MIN),
        ("\u{a0}7\t", 7),
    ];
    for (text, expected) in accepted {
        assert_eq!(integer(text), Some(expected), "{text:?}");
    }
    let refused = [
        "",
        " ",
        "-",
        "+3",
        "--3",
        "-(5)",
        "(5",
        "5)",
        "1.0",
        "1e3",
        "0x",
        "0b1",
        "x",
        "1 2",
        "9223372036854775808",
        "1_000",
        "0x-1",
        "٣",
    ];
    for text in refused {
        assert_eq!(integer(text), None, "{text:?}");
    }
}

#[test]
fn real_numbers() {
    let accepted = [
        ("3", 3.0),
        ("3.5", 3.5),
        ("1e3", 1_000.0),
        ("1E+3", 1_000.0),
        ("2.5e0", 2.5),
        ("1e-3", 0.001),
        ("0xFF", 255.0),
        ("0o17", 15.0),
        (" 4.9", 4.9),
        ("(2.2)", 2.2),
        ("-2", -2.0),
        ("- 2", -2.0),
        ("12345678", 12_345_678.0),
        ("16777217", 16_777_216.0),
        ("0x1000003", 16_777_220.0),
        ("Infinity", f32::INFINITY),
        ("-Infinity", f32::NEG_INFINITY),
        ("1e50", f32::INFINITY),
        ("1e-99999999999999999999", 0.0),
    ];
    for (text, expected) in accepted {
        assert_eq!(real(text), Some(expected), "{text:?}");
    }
    assert!(real("NaN").is_some_and(f32::is_nan));
    let beyond = format!("0x{}", "F".repeat(40));
    assert_eq!(real(&beyond), Some(f32::INFINITY));
    let refused = [
        "", ".5", "3.", "+3", "S", "3M", "1/2", "3f", "1e", "1e+", "1.e3", "e3", "nan", "inf",
        "infinity", "0x", "0xG", "1,5", "3 4", "--2", "-(2)",
    ];
    for text in refused {
        assert_eq!(real(text), None, "{text:?}");
    }
}

#[test]
fn white_space_is_what_the_original_took_for_it() {
    assert!(['\t', '\r', '\u{b}', '\u{2003}', '\u{3000}'].into_iter().all(is_space));
    assert!(!['\u{85}', '\u{2028}', '\u{200b}', 'x'].into_iter().any(is_space));
}
