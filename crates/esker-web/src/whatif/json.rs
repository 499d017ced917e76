//! What-ifs as JSON: for the page, for scripts, and for the live model.

use esker_wire::edit::{Before, Deed, Edit, Noted, Spot};
use esker_wire::fault::Fault;
use esker_wire::whatif::case::Case;
use esker_wire::whatif::state::{Answer, Conflict, State};
use esker_wire::whatif::{Ask, Wish};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

/// What a list of them tells of one.
pub fn brief(case: &Case) -> Value {
    let about = &case.about;
    let state = case.state.as_ref();
    json!({
        "id": case.id,
        "branch": case.branch.as_str(),
        "title": about.title,
        "owner": about.owner,
        "created": about.created.to_string(),
        "expires": about.expires.map(|time| time.to_string()),
        "base": about.base.to_string(),
        "about": case.revision.to_string(),
        "changes": case.changes(),
        "state": case.word(),
        "summary": state.map(|state| &state.summary),
    })
}

/// All of one.
pub fn whole(case: &Case) -> Value {
    let mut value = brief(case);
    let about = &case.about;
    let edits = (1..).zip(case.noted()).map(|(number, edit)| {
        let mut value = noted(&edit);
        value["number"] = Value::from(number);
        value
    });
    value["edits"] = edits.collect();
    value["inputs"] = about.inputs.iter().map(ToString::to_string).collect();
    value["files"] = about.files.clone().into();
    value["ask"] = about.ask.as_ref().map(asked).into();
    if let Some(state) = case.settled() {
        tell(&mut value, state);
    }
    value
}

fn tell(value: &mut Value, state: &State) {
    value["outcome"] = state.outcome.to_string().into();
    value["hint"] = state.hint.clone().into();
    value["project"] = state.project.map(|revision| revision.to_string()).into();
    value["skipped"] = state.skipped.clone().into();
    value["edited"] = state.edited.iter().map(ToString::to_string).collect();
    let runs = state.runs.iter().map(|run| {
        let failure = run.failure.as_ref();
        let outputs = run.outputs.iter();
        json!({
            "stage": run.stage,
            "ended": run.ended.to_string(),
            "started": run.started.to_string(),
            "duration_ms": run.duration_ms,
            "outputs": outputs.map(esker_wire::provenance::Input::to_text).collect::<Vec<_>>(),
            "summary": failure.map(|failure| &failure.summary),
            "hint": failure.map(|failure| &failure.hint),
            "detail": failure.map(|failure| &failure.detail),
            "warnings": run.warnings,
        })
    });
    value["runs"] = runs.collect();
    value["answer"] = state.answer.as_ref().map(answer).into();
    value["applied"] = state.applied.map(|revision| revision.to_string()).into();
}

/// An edit, with what it found if that is known.
pub fn noted((edit, before): &Noted) -> Value {
    let mut value = json!({ "at": edit.at.to_string() });
    match &edit.deed {
        Deed::Set(text) => value["set"] = text.clone().into(),
        Deed::Add { cells, to } => {
            value["add"] = row(cells);
            value["to"] = to.to_string().into();
        }
        Deed::Remove => value["remove"] = true.into(),
        Deed::Move(to) => value["move"] = to.to_string().into(),
        Deed::Rank(rank) => value["rank"] = (*rank).into(),
    }
    if let Some(before) = before {
        value["found"] = match before {
            Before::Absent => Value::Null,
            Before::Text(text) => text.clone().into(),
            Before::Row(cells) => row(cells),
            Before::First => "first".into(),
            Before::Behind(row) => format!("after {row}").into(),
            Before::Rank(rank) => (*rank).into(),
        };
    }
    value
}

fn row(cells: &[(String, String)]) -> Value {
    let cells = cells.iter().map(|(column, text)| (column.clone(), Value::from(text.clone())));
    Value::Object(cells.collect())
}

/// Reads edits as [`noted`] writes them.
///
/// # Errors
/// `bad-request` naming the first that is not right, by its number from 1.
pub fn edits(all: &[Value]) -> Result<Vec<Edit>, Fault> {
    let one = |(index, value): (usize, &Value)| {
        edit(value).map_err(|why| Fault::bad_request(format!("edit {}: {why}", index + 1)))
    };
    all.iter().enumerate().map(one).collect()
}

fn edit(value: &Value) -> Result<Edit, String> {
    let fields = value.as_object().ok_or("it is no object")?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let at = text("at").ok_or("it has no address `at`")?;
    let at = at.parse().map_err(|error| format!("{error}"))?;
    let spot = |text: Option<&str>| text.unwrap_or("last").parse::<Spot>();
    let mut deeds = Vec::new();
    for (name, value) in fields {
        deeds.push(match (name.as_str(), value) {
            ("set", Value::String(text)) => Deed::Set(text.clone()),
            ("add", Value::Object(cells)) => {
                Deed::Add { cells: read(cells)?, to: spot(text("to"))? }
            }
            ("remove", Value::Bool(true)) => Deed::Remove,
            ("move", Value::String(to)) => Deed::Move(to.parse()?),
            ("rank", rank) if rank.is_u64() => Deed::Rank(rank.as_u64().unwrap_or_default()),
            ("number" | "at" | "to" | "found", _) => continue,
            _ => return Err(format!("cannot read {name:?}")),
        });
    }
    match <[Deed; 1]>::try_from(deeds) {
        Ok([deed]) => Ok(Edit { at, deed }),
        Err(_) => Err("it has one of set, add, remove, move and rank".to_owned()),
    }
}

fn read(cells: &Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    let cell = |(column, text): (&String, &Value)| {
        let text = text.as_str().ok_or_else(|| format!("{column:?} is no text"))?;
        Ok((column.clone(), text.to_owned()))
    };
    cells.iter().map(cell).collect()
}

/// What is asked for.
fn asked(ask: &Ask) -> Value {
    let (what, onto) = (ask.what.word(), ask.what.onto().map(|onto| onto.to_string()));
    let settle =
        ask.settle.iter().map(|(edit, side)| json!({ "edit": edit, "side": side.to_string() }));
    let settle: Vec<Value> = settle.collect();
    let number = ask.number;
    json!({ "number": number, "what": what, "onto": onto, "by": ask.by, "why": ask.why, "settle": settle })
}

/// What is asked for, as it is read; its `number` may be there as it was told.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    what: String,
    onto: Option<String>,
    by: Option<String>,
    why: Option<String>,
    settle: Option<Vec<Settled>>,
    #[serde(default, rename = "number")]
    _number: IgnoredAny,
}

/// Whose change counts in a conflict.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settled {
    edit: usize,
    side: String,
}

/// Reads what is asked for; `number` is the least it may have.
///
/// # Errors
/// `bad-request` saying what is wrong.
pub(super) fn ask(wanted: &Wanted, number: u64) -> Result<Ask, Fault> {
    let what = match wanted.what.as_str() {
        "apply" => Wish::Apply,
        "undo" => Wish::Undo,
        "rebase" => {
            let onto = wanted.onto.as_ref();
            let onto = onto.ok_or_else(|| Fault::bad_request("a rebase has `onto`"))?;
            Wish::Rebase(onto.parse().map_err(Fault::bad_request)?)
        }
        _ => return Err(Fault::bad_request("`what` is apply, undo or rebase")),
    };
    let settled = |one: &Settled| {
        let side = one.side.parse().map_err(|_| {
            Fault::bad_request("what settles a conflict has `edit` and `side`: mine or theirs")
        })?;
        Ok::<_, Fault>((one.edit, side))
    };
    let settle = wanted.settle.iter().flatten().map(settled).collect::<Result<_, _>>()?;
    Ok(Ask { number, what, by: wanted.by.clone(), why: wanted.why.clone(), settle })
}

/// What became of that.
fn answer(answer: &Answer) -> Value {
    let conflict = |one: &Conflict| {
        json!({
            "edit": one.edit,
            "at": one.at,
            "kind": one.kind,
            "base": one.base,
            "theirs": one.theirs,
            "mine": one.mine,
        })
    };
    json!({
        "number": answer.number,
        "revision": answer.revision.map(|revision| revision.to_string()),
        "summary": answer.summary,
        "conflicts": answer.conflicts.iter().map(conflict).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests;
