//! The power fails at every deed of the script, with any part of what was not flushed on the disk.

use std::collections::BTreeSet;
use std::path::Path;

use super::model::{Fate, Model};
use super::script::{Run, Said};
use super::{Dice, folder, fsck, is_whole};
use crate::files::watched::{Deed, Watch};

/// How many random parts of what was not flushed are tried at each deed.
const PARTS: usize = 6;
/// How many of the last changes are looked at one by one.
const LATELY: usize = 12;
/// Of how many disks one is looked at in a short run.
const SHARE: usize = 60;
/// Of how many disks that are looked at one is opened with the power failing again.
const AGAIN: usize = 40;

/// The fates worth a look, of so many changes that were not flushed; which of them are names is told.
fn fates(are_names: &[bool], dice: &mut Dice) -> Vec<Vec<Fate>> {
    let all = |fate| vec![fate; are_names.len()];
    let mut tried = vec![all(Fate::Lost), all(Fate::Kept)];
    for fate in [Fate::Lost, Fate::Zeros] {
        // Names without their bytes.
        let of = |is_name: &bool| if *is_name { Fate::Kept } else { fate };
        tried.push(are_names.iter().map(of).collect());
    }
    tried.push(are_names.iter().map(|is| if *is { Fate::Lost } else { Fate::Kept }).collect());
    // What was done long ago is lost or kept with all the rest only, or by chance.
    for index in are_names.len().saturating_sub(LATELY)..are_names.len() {
        for (rest, fate) in [(Fate::Kept, Fate::Lost), (Fate::Lost, Fate::Kept)] {
            let mut one = all(rest);
            one[index] = fate;
            tried.push(one);
        }
        if !are_names[index] {
            for fate in [Fate::Torn, Fate::TornBehind, Fate::Zeros] {
                let mut one = all(Fate::Kept);
                one[index] = fate;
                tried.push(one);
            }
        }
    }
    let any = [Fate::Kept, Fate::Lost, Fate::Torn, Fate::TornBehind, Fate::Zeros];
    for _ in 0..PARTS {
        let of = |is_name: &bool| any[dice.below(if *is_name { 2 } else { any.len() })];
        tried.push(are_names.iter().map(of).collect());
    }
    tried
}

/// The disks that were looked at.
#[derive(Default)]
struct Looked {
    sums: BTreeSet<(u64, usize)>,
    wrong: Vec<String>,
}

impl Looked {
    /// Looks at what the power may leave at each deed; where it is chosen, with the power failing once more.
    fn look(&mut self, run: &Run, past: &Past<'_>, (dice, share): (&mut Dice, usize)) {
        let model = Model::new(past.root, past.deeds);
        for end in past.first..=past.deeds.len() {
            let said = past.said.clone().unwrap_or_else(|| run.said(&past.deeds[..end]));
            for fates in fates(&model.unsafe_at(end), dice) {
                if dice.below(share) > 0 {
                    continue;
                }
                let disk = model.disk(end, &fates);
                if !self.sums.insert((disk.sum(), said.told.len())) {
                    continue;
                }
                let place = folder();
                disk.make(place.path());
                let is_first = past.said.is_none();
                if is_first && dice.below(AGAIN) == 0 {
                    self.open_and_fail(run, (place.path(), &said), dice);
                } else if let Err(what) = look(run, &place.path().join("store.git"), &said) {
                    let told = model.tell(end, &fates);
                    self.wrong.push(format!("before deed {end}: {what}\n{told}"));
                }
            }
        }
    }

    /// What is left after a loss of power is opened, and the power fails again.
    fn open_and_fail(&mut self, run: &Run, (root, said): (&Path, &Said), dice: &mut Dice) {
        let mut deeds = Model::found(root);
        let first = deeds.len();
        let watch = Watch::begin(root);
        if let Err(what) = look(run, &root.join("store.git"), said) {
            self.wrong.push(what);
        }
        // The PUT at the end of the look is none of the script's.
        let opened =
            |deed: &Deed| matches!(deed, Deed::Rename(_, to) if to.ends_with("esker/epoch"));
        let all = watch.deeds();
        let end = all.iter().position(opened).unwrap_or(all.len());
        deeds.extend_from_slice(&all[..end]);
        let past = Past { root, deeds: &deeds, first, said: Some(said.clone()) };
        let share = if is_whole() { 4 } else { SHARE };
        self.look(run, &past, (dice, share));
    }
}

/// What was done until the power failed.
struct Past<'a> {
    root: &'a Path,
    deeds: &'a [Deed],
    /// From which deed on.
    first: usize,
    /// What was told before all of it, if nothing is told in it.
    said: Option<Said>,
}

/// What is wrong with what is left: git looks, then esker opens it, then git looks again.
fn look(run: &Run, dir: &Path, said: &Said) -> Result<(), String> {
    if !said.told.is_empty() {
        fsck(dir).map_err(|faults| format!("git finds: {faults}"))?;
    }
    run.look(dir, said)?;
    fsck(dir).map_err(|faults| format!("git finds then: {faults}"))
}

#[test]
fn nothing_told_is_lost_when_the_power_fails() {
    let mut run = Run::new();
    run.play();
    assert!(run.asked.iter().all(|asked| matches!(asked.answer, Some(Ok(_)))));
    let deeds = run.watch.deeds();
    let mut dice = Dice::new();
    let mut looked = Looked::default();
    let past = Past { root: run.root(), deeds: &deeds, first: 0, said: None };
    looked.look(&run, &past, (&mut dice, if is_whole() { 1 } else { SHARE }));
    println!("{} deeds, {} disks", deeds.len(), looked.sums.len());
    let wrong = looked.wrong;
    let first: Vec<_> = wrong.iter().take(5).map(String::as_str).collect();
    assert!(wrong.is_empty(), "{} disks are wrong, such as\n{}", wrong.len(), first.join("\n"));
}
