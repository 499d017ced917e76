//! Keys and values that another process keeps: the one worker of a cluster without Consul. What is asked and answered
//! is JSON, and how it gets there is the caller's.
//!
//! Values are texts: whatever a cluster agrees on is. A watch asks again and again, since nothing else tells it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use esker_wire::fault::{Code, Fault};
use esker_wire::member::Member;
use serde::{Deserialize, Serialize};

use crate::kv::{Kv, Op, Pair, Target};
use crate::pace::{Backoff, Stop};

/// How often a watch asks.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// The most that is answered at once, in bytes.
const ANSWER_MAX: usize = 4 << 20;

/// Carries a question to the worker that keeps the keys, and its answer back.
pub type Carry = Arc<dyn Fn(&Member, &[u8]) -> Result<Vec<u8>, Fault> + Send + Sync>;

/// Who keeps the keys of a cluster that has no Consul; only one of a single worker can have any.
#[derive(Clone, Default)]
pub enum Keeps {
    /// Nobody beyond this process.
    #[default]
    Nobody,
    /// This process: it is the worker.
    Here,
    /// The worker, which is asked so.
    Worker(Carry),
}

/// The worker that keeps the keys, and the way to it.
pub(crate) struct Asked {
    pub(crate) member: Member,
    pub(crate) carry: Carry,
}

impl fmt::Debug for Keeps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::Here => "Here",
            Self::Worker(_) => "Worker",
        })
    }
}

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Question {
    Get(String),
    List(String),
    Txn(Vec<Change>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Change {
    Put { key: String, value: String },
    Cas { key: String, value: String, index: u64 },
    Delete { key: String },
    Expect { key: String, index: u64 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Pairs(Vec<Held>),
    /// Done; or which of the changes stands against it.
    Txn(Option<usize>),
}

#[derive(Debug, Serialize, Deserialize)]
struct Held {
    key: String,
    value: String,
    index: u64,
}

impl Change {
    fn of(op: &Op) -> Result<Self, Fault> {
        let key = op.key().to_owned();
        Ok(match op {
            Op::Put { value, .. } => Self::Put { value: text(&key, value)?, key },
            Op::Cas { value, index, .. } => {
                Self::Cas { value: text(&key, value)?, index: *index, key }
            }
            Op::Delete { .. } => Self::Delete { key },
            Op::Expect { index, .. } => Self::Expect { key, index: *index },
        })
    }

    fn op(self) -> Op {
        match self {
            Self::Put { key, value } => Op::Put { key, value: value.into_bytes() },
            Self::Cas { key, value, index } => Op::Cas { key, value: value.into_bytes(), index },
            Self::Delete { key } => Op::Delete { key },
            Self::Expect { key, index } => Op::Expect { key, index },
        }
    }
}

fn text(key: &str, value: &[u8]) -> Result<String, Fault> {
    String::from_utf8(value.to_vec()).map_err(|_| {
        Fault::bad_request(format!("cannot put what is no text into key {key:?}"))
            .hint("a worker keeps texts; Consul keeps any bytes")
    })
}

impl Held {
    fn of(pair: Pair) -> Result<Self, Fault> {
        let value = text(&pair.key, &pair.value)?;
        Ok(Self { key: pair.key, value, index: pair.index })
    }

    fn pair(self) -> Pair {
        Pair { key: self.key, value: self.value.into_bytes(), index: self.index, session: None }
    }
}

/// Answers what was asked by another process of keys that are kept in this one.
pub(crate) fn answer(kv: &Kv, question: &[u8]) -> Result<Vec<u8>, Fault> {
    let question: Question = serde_json::from_slice(question).map_err(|error| {
        Fault::bad_request(format!("this asks nothing of the keys of a cluster: {error}"))
    })?;
    let answer = match question {
        Question::Get(key) => pairs(kv.get(&key)?.into_iter().collect())?,
        Question::List(prefix) => pairs(kv.list(&prefix)?)?,
        Question::Txn(changes) => {
            let ops: Vec<Op> = changes.into_iter().map(Change::op).collect();
            Answer::Txn(kv.txn(&ops)?.err())
        }
    };
    let answer = serde_json::to_vec(&answer).expect("texts and numbers can always be written");
    if answer.len() > ANSWER_MAX {
        let text = format!("the keys asked for have {} bytes; {ANSWER_MAX} fit", answer.len());
        return Err(Fault::new(Code::TooLarge, text).hint("drop spaces that are not needed"));
    }
    Ok(answer)
}

fn pairs(pairs: Vec<Pair>) -> Result<Answer, Fault> {
    Ok(Answer::Pairs(pairs.into_iter().map(Held::of).collect::<Result<_, _>>()?))
}

impl Asked {
    fn ask(&self, question: &Question) -> Result<Answer, Fault> {
        let question = serde_json::to_vec(question).expect("texts can always be written");
        let answer = (self.carry)(&self.member, &question)?;
        serde_json::from_slice(&answer).map_err(|error| unread(&self.member, &error.to_string()))
    }

    fn pairs(&self, question: &Question) -> Result<Vec<Pair>, Fault> {
        match self.ask(question)? {
            Answer::Pairs(held) => Ok(held.into_iter().map(Held::pair).collect()),
            Answer::Txn(_) => Err(unread(&self.member, "it answers something else")),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Pair>, Fault> {
        Ok(self.pairs(&Question::Get(key.to_owned()))?.pop())
    }

    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<Pair>, Fault> {
        self.pairs(&Question::List(prefix.to_owned()))
    }

    /// Does all or nothing; which stands against it, if one does.
    pub(crate) fn txn(&self, ops: &[Op]) -> Result<Option<usize>, Fault> {
        let changes = ops.iter().map(Change::of).collect::<Result<_, _>>()?;
        match self.ask(&Question::Txn(changes))? {
            Answer::Txn(against) => Ok(against),
            Answer::Pairs(_) => Err(unread(&self.member, "it answers something else")),
        }
    }

    /// Tells what a target holds, now and after each change, until told to stop.
    pub(crate) fn watch(&self, target: &Target, tell: &dyn Fn(&[Pair]), stop: &Stop) {
        let mut told: Option<Vec<Pair>> = None;
        let mut backoff = Backoff::default();
        while !stop.is_stopped() {
            let found = match target {
                Target::Key(key) => self.get(key).map(|pair| pair.into_iter().collect()),
                Target::Prefix(prefix) => self.list(prefix),
            };
            let wait = match found {
                Ok(found) => {
                    backoff.reset();
                    if told.as_ref() != Some(&found) && !stop.is_stopped() {
                        tell(&found);
                        told = Some(found);
                    }
                    LOOK_EVERY
                }
                Err(fault) => {
                    tracing::debug!(%fault, "the worker that keeps the keys does not tell them");
                    backoff.next()
                }
            };
            _ = stop.sleep(wait);
        }
    }
}

fn unread(member: &Member, why: &str) -> Fault {
    let text = format!("cannot read what {:?} says of the cluster's keys: {why}", member.name);
    Fault::new(Code::Internal, text).hint("is it a worker of another version?")
}

#[cfg(test)]
mod tests;
