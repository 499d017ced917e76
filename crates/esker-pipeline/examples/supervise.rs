//! The supervisor alone, for the tests: `supervise supervise --grace-ms N … -- PROGRAM ARG…`.

use std::process::ExitCode;

fn main() -> ExitCode {
    esker_pipeline::supervise::supervise(std::env::args_os().skip(2))
}
