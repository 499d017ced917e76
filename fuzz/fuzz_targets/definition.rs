//! Any text is a definition or a list of defects with places within it.
#![no_main]

use esker_pipeline::definition::Definition;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (definition, defects) = Definition::parse(text, Timestamp::UNIX_EPOCH);
    assert_eq!(definition.is_none(), defects.iter().any(|defect| defect.is_error()));
    let lines = text.split('\n').count();
    for defect in defects {
        assert!((1..=lines).contains(&defect.line), "{defect}");
    }
});
