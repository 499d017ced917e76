//! Sessions end: when they are not used, when they are old, when somebody logs out, and when there are too many.

use esker_wire::role::Role;

use super::super::How;
use super::*;

fn entry(name: &str, role: Role) -> Entry {
    Entry { name: name.into(), role, how: How::Password(String::new()) }
}

#[test]
fn a_session_that_is_not_used_ends() {
    let (sessions, begun) = (Sessions::default(), Instant::now());
    let id = sessions.begin(entry("ann", Role::Operate), begun).expect("random numbers");
    assert_eq!(id.len(), 2 * ID_BYTES);
    let just_in_time = begun + IDLE_MAX - Duration::from_secs(1);
    let found = sessions.find(&id, just_in_time).expect("a session");
    assert_eq!((&*found.entry.name, found.entry.role), ("ann", Role::Operate));
    let later = just_in_time + IDLE_MAX;
    assert!(sessions.find(&id, later).is_some(), "whoever listens keeps it in use");
    drop(found);
    assert!(sessions.find(&id, later + IDLE_MAX).is_none());
    assert!(sessions.find(&id, begun).is_none(), "it is gone for good");
}

#[test]
fn a_session_that_is_used_ends_when_it_is_old() {
    let (sessions, begun) = (Sessions::default(), Instant::now());
    let id = sessions.begin(entry("ann", Role::View), begun).expect("random numbers");
    let listening = sessions.find(&id, begun).expect("a session");
    assert!(sessions.find(&id, begun + AGE_MAX - Duration::from_secs(1)).is_some());
    assert_eq!(listening.ends, begun + AGE_MAX);
    assert!(sessions.find(&id, begun + AGE_MAX).is_none());
    assert!(listening.alive.has_changed().is_err(), "whoever listens hears of it");
}

#[test]
fn who_logs_out_is_gone_and_no_other_is() {
    let (sessions, now) = (Sessions::default(), Instant::now());
    let [one, other] =
        ["ann", "bob"].map(|name| sessions.begin(entry(name, Role::View), now).expect("an id"));
    assert_ne!(one, other);
    let found = sessions.find(&one, now).expect("a session");
    sessions.end(&one);
    assert!(found.alive.has_changed().is_err());
    assert!(sessions.find(&one, now).is_none());
    assert!(sessions.find(&other, now).is_some());
    assert!(sessions.find("", now).is_none());
}

#[test]
fn there_are_never_too_many() {
    let (sessions, begun) = (Sessions::default(), Instant::now());
    let ids: Vec<String> = (0..SESSIONS_MAX)
        .map(|n| {
            let now = begun + Duration::from_millis(n as u64);
            sessions.begin(entry("ann", Role::View), now).expect("an id")
        })
        .collect();
    let now = begun + Duration::from_secs(60);
    assert!(sessions.find(&ids[0], now).is_some());
    sessions.begin(entry("bob", Role::View), now).expect("an id");
    assert_eq!(sessions.count(), SESSIONS_MAX);
    assert!(sessions.find(&ids[0], now).is_some(), "it was just used");
    assert!(sessions.find(&ids[1], now).is_none(), "the one used the longest ago");
}
