//! What a program says of itself while it runs: lines on its standard error that begin with `esker: `.
//!
//! `esker: progress 40/100 reading` or `esker: progress 40% reading` tells how far it is, `esker: warning TEXT` what
//! people should know although all goes well. Any other line is for whoever reads the log.

use std::time::{Duration, Instant};

/// What the lines begin with.
const FIRST: &str = "esker: ";
/// How much of a line is heard, in bytes.
const LINE_MAX: usize = 1024;
/// How many warnings of one run are passed on.
const WARNINGS_MAX: usize = 20;
/// How often progress is passed on at most.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// How far it is: `40/100 reading`.
    Progress(String),
    /// What people should know.
    Warning(String),
}

/// Hears lines in what comes in pieces.
#[derive(Debug, Default)]
pub(super) struct Hearing {
    line: Vec<u8>,
    warnings: usize,
    progress: Option<Instant>,
}

impl Hearing {
    /// Hears a piece; `tell` is told what was said in lines that end in it.
    pub(super) fn hear(&mut self, mut piece: &[u8], mut tell: impl FnMut(Said)) {
        while let Some(end) = memchr::memchr(b'\n', piece) {
            self.keep(&piece[..end]);
            self.line_ends(&mut tell);
            piece = &piece[end + 1..];
        }
        self.keep(piece);
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = LINE_MAX - self.line.len();
        self.line.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn line_ends(&mut self, tell: &mut impl FnMut(Said)) {
        let said = parse(&String::from_utf8_lossy(&self.line));
        self.line.clear();
        match said {
            Some(Said::Progress(_)) if self.progress.is_some_and(is_recent) => {}
            Some(Said::Warning(_)) if self.warnings >= WARNINGS_MAX => {}
            Some(said) => {
                match &said {
                    Said::Progress(_) => self.progress = Some(Instant::now()),
                    Said::Warning(_) => self.warnings += 1,
                }
                tell(said);
            }
            None => {}
        }
    }
}

fn is_recent(at: Instant) -> bool {
    at.elapsed() < PROGRESS_EVERY
}

fn parse(line: &str) -> Option<Said> {
    let (word, rest) = line.trim_end().strip_prefix(FIRST)?.split_once(' ')?;
    // What a terminal would take for orders is left out.
    let text: String = rest.trim().chars().filter(|letter| !letter.is_control()).collect();
    match word {
        "progress" if is_progress(text.split(' ').next()?) => Some(Said::Progress(text)),
        "warning" if !text.is_empty() => Some(Said::Warning(text)),
        _ => None,
    }
}

/// Whether it is `40/100` or `40%`.
fn is_progress(word: &str) -> bool {
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(|number| number >= 0.0);
    match (word.split_once('/'), word.strip_suffix('%')) {
        (Some((done, all)), _) => is_number(done) && is_number(all),
        (None, Some(percent)) => is_number(percent),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests;
