//! Reading numbers as the original did: the number syntax of Haskell's `read`.
//!
//! Blanks around and in parentheses are fine, a minus may stand apart, hexadecimal and octal are known; a plus,
//! a bare point at either end and any unit are not.

/// White space as the original saw it, which is not quite what Rust calls so.
pub(crate) fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t'..='\r' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Reads a whole number.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = signed(text);
    let (base, digits) = based(digits);
    if !digits.starts_with(|first: char| first.is_digit(base)) {
        return None;
    }
    let size = i128::from_str_radix(digits, base).ok()?;
    i64::try_from(if negative { -size } else { size }).ok()
}

/// Reads a number, rounded to the nearest `f32`.
pub(crate) fn real(text: &str) -> Option<f32> {
    let (negative, token) = signed(text);
    let size = match (token, based(token)) {
        ("NaN", _) => f32::NAN,
        ("Infinity", _) => f32::INFINITY,
        (_, (10, _)) => decimal(token)?,
        (_, (base, digits)) => whole(digits, base)?,
    };
    Some(if negative { -size } else { size })
}

/// Takes off blanks, parentheses and the sign.
fn signed(text: &str) -> (bool, &str) {
    let mut inner = text.trim_matches(is_space);
    while let Some(next) = inner.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        inner = next.trim_matches(is_space);
    }
    match inner.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start_matches(is_space)),
        None => (false, inner),
    }
}

/// The base and the digits of a number.
fn based(token: &str) -> (u32, &str) {
    match token.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &token[2..]),
        [b'0', b'o' | b'O', ..] => (8, &token[2..]),
        _ => (10, token),
    }
}

/// Digits, then perhaps a point and digits, then perhaps an exponent.
fn decimal(token: &str) -> Option<f32> {
    let (mantissa, exponent) = match token.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (token, None),
    };
    let digits_only = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fine = match mantissa.split_once('.') {
        Some((before, after)) => digits_only(before) && digits_only(after),
        None => digits_only(mantissa),
    };
    let exponent_fine = exponent.is_none_or(|text| {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        digits_only(unsigned)
    });
    match mantissa_fine && exponent_fine {
        true => token.parse().ok(),
        false => None,
    }
}

/// Digits of a base that is a power of two. What does not fit 128 bits is beyond every `f32`.
fn whole(digits: &str, base: u32) -> Option<f32> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    Some(u128::from_str_radix(digits, base).map_or(f32::INFINITY, |size| size as f32))
}

#[cfg(test)]
mod tests;
