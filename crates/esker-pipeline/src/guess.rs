//! What a file is like, for a project that begins with it: its tables, and a schema that is true of them.

use bytes::Bytes;
use serde_json::Value;

use crate::gate::guess;
use crate::run::file::convert;
use crate::sheets;

/// What is known of a file's content.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// A check file that lets the content pass: a Table Schema, or a Data Package of a workbook's sheets. None if it is
    /// no table that one could be written of.
    pub schema: Option<Value>,
    /// Whether it is tables.
    pub is_table: bool,
    /// What could not be described, and why, a line each.
    pub notes: Vec<String>,
}

/// Looks at a file's content as a source of this name would bring it.
///
/// # Errors
/// Why it cannot be read, and what to do.
pub fn guess(name: &str, bytes: &Bytes) -> Result<Guess, (String, String)> {
    let content = convert(bytes, name, &[]).map_err(|broken| (broken.summary, broken.hint))?;
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    if sheets::is_workbook(name) {
        let (schema, notes) = guess::of_streams(&content);
        return Ok(Guess { schema, is_table: true, notes });
    }
    if !matches!(ending.as_deref(), Some("csv" | "tsv" | "tab")) {
        return Ok(Guess { schema: None, is_table: false, notes: Vec::new() });
    }
    match guess::of_table(&content) {
        Ok(schema) => Ok(Guess { schema: Some(schema), is_table: true, notes: Vec::new() }),
        Err(why) => Ok(Guess { schema: None, is_table: true, notes: vec![why] }),
    }
}
