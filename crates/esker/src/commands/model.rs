//! `esker model`: publishing, watching, reading and changing live models.

mod fed;

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use esker_bus::bus::{Binds, Bus};
use esker_bus::caller::Caller;
use esker_bus::endpoint::Endpoint;
use esker_bus::server::Server;
use esker_replica::ask::{Answer, Ask, Changed, Hello, Put};
use esker_replica::digest::Digest;
use esker_replica::follow::{self, Follow, News};
use esker_replica::interop::serve::{self as interop, Following, Published};
use esker_replica::json;
use esker_replica::live;
use esker_replica::model::Found;
use esker_replica::op::{Act, Op};
use esker_replica::path::{self, Key, Path};
use esker_replica::publisher::Options;
use esker_replica::relay::serve::{self as relay, Relaying};
use esker_replica::replica::{self, State};
use esker_replica::section::Junctions;
use esker_wire::fault::{Code, Fault};
use indicatif::MultiProgress;
use serde_json::json;

use crate::cli::{Model, ModelGet, ModelServe, ModelSet, ModelWatch, Which};
use crate::endpoints::Endpoints;
use crate::planes::{allow_files, alone_connections, with_sources};
use crate::project::Place;
use crate::say::{self, hinted};
use crate::stop::Stop;
use fed::Fed;

/// How long a model may take until it is here whole.
const SYNC_MAX: Duration = Duration::from_secs(60);

/// How often to look whether there is anyone left to print for.
const WAIT: Duration = Duration::from_secs(1);

/// Does what was asked.
pub(crate) fn model(place: &Place, model: &Model) -> Result<()> {
    match model {
        Model::Serve(serve) => self::serve(serve),
        Model::Watch(watch) => self::watch(place, watch),
        Model::Get(get) => self::get(place, get),
        Model::Set(set) => self::set(place, set),
    }
}

fn serve(serve: &ModelServe) -> Result<()> {
    let bars = MultiProgress::new();
    crate::logging::start(serve.log.json, &bars);
    let stop = Stop::on_signals()?;
    let bus = Bus::start()?;
    if let Some(from) = &serve.follow {
        return relay(&bus, serve, from, &stop);
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let epoch = u64::try_from(since.as_nanos()).context("the clock is beyond 2554")?;
    let options = Options {
        junctions: Junctions::new(serve.junctions.iter().cloned()),
        writable: serve.interop.original_requests.is_none() && !serve.stdin,
        ..Options::new(&serve.name, epoch)
    };
    let fed = if serve.stdin { Some(Fed::start()?) } else { None };
    let first = match &fed {
        Some(fed) => fed.first(&options, &stop)?,
        None => None,
    };
    let (server, source) = live::serve(&bus, &options, first, &public(serve)).map_err(unbound)?;
    serving(serve, [("requests", server.requests()), ("events", server.events())]);
    let followed = originals(&bus, serve, source.clone())?;
    let ended = beside_others(&bus, serve, &server, || match &fed {
        Some(fed) => fed.feed(&source, &stop),
        None => until_stopped(&stop),
    });
    drop(followed);
    server.shutdown();
    ended
}

/// Publishes a model again that is published elsewhere.
fn relay(bus: &Bus, serve: &ModelServe, from: &str, stop: &Stop) -> Result<()> {
    let Some(to) = events_of((bus, from), serve, stop)? else { return Ok(()) };
    let relaying = relay::serve(bus, &to, &serve.name, &public(serve)).map_err(unbound)?;
    let server = &relaying.server;
    serving(serve, [("requests", server.requests()), ("events", server.events())]);
    beside_others(bus, serve, server, || until_stopped(stop))?;
    let Relaying { server, follow } = relaying;
    server.shutdown();
    drop(follow);
    Ok(())
}

/// Serves a model to browsers and to programs of the Cylc experiment, as far as that is wished, while something is done.
fn beside_others(
    bus: &Bus,
    serve: &ModelServe,
    server: &Server,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let published = interop(bus, serve, server)?;
    let web = match serve.web {
        None => None,
        Some(bind) => Some(for_browsers(bus, &server.local(), bind, serve.log.json)?),
    };
    let done = work();
    tracing::info!("stopping");
    drop(published);
    if let Some(web) = web {
        web.shutdown();
    }
    done
}

fn until_stopped(stop: &Stop) -> Result<()> {
    while !stop.wait(Duration::from_secs(3600)) {}
    Ok(())
}

/// The model's own sockets, which as many may reach as there can be.
fn public(serve: &ModelServe) -> Binds {
    let limits = alone_connections(allow_files());
    Binds { limits, ..binds(&serve.requests, &serve.events) }
}

fn binds(requests: &str, events: &str) -> Binds {
    Binds {
        requests: vec![requests.to_owned()],
        events: vec![events.to_owned()],
        ..Binds::default()
    }
}

fn serving(serve: &ModelServe, sockets: [(&str, &[String]); 2]) {
    for (what, addresses) in sockets {
        for address in addresses {
            announce(what, address, serve.log.json);
        }
    }
}

/// The sockets for subscribers of the Cylc experiment, if they are wished.
fn interop(bus: &Bus, serve: &ModelServe, server: &Server) -> Result<Option<Published>> {
    let wanted = &serve.interop;
    let (Some(requests), Some(events)) = (&wanted.interop_requests, &wanted.interop_events) else {
        return Ok(None);
    };
    let binds = binds(requests, events);
    let sockets = interop::publish(bus, &server.local(), &serve.name, &binds)?;
    let told = [("interop requests", sockets.requests()), ("interop events", sockets.events())];
    serving(serve, told);
    Ok(Some(sockets))
}

/// Follows a publisher of the Cylc experiment, if that is wished.
fn originals(bus: &Bus, serve: &ModelServe, source: live::Source) -> Result<Option<Following>> {
    let wanted = &serve.interop;
    let (Some(requests), Some(events)) = (&wanted.original_requests, &wanted.original_events)
    else {
        return Ok(None);
    };
    let from = Endpoint::Tcp { requests: requests.clone(), events: events.clone() };
    Ok(Some(interop::follow(bus, &from, source)?))
}

/// Where a publisher is that is only to be asked.
fn asked_at(requests: &str) -> Result<Endpoint> {
    let to = Endpoint::Tcp { requests: requests.to_owned(), events: requests.to_owned() };
    to.check()?;
    Ok(to)
}

/// Asks a publisher where its events are; waits for one if there is none yet. Nothing if this is to stop before.
fn events_of(
    (bus, requests): (&Bus, &str),
    serve: &ModelServe,
    stop: &Stop,
) -> Result<Option<Endpoint>> {
    let caller = bus.caller(&asked_at(requests)?);
    let mut is_told = false;
    loop {
        match follow::greet(bus, &caller, &serve.name) {
            Ok(hello) => {
                let (requests, events) = (requests.to_owned(), hello.events);
                return Ok(Some(Endpoint::Tcp { requests, events }));
            }
            Err(fault) if matches!(fault.code, Code::Unavailable | Code::Timeout) => {
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(%fault, "waiting for the publisher");
                }
            }
            Err(fault) => return Err(fault.into()),
        }
        if stop.wait(WAIT) {
            return Ok(None);
        }
    }
}

/// What to do where a socket is not free.
fn unbound(fault: Fault) -> anyhow::Error {
    hinted(fault.message, "give --requests and --events other addresses, such as tcp://127.0.0.1:0")
}

fn for_browsers(
    bus: &Bus,
    model: &Endpoint,
    bind: SocketAddr,
    json: bool,
) -> Result<esker_web::server::Server> {
    let web = esker_web::server::Server::model(bus, model, bind).map_err(|error| {
        hinted(with_sources(&error), "give --web another HOST:PORT on this machine's loopback")
    })?;
    announce("web", &format!("http://{}", web.address()), json);
    Ok(web)
}

/// Says where something is served: to a person as a line, to a machine as a log record.
fn announce(what: &str, address: &str, json: bool) {
    match crate::logging::is_read_along(json) {
        true => say::note(format!("  {what:<9} {address}")),
        false => tracing::info!(what, address, "serving"),
    }
}

/// A publisher that was found.
struct Publisher {
    bus: Bus,
    caller: Caller,
    endpoint: Endpoint,
    hello: Hello,
}

fn find(place: &Place, which: &Which) -> Result<Publisher> {
    let requests = match &which.at {
        Some(address) => address.clone(),
        None if place.hub.is_some() => {
            let hint = "its requests are 200 above the hub's unless [model] says otherwise";
            bail!(hinted("a model is named by its own address: use --at instead of --hub", hint));
        }
        None => {
            let model = Endpoints::read(&place.project()?).model;
            let hint = "start it with `esker up`, or name one with --at tcp://127.0.0.1:5200";
            model.ok_or_else(|| hinted("no model is published here", hint))?.requests
        }
    };
    let bus = Bus::start()?;
    let caller = bus.caller(&asked_at(&requests)?);
    let hello = follow::greet(&bus, &caller, &which.name)?;
    let endpoint = Endpoint::Tcp { requests, events: hello.events.clone() };
    Ok(Publisher { bus, caller, endpoint, hello })
}

fn keys(keys: &[String]) -> Path {
    path::path(keys)
}

/// Follows the whole model, and waits until it is here.
fn in_step(found: &Publisher, name: &str) -> Result<Follow> {
    let mut follow = Follow::start(&found.bus, &found.endpoint, name, replica::Options::default())?;
    let begun = std::time::Instant::now();
    while follow.recv_timeout(WAIT) != Some(News::State(State::Live)) {
        if begun.elapsed() > SYNC_MAX {
            bail!(hinted(
                "the model is not in step yet",
                "is its publisher overloaded, or the way to it slow?"
            ));
        }
    }
    Ok(follow)
}

fn watch(place: &Place, watch: &ModelWatch) -> Result<()> {
    let found = find(place, &watch.which)?;
    let mut follow = in_step(&found, &watch.which.name)?;
    let base = keys(&watch.keys);
    if watch.once {
        return show(&follow, &base, watch.json);
    }
    if !watch.json && follow.model().get(&base).is_none() {
        say::note(format!("nothing is there yet: {}", nearest(&follow.model(), &base)));
    }
    if watch.json {
        say::json(&json!({ "state": text(State::Live) }))?;
    } else {
        say::note(format!("in step with {} since now", watch.which.name));
    }
    loop {
        match follow.recv_timeout(WAIT) {
            None => {}
            Some(News::Changed(ops)) => {
                for op in
                    ops.iter().filter(|op| op.path.starts_with(&base) || base.starts_with(&op.path))
                {
                    print(op, watch.json)?;
                }
            }
            Some(News::Renewed) if watch.json => say::json(&json!({ "op": "renewed" }))?,
            Some(News::Renewed) => say::note("the model is another one, or much of it changed"),
            Some(News::State(state)) if watch.json => {
                say::json(&json!({ "state": text(state) }))?;
            }
            Some(News::State(state)) => say::note(text(state)),
        }
    }
}

fn text(state: State) -> &'static str {
    match state {
        State::Syncing => "syncing",
        State::Live => "live",
        State::CatchingUp => "catching-up",
        State::Stale => "stale",
    }
}

fn print(op: &Op, as_json: bool) -> Result<()> {
    let (word, value) = match &op.act {
        Act::Set(value) => ("set", Some(json::of_value(value))),
        Act::Delete => ("remove", None),
        Act::Dict => ("dict", None),
        Act::Clear => ("clear", None),
    };
    if as_json {
        let path: Vec<&str> = op.path.iter().map(Key::as_str).collect();
        return Ok(say::json(&json!({ "op": word, "path": path, "value": value }))?);
    }
    let value = value.map(|value| format!(" = {value}")).unwrap_or_default();
    let path: Vec<String> = op.path.iter().map(shown).collect();
    Ok(say::line(format!("{word:<6} {}{value}", path.join(" › ")))?)
}

/// A key as people read it: quoted where they could not see what it is.
fn shown(key: &Key) -> String {
    let is_plain = !key.is_empty() && !key.contains('›') && !key.chars().any(char::is_control);
    if is_plain && key.trim() == key.as_str() {
        key.to_string()
    } else {
        json!(key.as_str()).to_string()
    }
}

/// Prints what is at a path.
fn show(follow: &Follow, base: &[Key], on_one_line: bool) -> Result<()> {
    let model = follow.model();
    let Some(found) = model.get(base) else {
        bail!(hinted(
            format!("there is nothing at {}", path::to_json(base)),
            nearest(&model, base)
        ));
    };
    let found = json::of_node(found);
    match on_one_line {
        true => say::json(&found)?,
        false => say::line(serde_json::to_string_pretty(&found)?)?,
    }
    Ok(())
}

/// What there is as far as the keys lead.
fn nearest(model: &esker_replica::model::Model, base: &[Key]) -> String {
    let above = (0..base.len()).rev().map(|depth| &base[..depth]);
    let there = above.filter_map(|path| model.get(path).map(|found| (path, found))).next();
    let Some((path, found)) = there else { return "the model is empty".to_owned() };
    let place = match path {
        [] => "there is".to_owned(),
        path => format!("at {} there is", path::to_json(path)),
    };
    match found {
        Found::Dict(branch) if branch.is_empty() => format!("{place}: nothing"),
        Found::Dict(branch) => {
            let keys: Vec<String> = branch.children().take(10).map(|(key, _)| shown(key)).collect();
            format!("{place}: {}", keys.join(", "))
        }
        Found::Leaf(_) => format!("{place} a leaf, which has nothing below it"),
    }
}

fn get(place: &Place, get: &ModelGet) -> Result<()> {
    let found = find(place, &get.which)?;
    if get.digest {
        let Hello { epoch, seq, digest, first, nodes, writable, .. } = &found.hello;
        return Ok(say::json(&json!({
            "model": get.which.name, "epoch": epoch.to_string(), "seq": seq, "digest": digest.to_string(),
            "first": first, "nodes": nodes, "writable": writable,
        }))?);
    }
    let follow = in_step(&found, &get.which.name)?;
    show(&follow, &keys(&get.keys), get.json)
}

fn set(place: &Place, set: &ModelSet) -> Result<()> {
    let found = find(place, &set.which)?;
    let mut path = keys(&set.keys);
    let mut ops = Vec::new();
    match &set.to {
        Some(to) => json::tree(to).set(&mut path, &mut ops),
        None => ops.push(Op::delete(path.clone())),
    }
    let mut conditions = Vec::new();
    if set.if_absent {
        conditions.push((path.clone(), Digest::ZERO));
    } else if let Some(expected) = &set.expected {
        conditions.push((path.clone(), digest_of(&path, expected)));
    }
    let question = Ask::Put(Put { ops, conditions, request_id: None });
    let (caller, name) = (found.caller.clone(), set.which.name.clone());
    let answered = found.bus.run(async move { follow::ask(&caller, &name, &question).await });
    match answered {
        Ok((_, Answer::Changed(Changed::Done(seq)))) => {
            say::note(format!("done, as transaction {seq}"));
            Ok(())
        }
        Ok(_) => {
            let at = set.which.at.iter().map(|at| format!(" --at {at}")).collect::<String>();
            let get = format!("esker model get{at} --model {}", set.which.name);
            let keys: Vec<String> = set.keys.iter().map(|key| json!(key).to_string()).collect();
            let hint = format!("`{get} {}` shows what is there", keys.join(" "));
            bail!(hinted(format!("{} is not what it was to be", path::to_json(&path)), hint))
        }
        Err(fault) if fault.code == Code::NotWritable && set.which.name == "project" => {
            let hint = "it tells what the project has: change that, with `esker put` for example";
            bail!(hinted(fault.message, hint))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// The digest of a leaf, or of a dict with all below it.
fn digest_of(path: &[Key], expected: &serde_json::Value) -> Digest {
    let mut model = esker_replica::model::Model::default();
    let mut ops = Vec::new();
    json::tree(expected).set(&mut path.to_vec(), &mut ops);
    model.take(&ops, 1);
    model.digest_at(path)
}
