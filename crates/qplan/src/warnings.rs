//! What a user should know although the deed succeeded; bounded.

/// The most warnings kept of one deed.
const WARNINGS_MAX: usize = 200;

/// Warnings in the order they arose.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    kept: Vec<String>,
    more: usize,
}

impl Warnings {
    /// Adds one, or counts it if there are many already.
    pub(crate) fn add(&mut self, text: impl FnOnce() -> String) {
        if self.kept.len() < WARNINGS_MAX {
            self.kept.push(text());
        } else {
            self.more += 1;
        }
    }

    /// All of them, the last one telling how many were left out.
    pub(crate) fn into_vec(mut self) -> Vec<String> {
        if self.more > 0 {
            self.kept.push(format!("and {} more warnings", self.more));
        }
        self.kept
    }
}
