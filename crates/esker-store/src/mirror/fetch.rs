//! One fetch from a mirror: all of it or nothing, and never what was rewritten.

use esker_wire::remote::Remote;

use super::git::{self, Git};
use super::push::{REFSPECS, Trouble};

/// What there must be in every mirror.
const MAIN: &str = "refs/heads/main:refs/heads/main";

/// Fetches what is newest. Without a `+`, what does not descend from what is here is refused, and with it all.
///
/// # Errors
/// Why nothing was fetched.
pub(crate) fn fetch(git: &Git, remote: &Remote, told: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
    let mut args = vec!["fetch", "--atomic", "--no-tags", "--no-write-fetch-head", "--progress"];
    args.extend(["--", remote.as_given(), MAIN]);
    args.extend(REFSPECS);
    let ran = git.run(&args, String::new(), told).map_err(Trouble::failed)?;
    if ran.success {
        return Ok(());
    }
    let rewritten: Vec<&str> = ran.stderr.lines().filter_map(rewritten).collect();
    Err(if rewritten.is_empty() {
        Trouble::Failed(format!("cannot fetch: {}", git::complaint(&ran.stderr)))
    } else {
        Trouble::Diverged(format!(
            "its history was rewritten: {} there does not descend from what was read here; it is not followed",
            rewritten.join(", ")
        ))
    })
}

/// The reference of a line ` ! [rejected]  main  -> main  (non-fast-forward)`.
fn rewritten(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("! [rejected]")?;
    let is_rewritten = ["(non-fast-forward)", "(would clobber existing tag)"];
    is_rewritten.iter().find_map(|reason| rest.strip_suffix(reason))?;
    rest.split_whitespace().next()
}

#[cfg(test)]
mod tests;
