//! Orders: what stays, what moves, and that nothing is lost.

use proptest::prelude::*;

use super::*;

#[test]
fn one_that_jumps_is_the_one_that_moves() {
    let found = order(5, &[Some(4), Some(0), Some(1), None, Some(3)]);
    assert_eq!(found.removed, [2]);
    assert_eq!(found.added, [3]);
    assert_eq!(found.moved, [(4, 0)]);
    assert_eq!((found.was(0), found.was(3), found.was(9)), (Some(4), None, None));
    assert_eq!(order(3, &[Some(0), Some(1), Some(2)]).moved, []);
    assert_eq!(order(0, &[]).both, []);
}

proptest! {
    #[test]
    fn what_stays_is_in_order(old_len in 0..20_usize, picks in proptest::collection::vec((0..30_usize, any::<bool>()), 0..20)) {
        let mut left: Vec<usize> = (0..old_len).collect();
        let mut was: Was = Vec::new();
        for (pick, added) in picks {
            let old = (!added && !left.is_empty()).then(|| left.remove(pick % left.len()));
            was.push(old);
        }
        let found = order(old_len, &was);
        prop_assert_eq!(&found.removed, &left);
        let stays: Vec<usize> = found
            .both
            .iter()
            .filter(|pair| !found.moved.contains(pair))
            .map(|(old, _)| *old)
            .collect();
        prop_assert!(stays.is_sorted());
        prop_assert_eq!(found.added.len() + found.both.len(), was.len());
    }
}
