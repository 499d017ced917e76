//! How a cluster stands, as those are told who look at it: its workers with what they hold, its spaces, and how it is
//! known who is there. `esker cluster status` and the live model tell the same, under the same names.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use esker_cluster::membership::{Membership, Origin};
use esker_wire::bulk::{Table, TableNode};
use esker_wire::fault::{Code, Fault};
use esker_wire::member::{Member, NodeId};
use jiff::{Timestamp, Unit};
use serde::Serialize;
use serde_json::Value;

use crate::client::Client;
use crate::space::{About, Ids, Keep, Strategy};
use crate::tables;

/// The most workers that are told of, in the order of their names.
pub const WORKERS_MAX: usize = 256;
/// The most spaces that are told of, in the order of their names.
pub const SPACES_MAX: usize = 256;
/// How long a worker may take to say how it stands.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// The longest that it may say, in bytes.
const STANDING_MAX: usize = 256 * 1024;
/// How long a worker that is gone is told of.
const GONE_MAX: Duration = Duration::from_secs(10 * 60);
/// How many of them at most.
const GONE_COUNT: usize = 64;

/// How a cluster stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survey {
    /// How it was joined; what the token is does not stand there.
    pub join: String,
    /// How it is known who is there.
    pub membership: Told,
    /// The workers, in the order of their names: [`WORKERS_MAX`] at most.
    pub workers: Vec<Worker>,
    /// How many there are.
    pub workers_count: usize,
    /// The spaces that were begun, in the order of their names: [`SPACES_MAX`] at most.
    pub spaces: Vec<Space>,
    /// How many there are.
    pub spaces_count: usize,
}

/// How it is known who is there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    /// `told` by Consul or the list, `saved` by an earlier process, or `nowhere` yet.
    pub origin: &'static str,
    /// How often the members were others.
    pub version: u64,
    /// Since when they have been these.
    pub since: String,
    /// Since when whoever tells of them, Consul or the list, cannot be asked: what is told is old.
    pub unreachable_since: Option<String>,
    /// What is wrong with how they are known.
    pub warnings: Vec<Warning>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Warning {
    /// Its kind.
    pub trouble: &'static str,
    /// Since when.
    pub since: String,
    /// What, where, and what to do.
    pub message: String,
}

/// How a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is told of, and answers.
    Passing,
    /// It answers, though it is not told of any more.
    Held,
    /// It is told of, and does not answer.
    Silent,
    /// It was there, and is not any more.
    Gone,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worker {
    /// Who it is.
    pub node: String,
    /// What people call it.
    pub name: String,
    /// Where it takes small requests.
    pub control: String,
    /// Where it takes and gives bulk data.
    pub bulk: String,
    /// The cores it may use.
    pub cpus: u32,
    /// How it is.
    pub state: State,
    /// Since when: of one that is passing, when it was started.
    pub since: Option<String>,
    /// How many of the 4,096 slots it has, by strategy.
    pub share: Share,
    /// What it says of itself; nothing if it does not answer.
    pub standing: Value,
    /// Why it does not answer.
    pub fault: Option<String>,
}

/// How many of the slots a worker has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Share {
    /// Of ids in no space that was begun, now.
    pub now: usize,
    /// Of a space that is begun now, dealt out to each worker alike.
    pub uniform_nodes: usize,
    /// By cores.
    pub uniform_cpu: usize,
    /// By the memory that is free.
    pub uniform_memory: usize,
}

/// A space that was begun.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Space {
    /// Its name.
    pub name: String,
    /// How often it was begun anew.
    pub generation: u32,
    /// By what its ids are dealt out.
    pub strategy: Strategy,
    /// What becomes of contents when memory is short.
    pub keep: Keep,
    /// How many copies there are of each beside the first.
    pub replicas: u8,
    /// Which ids there are from the beginning: `none`, `numbered` or `listed`.
    pub ids: &'static str,
    /// How many.
    pub count: u64,
    /// How many workers it is on.
    pub workers: usize,
    /// Whether nothing is written to it any more.
    pub sealed: bool,
}

/// Looks at a cluster again and again, and knows since when what is so.
pub struct Surveyor {
    client: Client,
    join: String,
    /// How workers were when that was seen first.
    states: BTreeMap<NodeId, (State, String)>,
    /// Those who were told of last.
    last: BTreeMap<NodeId, Worker>,
    gone: BTreeMap<NodeId, (Worker, Instant)>,
    /// The shares of these members by strategy, which take a moment to work out.
    shares: (Vec<Member>, BTreeMap<NodeId, Share>),
}

impl Surveyor {
    /// Of the cluster that was joined so.
    pub fn new(client: &Client, join: impl Into<String>) -> Self {
        Self {
            client: client.clone(),
            join: join.into(),
            states: BTreeMap::new(),
            last: BTreeMap::new(),
            gone: BTreeMap::new(),
            shares: Default::default(),
        }
    }

    /// Looks; takes a second at most where workers do not answer.
    pub fn look(&mut self) -> Survey {
        let members = self.client.members();
        let known = self.client.known();
        let mut these: Vec<&Member> = members.members.iter().collect();
        these.sort_by(|a, b| (&a.name, a.node).cmp(&(&b.name, b.node)));
        these.truncate(WORKERS_MAX);
        let asked: Vec<TableNode> = these.iter().map(|it| TableNode::new(it, 1)).collect();
        let answers = self.client.ask_standings(&asked, ANSWER_MAX);
        self.share_out(&members, known.root().map(|root| &**root));
        let mut sealed = BTreeSet::new();
        let mut workers = Vec::new();
        for (member, answer) in these.into_iter().zip(answers) {
            let is_held = members.held.binary_search(&member.node).is_ok();
            let worker = self.worker(member, answer.and_then(|text| read(&text)), is_held);
            let names = worker.standing["sealed"].as_array().into_iter().flatten();
            sealed.extend(names.filter_map(|name| Some(name.as_str()?.to_owned())));
            workers.push(worker);
        }
        self.remember(&members, &workers);
        workers.extend(self.gone.values().map(|(worker, _)| worker.clone()));
        workers.sort_by(|a, b| (&a.name, &a.node).cmp(&(&b.name, &b.node)));
        let mut spaces: Vec<Space> =
            known.spaces().map(|opened| space(&opened.about, opened.nodes(), &sealed)).collect();
        spaces.sort_by(|a, b| a.name.cmp(&b.name));
        let spaces_count = spaces.len();
        spaces.truncate(SPACES_MAX);
        Survey {
            join: self.join.clone(),
            membership: told(&members),
            workers,
            workers_count: members.members.len(),
            spaces,
            spaces_count,
        }
    }

    fn worker(&mut self, member: &Member, answer: Result<Value, Fault>, is_held: bool) -> Worker {
        let state = match (&answer, is_held) {
            (Err(_), _) => State::Silent,
            (Ok(_), true) => State::Held,
            (Ok(_), false) => State::Passing,
        };
        let now = || text(SystemTime::now());
        let seen = self.states.entry(member.node).or_insert_with(|| (state, now()));
        if seen.0 != state {
            *seen = (state, now());
        }
        let began = answer.as_ref().ok().and_then(|standing| standing["began"].as_u64());
        let began = began.filter(|_| state == State::Passing).and_then(|ms| {
            Some(text(SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(ms))?))
        });
        let (standing, fault) = match answer {
            Ok(standing) => (standing, None),
            Err(fault) => (Value::Null, Some(fault.to_string())),
        };
        Worker {
            node: member.node.to_string(),
            name: member.name.clone(),
            control: member.control.clone(),
            bulk: member.bulk.clone(),
            cpus: member.cpus,
            state,
            since: Some(began.unwrap_or_else(|| seen.1.clone())),
            share: self.shares.1.get(&member.node).copied().unwrap_or_default(),
            standing,
            fault,
        }
    }

    /// Works out who would have how much, where members or the table are others than at the last look.
    fn share_out(&mut self, members: &Membership, root: Option<&Table>) {
        if self.shares.0 != members.members {
            let mut shares: BTreeMap<NodeId, Share> = BTreeMap::new();
            for (strategy, slots) in STRATEGIES {
                let nodes = tables::nodes(&members.members, strategy);
                if nodes.is_empty() {
                    continue;
                }
                for (node, count) in counts(&Table::new(nodes, 0)) {
                    *slots(shares.entry(node).or_default()) = count;
                }
            }
            self.shares = (members.members.clone(), shares);
        }
        let now: BTreeMap<NodeId, usize> =
            root.map(counts).unwrap_or_default().into_iter().collect();
        for (node, share) in &mut self.shares.1 {
            share.now = now.get(node).copied().unwrap_or(0);
        }
    }

    /// Keeps in mind who is there, and for a while who was.
    fn remember(&mut self, members: &Membership, workers: &[Worker]) {
        let now = Instant::now();
        for (node, worker) in std::mem::take(&mut self.last) {
            if members.get(node).is_none() {
                let since = Some(text(SystemTime::now()));
                let (state, share) = (State::Gone, Share::default());
                let gone =
                    Worker { state, since, share, standing: Value::Null, fault: None, ..worker };
                self.gone.insert(node, (gone, now));
            }
        }
        self.gone.retain(|node, (_, at)| at.elapsed() < GONE_MAX && members.get(*node).is_none());
        while self.gone.len() > GONE_COUNT {
            let oldest = self.gone.iter().min_by_key(|(_, (_, at))| *at).map(|(node, _)| *node);
            oldest.map(|node| self.gone.remove(&node));
        }
        self.states.retain(|node, _| members.get(*node).is_some());
        let named =
            workers.iter().filter_map(|worker| Some((worker.node.parse().ok()?, worker.clone())));
        self.last = named.collect();
    }
}

type Slots = fn(&mut Share) -> &mut usize;

const STRATEGIES: [(Strategy, Slots); 3] = [
    (Strategy::UniformNodes, |share| &mut share.uniform_nodes),
    (Strategy::UniformCpu, |share| &mut share.uniform_cpu),
    (Strategy::UniformMemory, |share| &mut share.uniform_memory),
];

fn counts(table: &Table) -> Vec<(NodeId, usize)> {
    table.nodes().iter().map(|node| node.node).zip(table.primaries()).collect()
}

fn told(members: &Membership) -> Told {
    let warning = |warning: &esker_cluster::membership::Warning| Warning {
        trouble: warning.trouble.name(),
        since: text(warning.since),
        message: warning.message.clone(),
    };
    Told {
        origin: match members.origin {
            Origin::Nowhere => "nowhere",
            Origin::Saved => "saved",
            Origin::Told => "told",
        },
        version: members.version,
        since: text(members.since),
        unreachable_since: members.blind_since().map(text),
        warnings: members.warnings.iter().map(warning).collect(),
    }
}

fn space(about: &About, workers: usize, sealed: &BTreeSet<String>) -> Space {
    let (ids, count) = match &about.ids {
        Ids::None => ("none", 0),
        Ids::Numbered { count, .. } => ("numbered", *count),
        Ids::Listed { count, .. } => ("listed", *count),
    };
    Space {
        name: about.name.clone(),
        generation: about.generation,
        strategy: about.strategy,
        keep: about.keep,
        replicas: about.replicas,
        ids,
        count,
        workers,
        sealed: sealed.contains(&about.name),
    }
}

/// What a worker says of itself.
fn read(text: &Bytes) -> Result<Value, Fault> {
    let bad = |why: String| Fault::new(Code::Internal, format!("it says of itself {why}"));
    if text.len() > STANDING_MAX {
        return Err(bad(format!("{} bytes; {STANDING_MAX} are read", text.len())));
    }
    let standing: Value =
        serde_json::from_slice(text).map_err(|error| bad(format!("what is no JSON: {error}")))?;
    if standing.is_object() { Ok(standing) } else { Err(bad("nothing that is known".to_owned())) }
}

/// A moment, to the second.
fn text(moment: SystemTime) -> String {
    let moment = Timestamp::try_from(moment).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.round(Unit::Second).unwrap_or(moment).to_string()
}
