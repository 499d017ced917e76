//! The live status of the runner in the terminal: one line per source and stage.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use esker_pipeline::engine::Engine;
use esker_pipeline::engine::status::{Part, Status};
use esker_pipeline::plan::State;
use esker_store::mirror::shared::Mirrors;
use esker_wire::snapshot::MirrorReport;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::replication::describe;
use crate::say;
use crate::stop::Stop;

/// How soon a change is seen.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Shows the runner's state, where a person reads along, until it is time to stop.
pub(crate) fn show(
    (engine, mirrors, trouble): (&Engine, &Mirrors, &dyn Fn() -> Option<String>),
    bars: &MultiProgress,
    read_along: bool,
    stop: &Stop,
) {
    if !read_along {
        while !stop.wait(Duration::from_secs(3600)) {}
        return;
    }
    let mut lines: Vec<(String, ProgressBar)> = Vec::new();
    while !stop.wait(LOOK_EVERY) {
        let mut texts = texts(&engine.status(), &mirrors.reports());
        let red = AnsiColor::Red.on_default().bold();
        texts.extend(trouble().map(|text| format!("{red}✗{red:#} cluster: {text}")));
        if lines.len() != texts.len() {
            clear(&mut lines);
            lines = texts.iter().map(|_| (String::new(), line(bars))).collect();
        }
        for (text, (shown, bar)) in texts.into_iter().zip(&mut lines) {
            if text != *shown {
                bar.set_message(text.clone());
                *shown = text;
            }
        }
    }
    clear(&mut lines);
}

fn clear(lines: &mut Vec<(String, ProgressBar)>) {
    for (_, bar) in lines.drain(..) {
        bar.finish_and_clear();
    }
}

fn line(bars: &MultiProgress) -> ProgressBar {
    let style = ProgressStyle::with_template("  {wide_msg}").expect("the template is well formed");
    bars.add(ProgressBar::no_length().with_style(style))
}

/// Every line: the sources and stages, what is wrong with all of them, and the mirrors that something is wrong with.
fn texts(status: &Status, mirrors: &[MirrorReport]) -> Vec<String> {
    let red = AnsiColor::Red.on_default().bold();
    let wrong = status.store.iter().chain(&status.definition);
    let wrong = wrong.map(|text| format!("{red}✗{red:#} {text}"));
    let yellow = AnsiColor::Yellow.on_default();
    let lagging = mirrors.iter().filter(|report| report.trouble.is_some());
    let lagging = lagging.map(|report| format!("{yellow}⇡{yellow:#} {}", describe(report)));
    status.parts.iter().map(text).chain(wrong).chain(lagging).collect()
}

/// One source or stage: how it stands, what it makes, what is next or wrong.
fn text(part: &Part) -> String {
    let (style, mark, word) = match &part.state {
        State::Fresh => (AnsiColor::Green.on_default(), "✓", "fresh".to_owned()),
        State::Running => (AnsiColor::Cyan.on_default(), "▸", "running".to_owned()),
        State::Stale => (AnsiColor::Yellow.on_default(), "·", "about to run".to_owned()),
        State::Waiting(what) => (Style::new().dimmed(), "…", format!("waits {what}")),
        State::Retry(at) => {
            (AnsiColor::Yellow.on_default(), "↻", format!("tried again at {}", say::time(*at)))
        }
        State::Problem => (AnsiColor::Red.on_default().bold(), "✗", "problem".to_owned()),
    };
    let outputs: Vec<&str> = part.outputs.iter().map(|output| output.as_str()).collect();
    let mut text =
        format!("{style}{mark} {:<14}{style:#} {:<22} {word}", part.name, outputs.join(", "));
    if let Some(progress) = &part.progress {
        text += &format!("  {progress}");
    }
    if let Some(next) = part.next {
        text += &format!("  next {}", say::time(next));
    }
    if let Some(behind) = &part.behind {
        text += &format!("  behind since {}: {} failed", say::time(behind.since), behind.because);
    }
    if let Some(failure) = &part.failure {
        text += &format!("  {failure}");
    }
    text
}
