//! Drawing a tree of lines: what stands before each.

/// What is drawn before a node's lines.
pub(crate) struct Trunk {
    pub(crate) first: String,
    pub(crate) rest: String,
}

impl Trunk {
    /// The trunk of one of the nodes, whose depths are given in the order they are printed. A branch goes on beside a
    /// node if a later one of the same depth comes before a shallower one.
    pub(crate) fn of(depths: &[u32], index: usize) -> Self {
        let goes_on = |depth: u32| {
            let later = depths[index + 1..].iter().copied();
            later.take_while(|later| *later >= depth).any(|later| later == depth)
        };
        let depth = depths[index];
        if depth == 0 {
            return Self { first: String::new(), rest: String::new() };
        }
        let above: String =
            (1..depth).map(|depth| if goes_on(depth) { "│  " } else { "   " }).collect();
        let (branch, below) =
            if goes_on(depth) { ("├─ ", "│  ") } else { ("└─ ", "   ") };
        Self { first: format!("{above}{branch}"), rest: format!("{above}{below}") }
    }
}
