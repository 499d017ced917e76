//! Prints a random plan: `gen_plan ITEMS SEED`. The same arguments give the same plan everywhere.

mod plan;

use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let (Some(Ok(items)), Some(Ok(seed))) = (arguments.next(), arguments.next()) else {
        return failed("usage: gen_plan ITEMS SEED, both whole numbers");
    };
    let Ok(items) = usize::try_from(items) else {
        return failed("gen_plan: too many items");
    };
    match io::stdout().write_all(plan::random(items, seed).as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("gen_plan: cannot write: {error}")),
    }
}

fn failed(message: &str) -> ExitCode {
    // Nothing is left to do if even the message cannot be written.
    drop(writeln!(io::stderr(), "{message}"));
    ExitCode::FAILURE
}
