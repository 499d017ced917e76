//! Edits of JSON: members by their names, elements by their numbers from 0 or by what they hold.

use std::collections::HashMap;

use esker_wire::edit::address::{Place, Row, Selector, Step};
use esker_wire::edit::{Before, Deed, Edit};
use serde::de::IgnoredAny;

use super::json_node::{Item, Node, unquoted};
use super::miss::{Miss, nearest};

/// A JSON text.
pub(super) struct Json<'a> {
    start: usize,
    text: &'a str,
    root: Item<'a>,
    key: Vec<String>,
    /// Arrays in which elements were looked for by what they hold.
    seen: Vec<Seen>,
}

/// The elements of an array by the texts of some of their members.
struct Seen {
    way: Vec<usize>,
    names: Vec<String>,
    places: HashMap<Vec<String>, Vec<usize>>,
}

/// Where a place is: the items on the way, and the last of them if it is there.
struct Way {
    above: Vec<usize>,
    last: Option<usize>,
}

impl<'a> Json<'a> {
    /// Whether a text is JSON.
    pub(super) fn is_one(text: &str) -> bool {
        serde_json::from_str::<IgnoredAny>(text).is_ok()
    }

    /// Reads a text that begins where `start` is.
    pub(super) fn open(text: &'a str, start: usize, key: &[String]) -> Result<Self, String> {
        serde_json::from_str::<IgnoredAny>(&text[start..])
            .map_err(|error| format!("it is no JSON: {error}"))?;
        Ok(Self { start, text, root: Item::root(text, start), key: key.to_vec(), seen: Vec::new() })
    }

    fn item(&mut self, way: &[usize]) -> &mut Item<'a> {
        way.iter().fold(&mut self.root, |item, at| {
            let node = item.node().expect("a way leads through what was taken apart");
            &mut node.items[*at]
        })
    }

    /// The way to a place; all but the last step have to be there.
    fn way(&mut self, place: &Place) -> Result<Way, Miss> {
        let mut above = Vec::new();
        for (index, step) in place.steps.iter().enumerate() {
            let found = match step {
                Step::Row(Row::Keys(selectors))
                    if element(step).is_none()
                        && !selectors.is_empty()
                        && self.is_array(&above) =>
                {
                    only(&self.elements(&above, selectors)?, step)?
                }
                _ => find(self.item(&above), step)?,
            };
            match found {
                Some(at) if index + 1 == place.steps.len() => {
                    return Ok(Way { above, last: Some(at) });
                }
                Some(at) => above.push(at),
                None if index + 1 == place.steps.len() => return Ok(Way { above, last: None }),
                None => return Err(self.missing(&above, step)),
            }
        }
        Err(Miss::Never("the address names no member; replace the content as a whole".to_owned()))
    }

    fn is_array(&mut self, way: &[usize]) -> bool {
        self.item(way).node().is_some_and(|node| !node.is_object)
    }

    /// The elements of an array whose members are these; those without a name are of the declared key.
    fn elements(&mut self, way: &[usize], selectors: &[Selector]) -> Result<Vec<usize>, Miss> {
        let mut key = self.key.iter();
        let names = selectors.iter().map(|one| one.column.as_ref().or_else(|| key.next()).cloned());
        let hint = "an element is [0], or named by what it holds: [Id=CHK-1]";
        let names: Option<Vec<String>> = names.collect();
        let names = names.ok_or_else(|| Miss::Never(hint.to_owned()))?;
        let values: Vec<String> = selectors.iter().map(|one| one.value.clone()).collect();
        let known = self.seen.iter().position(|seen| seen.way == way && seen.names == names);
        let known = known.unwrap_or_else(|| {
            let mut places: HashMap<Vec<String>, Vec<usize>> = HashMap::new();
            let items = self.item(way).node().into_iter().flat_map(|node| node.items.iter());
            for (at, item) in items.enumerate() {
                if let Some(texts) = members(&item.value(), &names) {
                    places.entry(texts).or_default().push(at);
                }
            }
            self.seen.push(Seen { way: way.to_vec(), names, places });
            self.seen.len() - 1
        });
        Ok(self.seen[known].places.get(&values).cloned().unwrap_or_default())
    }

    /// Forgets what was seen of arrays that an edit changes, but for members that nobody looked for.
    fn forget(&mut self, place: &Place, way: &[usize], is_removed: bool) {
        self.seen.retain(|seen| {
            let member = place.steps.get(seen.way.len() + 1);
            let is_asked = match member {
                Some(Step::Name(name)) => seen.names.contains(name),
                _ => true,
            };
            let is_within = way.starts_with(&seen.way) && is_asked;
            !is_removed && !is_within && !seen.way.starts_with(way)
        });
    }

    fn missing(&mut self, above: &[usize], step: &Step) -> Miss {
        let place = Place { steps: vec![step.clone()] };
        Miss::Row(match self.item(above).node() {
            Some(node) if node.is_object => {
                let near = nearest(&place.to_string(), node.items.iter().map(Item::name));
                format!("there is no member {place}; {near}")
            }
            Some(node) => format!("there is no element {place}; there are {}", node.items.len()),
            None => format!("there is no {place}"),
        })
    }

    /// What an edit finds.
    pub(super) fn now(&mut self, edit: &Edit) -> Result<Before, Miss> {
        let is_set = match edit.deed {
            Deed::Set(_) => true,
            Deed::Remove => false,
            _ => return Err(no_rows(edit)),
        };
        let way = self.way(&edit.at.place)?;
        match (way.last, edit.at.place.steps.last()) {
            (Some(at), _) => {
                let mut whole = way.above;
                whole.push(at);
                Ok(Before::Text(self.item(&whole).value().into_owned()))
            }
            (None, Some(step)) if is_set => {
                let can_grow = self
                    .item(&way.above)
                    .node()
                    .is_some_and(|node| node.is_object || element(step) == Some(node.items.len()));
                if can_grow { Ok(Before::Absent) } else { Err(self.missing(&way.above, step)) }
            }
            (None, Some(step)) => Err(self.missing(&way.above, step)),
            (None, None) => Err(Miss::Never("the address names no member".to_owned())),
        }
    }

    /// Whether the value is already as an edit wants it: objects and arrays however they are spaced.
    pub(super) fn says(&mut self, edit: &Edit, found: &Before) -> Result<bool, Miss> {
        let (Deed::Set(text), Before::Text(now)) = (&edit.deed, found) else {
            return Ok(false);
        };
        let wanted = encode(text, Some(now));
        let is_spaced =
            now.starts_with(['{', '[', '"']) && wanted.as_bytes()[0] == now.as_bytes()[0];
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        Ok(wanted == *now || is_spaced && read(&wanted).is_some_and(|one| Some(one) == read(now)))
    }

    /// Does what an edit says.
    pub(super) fn apply(&mut self, edit: &Edit) -> Result<(), Miss> {
        let way = self.way(&edit.at.place)?;
        let step = edit.at.place.steps.last();
        let mut whole = way.above.clone();
        whole.extend(way.last);
        self.forget(&edit.at.place, &whole, edit.deed == Deed::Remove);
        match (&edit.deed, way.last) {
            (Deed::Set(text), Some(_)) => {
                let item = self.item(&whole);
                let value = encode(text, Some(&item.value()));
                item.set(&value);
            }
            (Deed::Set(text), None) => {
                let key = match step {
                    Some(Step::Name(name)) => quoted(name),
                    _ => String::new(),
                };
                let node = self.item(&way.above).node();
                let node = node.ok_or_else(|| Miss::Kind("it holds no members".to_owned()))?;
                let key = if node.is_object { key.as_str() } else { "" };
                node.push(key, &encode(text, None));
            }
            (Deed::Remove, Some(at)) => {
                let node = self.item(&way.above).node().expect("the item is in it");
                node.remove(at);
            }
            (Deed::Remove, None) => return Err(Miss::Row("it is gone".to_owned())),
            _ => return Err(no_rows(edit)),
        }
        Ok(())
    }

    /// A string's text, or any other value as it is written.
    pub(super) fn read(&mut self, place: &Place) -> Option<String> {
        let way = self.way(place).ok()?;
        let mut whole = way.above;
        whole.push(way.last?);
        Some(unquoted(&self.item(&whole).value()).into_owned())
    }

    /// The text as it is now.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = String::with_capacity(self.text.len() + 64);
        self.root.write(&mut out);
        debug_assert!(out.len() >= self.start, "the mark at the beginning stays");
        out.into_bytes()
    }
}

fn no_rows(edit: &Edit) -> Miss {
    let deed = edit.deed.word();
    Miss::Never(format!("{deed} is for rows of tables; set or remove members and elements here"))
}

/// The number of an element, from 0, that a step names.
fn element(step: &Step) -> Option<usize> {
    match step {
        Step::Name(name) => name.parse().ok(),
        Step::Row(Row::Number(number)) => usize::try_from(number - 1).ok(),
        Step::Row(Row::Keys(selectors)) => match selectors.as_slice() {
            [one] if one.column.is_none() => one.value.parse().ok(),
            _ => None,
        },
        Step::Number(_) => None,
    }
}

/// The item of a value that a step names, if it is there.
fn find(item: &mut Item<'_>, step: &Step) -> Result<Option<usize>, Miss> {
    let place = Place { steps: vec![step.clone()] };
    let Some(node) = item.node() else {
        let value: String = item.value().chars().take(40).collect();
        return Err(Miss::Kind(format!("there is no {place} in {value}, which holds nothing")));
    };
    let found: Vec<usize> = match (node.is_object, step) {
        (_, Step::Number(_)) => {
            return Err(Miss::Never("#4 is a column of a table; an element is [3]".to_owned()));
        }
        (true, Step::Name(name)) => places(node, |item| item.name() == *name),
        (true, Step::Row(_)) => {
            return Err(Miss::Kind(format!("{place} is no member: an object has names")));
        }
        (false, step) => match element(step) {
            Some(at) => return Ok(Some(at).filter(|at| *at < node.items.len())),
            None => {
                return Err(Miss::Kind(format!("{place} is no element: an array has numbers")));
            }
        },
    };
    only(&found, step)
}

/// The one that was found, if any was.
fn only(found: &[usize], step: &Step) -> Result<Option<usize>, Miss> {
    match found {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let place = Place { steps: vec![step.clone()] };
            Err(Miss::Twice(format!("there are {} {place}", several.len())))
        }
    }
}

fn places(node: &Node<'_>, is_it: impl Fn(&Item<'_>) -> bool) -> Vec<usize> {
    let items = node.items.iter().enumerate();
    items.filter(|(_, item)| is_it(item)).map(|(at, _)| at).collect()
}

/// The texts of an object's members of these names; none if it lacks one, or is no object.
fn members(value: &str, names: &[String]) -> Option<Vec<String>> {
    let node = Node::of(value).filter(|node| node.is_object)?;
    let member = |name: &String| {
        let found = node.items.iter().find(|item| item.name() == *name);
        found.map(|item| unquoted(&item.value()).into_owned())
    };
    names.iter().map(member).collect()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text as JSON: what is JSON is meant so, but a string stays one unless the text is a string in quotes.
fn encode(text: &str, old: Option<&str>) -> String {
    let trimmed = text.trim_matches([' ', '\t', '\r', '\n']);
    let stays = old.is_some_and(|old| old.starts_with('"')) && !trimmed.starts_with('"');
    if !stays && Json::is_one(trimmed) { trimmed.to_owned() } else { quoted(text) }
}
