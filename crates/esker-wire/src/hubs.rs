//! Several hubs whose projects are shown by one server: how many there may be, and what none of them can be called.

/// The most hubs that one server of pages follows: a page has a connection for its own and one for all.
pub const HUBS_MAX: usize = 32;

/// What stands at the beginning of a server's own paths: no project's pages can be there.
pub const TAKEN: [&str; 10] =
    ["api", "app", "assets", "graphql", "healthz", "login", "logout", "metrics", "readyz", "sync"];
