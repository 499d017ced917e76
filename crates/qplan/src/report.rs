//! Writing the plan's eight output streams.

use crate::plan::{Item, PARAMS, TRIAGES};
use crate::show::float;
use crate::track::{Book, Figures, Members};
use std::io::Write;

/// The output, begun section by section and filled track by track.
pub(crate) struct Report<'b, 'p, 'a> {
    book: &'b Book<'p, 'a>,
    /// The text of each item's estimate, which every track it is in repeats.
    estimates: Vec<Vec<u8>>,
    manpower: Vec<u8>,
    demand: Vec<u8>,
    staff: Vec<u8>,
    work: Vec<u8>,
}

impl<'b, 'p, 'a> Report<'b, 'p, 'a> {
    pub(crate) fn new(book: &'b Book<'p, 'a>) -> Self {
        let estimates = book.plan.work.iter().map(estimate);
        Self {
            book,
            estimates: estimates.collect(),
            manpower: Vec::new(),
            demand: Vec::new(),
            staff: Vec::new(),
            work: Vec::new(),
        }
    }

    /// Adds a track.
    pub(crate) fn track(&mut self, members: &Members<'_>, figures: &Figures) {
        self.manpower.push(b'\t');
        numbers(&mut self.manpower, &figures.manpower);
        self.demand.extend_from_slice(b"\t=====qplan triage item\n");
        for demand in &figures.demand {
            self.demand.extend_from_slice(b"\t\t");
            numbers(&mut self.demand, demand);
        }
        self.staff.extend_from_slice(b"\t=====qplan track item\n");
        for group in &figures.groups {
            self.staff.extend_from_slice(b"\t\t=====qplan skill item\n");
            for person in group {
                line(&mut self.staff, "\t\t\t", self.book.plan.staff[*person].name);
            }
        }
        self.work.extend_from_slice(b"\t=====qplan track item\n");
        for (position, item) in members.items.iter().enumerate() {
            self.item(*item, &figures.shortages[position], figures.ends[position]);
        }
    }

    fn item(&mut self, index: usize, shortages: &[(usize, f32)], end: Option<usize>) {
        let item = &self.book.plan.work[index];
        let out = &mut self.work;
        write!(out, "\t\t{}\t{}\t{}\t{}\t", item.track, item.rank, TRIAGES[item.triage], item.name)
            .expect("memory can be written");
        out.extend_from_slice(&self.estimates[index]);
        out.push(b'\t');
        for (position, (skill, short)) in shortages.iter().enumerate() {
            if position > 0 {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(self.book.skills[*skill].as_bytes());
            out.push(b':');
            float(out, *short);
        }
        match end {
            Some(end) => writeln!(out, "\t{}", self.book.plan.start.plus(end)),
            None => writeln!(out, "\tDNF"),
        }
        .expect("memory can be written");
    }

    /// All eight streams.
    pub(crate) fn finish(self) -> Vec<u8> {
        let tracks = self.book.tracks.iter().map(|track| track.name);
        let mut out = Vec::new();
        names(&mut out, PARAMS, self.book.plan.params.iter().copied());
        names(&mut out, "qplan tracks v1", tracks);
        names(&mut out, "qplan skills v1", self.book.skills.iter().copied());
        names(&mut out, "qplan triages v1", TRIAGES.into_iter());
        let sections = [
            ("qplan track manpower v1", self.manpower),
            ("qplan track-triage demand v1", self.demand),
            ("qplan track-skill staff v1", self.staff),
            ("qplan track work v1", self.work),
        ];
        for (name, content) in sections {
            line(&mut out, "=====", name);
            out.extend_from_slice(&content);
        }
        out
    }
}

/// A stream of plain lines.
fn names<'a>(out: &mut Vec<u8>, stream: &str, lines: impl Iterator<Item = &'a str>) {
    line(out, "=====", stream);
    lines.for_each(|text| line(out, "\t", text));
}

fn line(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(text.as_bytes());
    out.push(b'\n');
}

/// Numbers separated by tabs, and the end of the line.
fn numbers(out: &mut Vec<u8>, numbers: &[f32]) {
    for (position, number) in numbers.iter().enumerate() {
        if position > 0 {
            out.push(b'\t');
        }
        float(out, *number);
    }
    out.push(b'\n');
}

/// All parts of an estimate; an empty one prints nothing.
fn estimate(item: &Item<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for (position, effort) in item.estimate.iter().enumerate() {
        if position > 0 {
            out.extend_from_slice(b", ");
        }
        if let Some(effort) = effort {
            out.extend_from_slice(effort.skill.as_bytes());
            out.push(b':');
            float(&mut out, effort.weeks);
        }
    }
    out
}
