//! The chain, including what a publisher's restart and a lossy network do to it.

use proptest::prelude::*;

use super::{Follower, Link, Step};

fn link(epoch: u64, seq: u64) -> Link {
    Link { epoch, seq }
}

#[test]
fn the_first_thing_heard_means_refetch() {
    let mut follower = Follower::default();
    assert_eq!(follower.event(link(7, 3)), Step::Lost);
    assert_eq!(follower.event(link(7, 4)), Step::Next);
}

#[test]
fn gaps_repeats_restarts_and_zombies_are_told_apart() {
    let mut follower = Follower::default();
    let steps = [
        (link(7, 1), Step::Lost),
        (link(7, 2), Step::Next),
        (link(7, 2), Step::Duplicate),
        (link(7, 1), Step::Duplicate),
        (link(7, 5), Step::Lost),
        (link(7, 6), Step::Next),
        (link(8, 1), Step::Lost),
        (link(7, 7), Step::Zombie),
        (link(8, 2), Step::Next),
    ];
    for (link, expected) in steps {
        assert_eq!(follower.event(link), expected, "{link:?}");
    }
}

#[test]
fn a_heartbeat_reveals_the_event_that_never_came() {
    let mut follower = Follower::default();
    assert_eq!(follower.heartbeat(link(7, 0)), Step::Lost);
    assert_eq!(follower.heartbeat(link(7, 0)), Step::Duplicate);
    assert_eq!(follower.event(link(7, 1)), Step::Next);
    assert_eq!(follower.heartbeat(link(7, 1)), Step::Duplicate);
    assert_eq!(follower.heartbeat(link(7, 2)), Step::Lost);
    assert_eq!(follower.event(link(7, 2)), Step::Duplicate);
    assert_eq!(follower.heartbeat(link(6, 9)), Step::Zombie);
    assert_eq!(follower.heartbeat(link(8, 0)), Step::Lost);
}

proptest! {
    /// Whatever the network does, a follower that refetches on `Lost` and takes the last heartbeat has seen,
    /// or refetched after, every event of every epoch.
    #[test]
    fn nothing_is_missed(
        epochs in prop::collection::vec(1_u64..20, 1..4),
        fates in prop::collection::vec(0_u8..4, 1..80),
    ) {
        let mut follower = Follower::default();
        let mut known = link(0, 0);
        let mut fates = fates.iter().cycle();
        for (index, count) in epochs.iter().enumerate() {
            let epoch = index as u64 + 1;
            for seq in 1..=*count {
                let arrivals = match fates.next() {
                    Some(0) => 0,
                    Some(1) => 2,
                    _ => 1,
                };
                for _ in 0..arrivals {
                    let step = follower.event(link(epoch, seq));
                    // Refetching brings everything published so far; `Next` alone brings only this event.
                    if step == Step::Lost {
                        known = link(epoch, seq);
                    } else if step == Step::Next {
                        prop_assert_eq!(known, link(epoch, seq - 1));
                        known = link(epoch, seq);
                    }
                }
            }
            if follower.heartbeat(link(epoch, *count)) == Step::Lost {
                known = link(epoch, *count);
            }
            prop_assert_eq!(known, link(epoch, *count));
        }
    }
}
