//! Who tries many passwords waits, by address and by user; nobody else does for long.

use super::*;

const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

#[test]
fn each_wrong_password_doubles_the_wait() {
    let (tries, mut now) = (Tries::default(), Instant::now());
    for _ in 0..FREE {
        assert_eq!(tries.begin(ONE, "ann", now), Ok(()));
    }
    let mut waited = Vec::new();
    for _ in 0..12 {
        let wait = tries.begin(ONE, "ann", now).expect_err("to wait");
        assert!(tries.begin(ONE, "ann", now + wait / 2).is_err());
        waited.push(wait.as_secs());
        now += wait;
        assert_eq!(tries.begin(ONE, "ann", now), Ok(()));
    }
    assert_eq!(waited[..5], [1, 2, 4, 8, 16]);
    assert_eq!(waited.last(), Some(&ADDRESS_WAIT_MAX.as_secs()));
    assert!(tries.begin(ONE, "bob", now).is_err(), "whoever it is");
    let wait = tries.begin(OTHER, "ann", now).expect_err("wherever from");
    assert!(wait <= USER_WAIT_MAX, "{wait:?}");
    assert_eq!(tries.begin(OTHER, "bob", now), Ok(()));
    assert_eq!(tries.begin(ONE, "ann", now + FORGET), Ok(()));
}

#[test]
fn right_passwords_cost_nothing() {
    let (tries, now) = (Tries::default(), Instant::now());
    for _ in 0..100 {
        assert_eq!(tries.begin(ONE, "ann", now), Ok(()));
        tries.right(ONE, "ann");
    }
    // One's own password does not wash off what was tried of others'.
    for n in 0..FREE {
        assert_eq!(tries.begin(ONE, &format!("user {n}"), now), Ok(()));
    }
    assert!(tries.begin(ONE, "ann", now).is_err());
}

#[test]
fn memory_is_bounded_and_networks_are_one() {
    let (tries, begun) = (Tries::default(), Instant::now());
    for n in 0..=EACH_MAX {
        let address =
            IpAddr::from(0x0a00_0000_u32.wrapping_add(u32::try_from(n).unwrap()).to_be_bytes());
        let now = begun + Duration::from_millis(n as u64);
        assert_eq!(tries.begin(address, &n.to_string(), now), Ok(()));
    }
    assert_eq!(tries.addresses.lock().unwrap().0.len(), EACH_MAX);
    assert_eq!(tries.users.lock().unwrap().0.len(), EACH_MAX);
    let of = |text: &str| network(text.parse().unwrap());
    assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
    assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    assert_eq!(of("::ffff:192.0.2.1"), ONE);
}
