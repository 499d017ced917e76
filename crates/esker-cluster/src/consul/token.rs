//! The token that Consul knows us by: from the environment or a file, told to nobody.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use esker_wire::fault::{Code, Fault};

/// The longest token.
const TOKEN_MAX: u64 = 256;

/// Where the token is found. A file is read again for each request, so that a new token needs no new process.
#[derive(Clone, Default)]
pub enum Token {
    /// There is none: whatever Consul allows the anonymous.
    #[default]
    Anonymous,
    /// This one.
    Text(String),
    /// What a file holds, without white space around it.
    File(PathBuf),
}

impl Token {
    /// From `CONSUL_HTTP_TOKEN`, or the file that `CONSUL_HTTP_TOKEN_FILE` names.
    pub fn of_environment() -> Self {
        let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        let file = || text("CONSUL_HTTP_TOKEN_FILE").map(|path| Self::File(path.into()));
        text("CONSUL_HTTP_TOKEN").map(Self::Text).or_else(file).unwrap_or_default()
    }

    /// What to send.
    pub(crate) fn read(&self) -> Result<Option<String>, Fault> {
        let text = match self {
            Self::Anonymous => return Ok(None),
            Self::Text(text) => text.clone(),
            Self::File(path) => {
                let mut text = String::new();
                let file = File::open(path);
                let read = file.and_then(|file| file.take(TOKEN_MAX + 1).read_to_string(&mut text));
                read.map_err(|error| {
                    let message =
                        format!("cannot read Consul's token in {}: {error}", path.display());
                    Fault::new(Code::Unavailable, message)
                })?;
                text
            }
        };
        let text = text.trim();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() as u64 > TOKEN_MAX || !is_plain {
            let fault = Fault::new(Code::Unavailable, "what should be Consul's token is none");
            return Err(fault.hint("it is a line as b1gs33cr3t-...; see `consul acl token list`"));
        }
        Ok(Some(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("Anonymous"),
            Self::Text(_) => f.write_str("Text(..)"),
            Self::File(path) => write!(f, "File({path:?})"),
        }
    }
}
