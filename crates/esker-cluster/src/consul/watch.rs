//! The thread that follows the members: it asks Consul for each change, decides what to believe, and saves that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::belief::{Belief, next_index};
use crate::board::{Board, Troubles};
use crate::cluster::Ping;
use crate::coordinate::Coordinates;
use crate::membership::{Origin, Trouble};
use crate::pace::{Backoff, Patience, Stop};
use crate::saved::Saved;

use super::fail::{Failure, Kind, of_status};
use super::health::{self, Entry, LIST_MAX, Placed, Told};
use super::http::{Consul, Request, Verb};
use super::ping::answering;

/// How often those are asked again who are held though Consul no longer tells them.
const DOUBT_EVERY: Duration = Duration::from_secs(2);
/// How often the places of nodes are fetched.
const PLACES_EVERY: Duration = Duration::from_secs(10);
/// How long a Consul that is back may take to know again whom it knew.
const WARY: Duration = Duration::from_secs(30);
/// An answer with no news that comes sooner than this was not waited for.
const HASTE: Duration = Duration::from_millis(50);

/// The newest places of nodes.
pub(crate) type Places = Mutex<Arc<Coordinates>>;

/// What the thread has.
pub(crate) struct Watch {
    pub(crate) consul: Arc<Consul>,
    pub(crate) board: Arc<Board>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) places: Arc<Places>,
    pub(crate) saved: Option<Saved>,
    pub(crate) ping: Ping,
    /// How long a question may wait for a change.
    pub(crate) wait: Duration,
}

/// What it has come to know.
struct State {
    belief: Belief,
    origin: Origin,
    index: u64,
    /// The version that was saved last.
    saved: u64,
    placed: Option<Instant>,
    /// Until when every list is to be doubted.
    wary: Option<Instant>,
    backoff: Backoff,
    patience: Patience,
    /// What is wrong with the list as it was told last: it stays while Consul says nothing else.
    list: Troubles,
}

impl Watch {
    /// Follows until told to stop.
    pub(crate) fn run(&self) {
        let first = self.board.current();
        let mut state = State {
            belief: Belief::of(first.members.clone()),
            origin: first.origin,
            index: 0,
            saved: first.version,
            placed: None,
            // Those who were saved are doubted as if Consul had been away.
            wary: Some(Instant::now() + WARY).filter(|_| first.origin == Origin::Saved),
            backoff: Backoff::default(),
            patience: Patience::up_to(self.wait),
            list: Troubles::new(),
        };
        while !self.stop.is_stopped() {
            let asked = Instant::now();
            let had_index = state.index > 0;
            let before = state.belief.clone();
            let wait = match self.ask(&mut state) {
                Ok(told) => {
                    self.take(&mut state, &told);
                    let is_hasty = had_index && asked.elapsed() < HASTE && before == state.belief;
                    if is_hasty { Some(state.backoff.next()) } else { None }
                }
                Err(failure) => {
                    self.go_on_without(&mut state, &failure);
                    Some(state.backoff.next())
                }
            };
            match wait {
                Some(wait) => _ = self.stop.sleep(wait),
                None => {
                    state.backoff.reset();
                    self.place(&mut state);
                }
            }
        }
    }

    fn ask(&self, state: &mut State) -> Result<Told, Failure> {
        let held = !state.belief.held.is_empty();
        let wait = state.patience.next();
        let wait = if held { DOUBT_EVERY.min(wait) } else { wait };
        let service = &self.consul.place.service;
        let path = format!("/v1/health/service/{service}");
        let rule = format!(
            "service \"{service}\" {{ policy = \"read\" }} and node_prefix \"\" {{ policy = \"read\" }}"
        );
        let mut request = Request::new(Verb::Get, path, "read the members").rule(&rule);
        request = request.query("passing", "").after(state.index, wait);
        request.answer_max = LIST_MAX;
        let answer = self.consul.ask(&request)?;
        if answer.status != 200 {
            return Err(of_status(&self.consul.asked(&request), answer.status, &answer.body));
        }
        let entries: Vec<Entry> = self.consul.read(&request, &answer)?;
        state.index = next_index(state.index, answer.index);
        Ok(health::told(entries))
    }

    /// Takes a list in.
    fn take(&self, state: &mut State, told: &Told) {
        let known = state.belief.members.len();
        let is_wary = state.wary.is_some_and(|until| Instant::now() < until);
        let doubted = state.belief.doubted(&told.members, is_wary);
        let answering = answering(&doubted, &self.ping);
        state.belief = state.belief.after(&told.members, &doubted, &answering);
        state.origin = Origin::Told;
        state.list.clone_from(&told.troubles);
        let held = state.belief.held.len();
        if told.members.is_empty() {
            let message = format!(
                "Consul answers with an empty list of {}, of {known} known before {held} answer and are kept; \
                 either none is announced, or the token may not read them (service and node_prefix)",
                self.consul.place.service
            );
            state.list.insert(Trouble::Empty, message);
        } else if held > 0 {
            let message = format!(
                "Consul answers with {} members of {known} known before; {held} that it does not tell answer \
                 and are kept",
                told.members.len()
            );
            state.list.insert(Trouble::Shrunk, message);
        }
        self.post(state, state.list.clone());
    }

    /// Keeps what is believed while Consul does not tell.
    fn go_on_without(&self, state: &mut State, failure: &Failure) {
        // What it knows when it is back may begin anew.
        state.index = 0;
        state.wary = Some(Instant::now() + WARY);
        let trouble = match failure.kind {
            Kind::Refused => Trouble::Refused,
            _ => Trouble::Away,
        };
        let mut troubles = state.list.clone();
        troubles.insert(trouble, format!("{}; the last known list is used", failure.fault));
        self.post(state, troubles);
    }

    fn post(&self, state: &mut State, mut troubles: Troubles) {
        self.board.post_belief(&state.belief, state.origin, &troubles);
        let current = self.board.current();
        let Some(saved) = self.saved.as_ref().filter(|_| current.version != state.saved) else {
            return;
        };
        match saved.save(&current) {
            Ok(()) => state.saved = current.version,
            Err(message) => {
                troubles.insert(Trouble::NotSaved, message);
                self.board.post_belief(&state.belief, state.origin, &troubles);
            }
        }
    }

    /// Fetches the places of nodes now and then. Not knowing them is no trouble: they are unknown then.
    fn place(&self, state: &mut State) {
        if state.placed.is_some_and(|placed| placed.elapsed() < PLACES_EVERY.min(self.wait)) {
            return;
        }
        state.placed = Some(Instant::now());
        let rule = "node_prefix \"\" { policy = \"read\" }";
        let path = "/v1/coordinate/nodes";
        let mut request = Request::new(Verb::Get, path, "read the nodes' places").rule(rule);
        request.answer_max = LIST_MAX;
        let fetched = self.consul.done(&request);
        let placed =
            fetched.and_then(|answer| self.consul.read::<Option<Vec<Placed>>>(&request, &answer));
        match placed {
            Ok(placed) => {
                let fresh = Arc::new(health::coordinates(placed.unwrap_or_default()));
                *self.places.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
            }
            Err(failure) => tracing::debug!("{}", failure.fault),
        }
    }
}
