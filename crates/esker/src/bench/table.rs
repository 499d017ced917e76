//! What was measured, and how it is judged: values in, a table and JSON out. Pure.

use serde_json::{Value, json};

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Done in a second; more is better.
    PerSecond,
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
}

impl Unit {
    fn name(self) -> &'static str {
        match self {
            Self::PerSecond => "1/s",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::Count => "count",
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{}/s", digits(value)),
            Self::Seconds if value < 1e-3 => format!("{} µs", digits(value * 1e6)),
            Self::Seconds if value < 1.0 => format!("{} ms", digits(value * 1e3)),
            Self::Seconds => format!("{} s", digits(value)),
            Self::Bytes if value < 10_000.0 => format!("{} B", digits(value)),
            Self::Bytes if value < 10e6 => format!("{} kB", digits(value / 1e3)),
            Self::Bytes => format!("{} MB", digits(value / 1e6)),
            Self::Count => digits(value),
        }
    }
}

/// Three digits that count, and thousands apart.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        0.0 => 0,
        size if size < 1.0 => 3,
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.places$}");
    let whole = text.split('.').next().unwrap_or_default();
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) && digit.is_ascii_digit() {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &text[whole.len()..]
}

/// The rounds of one side of a case.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rounds {
    unit: Unit,
    sorted: Vec<f64>,
}

impl Rounds {
    /// What the rounds gave; at least one.
    pub(crate) fn new(unit: Unit, mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self { unit, sorted: values }
    }

    /// One value, known or measured once.
    pub(crate) fn one(unit: Unit, value: f64) -> Self {
        Self::new(unit, vec![value])
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.sorted.get(self.sorted.len() / 2).copied().unwrap_or_default()
    }

    fn show(&self) -> String {
        self.unit.show(self.median())
    }

    fn json(&self) -> Value {
        json!({ "median": self.median(), "unit": self.unit.name(), "rounds": self.sorted })
    }
}

/// Where a score must be, and where we want it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// Must, aim: this or more, as a ratio.
    AtLeast(f64, f64),
    /// Must, aim: this or less, as a ratio.
    AtMost(f64, f64),
    /// Must, aim: this or less, in the unit of what is measured.
    Within(f64, f64),
    /// Nothing at all.
    Zero,
}

impl Bound {
    fn show(self, unit: Unit) -> (String, String) {
        match self {
            Self::Within(must, aim) => {
                (format!("≤ {}", unit.show(must)), format!("≤ {}", unit.show(aim)))
            }
            Self::AtLeast(must, aim) => (format!("≥ {}", ratio(must)), format!("≥ {}", ratio(aim))),
            Self::AtMost(must, aim) => (format!("≤ {}", ratio(must)), format!("≤ {}", ratio(aim))),
            Self::Zero => ("0".to_owned(), "0".to_owned()),
        }
    }

    fn json(self) -> Value {
        match self {
            Self::AtLeast(must, aim) => json!({ "must": must, "aim": aim, "better": "more" }),
            Self::AtMost(must, aim) | Self::Within(must, aim) => {
                json!({ "must": must, "aim": aim, "better": "less" })
            }
            Self::Zero => json!({ "must": 0, "aim": 0, "better": "less" }),
        }
    }

    fn judge(self, score: f64) -> Verdict {
        let (must, aim) = match self {
            Self::AtLeast(must, aim) => (score >= must, score >= aim),
            Self::AtMost(must, aim) | Self::Within(must, aim) => (score <= must, score <= aim),
            Self::Zero => (score == 0.0, score == 0.0),
        };
        match (must, aim) {
            (true, true) => Verdict::Aim,
            (true, false) => Verdict::Must,
            _ => Verdict::Missed,
        }
    }
}

fn ratio(value: f64) -> String {
    if value == value.round() && value >= 1.0 {
        return format!("{value:.0}×");
    }
    let text = if value >= 10.0 { format!("{value:.0}") } else { format!("{value:.2}") };
    format!("{text}×")
}

/// How a case came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As good as we want.
    Aim,
    /// Good enough.
    Must,
    /// Not good enough.
    Missed,
    /// Could not be measured here.
    NotRun,
    /// There is nothing it must be.
    Recorded,
}

impl Verdict {
    fn show(self) -> &'static str {
        match self {
            Self::Aim => "aim",
            Self::Must => "must",
            Self::Missed => "missed",
            Self::NotRun => "not run",
            Self::Recorded => "recorded",
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Case {
    /// For machines: the same from version to version.
    key: String,
    what: String,
    ours: Option<Rounds>,
    peer: Option<(String, Rounds)>,
    /// How we compare, or how many faults there were.
    score: Option<f64>,
    bound: Option<Bound>,
    /// Why it was not run.
    reason: Option<String>,
}

impl Case {
    /// A case measured against nothing: it is recorded.
    pub(crate) fn new(key: impl Into<String>, what: impl Into<String>, ours: Rounds) -> Self {
        Self {
            key: key.into(),
            what: what.into(),
            ours: Some(ours),
            peer: None,
            score: None,
            bound: None,
            reason: None,
        }
    }

    /// A case whose peer is missing, which is a case missed.
    pub(crate) fn not_run(
        key: impl Into<String>,
        what: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let reason = Some(reason.into());
        Self {
            key: key.into(),
            what: what.into(),
            ours: None,
            peer: None,
            score: None,
            bound: None,
            reason,
        }
    }

    /// Against a peer: the ratio says how many times better ours is.
    #[must_use]
    pub(crate) fn against(mut self, peer: impl Into<String>, theirs: Rounds) -> Self {
        if let Some(ours) = &self.ours {
            let (a, b) = (ours.median(), theirs.median());
            self.score = Some(if ours.unit == Unit::PerSecond { a / b } else { b / a });
        }
        self.peer = Some((peer.into(), theirs));
        self
    }

    /// Beside what is to be seen with it; no ratio is made of it.
    #[must_use]
    pub(crate) fn beside(mut self, what: impl Into<String>, theirs: Rounds) -> Self {
        self.peer = Some((what.into(), theirs));
        self
    }

    /// Against ourselves at the beginning: the ratio says how many times worse ours has become.
    #[must_use]
    pub(crate) fn aged(mut self, young: impl Into<String>, before: Rounds) -> Self {
        self = self.against(young, before);
        self.score = self.score.map(|better| 1.0 / better);
        self
    }

    /// What the ratio must be.
    #[must_use]
    pub(crate) fn bound(mut self, bound: Bound) -> Self {
        if let (Bound::Zero | Bound::Within(..), Some(ours)) = (bound, &self.ours) {
            self.score = Some(ours.median());
        }
        self.bound = Some(bound);
        self
    }

    /// How it came out.
    pub(crate) fn verdict(&self) -> Verdict {
        match (self.ours.is_some(), self.bound, self.score) {
            (false, _, _) => Verdict::NotRun,
            (true, Some(bound), Some(score)) => bound.judge(score),
            (true, _, _) => Verdict::Recorded,
        }
    }

    fn row(&self) -> Vec<String> {
        let unit = self.ours.as_ref().map_or(Unit::Count, |ours| ours.unit);
        let (must, aim) = self.bound.map(|bound| bound.show(unit)).unwrap_or_default();
        let peer = match (&self.reason, &self.peer) {
            (Some(reason), _) => reason.clone(),
            (None, Some((name, theirs))) => format!("{name}: {}", theirs.show()),
            (None, None) => String::new(),
        };
        let counts = matches!(self.bound, Some(Bound::Zero | Bound::Within(..)));
        vec![
            self.what.clone(),
            self.ours.as_ref().map(Rounds::show).unwrap_or_default(),
            peer,
            self.score.filter(|_| !counts).map(ratio).unwrap_or_default(),
            must,
            aim,
            self.verdict().show().to_owned(),
        ]
    }

    fn json(&self) -> Value {
        let peer = self.peer.as_ref().map(|(name, theirs)| {
            let mut peer = theirs.json();
            peer["name"] = json!(name);
            peer
        });
        let mut case = self.bound.map_or_else(|| json!({}), Bound::json);
        case["key"] = json!(self.key);
        case["case"] = json!(self.what);
        case["ours"] = json!(self.ours.as_ref().map(Rounds::json));
        case["peer"] = json!(peer);
        case["ratio"] = json!(self.score);
        case["verdict"] = json!(self.verdict().show());
        case["reason"] = json!(self.reason);
        case
    }
}

/// All that was measured.
#[derive(Debug, Default)]
pub(crate) struct Table {
    cases: Vec<Case>,
}

/// The headings of a table.
pub(crate) const HEADINGS: [&str; 7] =
    ["case", "ours", "peer or limit", "ratio", "must", "aim", "verdict"];

impl Table {
    /// Adds a line.
    pub(crate) fn push(&mut self, case: Case) {
        self.cases.push(case);
    }

    /// The lines, for people.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        self.cases.iter().map(Case::row).collect()
    }

    /// The lines, for machines.
    pub(crate) fn json(&self) -> Value {
        self.cases.iter().map(Case::json).collect()
    }

    /// The cases that miss a must, or were not run, as one sentence.
    ///
    /// # Errors
    /// The sentence, if there is one.
    pub(crate) fn check(&self) -> Result<(), String> {
        let missed = |case: &&Case| matches!(case.verdict(), Verdict::Missed | Verdict::NotRun);
        let missed: Vec<&str> =
            self.cases.iter().filter(missed).map(|case| case.key.as_str()).collect();
        if missed.is_empty() {
            return Ok(());
        }
        Err(format!("{} of {} cases missed: {}", missed.len(), self.cases.len(), missed.join(", ")))
    }
}

#[cfg(test)]
mod tests;
