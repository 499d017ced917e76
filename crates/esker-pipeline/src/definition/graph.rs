//! What the parts of a definition are to each other: who makes what, and whether it goes round in a circle.

use std::collections::HashMap;
use std::ops::Range;

use esker_wire::name::Resource;
use esker_wire::{overrides, whatif};

use super::page::{Marked, Page, near};

/// A source or stage as the graph sees it.
pub(super) struct Node {
    /// As it is written: `[stage.condition]`.
    pub(super) title: String,
    /// Its bare name.
    pub(super) name: String,
    /// Where it is named.
    pub(super) span: Range<usize>,
    /// What it reads.
    pub(super) inputs: Vec<Marked<Resource>>,
    /// What it makes.
    pub(super) outputs: Vec<Marked<Resource>>,
    /// What the names of all else that it makes begin with, and a slash.
    pub(super) below: Option<Resource>,
}

/// Who makes each resource, by its place among the nodes.
pub(super) struct Makers<'a> {
    made: HashMap<&'a Resource, usize>,
    /// Who makes all resources whose names begin so.
    below: Vec<(&'a Resource, usize)>,
}

impl Makers<'_> {
    fn get(&self, resource: &Resource) -> Option<usize> {
        let above = |(above, _): &&(&Resource, usize)| above.is_above(resource);
        let below = || self.below.iter().find(above).map(|(_, index)| *index);
        self.made.get(resource).copied().or_else(below)
    }
}

/// What the names of resources begin with that esker itself makes.
const KEPT: [&str; 3] = [overrides::PREFIX, overrides::BENEATH, whatif::OWN];

/// Finds names used twice, resources made twice, inputs nobody makes, and cycles. Gives who makes each resource.
pub(super) fn check<'a>(page: &mut Page<'_>, nodes: &'a [Node]) -> Makers<'a> {
    check_names(page, nodes);
    let makers = makers(page, nodes);
    for output in nodes.iter().flat_map(|node| &node.outputs) {
        check_place(page, (nodes, &makers), output);
    }
    for input in nodes.iter().flat_map(|node| &node.inputs) {
        check_made(page, &makers, input);
    }
    check_cycles(page, nodes, &makers);
    makers
}

fn check_names(page: &mut Page<'_>, nodes: &[Node]) {
    let mut seen: HashMap<&str, &Node> = HashMap::new();
    for node in nodes {
        let Some(first) = seen.insert(&node.name, node) else {
            continue;
        };
        let (line, _) = page.place(first.span.start);
        let message = format!("{} has the name of {} (line {line})", node.title, first.title);
        page.error(&node.span, message, "give one of them another name");
    }
}

/// Who makes each resource; complains about the second who does.
fn makers<'a>(page: &mut Page<'_>, nodes: &'a [Node]) -> Makers<'a> {
    let below = |(index, node): (usize, &'a Node)| Some((node.below.as_ref()?, index));
    let below = nodes.iter().enumerate().filter_map(below).collect();
    let mut makers = Makers { made: HashMap::new(), below };
    for (index, node) in nodes.iter().enumerate() {
        for output in &node.outputs {
            let Some(first) = makers.get(&output.value) else {
                makers.made.insert(&output.value, index);
                continue;
            };
            let (line, _) = page.place(nodes[first].span.start);
            let message = format!(
                "{} is made by {} and by {} (line {line})",
                output.value, node.title, nodes[first].title
            );
            let hint = "a resource has one maker; give one of them another output";
            page.error(&output.span, message, hint);
        }
    }
    makers
}

/// Complains about a resource below another: names are paths, and a file is no folder.
fn check_place(
    page: &mut Page<'_>,
    (nodes, makers): (&[Node], &Makers<'_>),
    output: &Marked<Resource>,
) {
    let own = output.value.as_str();
    if let Some(kept) = KEPT.into_iter().find(|kept| own.starts_with(kept)) {
        let message = format!("{own} cannot be made: names that begin with {kept} are esker's own");
        page.error(&output.span, message, "use another name");
    }
    let folders = own.match_indices('/').filter_map(|(at, _)| own[..at].parse::<Resource>().ok());
    for folder in folders {
        let Some(maker) = makers.made.get(&folder) else {
            continue;
        };
        let message = format!("{own} is below {folder}, which {} makes", nodes[*maker].title);
        page.error(&output.span, message, "names are paths, and a file is no folder: use another");
    }
}

/// Warns of an input that no part of the definition makes: it may come from outside.
pub(super) fn check_made(page: &mut Page<'_>, makers: &Makers<'_>, input: &Marked<Resource>) {
    if makers.get(&input.value).is_some() {
        return;
    }
    let known: Vec<&str> = makers.made.keys().map(|made| made.as_str()).collect();
    let hint = match near(input.value.as_str(), &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it has to be put from outside: esker put {}", input.value),
    };
    let message = format!("no source or stage makes {}", input.value);
    page.warning(&input.span, message, hint);
}

/// Where a node is in the walk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    OnPath,
    Done,
}

fn check_cycles(page: &mut Page<'_>, nodes: &[Node], makers: &Makers<'_>) {
    let upstream: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| {
            let made = |input: &Marked<Resource>| makers.get(&input.value);
            node.inputs.iter().filter_map(made).collect()
        })
        .collect();
    let mut marks = vec![Mark::Unseen; nodes.len()];
    for start in 0..nodes.len() {
        if let Some(cycle) = walk(start, &upstream, &mut marks) {
            report(page, nodes, &cycle);
        }
    }
}

/// Depth first without recursion, so that a long chain cannot exhaust the stack.
fn walk(start: usize, upstream: &[Vec<usize>], marks: &mut [Mark]) -> Option<Vec<usize>> {
    if marks[start] != Mark::Unseen {
        return None;
    }
    let mut cycle = None;
    let mut path = vec![(start, 0)];
    marks[start] = Mark::OnPath;
    while let Some((node, next)) = path.last_mut() {
        let Some(&above) = upstream[*node].get(*next) else {
            marks[*node] = Mark::Done;
            path.pop();
            continue;
        };
        *next += 1;
        match marks[above] {
            Mark::Unseen => {
                marks[above] = Mark::OnPath;
                path.push((above, 0));
            }
            Mark::OnPath => {
                let from = path.iter().position(|(node, _)| *node == above);
                let turn = path[from.unwrap_or(0)..].iter().map(|(node, _)| *node);
                cycle = cycle.or_else(|| Some(turn.collect()));
            }
            Mark::Done => {}
        }
    }
    cycle
}

fn report(page: &mut Page<'_>, nodes: &[Node], cycle: &[usize]) {
    // The walk goes upstream; data flows the other way, beginning with the part that is named first.
    let mut turn: Vec<usize> = cycle.iter().rev().copied().collect();
    let first = (0..turn.len()).min_by_key(|at| nodes[turn[*at]].span.start);
    turn.rotate_left(first.unwrap_or(0));
    let start = &nodes[turn[0]];
    let step = |index: &usize| {
        let node = &nodes[*index];
        let (line, _) = page.place(node.span.start);
        format!("{} (line {line})", node.name)
    };
    let mut steps: Vec<String> = turn.iter().map(step).collect();
    steps.push(start.name.clone());
    let message = format!("the stages go round in a circle: {}", steps.join(" -> "));
    let hint = "remove one of these inputs";
    page.error(&start.span, message, hint);
}
