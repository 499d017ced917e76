//! ID tokens: which are believed. It knows no network: the provider's keys are passed in.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use super::person::Claims;
use super::signature;

/// The longest token, in bytes.
const TOKEN_MAX: usize = 64 * 1024;
/// The most keys of a provider.
const KEYS_MAX: usize = 64;
/// How far clocks may be apart, in seconds.
const LEEWAY_S: u64 = 60;

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
}

/// Why a token is not believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It is signed by a key that is not known: the provider may have a new one.
    UnknownKey,
    /// This is wrong with it.
    Wrong(&'static str),
}

/// The keys of a provider's set that something can be believed by; others may stand there, too.
pub(super) fn keys(set: &Value) -> Vec<Jwk> {
    let all = set["keys"].as_array().into_iter().flatten().take(KEYS_MAX);
    all.filter_map(|key| serde_json::from_value(key.clone()).ok()).collect()
}

/// What a token says, if it is one of this provider's for us, now, and for this log-in.
pub(super) fn believed(token: &str, keys: &[Jwk], expected: &Expected<'_>) -> Result<Claims, Flaw> {
    signature::install();
    if token.len() > TOKEN_MAX {
        return Err(Flaw::Wrong("it is too long"));
    }
    // One that is not signed names no algorithm there is.
    let header = decode_header(token).map_err(|_| Flaw::Wrong("it is no signed token"))?;
    if header.alg.family() == AlgorithmFamily::Hmac {
        return Err(Flaw::Wrong("it is signed with a secret, not with a key"));
    }
    if header.crit.is_some() {
        return Err(Flaw::Wrong("it asks for what is not known here"));
    }
    let is_asked = |key: &&Jwk| header.kid.is_none() || key.common.key_id == header.kid;
    let mut fit = keys.iter().filter(is_asked).filter(|key| fits(key, header.alg)).peekable();
    if fit.peek().is_none() {
        return Err(Flaw::UnknownKey);
    }
    let validation = validation(header.alg, expected);
    let decoded = fit.find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        match decode::<Claims>(token, &key, &validation) {
            Err(error) if *error.kind() == jsonwebtoken::errors::ErrorKind::InvalidSignature => {
                None
            }
            decoded => Some(decoded),
        }
    });
    match decoded {
        Some(Ok(token)) => checked(token.claims, expected),
        Some(Err(error)) => Err(Flaw::Wrong(why(&error))),
        None => Err(Flaw::Wrong("its signature is wrong")),
    }
}

fn validation(algorithm: Algorithm, expected: &Expected<'_>) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.set_issuer(&[expected.issuer]);
    validation.set_audience(&[expected.client]);
    validation
}

/// What the library leaves open: who else it is for, and for which log-in.
fn checked(claims: Claims, expected: &Expected<'_>) -> Result<Claims, Flaw> {
    let text = |claim: &str| claims.get(claim).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(Flaw::Wrong("it is another provider's"));
    }
    let is_ours = text("azp") == Some(expected.client);
    if claims.contains_key("azp") && !is_ours {
        return Err(Flaw::Wrong("it was made for another program"));
    }
    let audience = claims.get("aud").and_then(Value::as_array).map_or(1, Vec::len);
    if audience != 1 && !is_ours {
        return Err(Flaw::Wrong("it is for others, too"));
    }
    if text("nonce") != Some(expected.nonce) {
        return Err(Flaw::Wrong("it is of another log-in"));
    }
    if text("sub").is_none_or(str::is_empty) {
        return Err(Flaw::Wrong("it is nobody's"));
    }
    Ok(claims)
}

/// Whether a key is one for this algorithm.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_of_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), _) => algorithm.family() == AlgorithmFamily::Rsa,
        (AlgorithmParameters::EllipticCurve(of), Algorithm::ES256) => {
            of.curve == EllipticCurve::P256
        }
        (AlgorithmParameters::EllipticCurve(of), Algorithm::ES384) => {
            of.curve == EllipticCurve::P384
        }
        (AlgorithmParameters::OctetKeyPair(of), Algorithm::EdDSA) => {
            of.curve == EllipticCurve::Ed25519
        }
        _ => false,
    };
    let said = key.common.key_algorithm;
    let is_to_sign = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
    is_of_kind && is_to_sign && said.is_none_or(|said| said == algorithm.into())
}

fn why(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::ExpiredSignature => "it is over",
        ErrorKind::ImmatureSignature => "it is not good yet",
        ErrorKind::InvalidIssuer => "it is another provider's",
        ErrorKind::InvalidAudience => "it is for somebody else",
        ErrorKind::MissingRequiredClaim(_) => {
            "it does not say whose, for whom or for how long it is"
        }
        _ => "it cannot be read",
    }
}

#[cfg(test)]
mod tests;
