//! Any edits of any content are made or refused; none makes whoever makes them panic.
#![no_main]

use esker_pipeline::edit::try_any;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| drop(try_any(bytes)));
