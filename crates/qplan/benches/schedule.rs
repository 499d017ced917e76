//! How fast plans are scheduled, compared with merely reading the same bytes and splitting them into fields.

#[path = "../examples/gen_plan/plan.rs"]
mod plan;

use qplan::schedule::{ScheduleOptions, schedule};
use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

const ROUNDS: u32 = 5;

/// The least time of a few rounds.
fn fastest(mut work: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    for items in [100_u32, 1_000, 10_000, 100_000] {
        let input = plan::random(items as usize, 1);
        let bytes = input.as_bytes();
        let split = fastest(|| {
            let text = str::from_utf8(black_box(bytes)).unwrap_or_default();
            let fields = text.split('\n').map(|line| line.split('\t').count());
            black_box(fields.sum::<usize>());
        });
        let scheduled = fastest(|| {
            black_box(schedule(black_box(bytes), ScheduleOptions::default()).is_ok());
        });
        writeln!(
            out,
            "{items:>7} items, {:>9} bytes: {:>9.3} ms, {:>9.0} items/s, {:.1} times reading and splitting",
            bytes.len(),
            scheduled.as_secs_f64() * 1e3,
            f64::from(items) / scheduled.as_secs_f64(),
            scheduled.as_secs_f64() / split.as_secs_f64(),
        )?;
    }
    Ok(())
}
