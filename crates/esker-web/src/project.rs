//! What the page must know of the definition; the program that reads `esker.toml` fills it in.

/// A project as the page shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// The esker that runs it.
    pub version: String,
    /// Sources and stages, in the order data flows.
    pub stages: Vec<Stage>,
    /// What people look at.
    pub views: Vec<View>,
    /// The folder with its own pages, if it has some, relative to the project's.
    pub app: Option<String>,
    /// What it is as it was, if it is an excavation: `2025-11-20 17:00:03, 0123456789`.
    pub as_of: Option<String>,
    /// Whether a runner is known to run here: without one, nothing is pulled or computed.
    pub has_runner: bool,
}

/// A source or a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Its name.
    pub name: String,
    /// Whether it brings data in from outside.
    pub is_source: bool,
    /// The resources it reads.
    pub inputs: Vec<String>,
    /// The resources it makes.
    pub outputs: Vec<String>,
    /// Its program and arguments as one line, or the file it reads.
    pub program: String,
}

/// A resource and how to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its name, as in the URL.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it shows.
    pub resource: String,
    /// `plan`, `table` or `text`.
    pub kind: String,
}
