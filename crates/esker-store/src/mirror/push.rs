//! One push: what is to be where, and what became of each reference.

use std::collections::BTreeMap;

use esker_wire::remote::Remote;

use super::git::{self, Git};
use crate::error::Error;

/// What is mirrored, and restored. Only what-ifs have a `+`, which forces them: they are begun anew elsewhere. It is
/// first, for of several that fit git takes the first.
pub(crate) const REFSPECS: [&str; 4] =
    [SCRATCH, "refs/heads/*:refs/heads/*", "refs/esker/*:refs/esker/*", "refs/tags/*:refs/tags/*"];
/// What is one writer's to begin anew and to drop.
const SCRATCH: &str = "+refs/esker/whatif/*:refs/esker/whatif/*";
/// What the names of these references begin with.
const SCRATCHES: &str = "refs/esker/whatif/";
/// How many references are pushed one by one, exactly as they were counted; more are pushed by their folders.
const REFSPECS_MAX: usize = 1000;
/// How many references are named when something is wrong with them.
const NAMED_MAX: usize = 3;

/// References and what they name.
pub(crate) type Heads = BTreeMap<String, String>;

/// Why something is not in the mirror.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The mirror has what this store has not, and keeps it.
    Diverged(String),
    /// It could not be reached, or refused.
    Failed(String),
}

impl Trouble {
    #[expect(clippy::needless_pass_by_value, reason = "errors are turned into it on their way")]
    pub(crate) fn failed(error: Error) -> Self {
        Self::Failed(error.to_string())
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Diverged(text) | Self::Failed(text) => text,
        }
    }
}

/// What git tells of one push.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The references that are not as they were to be.
    pub(crate) left: Vec<String>,
    pub(crate) trouble: Option<Trouble>,
}

/// Every reference that is mirrored, as it is on disk now.
///
/// # Errors
/// If git fails.
pub(crate) fn heads(git: &Git) -> Result<Heads, Error> {
    if !git.dir.join("HEAD").exists() {
        // The store is just being made.
        return Ok(Heads::new());
    }
    let format = "--format=%(objectname) %(refname)";
    let args = ["for-each-ref", format, "refs/heads/", "refs/esker/", "refs/tags/"];
    let text = git.ask(&args, String::new())?;
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    Ok(pairs.map(|(id, name)| (name.to_owned(), id.to_owned())).collect())
}

/// How many commits are `here` and not `there`.
///
/// # Errors
/// If git fails.
pub(crate) fn count(git: &Git, here: &Heads, there: &Heads) -> Result<u64, Error> {
    let news = here.iter().filter(|(name, id)| there.get(*name) != Some(*id));
    let mut input: String = news.map(|(_, id)| format!("{id}\n")).collect();
    if input.is_empty() {
        return Ok(0);
    }
    input.extend(there.values().map(|id| format!("^{id}\n")));
    let text = git.ask(&["rev-list", "--count", "--ignore-missing", "--stdin"], input)?;
    text.trim().parse().map_err(|_| Error::Git {
        deed: "count commits".to_owned(),
        reason: format!("git printed {text:?}"),
    })
}

/// Brings all of `here` there, also what was brought before: someone may have removed it. Nothing is ever forced but
/// what-ifs; those that are not here any more are removed there, unless there are very many references.
///
/// # Errors
/// If git cannot be run.
pub(crate) fn push(git: &Git, remote: &Remote, here: &Heads) -> Result<Told, Error> {
    let lasting = here.iter().filter(|(name, _)| !name.starts_with(SCRATCHES));
    let refspecs: Vec<String> = lasting.map(|(name, id)| format!("{id}:{name}")).collect();
    let mut args = vec!["push", "--porcelain", "--progress", "--no-follow-tags"];
    if refspecs.len() > REFSPECS_MAX {
        args.extend(["--", remote.as_given()]);
        args.extend(REFSPECS);
    } else {
        // Only what a pattern fits is pruned: what-ifs.
        args.extend(["--prune", "--", remote.as_given(), SCRATCH]);
        args.extend(refspecs.iter().map(String::as_str));
    }
    let ran = git.run(&args, String::new(), &mut |_| {})?;
    let mut told = read(&ran.stdout);
    if !ran.success && told.trouble.is_none() {
        let text = format!("cannot push: {}", git::complaint(&ran.stderr));
        told.trouble = Some(Trouble::Failed(text));
    } else if let Some(Trouble::Failed(text)) = &mut told.trouble {
        let complaint = git::complaint(&ran.stderr);
        if complaint != git::SPEECHLESS {
            text.extend([": ", &complaint]);
        }
    }
    Ok(told)
}

/// Reads the lines `FLAG <tab> FROM:TO <tab> [summary] (reason)` of `git push --porcelain`.
fn read(porcelain: &str) -> Told {
    let mut left = Vec::new();
    let (mut diverged, mut refused) = (Vec::new(), Vec::new());
    for line in porcelain.lines() {
        let Some(rest) = line.strip_prefix("!\t") else {
            continue;
        };
        let (names, summary) = rest.split_once('\t').unwrap_or((rest, ""));
        let (_, name) = names.split_once(':').unwrap_or((names, names));
        left.push(name.to_owned());
        let is_theirs = ["(fetch first)", "(non-fast-forward)", "(already exists)"];
        if is_theirs.iter().any(|reason| summary.ends_with(reason)) {
            diverged.push(name);
        } else {
            refused.push(format!("{name} {summary}"));
        }
    }
    let trouble = if !diverged.is_empty() {
        Some(Trouble::Diverged(format!(
            "it has diverged: {} there has what this store has not; nothing is forced",
            some_of(&diverged)
        )))
    } else if !refused.is_empty() {
        let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
        Some(Trouble::Failed(format!("it refuses {}", some_of(&refused))))
    } else {
        None
    };
    Told { left, trouble }
}

/// The first few of them.
fn some_of(names: &[&str]) -> String {
    let more = names.len().saturating_sub(NAMED_MAX);
    let shown = names[..names.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests;
