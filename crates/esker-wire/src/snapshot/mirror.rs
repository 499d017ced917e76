//! How a copy of the store elsewhere stands, as HEALTH tells it.

use jiff::Timestamp;

use crate::fault::Fault;
use crate::message::Section;

/// How a mirror stands, or how a replica stands to what it follows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MirrorReport {
    /// Where the other repository is, without what is secret in it.
    pub url: String,
    /// How many commits are not there yet, where it is known.
    pub behind: Option<u64>,
    /// Since when it lags; none if it does not.
    pub since: Option<Timestamp>,
    /// Why, if something is wrong; one line.
    pub trouble: Option<String>,
}

impl MirrorReport {
    pub(super) fn to_section(&self, name: &str) -> Section {
        Section::new(name)
            .with("url", &self.url)
            .with_some("behind", self.behind)
            .with_some("since", self.since)
            .with_some("trouble", self.trouble.as_ref())
    }

    pub(super) fn from_section(section: &Section) -> Result<Self, Fault> {
        Ok(Self {
            url: section.require("url")?,
            behind: section.parse("behind")?,
            since: section.parse("since")?,
            trouble: section.text("trouble"),
        })
    }
}
