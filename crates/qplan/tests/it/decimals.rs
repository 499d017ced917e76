//! Printing numbers as the original did, once more and slowly: decimals are compared as strings of digits.

use std::collections::HashMap;

/// Remembers what it printed.
#[derive(Default)]
pub(crate) struct Decimals(HashMap<u32, String>);

impl Decimals {
    const WHOLE: usize = 45;
    const DIGITS: usize = 245;

    pub(crate) fn print(&mut self, number: f32) -> String {
        let size = number.abs();
        let printed = self.0.entry(size.to_bits()).or_insert_with(|| Self::printed(size));
        let sign = if number.is_sign_negative() { "-" } else { "" };
        format!("{sign}{printed}")
    }

    /// All digits of a number, 45 of them before the point.
    fn exact(number: f64) -> String {
        format!("{number:0>246.200}").replace('.', "")
    }

    fn printed(size: f32) -> String {
        if size == 0.0 {
            return "0.0".to_owned();
        }
        let neighbour = |bits: u32| (f64::from(size) + f64::from(f32::from_bits(bits))) / 2.0;
        let below = Self::exact(neighbour(size.to_bits() - 1));
        let above = Self::exact(neighbour(size.to_bits() + 1));
        let exact = Self::exact(f64::from(size));
        let mut first = above.find(|digit| digit != '0').expect("it is not zero");
        if above.trim_matches('0') == "1" {
            first += 1;
        }
        for end in first + 1..Self::DIGITS {
            let down = format!("{:0<245}", &exact[..end]);
            let up = format!("{:0<245}", Self::increased(&exact[..end]));
            let digits = match (down > below, up < above) {
                (false, false) => continue,
                (true, false) => down,
                (false, true) => up,
                (true, true) if exact[end..] < *"5" => down,
                (true, true) => up,
            };
            let point =
                i32::try_from(Self::WHOLE).expect("small") - i32::try_from(first).expect("small");
            return Self::arranged(&digits[first..end], point);
        }
        unreachable!("all digits together are the number")
    }

    fn increased(digits: &str) -> String {
        let kept = digits.trim_end_matches('9');
        let nines = digits.len() - kept.len();
        let (start, last) = kept.split_at(kept.len() - 1);
        let next = char::from(last.as_bytes()[0] + 1);
        format!("{start}{next}{}", "0".repeat(nines))
    }

    fn arranged(digits: &str, point: i32) -> String {
        let or_zero = |text: &str| {
            if text.is_empty() { "0".to_owned() } else { text.to_owned() }
        };
        match usize::try_from(point) {
            Ok(0) => format!("0.{digits}"),
            Ok(point) if point <= 7 => {
                let padded = format!("{digits:0<7}");
                let rest = digits.get(point..).unwrap_or_default();
                format!("{}.{}", &padded[..point], or_zero(rest))
            }
            _ => format!("{}.{}e{}", &digits[..1], or_zero(&digits[1..]), point - 1),
        }
    }
}
