//! What is believed: by cases, and by many seeded histories of a Consul that is right, blind or half back.

use fastrand::Rng;

use super::*;

fn member(number: u8) -> Member {
    let address = format!("tcp://h{number}:1");
    Member {
        node: NodeId::from_bytes([number; 16]),
        name: format!("n{number}"),
        control: address.clone(),
        bulk: address,
        cpus: 1,
        memory: 1,
        free: 64,
    }
}

fn members(numbers: &[u8]) -> Vec<Member> {
    numbers.iter().map(|number| member(*number)).collect()
}

fn nodes(numbers: &[u8]) -> BTreeSet<NodeId> {
    members(numbers).into_iter().map(|member| member.node).collect()
}

/// What is believed, as numbers: all, and those held.
fn told(belief: &Belief) -> (Vec<u8>, Vec<u8>) {
    let number = |node: &NodeId| node.to_bytes()[0];
    (belief.members.keys().map(number).collect(), belief.held.iter().map(number).collect())
}

/// What is believed after a list that is not to be wary of.
fn next(belief: &Belief, list: &[Member], answering: &BTreeSet<NodeId>) -> Belief {
    belief.after(list, &belief.doubted(list, false), answering)
}

#[test]
fn small_changes_are_believed_at_once() {
    let belief = Belief::of(members(&[1, 2, 3, 4]));
    for list in
        [&[1, 2, 3, 4][..], &[1, 2], &[1, 2, 3], &[1, 3, 5, 6, 7], &[1, 2, 3, 4, 5, 6, 7, 8, 9]]
    {
        assert_eq!(belief.doubted(&members(list), false), [], "{list:?}");
        let after = next(&belief, &members(list), &BTreeSet::new());
        assert_eq!(told(&after), (list.to_vec(), vec![]));
    }
    assert_eq!(Belief::default().doubted(&[], true), []);
}

#[test]
fn who_answers_stays_on_a_list_that_shrank_much() {
    let belief = Belief::of(members(&[1, 2, 3, 4, 5]));
    assert_eq!(belief.doubted(&[], false), members(&[1, 2, 3, 4, 5]));
    assert_eq!(belief.doubted(&members(&[1, 9]), false), members(&[2, 3, 4, 5]));
    let after = next(&belief, &[], &nodes(&[2, 4]));
    assert_eq!(told(&after), (vec![2, 4], vec![2, 4]));
    // Newcomers do not make up for those who are missing.
    assert_eq!(belief.doubted(&members(&[1, 2, 6, 7, 8, 9]), false), members(&[3, 4, 5]));
    let after = next(&belief, &members(&[1, 9]), &nodes(&[3]));
    assert_eq!(told(&after), (vec![1, 3, 9], vec![3]));
}

#[test]
fn who_is_held_is_asked_again_until_told_or_silent() {
    // Told 4 of 10: the rest is held. After two of them are gone, 4 of 8 is no great loss any more, and yet those
    // held are not given up.
    let belief = Belief::of(members(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    let list = members(&[1, 2, 3, 4]);
    let belief = next(&belief, &list, &nodes(&[5, 6, 7, 8]));
    assert_eq!(told(&belief), (vec![1, 2, 3, 4, 5, 6, 7, 8], vec![5, 6, 7, 8]));
    assert_eq!(belief.doubted(&list, false), members(&[5, 6, 7, 8]));
    let belief = next(&belief, &members(&[1, 2, 3, 4, 5]), &nodes(&[6, 7]));
    assert_eq!(told(&belief), (vec![1, 2, 3, 4, 5, 6, 7], vec![6, 7]));
    let belief = next(&belief, &members(&[1, 2, 3, 4, 5]), &BTreeSet::new());
    assert_eq!(told(&belief), (vec![1, 2, 3, 4, 5], vec![]));
}

#[test]
fn nobody_who_answers_is_lost_to_a_consul_that_is_just_back() {
    let belief = Belief::of(members(&[1, 2, 3, 4]));
    let list = members(&[1, 2, 4]);
    assert_eq!(belief.doubted(&list, false), []);
    assert_eq!(belief.doubted(&list, true), members(&[3]));
    let belief = belief.after(&list, &members(&[3]), &nodes(&[3]));
    assert_eq!(told(&belief), (vec![1, 2, 3, 4], vec![3]));
    // Who is held stays so when it is no longer to be wary of.
    assert_eq!(belief.doubted(&list, false), members(&[3]));
}

#[test]
fn a_member_that_is_told_anew_is_as_told() {
    let belief = Belief::of(members(&[1, 2, 3]));
    let mut moved = member(1);
    moved.control = "tcp://elsewhere:1".to_owned();
    let after = next(&belief, std::slice::from_ref(&moved), &nodes(&[2, 3]));
    assert_eq!(after.members[&moved.node], moved);
}

#[test]
fn indices_only_grow_or_begin_anew() {
    for (last, told, wanted) in [
        (0, Some(5), 5),
        (5, Some(5), 5),
        (5, Some(9), 9),
        (9, Some(5), 0),
        (9, None, 0),
        (0, Some(0), 1),
    ] {
        assert_eq!(next_index(last, told), wanted, "{last} {told:?}");
    }
}

/// Workers come and go, and Consul tells all of the living, none, or some; whatever it tells, nobody who lives is
/// lost by a great loss, and nobody who is dead is kept once Consul has been asked again.
#[test]
fn nobody_alive_is_lost_at_once_and_nobody_dead_is_kept() {
    for seed in 0..500 {
        let mut rng = Rng::with_seed(seed);
        let mut alive: BTreeSet<u8> = (0..rng.u8(1..30)).collect();
        let mut belief = Belief::default();
        for step in 0..60 {
            if rng.u8(..4) == 0 {
                let one = rng.u8(..40);
                if !alive.remove(&one) {
                    alive.insert(one);
                }
            }
            let blindness = rng.u8(..6);
            let list: Vec<u8> = match blindness {
                0 => Vec::new(),
                1 => alive.iter().copied().filter(|_| rng.bool()).collect(),
                _ => alive.iter().copied().collect(),
            };
            let before = belief.clone();
            let living: Vec<u8> = alive.iter().copied().collect();
            belief = next(&belief, &members(&list), &nodes(&living));
            let now = told(&belief).0;
            let context = || {
                let before = told(&before);
                format!("seed {seed}, step {step}: {list:?} of {alive:?} after {before:?}")
            };
            assert!(now.iter().all(|one| alive.contains(one)), "a dead one is kept: {}", context());
            assert!(
                list.iter().all(|one| now.contains(one)),
                "one that is told is lost: {}",
                context()
            );
            let was: Vec<u8> =
                told(&before).0.into_iter().filter(|one| alive.contains(one)).collect();
            let lost = was.iter().filter(|one| !now.contains(one)).count();
            assert!(lost * 2 <= told(&before).0.len(), "many at once: {}", context());
            if list.is_empty() {
                assert_eq!(lost, 0, "an empty list costs somebody: {}", context());
            }
            let held = told(&before).1;
            assert!(
                held.iter().all(|one| now.contains(one) || !alive.contains(one)),
                "{}",
                context()
            );
            if blindness > 1 {
                assert_eq!(now, list, "all is told, and yet not believed: {}", context());
                assert!(belief.held.is_empty(), "{}", context());
            }
        }
    }
}
