//! Every deed of the script fails, for once or from then on, with a full disk or a broken one.

use esker_wire::fault::Code;
use esker_wire::name::Branch;
use rustix::io::Errno;

use super::model::{Fate, Model};
use super::script::Run;
use super::{Dice, folder, fsck, is_whole};
use crate::files::watched::Failure;

/// Of how many failures one is played in a short run.
const SHARE: usize = 12;

/// Plays the script with a failure; what is wrong.
fn play(failure: Failure) -> Result<bool, String> {
    let mut run = Run::new();
    run.watch.fail(Some(failure));
    run.play();
    run.watch.fail(None);
    if run.watch.failed().is_empty() {
        return Ok(false);
    }
    let mut failed = run.watch.failed();
    failed.truncate(5);
    look(&mut run).map(|()| true).map_err(|what| format!("{what}\n  {}", failed.join("\n  ")))
}

fn look(run: &mut Run) -> Result<(), String> {
    refusals_name_a_file(run)?;
    go_on(run)?;
    let deeds = run.watch.deeds();
    let said = run.said(&deeds);
    run.look_here(&said)?;
    run.close();
    run.look(&run.dir(), &said).map_err(|what| format!("opened again: {what}"))?;
    fsck(&run.dir()).map_err(|faults| format!("git finds: {faults}"))?;
    // The power fails at the end: what a failed flush was for is gone, whatever a later one says.
    let model = Model::new(run.root(), &deeds);
    for fate in [Fate::Lost, Fate::Kept] {
        let place = folder();
        let open = model.unsafe_at(deeds.len()).len();
        model.disk(deeds.len(), &vec![fate; open]).make(place.path());
        let dir = place.path().join("store.git");
        let looked = run.look(&dir, &said);
        looked.map_err(|what| format!("when the power failed, all {fate:?}: {what}"))?;
        fsck(&dir).map_err(|faults| format!("git finds, all {fate:?}: {faults}"))?;
    }
    Ok(())
}

/// A refusal says which file, and none is a panic.
fn refusals_name_a_file(run: &Run) -> Result<(), String> {
    let root = run.root().display().to_string();
    let opening = run.unopened.iter().map(ToString::to_string);
    let refusals = run.asked.iter().filter_map(|asked| asked.answer.clone()?.err());
    // What is for a what-if that could not be begun is in conflict with that.
    let refusals = refusals.filter(|fault| fault.code != Code::Conflict);
    for text in opening.chain(refusals.map(|fault| fault.message)) {
        if !text.contains(&root) {
            return Err(format!("{text:?} names no file"));
        }
    }
    Ok(())
}

/// The disk is well again: the store goes on by itself, or when it is opened again if it could not be opened.
fn go_on(run: &mut Run) -> Result<(), String> {
    if run.is_closed() {
        run.unopened = None;
        run.open();
        if let Some(error) = &run.unopened {
            return Err(format!("it cannot be opened: {error}"));
        }
    }
    run.put_until_told()
}

/// New folders, files and references at once; each deed of it fails in every run.
#[test]
fn every_deed_of_a_first_version_may_fail() {
    let side = "side/x".parse().unwrap();
    for after in 0.. {
        let mut run = Run::new();
        run.open();
        run.settle();
        let at = run.watch.count() + after;
        run.watch.fail(Some(Failure { at, errno: Errno::IO, lasts: false }));
        run.put(&side, 1);
        run.settle();
        run.watch.fail(None);
        let failed = run.watch.failed();
        if failed.is_empty() {
            assert!(after > 10, "{after} deeds only");
            return;
        }
        // Until the journal does not tell of it any more.
        for _ in 0..12 {
            run.put(&Branch::main(), 1);
            run.settle();
        }
        look(&mut run).unwrap_or_else(|what| panic!("{failed:?}: {what}"));
    }
}

#[test]
fn every_deed_may_fail() {
    let mut run = Run::new();
    run.play();
    let count = run.watch.count();
    drop(run);
    let mut dice = Dice::new();
    let (mut played, mut wrong) = (0, Vec::new());
    for at in 0..count {
        for errno in [Errno::NOSPC, Errno::IO] {
            for lasts in [false, true] {
                if !is_whole() && dice.below(SHARE) > 0 {
                    continue;
                }
                match play(Failure { at, errno, lasts }) {
                    Ok(is_played) => played += usize::from(is_played),
                    Err(what) => wrong.push(format!("{at} {errno:?} {lasts}: {what}")),
                }
            }
        }
    }
    println!("{count} deeds, {played} failures");
    let first: Vec<_> = wrong.iter().take(20).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} went wrong, such as\n{}", wrong.len(), first.join("\n"));
}
