//! The log: JSON lines where nobody reads along, plain lines above the live status where somebody does.

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What a log line must be at least; `ESKER_LOG` says otherwise, for example `debug`.
const LEVEL: &str = "info";

/// Whether a person reads along.
pub(crate) fn is_read_along(json: bool) -> bool {
    !json && io::stderr().is_terminal()
}

/// Starts the log. Lines are printed above `bars`.
pub(crate) fn start(json: bool, bars: &MultiProgress) {
    let filter = EnvFilter::try_from_env("ESKER_LOG").unwrap_or_else(|_| EnvFilter::new(LEVEL));
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    if is_read_along(json) {
        let above = Above(bars.clone());
        builder.with_target(false).without_time().with_writer(above).init();
    } else {
        builder.json().flatten_event(true).with_writer(io::stderr).init();
    }
}

/// Starts the log of a command that tells by itself what it does: faults of esker's own only.
pub(crate) fn quiet() {
    let filter = EnvFilter::try_from_env("ESKER_LOG").unwrap_or_else(|_| EnvFilter::new("error"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    builder.with_target(false).without_time().init();
}

/// Writes above the live status.
#[derive(Clone)]
struct Above(MultiProgress);

impl<'a> MakeWriter<'a> for Above {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Above {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write_all(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
