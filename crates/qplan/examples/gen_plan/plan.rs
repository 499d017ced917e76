//! A random plan of a product of several tracks: a person for every eight items, a year of days.

use std::fmt::Write;

const SKILLS: [&str; 8] = ["Data", "Design", "Mobile", "Ops", "QA", "Server", "Tools", "Web"];
const TRACKS: [&str; 10] = [
    "Accounts", "Billing", "Catalog", "Delivery", "Insights", "Mobile", "Partners", "Platform",
    "Search", "Support",
];
const TRIAGES: [&str; 6] = ["1", "1.5", "2", "2.5", "3", ""];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Numbers that look random and are the same everywhere (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let end = u64::try_from(choices.len()).expect("a few choices");
        choices[usize::try_from(self.below(end)).expect("below a length")]
    }
}

/// The four streams of a plan.
pub(crate) fn random(items: usize, seed: u64) -> String {
    let mut dice = Dice(seed.wrapping_mul(2).wrapping_add(1));
    let mut out = String::new();
    let skills = SKILLS.join(":");
    let mut line = |text: String| writeln!(out, "{text}").expect("memory can be written");
    line(format!("=====qplan params v1\n\tJan 4, 2027\tDec 31, 2027\t{skills}"));
    line("=====qplan holidays v1\n\tApr 5, 2027\n\tMay 31, 2027\n\tDec 24, 2027".to_owned());
    line("=====qplan staff v1".to_owned());
    for number in 1..=items / 8 + SKILLS.len() {
        let (track, skill) = (dice.of(&TRACKS), dice.of(&SKILLS));
        let month = dice.of(&MONTHS);
        let first = dice.below(24) + 1;
        let vacation: Vec<String> =
            (first..first + 5).map(|day| format!("{month} {day}, 2027")).collect();
        let vacation = vacation.join(":");
        line(format!("\t{number}\t{skill} engineer {number}\tTeam\t{track}\t{skill}\t{vacation}"));
    }
    line("=====qplan work v1".to_owned());
    for number in 1..=items {
        let mut efforts = Vec::new();
        let first = dice.below(5);
        for skill in SKILLS.iter().skip(usize::try_from(first).expect("small")).take(3) {
            efforts.push(format!("{skill}:{}.{}", dice.below(6), dice.below(10)));
        }
        let estimate = efforts.join(",");
        let (triage, track) = (dice.of(&TRIAGES), dice.of(&TRACKS));
        let rank = dice.below(1_000_000);
        line(format!(
            "\tW{number}\t{rank}\tItem number {number} of the plan\t{estimate}\t{triage}\t{track}\tTeam\t8\t"
        ));
    }
    out
}
