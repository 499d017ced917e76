//! Whatever is asked, in whatever order: the books are right.

use proptest::prelude::*;

use super::*;

/// One thing that is asked.
#[derive(Debug, Clone)]
enum Step {
    Set(u8, usize),
    Append { id: u8, size: usize, task: u32, seq: u32 },
    Stage { id: u8, size: usize, seq: u32 },
    Commit(u8),
    Remove(u8),
    Seal,
    Budget(u64),
    Land,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = 0_usize..30_000;
    let step = prop_oneof![
        (0..20_u8, size.clone()).prop_map(|(id, size)| Step::Set(id, size)),
        (0..20_u8, size.clone(), 0..3_u32, 0..9_u32)
            .prop_map(|(id, size, task, seq)| Step::Append { id, size, task, seq }),
        (0..20_u8, size, 0..3_u32).prop_map(|(id, size, seq)| Step::Stage { id, size, seq }),
        (0..20_u8).prop_map(Step::Commit),
        (0..20_u8).prop_map(Step::Remove),
        Just(Step::Seal),
        (100_000..2_000_000_u64).prop_map(Step::Budget),
        Just(Step::Land),
    ];
    proptest::collection::vec(step, 1..200)
}

proptest! {
    /// Whatever is asked: the books are right, nothing is beyond the budget for long, and all is free in the end.
    #[test]
    fn the_ledger_ends_at_zero(steps in steps(), space in prop_oneof![Just(""), Just("s")]) {
        let mut core = core(MIB);
        begin(&mut core, &about("s", Ids::None));
        let generation = u32::from(space == "s");
        let by = By { space, generation, epoch: generation as u16, ..NOBODY };
        let id = |number: u8| if space.is_empty() { format!("{number}") } else { format!("{space}/{number}") };
        for step in steps {
            match step {
                Step::Set(at, size) => { ask(&mut core, by, Request::Set(vec![store(&id(at), &vec![1; size])])); }
                Step::Append { id: at, size, task, seq } => {
                    append(&mut core, By { task, seq, ..by }, &id(at), &vec![2; size]);
                }
                Step::Stage { id: at, size, seq } => {
                    let by = By { task: 99, seq, flags: Head::STAGED, ..by };
                    append(&mut core, by, &id(at), &vec![3; size]);
                }
                Step::Commit(at) => {
                    let by = By { task: 99, seq: 3, flags: Head::STAGED, ..by };
                    ask(&mut core, by, Request::Set(vec![store(&id(at), b"")]));
                }
                Step::Remove(at) => {
                    ask(&mut core, by, Request::Remove(vec![Key { id: id(at).into() }]));
                }
                Step::Seal => { ask(&mut core, by, Request::Seal(vec![(1, 0)])); }
                Step::Budget(budget) => core.set_budget(budget),
                Step::Land => {
                    for job in core.take_jobs() {
                        core.land(Landed { job, place: None });
                    }
                }
            }
            let counted: u64 = core.entries.iter().map(|(_, entry)| entry.taken().memory).sum();
            prop_assert_eq!(counted, core.ledger().cached + core.ledger().pinned);
        }
        for job in core.take_jobs() {
            core.land(Landed { job, place: None });
        }
        is_empty(&mut core);
    }
}
