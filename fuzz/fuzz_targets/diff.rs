//! Any two contents are compared as tables and as JSON, or refused; what is told is JSON lines, and nothing of alike ones.
#![no_main]

use std::time::{Duration, Instant};

use bytes::Bytes;
use esker_store::diff::{json, table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|sides: (&[u8], &[u8], bool)| {
    let (old, new, keyed) = sides;
    let key = if keyed { vec!["id".to_owned()] } else { Vec::new() };
    let until = Instant::now() + Duration::from_secs(10);
    let is_read = |body: &Bytes| {
        let mut lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.all(|line| serde_json::from_slice::<serde_json::Value>(line).is_ok())
    };
    for compared in [table::compare((old, new), &key, until), json::compare(old, new, until)] {
        assert!(compared.map_or(true, |body| is_read(&body)), "what is told cannot be read");
    }
    for alike in [table::compare((new, new), &[], until), json::compare(new, new, until)] {
        assert!(alike.map_or(true, |body| body.is_empty()), "a content differs from itself");
    }
});
