//! Numbers as keys: bytes that sort as the numbers do, however many digits those have.

/// Before a number below zero, zero, and one above.
const SIGNS: [u8; 3] = [0x7f, 0x80, 0x81];

/// Adds the key of the number that a text begins with, as `sort -n` reads it: blanks, a minus, digits, a point and
/// digits. What is none is zero. No key is the beginning of another.
pub(crate) fn key(text: &[u8], into: &mut Vec<u8>) {
    let text = text.trim_ascii_start();
    let (is_negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let (whole, rest) = digits(text);
    let part = rest.strip_prefix(b".").map_or(&[][..], |rest| digits(rest).0);
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    let whole = &whole[zeros..];
    let end = part.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    let part = &part[..end];
    if whole.is_empty() && part.is_empty() {
        into.push(SIGNS[1]);
        return;
    }
    into.push(SIGNS[if is_negative { 0 } else { 2 }]);
    let from = into.len();
    // More digits before the point is more; behind it, the first that differs says which is more.
    into.extend_from_slice(&(whole.len() as u32).to_be_bytes());
    into.extend_from_slice(whole);
    into.extend_from_slice(part);
    into.push(0);
    if is_negative {
        into[from..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        key(text.as_bytes(), &mut bytes);
        bytes
    }

    #[test]
    fn keys_sort_as_numbers_do() {
        let rising = [
            "-1000000000000000000000000000000",
            "-12",
            "-9.5",
            "-9",
            "-0.01",
            "0",
            "0.001",
            "  .5",
            "0.51",
            "1",
            "1.0000000000000000000001",
            "2.5kg",
            "10",
            "99999999999999999999999",
        ];
        for pair in rising.windows(2) {
            assert!(of(pair[0]) < of(pair[1]), "{pair:?}");
            assert!(!of(pair[1]).starts_with(&of(pair[0])), "{pair:?}");
        }
        for same in [["1", "001.0"], ["", "0"], ["-0", "x"], ["-.50", "-0.5"], [" 7", "7 8"]] {
            assert_eq!(of(same[0]), of(same[1]), "{same:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn keys_sort_as_numbers_of_some_digits_do(a in -100_000_i64..100_000, b in -100_000_i64..100_000) {
            let text = |number: i64| format!("{}{}.{:03}", if number < 0 { "-" } else { "" }, number.abs() / 1000, number.abs() % 1000);
            proptest::prop_assert_eq!(of(&text(a)).cmp(&of(&text(b))), a.cmp(&b));
        }
    }
}
