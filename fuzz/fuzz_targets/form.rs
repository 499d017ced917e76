//! Any bytes are a file of a store, or none; none makes a reader panic. The first byte says which form is tried.
#![no_main]

use esker_store::form::Form;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    Form::ALL[usize::from(*first) % Form::ALL.len()].is_of(rest);
});
