//! `esker web password`: a password in, its hash out. It is never an argument: every process could read it there.

use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::{Context, Result};
use esker_web::access::password::{PASSWORD_MAX, hash};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::say::{self, hinted};

/// Asks for a password, and prints its hash.
pub(crate) fn password() -> Result<()> {
    let password = match io::stdin().is_terminal() {
        true => asked()?,
        false => line(&mut io::stdin().lock())?,
    };
    let hashed = hash(&password).map_err(|why| {
        hinted(format!("cannot take this password: {why}"), "several words make a good one")
    })?;
    Ok(say::line(hashed)?)
}

/// Asks a person, twice, without showing what they type.
fn asked() -> Result<String> {
    let silence = Silence::begin()?;
    say::prompt("Password: ");
    let first = line(&mut io::stdin().lock())?;
    say::prompt("\nOnce more: ");
    let second = line(&mut io::stdin().lock())?;
    say::prompt("\n");
    drop(silence);
    if first != second {
        return Err(hinted("the two are not the same", "type it again"));
    }
    Ok(first)
}

fn line(from: &mut impl BufRead) -> Result<String> {
    let mut text = String::new();
    // One longer than allowed is refused, not cut.
    from.take(PASSWORD_MAX as u64 + 3).read_line(&mut text).context("cannot read the password")?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

/// A terminal that shows nothing, until it is dropped.
struct Silence(Termios);

impl Silence {
    fn begin() -> Result<Self> {
        let before = tcgetattr(io::stdin()).context("cannot ask the terminal")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent).context("cannot silence it")?;
        Ok(Self(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        tcsetattr(io::stdin(), OptionalActions::Flush, &self.0).ok();
    }
}
