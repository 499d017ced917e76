//! What is to be otherwise, as the command line says it: each change by an option of its kind, in the order given.

use std::fmt;
use std::path::PathBuf;

use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use esker_wire::edit::address::{ADDRESS_MAX, Address};
use esker_wire::edit::{Deed, Edit, Spot};
use esker_wire::name::Resource;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::de::{Deserializer as Json, StrRead};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// An edit.
    Edit(Box<Edit>),
    /// The edits in a file.
    Edits(PathBuf),
    /// Another content for a resource.
    Input(Resource, PathBuf),
    /// Another content for a file of the project.
    File(String, PathBuf),
}

/// The changes, in the order given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(pub(crate) Vec<Change>);

/// An option that says a change.
struct Kind {
    name: &'static str,
    value: &'static str,
    help: &'static str,
    read: fn(&str) -> Result<Change, String>,
}

const KINDS: [Kind; 8] = [
    Kind {
        name: "set",
        value: "ADDRESS=TEXT",
        help: "Give a cell or a value this text: 'raw/plan:Work[CHK-1].Team=Blue'",
        read: set,
    },
    Kind { name: "remove", value: "ADDRESS", help: "Remove a row or a value", read: remove },
    Kind {
        name: "add",
        value: "ADDRESS=CELLS",
        help: "Add a row: 'raw/plan:Work={\"Id\": \"CHK-9\"} after CHK-1'; also before KEY, first, last",
        read: add,
    },
    Kind {
        name: "move",
        value: "ADDRESS=PLACE",
        help: "Move a row: 'raw/plan:Work[CHK-1]=after CHK-9'; also before KEY, first, last",
        read: move_to,
    },
    Kind {
        name: "rank",
        value: "ADDRESS=N",
        help: "Give a row this rank; those between make room",
        read: rank,
    },
    Kind {
        name: "input",
        value: "RESOURCE=FILE",
        help: "Put a file in place of a resource's content; - is standard input",
        read: input,
    },
    Kind {
        name: "file",
        value: "PATH=FILE",
        help: "Put a file in place of one of the project, for example of a program",
        read: file,
    },
    Kind {
        name: "edits",
        value: "FILE",
        help: "Make the edits in a file, a stream for each, as =====set ADDRESS; - is standard input",
        read: |text| Ok(Change::Edits(text.into())),
    },
];

impl FromArgMatches for Changes {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut all: Vec<(usize, &Change)> = Vec::new();
        for kind in &KINDS {
            let indices = matches.indices_of(kind.name).into_iter().flatten();
            all.extend(indices.zip(matches.get_many(kind.name).into_iter().flatten()));
        }
        all.sort_by_key(|(index, _)| *index);
        Ok(Self(all.into_iter().map(|(_, change)| change.clone()).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for Changes {
    fn augment_args(command: Command) -> Command {
        KINDS.iter().fold(command, |command, kind| {
            command.arg(
                Arg::new(kind.name)
                    .long(kind.name)
                    .value_name(kind.value)
                    .help(kind.help)
                    .help_heading("Changes, made in the order given")
                    .action(ArgAction::Append)
                    .value_parser(kind.read),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// An address, and what follows the `=` behind it: the first before which an address ends.
fn addressed<'a>(text: &'a str, what: &str) -> Result<(Address, &'a str), String> {
    let mut wrong = None;
    for (at, _) in text.match_indices('=').take_while(|(at, _)| *at <= ADDRESS_MAX) {
        match text[..at].parse::<Address>() {
            Ok(address) => return Ok((address, &text[at + 1..])),
            Err(error) => {
                let is_further = |known: &(usize, String)| known.0 < error.at;
                if wrong.as_ref().is_none_or(is_further) {
                    wrong = Some((error.at, error.to_string()));
                }
            }
        }
    }
    let missing = || format!("write ADDRESS={what}, for example raw/plan:Work[CHK-1].Team={what}");
    Err(wrong.map_or_else(missing, |(_, error)| error))
}

fn edit(at: Address, deed: Deed) -> Change {
    Change::Edit(Box::new(Edit { at, deed }))
}

fn set(text: &str) -> Result<Change, String> {
    let (at, text) = addressed(text, "TEXT")?;
    Ok(edit(at, Deed::Set(text.to_owned())))
}

fn remove(text: &str) -> Result<Change, String> {
    let at = text.parse::<Address>().map_err(|error| error.to_string())?;
    Ok(edit(at, Deed::Remove))
}

fn add(text: &str) -> Result<Change, String> {
    let (at, rest) = addressed(text, "{\"Column\": \"text\"}")?;
    let mut json = Json::from_str(rest);
    let cells = cells(&mut json).map_err(|error| {
        format!("cannot read the cells: {error}; write {{\"Column\": \"text\"}}")
    })?;
    // What follows is no JSON: only where it begins is asked for.
    let end = json.into_iter::<serde_json::Value>().byte_offset();
    let to = match rest[end..].trim() {
        "" => Spot::Last,
        place => place.parse()?,
    };
    Ok(edit(at, Deed::Add { cells, to }))
}

/// The cells of an object, in its order.
fn cells(json: &mut Json<StrRead<'_>>) -> Result<Vec<(String, String)>, serde_json::Error> {
    struct Cells;
    impl<'de> Visitor<'de> for Cells {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of columns and their texts")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut cells = Vec::new();
            while let Some(cell) = map.next_entry()? {
                cells.push(cell);
            }
            Ok(cells)
        }
    }
    json.deserialize_map(Cells)
}

fn move_to(text: &str) -> Result<Change, String> {
    let (at, place) = addressed(text, "PLACE")?;
    Ok(edit(at, Deed::Move(place.trim().parse()?)))
}

fn rank(text: &str) -> Result<Change, String> {
    let (at, rank) = addressed(text, "N")?;
    let rank = rank.trim().parse().map_err(|_| format!("{rank:?} is no whole number"))?;
    Ok(edit(at, Deed::Rank(rank)))
}

fn input(text: &str) -> Result<Change, String> {
    let (resource, from) = pair(text, "RESOURCE=FILE")?;
    let resource = resource.parse::<Resource>().map_err(|error| error.to_string())?;
    Ok(Change::Input(resource, from))
}

fn file(text: &str) -> Result<Change, String> {
    let (path, from) = pair(text, "PATH=FILE")?;
    let path = path.strip_prefix("./").unwrap_or(path);
    let is_inside = !path.split('/').any(|part| matches!(part, "" | "." | ".."));
    if !is_inside {
        return Err(format!("{path:?} is no path within the project"));
    }
    Ok(Change::File(path.to_owned(), from))
}

fn pair<'a>(text: &'a str, form: &str) -> Result<(&'a str, PathBuf), String> {
    let pair = text.split_once('=').filter(|(what, from)| !what.is_empty() && !from.is_empty());
    let (what, from) = pair.ok_or_else(|| format!("write {form}"))?;
    Ok((what, from.into()))
}

#[cfg(test)]
mod tests;
