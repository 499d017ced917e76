//! What can go wrong with a bucket, told without what is secret.

use std::io;

use esker_wire::pointer::ContentId;

/// The variables whose values are never shown: a server's complaint may repeat them.
const SECRETS: [&str; 3] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
/// How much of a complaint is shown, in characters.
const SHOWN_MAX: usize = 300;

/// Why something could not be done with a bucket.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "s3"),
    expect(dead_code, reason = "nothing goes wrong with a bucket that cannot be")
)]
pub(super) enum Trouble {
    /// It cannot be reached, or refuses.
    There(String),
    /// It does not have the content.
    Gone,
    /// It has other bytes in the content's place.
    Wrong(ContentId),
    /// Something is wrong on this side.
    Here(String),
}

impl Trouble {
    #[expect(clippy::needless_pass_by_value, reason = "errors are turned into it on their way")]
    pub(super) fn here(error: io::Error) -> Self {
        Self::Here(error.to_string())
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::There(text) | Self::Here(text) => text.clone(),
            Self::Gone => "it is not there".to_owned(),
            Self::Wrong(found) => format!("what is there is damaged: its hash is {found}"),
        }
    }
}

/// One line of a complaint, without credentials.
#[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "there is nobody to complain"))]
pub(super) fn redact(text: &str) -> String {
    let mut text = text.replace(char::is_control, " ");
    for secret in SECRETS.iter().filter_map(|name| std::env::var(name).ok()) {
        if !secret.is_empty() {
            text = text.replace(&secret, "…");
        }
    }
    text.chars().take(SHOWN_MAX).collect()
}
