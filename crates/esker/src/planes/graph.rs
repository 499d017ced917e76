//! Follows the live model of this process for GraphQL, from the first question on.

use esker_bus::bus::Bus;
use esker_bus::endpoint::Endpoint;
use esker_replica::follow::Follow;
use esker_replica::model::{Found, Model};
use esker_replica::path::path;
use esker_replica::replica::{Options, State};
use esker_web::live::{Live, Look, Part};
use esker_wire::fault::{Code, Fault};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::model::NAME;

/// The questions that wait.
const LOOKS_MAX: usize = 64;

/// The most leaves and dicts of one answer.
const NODES_MAX: u64 = 100_000;

/// The most bytes of one answer, as JSON.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// Follows a model for whoever asks; ends when nobody can any more.
///
/// # Errors
/// The system gives no thread.
pub(super) fn live(bus: &Bus, model: &Endpoint) -> std::io::Result<Live> {
    let (looks, asked) = mpsc::channel(LOOKS_MAX);
    let (told, changes) = watch::channel(0);
    let (bus, model) = (bus.clone(), model.clone());
    std::thread::Builder::new()
        .name("graphql model".to_owned())
        .spawn(move || answer(&bus, &model, asked, &told))?;
    Ok(Live { looks, changes })
}

fn answer(bus: &Bus, to: &Endpoint, mut asked: mpsc::Receiver<Look>, told: &watch::Sender<u64>) {
    let Some(first) = bus.block_on(asked.recv()) else { return };
    let mut follow = match Follow::start(bus, to, NAME, Options::default()) {
        Ok(follow) => follow,
        // Whoever asks hears that nobody answers.
        Err(fault) => return tracing::warn!(%fault, "cannot follow the live model for GraphQL"),
    };
    let mut waiting = vec![first];
    loop {
        if follow.state() != State::Syncing {
            let model = follow.model();
            waiting.drain(..).for_each(|look| reply(&model, look));
        }
        let came = bus.block_on(async {
            tokio::select! {
                news = follow.next() => news.map(|_| Came::News),
                look = asked.recv() => look.map(Came::Look),
            }
        });
        match came {
            Some(Came::Look(look)) => {
                waiting.retain(|look| !look.reply.is_closed());
                if waiting.len() < LOOKS_MAX {
                    waiting.push(look);
                }
            }
            Some(Came::News) => told.send_modify(|count| *count = count.wrapping_add(1)),
            None => return,
        }
    }
}

/// What came.
enum Came {
    News,
    Look(Look),
}

fn reply(model: &Model, look: Look) {
    let at = path(&look.path);
    let digest = model.digest_at(&at).0;
    let is_known = look.known == Some(digest);
    let part = (!is_known).then(|| Part { digest, value: value(model.get(&at), &look.path) });
    // Whoever asked may have gone.
    drop(look.reply.send(part));
}

fn value(found: Option<Found<'_>>, path: &[String]) -> Result<Value, Fault> {
    let Some(found) = found else { return Ok(Value::Null) };
    let too_much = |what: String| {
        let text = format!("{} is too much for one answer: {what}", json!(path));
        Fault::new(Code::TooLarge, text).hint("ask for a part of it by more keys")
    };
    if let Found::Dict(branch) = found
        && branch.nodes() > NODES_MAX
    {
        let text = format!("{} values, {NODES_MAX} are told", branch.nodes());
        return Err(too_much(text));
    }
    let value = esker_replica::json::of_node(found);
    let bytes = value.to_string().len();
    if bytes > BYTES_MAX {
        return Err(too_much(format!("{bytes} bytes, {BYTES_MAX} are told")));
    }
    Ok(value)
}
