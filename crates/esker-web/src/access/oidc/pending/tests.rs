//! A log-in is good once, for a while, in one browser; and there are never too many.

use super::*;

fn at(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn begun(pending: &Pending, from: IpAddr, now: Instant) -> Option<Sent> {
    pending.begin(("https://a/back", "/r"), from, now).ok()
}

#[test]
fn one_is_taken_once_in_its_browser() {
    let (pending, now) = (Pending::default(), Instant::now());
    let [one, other] = [(); 2].map(|()| begun(&pending, at(1), now).expect("begun"));
    for secret in [&one.state, &one.cookie, &one.nonce, &one.verifier, &other.state, &other.cookie]
    {
        assert_eq!(secret.len(), 2 * SECRET_BYTES);
    }
    let is_taken = |state: &str, cookie: &str| pending.take(state, cookie, now).is_some();
    assert!(!is_taken(&one.state, &other.cookie), "of another browser");
    assert!(!is_taken(&one.state, "") && !is_taken("", &one.cookie));
    let taken = pending.take(&one.state, &one.cookie, now).expect("the right browser");
    assert_eq!((taken.next.as_str(), taken.redirect.as_str()), ("/r", "https://a/back"));
    assert_eq!((&taken.nonce, &taken.verifier), (&one.nonce, &one.verifier));
    assert!(!is_taken(&one.state, &one.cookie), "it was used");
    assert!(is_taken(&other.state, &other.cookie));
}

#[test]
fn one_is_over_after_a_while() {
    let (pending, now) = (Pending::default(), Instant::now());
    let one = begun(&pending, at(1), now).expect("begun");
    assert!(pending.take(&one.state, &one.cookie, now + AGE_MAX).is_none());
    let one = begun(&pending, at(1), now).expect("begun");
    let late = now + AGE_MAX - Duration::from_secs(1);
    assert!(pending.take(&one.state, &one.cookie, late).is_some());
}

#[test]
fn nobody_keeps_others_from_beginning() {
    let (pending, now) = (Pending::default(), Instant::now());
    for _ in 0..EACH_MAX {
        assert!(begun(&pending, at(1), now).is_some());
    }
    assert!(begun(&pending, at(1), now).is_none(), "too many of one");
    assert!(begun(&pending, at(2), now).is_some());
    assert!(begun(&pending, at(1), now + AGE_MAX).is_some(), "those are over");
}
