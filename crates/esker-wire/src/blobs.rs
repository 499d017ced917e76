//! A bucket that large contents are copied to: where it is, checked once. What opens it is never part of this.

use std::fmt;
use std::str::FromStr;

/// The longest address, in bytes.
const ADDRESS_MAX: usize = 1024;
/// How long the name of a bucket may be.
const BUCKET_LENGTHS: std::ops::RangeInclusive<usize> = 3..=63;

/// A place in a bucket that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blobs {
    /// The bucket's name.
    pub bucket: String,
    /// What every object's name begins with, without a slash at its ends; may be empty.
    pub prefix: String,
    /// The server, if it is not Amazon's: `https://HOST:PORT`.
    pub endpoint: Option<String>,
    /// The region, if the environment is not to say.
    pub region: Option<String>,
    /// Whether a server elsewhere may be spoken to in the clear.
    pub allow_http: bool,
    /// How many bytes of files may stay here that are in the bucket too; all of them if none is named.
    pub cache_max: Option<u64>,
}

/// Why a text names no place in a bucket, or no server of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadBlobs(String);

fn bad<T>(reason: impl Into<String>) -> Result<T, BadBlobs> {
    Err(BadBlobs(reason.into()))
}

impl Blobs {
    /// Checks the address of a server; the text is not repeated where it may hold a secret.
    ///
    /// # Errors
    /// If it is no such address, or would be spoken to in the clear though it is elsewhere.
    pub fn check_endpoint(text: &str, allow_http: bool) -> Result<(), BadBlobs> {
        let (is_clear, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return bad("it does not begin with https:// or http://"),
        };
        if rest.contains(['@', '?', '#']) {
            return bad(
                "it holds more than a host, a port and a path; credentials come from the environment",
            );
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let is_plain = |letter: char| letter.is_ascii_graphic();
        if authority.is_empty() || text.len() > ADDRESS_MAX || !rest.chars().all(is_plain) {
            return bad(format!("{text:?} names no host"));
        }
        if is_clear && !allow_http && !is_loopback(authority) {
            return bad(format!(
                "{text:?} would be spoken to in the clear: use https://, or set blobs_allow_http = true"
            ));
        }
        Ok(())
    }
}

/// Whether a host, with or without a port, is this machine.
fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let address = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

impl FromStr for Blobs {
    type Err = BadBlobs;

    fn from_str(text: &str) -> Result<Self, BadBlobs> {
        let Some(rest) = text.strip_prefix("s3://") else {
            return bad("write it as s3://BUCKET/PREFIX");
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains(['@', ':']) {
            return bad(
                "it holds more than a bucket and a prefix; credentials come from the environment",
            );
        }
        let is_in_name = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_')
        };
        if !BUCKET_LENGTHS.contains(&bucket.len()) || !bucket.bytes().all(is_in_name) {
            return bad(format!("{bucket:?} is no name of a bucket"));
        }
        let prefix = prefix.trim_end_matches('/');
        let is_word = |word: &str| {
            let is_in_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
            !matches!(word, "" | "." | "..") && word.bytes().all(is_in_word)
        };
        if text.len() > ADDRESS_MAX || !(prefix.is_empty() || prefix.split('/').all(is_word)) {
            return bad(
                "a prefix is made of words of letters, digits, `-`, `.` and `_`, with `/` between",
            );
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: None,
            region: None,
            allow_http: false,
            cache_max: None,
        })
    }
}

impl fmt::Display for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

#[cfg(test)]
mod tests;
