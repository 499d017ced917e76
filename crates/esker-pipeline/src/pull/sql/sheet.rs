//! Rows as CSV: a line of names, then a line a row. Nothing is empty; an empty text is `""`.

use std::io::Write as _;

use crate::run::failure::Broken;

/// What is being written.
pub(super) struct Sheet {
    text: Vec<u8>,
    /// Whether the line has begun.
    begun: bool,
}

/// Two columns of one name could not be told apart.
pub(super) fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Broken> {
    let mut seen = Vec::new();
    for name in names {
        if seen.contains(&name) {
            let summary = format!("the query gives two columns that are called {name}");
            return Err(Broken::new(summary, "give one of them another name with `as`"));
        }
        seen.push(name);
    }
    Ok(())
}

impl Sheet {
    pub(super) fn new() -> Self {
        Self { text: Vec::new(), begun: false }
    }

    pub(super) fn len(&self) -> u64 {
        self.text.len() as u64
    }

    pub(super) fn into_text(self) -> Vec<u8> {
        self.text
    }

    pub(super) fn nothing(&mut self) {
        self.comma();
    }

    pub(super) fn text(&mut self, text: &[u8]) {
        self.comma();
        let is_plain = !text.is_empty()
            && !text.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
        if is_plain {
            self.text.extend_from_slice(text);
            return;
        }
        self.text.push(b'"');
        for byte in text {
            if *byte == b'"' {
                self.text.push(b'"');
            }
            self.text.push(*byte);
        }
        self.text.push(b'"');
    }

    /// Bytes that are no text, as PostgreSQL writes them: `\x0aff`.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.comma();
        self.text.extend_from_slice(b"\\x");
        for byte in bytes {
            // A vector takes all that is written to it.
            drop(write!(self.text, "{byte:02x}"));
        }
    }

    pub(super) fn end_line(&mut self) {
        self.text.push(b'\n');
        self.begun = false;
    }

    fn comma(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.text.push(b',');
        }
    }
}
