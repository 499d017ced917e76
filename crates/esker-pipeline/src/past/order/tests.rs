//! Results come in order, no more run at once than may, and all end when they are told to.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const NEVER: &(dyn Fn() -> bool + Sync) = &|| false;

#[test]
fn results_are_taken_in_order_and_no_more_run_at_once_than_may() {
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let items: Vec<u64> = (0..50).collect();
    let mut taken = Vec::new();
    let work = |item: &u64, _: &Hand| {
        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        // Later ones are done earlier.
        thread::park_timeout(Duration::from_millis(3 * (4 - item % 4)));
        now.fetch_sub(1, Ordering::SeqCst);
        *item
    };
    let take = |item: &u64, result: u64, _: &Hand| {
        assert_eq!(*item, result);
        taken.push(result);
        ControlFlow::Continue(())
    };
    in_order((3, NEVER), &items, work, take).unwrap();
    assert_eq!(taken, items);
    assert_eq!(most.into_inner(), 3);
}

#[test]
fn nothing_is_begun_after_a_break() {
    let begun = AtomicUsize::new(0);
    let items: Vec<usize> = (0..100).collect();
    let work = |item: &usize, _: &Hand| {
        begun.fetch_add(1, Ordering::SeqCst);
        *item
    };
    let take = |_: &usize, result: usize, _: &Hand| match result {
        3 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    in_order((2, NEVER), &items, work, take).unwrap();
    assert!(begun.into_inner() <= 3 + AHEAD * 2);
}

#[test]
fn what_runs_is_told_to_end() {
    let (begun, items) = (AtomicUsize::new(0), [(); 10]);
    let stop = || begun.load(Ordering::SeqCst) > 0;
    let mut taken = 0;
    let work = |(): &(), hand: &Hand| {
        begun.fetch_add(1, Ordering::SeqCst);
        matches!(hand.line.mailbox.mail.recv(), Ok(Mail::Stop))
    };
    let take = |(): &(), told: bool, _: &Hand| {
        assert!(told);
        taken += 1;
        ControlFlow::Continue(())
    };
    in_order((2, &stop), &items, work, take).unwrap();
    assert_eq!(taken, begun.into_inner());
}
