//! Any bytes are a stacked stream or are refused with a line; what is read can be written and read again.
#![no_main]

use esker_wire::stacked;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let Ok(streams) = stacked::parse(document) else {
        return;
    };
    let mut again = Vec::new();
    for stream in &streams {
        let Ok(name) = std::str::from_utf8(stream.name) else {
            return;
        };
        stacked::write(&mut again, name, &stream.content());
        // Nesting is nothing but reading a content again.
        drop(stacked::parse(&stream.content()));
    }
    let read = stacked::parse(&again).expect("what we write is strict");
    assert_eq!(read.len(), streams.len());
    for (now, before) in read.iter().zip(&streams) {
        assert_eq!((now.name, &now.lines), (before.name, &before.lines));
    }
});
