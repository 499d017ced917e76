//! Random plans, scheduled by the crate and by the model.

use crate::decimals::Decimals;
use crate::model::{self, Calendar};
use qplan::schedule::{ScheduleOptions, schedule};

/// How many plans are compared by position, and a fifth as many by name.
const PLANS: u64 = 10_000;

const SKILLS: [&str; 6] = ["Design", "Mobile", "Server", "Web", " Web", ""];
const TRACKS: [&str; 5] = ["Core", "Apps", "All", "", "core"];
const WEEKS: [&str; 20] = [
    "0",
    "1",
    "2",
    "0.5",
    "1.5",
    "3",
    "4",
    "5",
    "7",
    "0.1",
    "0.3",
    "2.2",
    "4.9",
    "11.1",
    "6.7",
    "-2",
    "-0",
    "1e3",
    "0.05",
    "3.3333333",
];
const TRIAGES: [&str; 10] = ["", "1", "1.5", "2", "2.5", "3", "0", "1.2", "-4", "9e2"];

/// Numbers that look random and are the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("small");
        usize::try_from(self.next() % end).expect("below a small number")
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// Up to so many, without repetition if asked.
    fn some<'a>(&mut self, choices: &[&'a str], most: usize, distinct: bool) -> Vec<&'a str> {
        let count = self.below(most + 1);
        let mut some: Vec<&str> = (0..count).map(|_| self.of(choices)).collect();
        if distinct {
            some.sort_unstable();
            some.dedup();
        }
        some
    }
}

/// A plan; a tidy one has nothing that pairing by name refuses.
fn plan(dice: &mut Dice, calendar: &Calendar, tidy: bool) -> String {
    let skills = if tidy { &SKILLS[..4] } else { &SKILLS[..] };
    let start = 100 + dice.below(600);
    let end = start + dice.below(45);
    let (start, end) = if !tidy && dice.below(40) == 0 { (end, start) } else { (start, end) };
    let date = |dice: &mut Dice| calendar.plain[90 + dice.below(700)].clone();
    let near = |dice: &mut Dice| calendar.plain[start.min(end) + dice.below(50)].clone();
    let (first, last) = (&calendar.plain[start], &calendar.plain[end]);
    let scheduled = dice.some(skills, 5, tidy).join(":");
    let mut out = format!("=====qplan params v1\n\t{first}\t{last}\t{scheduled}\n");
    out += "=====qplan holidays v1\n";
    for _ in 0..dice.below(5) {
        out += &format!("\t{}\n", near(dice));
    }
    out += "=====qplan staff v1\n";
    for _ in 0..dice.below(9) {
        let name = dice.below(6);
        let (track, skill) = (dice.of(&TRACKS), dice.of(skills));
        let vacation: Vec<String> =
            (0..dice.below(5)).map(|far| if far == 3 { date(dice) } else { near(dice) }).collect();
        out += &format!("\t1\tPerson {name}\tTeam\t{track}\t{skill}\t{}\n", vacation.join(":"));
    }
    out += "=====qplan work v1\n";
    for number in 0..dice.below(12) {
        let mut parts = Vec::new();
        for skill in dice.some(skills, 4, tidy) {
            let weeks = dice.of(WEEKS.as_slice());
            let weeks = if tidy { weeks.trim_start_matches('-') } else { weeks };
            let nothing = dice.below(12) == 0;
            parts.push(if nothing { String::new() } else { format!("{skill}:{weeks}") });
        }
        let rank = i64::try_from(dice.below(12)).expect("small") - 3;
        let (triage, track) = (dice.of(&TRIAGES), dice.of(&TRACKS));
        let estimate = parts.join(",");
        out += &format!("\tW\t{rank}\tItem {number}\t{estimate}\t{triage}\t{track}\n");
    }
    out
}

fn compare(by_name: bool) {
    let calendar = Calendar::new();
    let mut decimals = Decimals::default();
    let options = ScheduleOptions { raw: false, by_name };
    let (mut ended, mut endless) = (0, 0);
    for seed in 0..if by_name { PLANS / 5 } else { PLANS } {
        let text = plan(&mut Dice(seed), &calendar, by_name);
        let expected = model::schedule(&text, by_name, &mut decimals, &calendar);
        let found = schedule(text.as_bytes(), options).map(|schedule| schedule.output);
        let Some(expected) = expected else {
            assert!(found.is_err(), "seed {seed}: no day to end on\n{text}");
            continue;
        };
        let found = found.unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        let found = String::from_utf8(found).expect("text");
        assert_eq!(found, expected, "seed {seed}:\n{text}");
        ended += expected.matches(", 202").count();
        endless += expected.matches("\tDNF\n").count();
    }
    assert!(ended > 2_000 && endless > 2_000, "the plans are of every kind: {ended}, {endless}");
}

#[test]
fn plans_are_scheduled_as_the_model_does() {
    compare(false);
}

#[test]
fn plans_are_scheduled_by_name_as_the_model_does() {
    compare(true);
}

#[test]
fn numbers_are_printed_as_the_model_does() {
    let mut dice = Dice(7);
    let mut decimals = Decimals::default();
    // Powers of two are special: their lower neighbour is nearer than the upper one.
    let powers = (28_u32..228).map(|exponent| exponent << 23);
    let others = (0..3_000).map(|_| u32::try_from(dice.next() >> 33).expect("31 bits"));
    for number in powers.chain(others).map(f32::from_bits) {
        if !(1e-30..1e30).contains(&number) {
            continue;
        }
        let exact = format!("{:e}", f64::from(number));
        let text = format!(
            "=====qplan params v1\n\tJan 6, 2025\tJan 6, 2025\t\n=====qplan holidays v1\n\
             =====qplan staff v1\n=====qplan work v1\n\ta\t1\tx\tS:{exact}\t1\tT\n"
        );
        let output = schedule(text.as_bytes(), ScheduleOptions::default()).expect("a plan").output;
        let output = String::from_utf8(output).expect("text");
        let expected = format!("\tS:{}\t", decimals.print(number));
        assert!(output.contains(&expected), "{expected} for {exact}:\n{output}");
    }
}

#[test]
fn by_name_the_order_of_scheduled_skills_does_not_matter() {
    let calendar = Calendar::new();
    let options = ScheduleOptions { raw: false, by_name: true };
    for seed in 0..500 {
        let text = plan(&mut Dice(seed), &calendar, true);
        let line = text.lines().nth(1).expect("the params");
        let (dates, skills) = line.rsplit_once('\t').expect("three fields");
        let mut turned: Vec<&str> = skills.split(':').collect();
        turned.reverse();
        let other = text.replacen(line, &format!("{dates}\t{}", turned.join(":")), 1);
        let results = [&text, &other].map(|text| {
            let output = schedule(text.as_bytes(), options).expect("a plan").output;
            let output = String::from_utf8(output).expect("text");
            output.lines().skip(2).map(str::to_owned).collect::<Vec<String>>()
        });
        assert_eq!(results[0], results[1], "seed {seed}:\n{text}");
    }
}

#[test]
fn spoilt_plans_are_refused_and_nothing_worse() {
    let calendar = Calendar::new();
    for seed in 0..2_000 {
        let mut dice = Dice(seed);
        let mut bytes = plan(&mut dice, &calendar, false).into_bytes();
        for _ in 0..=dice.below(4) {
            let at = dice.below(bytes.len());
            match dice.below(4) {
                0 => drop(bytes.remove(at)),
                1 => bytes.insert(
                    at,
                    dice.of(&["\t", "\n", "9", ":", ",", "-", "=", "\r"]).as_bytes()[0],
                ),
                2 => bytes[at] = bytes[dice.below(bytes.len())],
                _ => bytes.truncate(at.max(9)),
            }
        }
        for by_name in [false, true] {
            let options = ScheduleOptions { raw: false, by_name };
            if let Err(error) = schedule(&bytes, options) {
                assert!(error.to_string().starts_with("cannot schedule: "), "seed {seed}: {error}");
            }
        }
    }
}
