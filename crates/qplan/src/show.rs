//! Printing an `f32` as the original did, which is not as Rust does.
//!
//! The digits are the shortest that lie *strictly* inside the interval of decimals that read back as the number,
//! and a tie of the last digit goes up (Steele and White's free-format algorithm as in Haskell's library).
//! Rust accepts the interval's ends and breaks ties to even: about one number in 250 differs.

/// A whole number of 192 bits, lowest word first: enough for every `f32` scaled to a fraction.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wide([u64; 3]);

impl Wide {
    /// Two to a power below 192.
    fn power_of_two(exponent: u32) -> Self {
        let mut words = [0; 3];
        words[exponent as usize / 64] = 1 << (exponent % 64);
        Self(words)
    }

    fn times(self, factor: u64) -> Self {
        let mut carry = 0_u128;
        let words = self.0.map(|word| {
            carry += u128::from(word) * u128::from(factor);
            let low = carry as u64;
            carry >>= 64;
            low
        });
        Self(words)
    }

    fn plus(self, other: Self) -> Self {
        let mut words = self.0;
        let mut carry = false;
        for (word, addend) in words.iter_mut().zip(other.0) {
            let (sum, over) = word.overflowing_add(addend);
            let (sum, over_again) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = over || over_again;
        }
        Self(words)
    }

    /// The difference; the other must not be greater.
    fn minus(self, other: Self) -> Self {
        let mut words = self.0;
        let mut borrow = false;
        for (word, subtrahend) in words.iter_mut().zip(other.0) {
            let (rest, under) = word.overflowing_sub(subtrahend);
            let (rest, under_again) = rest.overflowing_sub(u64::from(borrow));
            *word = rest;
            borrow = under || under_again;
        }
        Self(words)
    }

    fn less(self, other: Self) -> bool {
        self.0.iter().rev().lt(other.0.iter().rev())
    }
}

/// A positive number as `value / scale`, with half the distances to its neighbours in the same unit.
struct Fraction {
    value: Wide,
    scale: Wide,
    above: Wide,
    below: Wide,
}

/// The bits of the smallest normal mantissa.
const MANTISSA_MIN: u32 = 1 << 23;
/// The exponent of the smallest numbers, for a whole mantissa.
const EXPONENT_MIN: i32 = -149;

/// Appends the number.
pub(crate) fn float(out: &mut Vec<u8>, number: f32) {
    if number.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if number.is_sign_negative() {
        out.push(b'-');
    }
    let size = number.abs();
    if size.is_infinite() {
        return out.extend_from_slice(b"Infinity");
    }
    if size == 0.0 {
        return out.extend_from_slice(b"0.0");
    }
    let (digits, point) = shortest(size);
    if (0..=7).contains(&point) {
        fixed(out, &digits, point);
    } else {
        scientific(out, &digits, point);
    }
}

/// `d.ddde<exponent>`.
fn scientific(out: &mut Vec<u8>, digits: &[u8], point: i32) {
    out.push(digits[0]);
    out.push(b'.');
    match &digits[1..] {
        [] => out.push(b'0'),
        rest => out.extend_from_slice(rest),
    }
    out.extend_from_slice(format!("e{}", point - 1).as_bytes());
}

/// Plain decimal; the point stands after so many digits.
fn fixed(out: &mut Vec<u8>, digits: &[u8], point: i32) {
    let point = usize::try_from(point).expect("only small numbers are written so");
    if point == 0 {
        out.extend_from_slice(b"0.");
        return out.extend_from_slice(digits);
    }
    for place in 0..point {
        out.push(digits.get(place).copied().unwrap_or(b'0'));
    }
    out.push(b'.');
    match digits.get(point..) {
        None | Some([]) => out.push(b'0'),
        Some(rest) => out.extend_from_slice(rest),
    }
}

/// The digits after the point of `0.ddd × 10^point`, as text.
fn shortest(number: f32) -> (Vec<u8>, i32) {
    let (mut fraction, point) = scaled(number);
    let mut digits = Vec::with_capacity(10);
    loop {
        fraction.above = fraction.above.times(10);
        fraction.below = fraction.below.times(10);
        let mut rest = fraction.value.times(10);
        let mut digit = b'0';
        while !rest.less(fraction.scale) {
            rest = rest.minus(fraction.scale);
            digit += 1;
        }
        fraction.value = rest;
        let low = rest.less(fraction.below);
        let high = fraction.scale.less(rest.plus(fraction.above));
        let up = match (low, high) {
            (false, false) => {
                digits.push(digit);
                continue;
            }
            (true, true) => !rest.times(2).less(fraction.scale),
            (_, up) => up,
        };
        digits.push(digit + u8::from(up));
        return (digits, point);
    }
}

/// The number divided by the least power of ten that makes it, with its upper bound, at most 1.
fn scaled(number: f32) -> (Fraction, i32) {
    let mut fraction = exact(number);
    // One less than the logarithm suggests, in case that is rounded up; the loop finds the rest.
    let mut point = f64::from(number).log10().floor() as i32 - 1;
    for _ in 0..point {
        fraction.scale = fraction.scale.times(10);
    }
    for _ in point..0 {
        fraction.value = fraction.value.times(10);
        fraction.above = fraction.above.times(10);
        fraction.below = fraction.below.times(10);
    }
    while fraction.scale.less(fraction.value.plus(fraction.above)) {
        fraction.scale = fraction.scale.times(10);
        point += 1;
    }
    (fraction, point)
}

/// The number exactly. At a power of two the neighbour below is half as far as the one above.
fn exact(number: f32) -> Fraction {
    let bits = number.to_bits();
    let field = (bits >> 23) & 0xff;
    let low = bits & (MANTISSA_MIN - 1);
    let (mantissa, exponent) = match i32::try_from(field).expect("eight bits are small") {
        0 => (low, EXPONENT_MIN),
        field => (low | MANTISSA_MIN, field - 1 + EXPONENT_MIN),
    };
    let uneven = mantissa == MANTISSA_MIN && exponent > EXPONENT_MIN;
    let spread = if uneven { 2 } else { 1 };
    let (unit, scale) = match u32::try_from(exponent) {
        Ok(exponent) => (exponent, 0),
        Err(_) => (0, exponent.unsigned_abs()),
    };
    let unit = Wide::power_of_two(unit);
    Fraction {
        value: unit.times(u64::from(mantissa) * 2 * spread),
        scale: Wide::power_of_two(scale).times(2 * spread),
        above: unit.times(spread),
        below: unit,
    }
}

#[cfg(test)]
mod tests;
