//! Merging a content that was replaced as a whole.

use std::collections::HashMap;

use esker_wire::edit::address::{Address, Place, Row, Selector, Step};
use esker_wire::edit::{Deed, EDITS_MAX, Edit, Spot};

use super::doc::Doc;
use super::json_node::Node;
use super::lines;
use super::merge::{Decision, merge};
use super::table::{Id, Table};
use super::tables::Tables;
use super::{Content, Outcome, Refused, Weighed};

/// Merges `mine`, which was made of `base`, with `theirs`. Tables whose rows have a key are merged by cell, JSON objects
/// by member; other texts, and tables and JSON whose shape was changed, line by line; what is no text is in conflict
/// as a whole. Decisions are by the number of the outcome, from 1.
///
/// # Errors
/// [`Refused`] if what was changed in a table or in JSON cannot be said of `theirs` at all.
pub fn merge_whole(
    base: Content<'_>,
    theirs: &[u8],
    mine: &[u8],
    decisions: &[(usize, Decision)],
) -> Result<Weighed, Refused> {
    if mine == base.bytes || mine == theirs {
        let is_changed = mine != base.bytes;
        let outcomes = if is_changed { vec![Outcome::Already] } else { Vec::new() };
        return Ok(Weighed { content: theirs.to_vec(), outcomes });
    }
    if base.bytes == theirs {
        let before = String::from_utf8_lossy(base.bytes).into_owned();
        let before = esker_wire::edit::Before::Text(before);
        return Ok(Weighed { content: mine.to_vec(), outcomes: vec![Outcome::Applied { before }] });
    }
    if let Some(edits) = difference(base, theirs, mine) {
        // What only the edits cannot say is lost if they do not make it all of the base.
        if let Ok(made) = merge(base, base.bytes, &edits, &[])
            && is_alike(base, &made.content, mine)
        {
            return merge(base, theirs, &edits, decisions);
        }
    }
    let texts = [base.bytes, theirs, mine].map(std::str::from_utf8);
    if let [Ok(base), Ok(theirs), Ok(mine)] = texts {
        return Ok(lines::merge(base, theirs, mine, decisions));
    }
    let told = |bytes: &[u8]| format!("{} bytes", bytes.len());
    let (content, outcome) = match decisions.iter().rev().find(|(number, _)| *number == 1) {
        Some((_, Decision::Mine)) => {
            let before = esker_wire::edit::Before::Text(told(theirs));
            (mine, Outcome::Applied { before })
        }
        Some((_, Decision::Theirs)) => (theirs, Outcome::Yielded),
        None => (theirs, lines::conflict(&told(base.bytes), &told(theirs), &told(mine))),
    };
    Ok(Weighed { content: content.to_vec(), outcomes: vec![outcome] })
}

/// What became of a content, as edits; none if edits cannot say it.
fn difference(base: Content<'_>, theirs: &[u8], mine: &[u8]) -> Option<Vec<Edit>> {
    let old = Doc::open(base).ok()?;
    let other = Doc::open(base.like(theirs)).ok()?;
    let new = Doc::open(base.like(mine)).ok()?;
    let mut edits = Edits { all: Vec::new() };
    match (old, other, new) {
        (Doc::Tables(mut old), Doc::Tables(_), Doc::Tables(mut new)) => {
            tables(&mut old, &mut new, &mut edits)?;
        }
        (Doc::Json(_), Doc::Json(_), Doc::Json(_)) => {
            members(text(base.bytes)?, text(mine)?, &mut Vec::new(), &mut edits)?;
        }
        _ => return None,
    }
    Some(edits.all)
}

/// A text without the blanks around it.
fn text(bytes: &[u8]) -> Option<&str> {
    Some(std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim())
}

/// Whether two contents say the same.
fn is_alike(base: Content<'_>, one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    match difference(base.like(one), other, other) {
        Some(edits) => edits.is_empty(),
        None => false,
    }
}

/// Edits of one content.
struct Edits {
    all: Vec<Edit>,
}

impl Edits {
    /// Adds one; none if there are too many.
    fn push(&mut self, steps: Vec<Step>, deed: Deed) -> Option<()> {
        // The resource is the caller's business; nobody sees this one.
        let resource = "a/content".parse().expect("it is a name");
        let at = Address { resource, place: Place { steps } };
        self.all.push(Edit { at, deed });
        (self.all.len() <= EDITS_MAX).then_some(())
    }
}

fn members(old: &str, new: &str, path: &mut Vec<Step>, edits: &mut Edits) -> Option<()> {
    if old == new {
        return Some(());
    }
    let nodes = (Node::of(old), Node::of(new));
    let (old, new) = match nodes {
        (Some(old), Some(now)) if old.is_object && now.is_object => (old, now),
        _ => {
            return edits
                .push((!path.is_empty()).then(|| path.clone())?, Deed::Set(new.to_owned()));
        }
    };
    let names = |node: &Node<'_>| -> Option<HashMap<String, usize>> {
        let all = node.items.iter().enumerate().map(|(at, item)| (item.name().into_owned(), at));
        let names: HashMap<String, usize> = all.collect();
        (names.len() == node.items.len()).then_some(names)
    };
    let (before, after) = (names(&old)?, names(&new)?);
    for item in &new.items {
        path.push(Step::Name(item.name().into_owned()));
        match before.get(&*item.name()) {
            Some(at) => members(&old.items[*at].value(), &item.value(), path, edits)?,
            None => edits.push(path.clone(), Deed::Set(item.value().into_owned()))?,
        }
        path.pop();
    }
    for item in old.items.iter().filter(|item| !after.contains_key(&*item.name())) {
        path.push(Step::Name(item.name().into_owned()));
        edits.push(path.clone(), Deed::Remove)?;
        path.pop();
    }
    Some(())
}

fn tables(old: &mut Tables<'_>, new: &mut Tables<'_>, edits: &mut Edits) -> Option<()> {
    let paths = old.paths();
    (paths == new.paths()).then_some(())?;
    for (at, path) in paths.into_iter().enumerate() {
        let (old, key) = old.keyed(at);
        let (new, key_new) = new.keyed(at);
        (old.columns == new.columns).then_some(())?;
        if old.order.is_empty() && new.order.is_empty() {
            continue;
        }
        // A table that loses its key, or all its rows, is another.
        let key = if key.is_empty() { key_new } else { key };
        (!key.is_empty()).then_some(())?;
        let path = path.into_iter().map(Step::Name).collect();
        Pair { old, new, key, path }.rows(edits)?;
    }
    Some(())
}

/// A table and what became of it.
struct Pair<'t, 'a, 'b> {
    old: &'t Table<'a>,
    new: &'t Table<'b>,
    key: Vec<usize>,
    path: Vec<Step>,
}

impl Pair<'_, '_, '_> {
    /// The row's place. Its key names its columns, as another table may guess others.
    fn place(&self, key: &[String]) -> Vec<Step> {
        let mut steps = self.path.clone();
        steps.push(Step::Row(self.named(key)));
        steps
    }

    fn named(&self, key: &[String]) -> Row {
        let columns = self.key.iter().map(|column| self.old.columns[*column].clone());
        let pairs = columns.zip(key);
        let selector = |(column, value): (String, &String)| Selector {
            column: Some(column),
            value: value.clone(),
        };
        Row::Keys(pairs.map(selector).collect())
    }

    fn rows(&self, edits: &mut Edits) -> Option<()> {
        let (before, after) = (keys(self.old, &self.key)?, keys(self.new, &self.key)?);
        for id in &self.old.order {
            let key = texts(self.old, *id, &self.key);
            if !after.contains_key(&key) {
                edits.push(self.place(&key), Deed::Remove)?;
            }
        }
        let stays = self.stays(&before);
        let mut spot = Spot::First;
        for (id, stays) in self.new.order.iter().zip(stays) {
            let key = texts(self.new, *id, &self.key);
            match before.get(&key) {
                None => {
                    let cells = self.new.named(*id);
                    edits.push(self.path.clone(), Deed::Add { cells, to: spot })?;
                }
                Some(was) => {
                    if !stays {
                        edits.push(self.place(&key), Deed::Move(spot))?;
                    }
                    self.cells((*was, *id), &key, edits)?;
                }
            }
            spot = Spot::After(self.named(&key));
        }
        Some(())
    }

    fn cells(&self, (was, id): (Id, Id), key: &[String], edits: &mut Edits) -> Option<()> {
        for (column, name) in self.new.columns.iter().enumerate() {
            let text = self.new.text(id, column);
            if self.old.text(was, column) != text {
                let mut steps = self.place(key);
                steps.push(Step::Name(name.clone()));
                edits.push(steps, Deed::Set(text.into_owned()))?;
            }
        }
        // What is beyond the heading has no name that lasts.
        let wide = self.new.columns.len();
        (self.old.cell(was, wide).is_none() && self.new.cell(id, wide).is_none()).then_some(())
    }

    /// For every newer row, whether it may stay where it is while the fewest others move.
    fn stays(&self, before: &HashMap<Vec<String>, Id>) -> Vec<bool> {
        let was: Vec<Option<Id>> = self
            .new
            .order
            .iter()
            .map(|id| before.get(&texts(self.new, *id, &self.key)).copied())
            .collect();
        // `ends[n]` is the row that ends a rising run of n + 1 at the lowest old place.
        let mut ends: Vec<usize> = Vec::new();
        let mut link: Vec<Option<usize>> = vec![None; was.len()];
        for (index, old) in was.iter().enumerate().filter(|(_, old)| old.is_some()) {
            let length = ends.partition_point(|end| was[*end] < *old);
            link[index] = length.checked_sub(1).map(|last| ends[last]);
            match ends.get_mut(length) {
                Some(end) => *end = index,
                None => ends.push(index),
            }
        }
        let mut stays = vec![false; was.len()];
        let mut next = ends.last().copied();
        while let Some(index) = next {
            stays[index] = true;
            next = link[index];
        }
        stays
    }
}

fn texts(table: &Table<'_>, id: Id, columns: &[usize]) -> Vec<String> {
    columns.iter().map(|column| table.text(id, *column).into_owned()).collect()
}

/// The rows by their keys; none if a key is empty or comes twice.
fn keys(table: &Table<'_>, columns: &[usize]) -> Option<HashMap<Vec<String>, Id>> {
    let mut keys = HashMap::with_capacity(table.order.len());
    for id in &table.order {
        let key = texts(table, *id, columns);
        let is_filled = key.iter().all(|text| !text.is_empty());
        (is_filled && keys.insert(key, *id).is_none()).then_some(())?;
    }
    Some(keys)
}
