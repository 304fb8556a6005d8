//! Which encodings of points on edwards25519 count, by one rule for both backends: what one library lets through, the
//! other refuses.

use crate::KeyError;

/// The eight points of small order on edwards25519 with their canonical encodings, sign bit cleared: of every y there
/// are at most two points, and both have the same order.
const SMALL_ORDER_Y: [[u8; 32]; 5] = [
    // y = 1: the neutral element.
    [0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    // y = -1: order 2.
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    // y = 0: order 4.
    [0; 32],
    // The two y of order 8.
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Refuses what is no public key: encodings with y ≥ p, of which one point could have two; points of small order, under
/// which signatures can be made without any key; and what is no point of the curve at all (RFC 8032 §5.1.3).
pub(super) fn check(point: &[u8; 32]) -> Result<(), KeyError> {
    let y = without_sign(point);
    let at_least_p = y.first() >= Some(&0xed)
        && y.last() == Some(&0x7f)
        && y.get(1..31).is_some_and(|middle| middle.iter().all(|octet| *octet == 0xff));
    if at_least_p {
        return Err(KeyError::PointNotCanonical);
    }
    if SMALL_ORDER_Y.contains(&y) {
        return Err(KeyError::PointSmallOrder);
    }
    if is_on_curve(&y) { Ok(()) } else { Err(KeyError::PointInvalid) }
}

/// Whether the point, canonically encoded, has small order.
pub(crate) fn is_small_order(point: &[u8; 32]) -> bool {
    SMALL_ORDER_Y.contains(&without_sign(point))
}

fn without_sign(point: &[u8; 32]) -> [u8; 32] {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    y
}

/// Whether there is a point with this y: whether x² = (y² - 1) / (dy² + 1) is a square. With d = -121665/121666 and by
/// Euler's criterion, that is whether 121666 (y² - 1) (121666 - 121665 y²) to the power of (p - 1) / 2 is not -1.
fn is_on_curve(y: &[u8; 32]) -> bool {
    let square = Element::read(y).squared();
    let numerator = Element::small(121_666).times(square.minus(Element::small(1)));
    let denominator = Element::small(121_666).minus(Element::small(121_665).times(square));
    let x = numerator.times(denominator);
    let mut power = Element::small(1);
    // The exponent is 2^254 - 10: ones from bit 253 down, but for bits 3 and 0.
    for bit in (0..254).rev() {
        power = power.squared();
        if bit != 3 && bit != 0 {
            power = power.times(x);
        }
    }
    power.plus(Element::small(1)).reduced() != [0; 4]
}

/// A number modulo p = 2^255 - 19, in 64-bit limbs, the lowest first; anything below 2^256. It serves public values
/// only: its time depends on them.
#[derive(Clone, Copy)]
struct Element([u64; 4]);

impl Element {
    const P: [u64; 4] = [0xffff_ffff_ffff_ffed, u64::MAX, u64::MAX, 0x7fff_ffff_ffff_ffff];

    const fn small(number: u64) -> Self {
        Self([number, 0, 0, 0])
    }

    fn read(octets: &[u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, octets) in limbs.iter_mut().zip(octets.as_chunks().0) {
            *limb = u64::from_le_bytes(*octets);
        }
        Self(limbs)
    }

    fn squared(self) -> Self {
        self.times(self)
    }

    fn times(self, other: Self) -> Self {
        let mut wide = [0; 8];
        for (place, limb) in self.0.into_iter().enumerate() {
            let mut carry = 0;
            let mut places = wide.iter_mut().skip(place);
            // In this order `zip` leaves the place after the last factor untouched.
            for (factor, to) in other.0.into_iter().zip(places.by_ref()) {
                (*to, carry) = split(u128::from(*to) + u128::from(limb) * u128::from(factor) + u128::from(carry));
            }
            if let Some(to) = places.next() {
                *to = carry;
            }
        }
        let (low, high) = wide.split_at(4);
        let mut folded = [0; 4];
        let mut carry = 0;
        for ((to, low), high) in folded.iter_mut().zip(low).zip(high) {
            // 2^256 = 38 modulo p.
            (*to, carry) = split(u128::from(*low) + 38 * u128::from(*high) + u128::from(carry));
        }
        Self::folding(folded, carry)
    }

    fn plus(self, other: Self) -> Self {
        let mut sum = [0; 4];
        let mut carry = 0;
        for ((to, one), other) in sum.iter_mut().zip(self.0).zip(other.0) {
            (*to, carry) = split(u128::from(one) + u128::from(other) + u128::from(carry));
        }
        Self::folding(sum, carry)
    }

    fn minus(self, other: Self) -> Self {
        // -1 times the other.
        let minus_one = Self([Self::P[0] - 1, Self::P[1], Self::P[2], Self::P[3]]);
        self.plus(other.times(minus_one))
    }

    /// The number `limbs` + 2^256 · `carry`.
    fn folding(mut limbs: [u64; 4], carry: u64) -> Self {
        let mut carry = u128::from(carry) * 38;
        while carry > 0 {
            for limb in &mut limbs {
                let (low, high) = split(u128::from(*limb) + carry);
                (*limb, carry) = (low, u128::from(high));
            }
            carry *= 38;
        }
        Self(limbs)
    }

    /// The one form below p.
    fn reduced(self) -> [u64; 4] {
        let mut limbs = self.0;
        // Compared from the highest limb down. 2^256 is a little more than 2p.
        while limbs.iter().rev().ge(Self::P.iter().rev()) {
            let mut borrow = false;
            for (limb, p) in limbs.iter_mut().zip(Self::P) {
                let (less, first) = limb.overflowing_sub(p);
                let (less, second) = less.overflowing_sub(u64::from(borrow));
                (*limb, borrow) = (less, first || second);
            }
        }
        limbs
    }
}

/// The low and the high half.
#[expect(clippy::cast_possible_truncation, reason = "that is how halves are made")]
const fn split(number: u128) -> (u64, u64) {
    (number as u64, (number >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest;

    /// y from 2 to 39 that no point has, by another program.
    const OFF_THE_CURVE: [u8; 13] = [2, 7, 8, 11, 12, 13, 17, 20, 22, 31, 34, 36, 38];

    #[test]
    fn small_ordinates_are_on_the_curve_or_off_it() {
        for y in 2..40 {
            let mut point = [0; 32];
            point[0] = y;
            let expected = if OFF_THE_CURVE.contains(&y) { Err(KeyError::PointInvalid) } else { Ok(()) };
            assert_eq!(check(&point), expected, "{y}");
            point[31] = 0x80;
            assert_eq!(check(&point), expected, "{y}, the other x");
        }
    }

    #[test]
    fn arithmetic_is_modulo_p() {
        let random = |seed: u16| Element::read(&digest::sha256(&seed.to_be_bytes()));
        let edges = [[0; 4], [1, 0, 0, 0], Element::P, [u64::MAX; 4], [u64::MAX - 38, u64::MAX, u64::MAX, u64::MAX]];
        let all: Vec<Element> = edges.map(Element).into_iter().chain((0..50).map(random)).collect();
        for one in &all {
            assert_eq!(one.minus(*one).reduced(), [0; 4]);
            assert_eq!(one.plus(Element(Element::P)).reduced(), one.reduced());
            for other in &all {
                let (sum, difference) = (one.plus(*other), one.minus(*other));
                let squares = one.squared().minus(other.squared());
                assert_eq!(sum.times(difference).reduced(), squares.reduced());
                assert_eq!(difference.plus(*other).reduced(), one.reduced());
            }
        }
    }

    /// The library of the other backend decompresses the point.
    #[cfg(any(target_family = "wasm", misario_portable))]
    #[test]
    fn the_library_agrees() {
        for seed in 0..2_000_u16 {
            let point = digest::sha256(&seed.to_be_bytes());
            assert_eq!(check(&point).is_ok(), crate::backend::PublicKey::ed25519(&point).is_some(), "{seed}");
        }
    }
}
