//! Tokens that are forged, stale, stolen or of others are not believed. The keys are made here.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair,
};
use serde_json::json;

use super::*;

const EXPECTED: Expected<'static> =
    Expected { issuer: "https://login.example", client: "esker", nonce: "n" };

/// A provider's key.
enum Key {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    fn p256() -> Self {
        let random = SystemRandom::new();
        let of = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(of, &random).expect("a key");
        Self::P256(EcdsaKeyPair::from_pkcs8(of, pkcs8.as_ref(), &random).expect("a key"))
    }

    fn p384() -> Self {
        let random = SystemRandom::new();
        let of = &ECDSA_P384_SHA384_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(of, &random).expect("a key");
        Self::P384(EcdsaKeyPair::from_pkcs8(of, pkcs8.as_ref(), &random).expect("a key"))
    }

    fn ed() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).expect("a key"))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            Self::Ed(_) => "EdDSA",
        }
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::P256(pair) | Self::P384(pair) => pair.public_key().as_ref(),
            Self::Ed(pair) => pair.public_key().as_ref(),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(pair) | Self::P384(pair) => {
                pair.sign(&SystemRandom::new(), message).expect("signed").as_ref().to_vec()
            }
            Self::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// As it stands in the provider's set.
    fn jwk(&self, kid: &str) -> Value {
        let point = self.public();
        let ec = |curve: &str| {
            let (x, y) = point[1..].split_at((point.len() - 1) / 2);
            json!({ "kty": "EC", "crv": curve, "x": B64.encode(x), "y": B64.encode(y), "kid": kid })
        };
        match self {
            Self::P256(_) => ec("P-256"),
            Self::P384(_) => ec("P-384"),
            Self::Ed(_) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": B64.encode(point), "kid": kid })
            }
        }
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = self.sign(message.as_bytes());
        format!("{message}.{}", B64.encode(signature))
    }
}

fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_secs()
}

fn claims() -> Value {
    json!({
        "iss": EXPECTED.issuer, "aud": EXPECTED.client, "nonce": EXPECTED.nonce, "sub": "7",
        "iat": now(), "exp": now() + 300, "email": "ann@example.org",
    })
}

/// The claims with one otherwise, or without it.
fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().expect("claims").remove(claim)),
        value => claims[claim] = value,
    }
    claims
}

fn set(each: &[Value]) -> Vec<Jwk> {
    keys(&json!({ "keys": each }))
}

fn ask(token: &str, keys: &[Jwk]) -> Result<Value, Flaw> {
    believed(token, keys, &EXPECTED).map(Value::from)
}

fn wrong(why: &'static str) -> Result<Value, Flaw> {
    Err(Flaw::Wrong(why))
}

#[test]
fn a_token_of_each_kind_is_believed() {
    for key in [Key::p256(), Key::p384(), Key::ed()] {
        let keys = set(&[json!({ "kty": "new" }), json!(7), key.jwk("k")]);
        for header in
            [json!({ "alg": key.algorithm(), "kid": "k" }), json!({ "alg": key.algorithm() })]
        {
            let told = ask(&key.token(&header, &claims()), &keys).expect("believed");
            assert_eq!(told["email"], "ann@example.org", "{header}");
        }
    }
}

#[test]
fn what_a_token_says_has_to_be_of_here_and_now() {
    let key = Key::p256();
    let (keys, header) = (set(&[key.jwk("k")]), json!({ "alg": "ES256", "kid": "k" }));
    let us = "esker";
    for (claim, value, expected) in [
        ("iss", json!("https://evil.example"), Some("it is another provider's")),
        ("iss", json!(["https://login.example"]), Some("it is another provider's")),
        ("iss", Value::Null, Some("it does not say whose, for whom or for how long it is")),
        ("aud", json!("other"), Some("it is for somebody else")),
        ("aud", json!(["other"]), Some("it is for somebody else")),
        ("aud", json!([us, "other"]), Some("it is for others, too")),
        ("aud", Value::Null, Some("it does not say whose, for whom or for how long it is")),
        ("aud", json!([us]), None),
        ("azp", json!("other"), Some("it was made for another program")),
        ("azp", json!(us), None),
        ("nonce", json!("m"), Some("it is of another log-in")),
        ("nonce", Value::Null, Some("it is of another log-in")),
        ("sub", json!(""), Some("it is nobody's")),
        ("sub", Value::Null, Some("it does not say whose, for whom or for how long it is")),
        ("exp", json!(now() - 120), Some("it is over")),
        ("exp", json!("tomorrow"), Some("it does not say whose, for whom or for how long it is")),
        ("exp", Value::Null, Some("it does not say whose, for whom or for how long it is")),
        ("nbf", json!(now() + 600), Some("it is not good yet")),
    ] {
        let told = ask(&key.token(&header, &with(claim, value.clone())), &keys);
        assert_eq!(told.err(), expected.map(Flaw::Wrong), "{claim} {value}");
    }
    let mut several = with("aud", json!([us, "other"]));
    several["azp"] = json!(us);
    assert!(ask(&key.token(&header, &several), &keys).is_ok());
}

#[test]
fn a_signature_has_to_be_of_the_provider_and_of_all_that_is_said() {
    let (key, other) = (Key::p256(), Key::p256());
    let (keys, header) = (set(&[key.jwk("k")]), json!({ "alg": "ES256", "kid": "k" }));
    let signature = "its signature is wrong";
    assert_eq!(ask(&other.token(&header, &claims()), &keys), wrong(signature));
    let token = key.token(&header, &claims());
    let (_, signed) = token.rsplit_once('.').expect("three parts");
    let forged = message(&header, &with("email", json!("root@example.org")));
    assert_eq!(ask(&format!("{forged}.{signed}"), &keys), wrong(signature));
    assert_eq!(ask(&format!("{forged}."), &keys), wrong(signature));
    let unknown = json!({ "alg": "ES256", "kid": "new" });
    assert_eq!(ask(&key.token(&unknown, &claims()), &keys), Err(Flaw::UnknownKey));
    // The key comes with the token.
    let mut brought = header.clone();
    brought["jwk"] = other.jwk("k");
    assert_eq!(ask(&other.token(&brought, &claims()), &keys), wrong(signature));
    let critical = json!({ "alg": "ES256", "kid": "k", "crit": ["b64"], "b64": false });
    let told = ask(&key.token(&critical, &claims()), &keys);
    assert_eq!(told, wrong("it asks for what is not known here"));
    let mut of_encryption = key.jwk("k");
    of_encryption["use"] = json!("enc");
    assert_eq!(ask(&token, &set(&[of_encryption])), Err(Flaw::UnknownKey));
    let mut of_another = key.jwk("k");
    of_another["alg"] = json!("ES384");
    assert_eq!(ask(&token, &set(&[of_another])), Err(Flaw::UnknownKey));
    assert_eq!(ask(&token, &[]), Err(Flaw::UnknownKey));
}

#[test]
fn what_is_not_signed_with_a_key_is_not_believed() {
    let key = Key::p256();
    let jwk = key.jwk("k");
    let keys = set(std::slice::from_ref(&jwk));
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let message = message(&json!({ "alg": none, "kid": "k" }), &claims());
        for token in [format!("{message}."), message.clone(), format!("{message}.e30")] {
            assert_eq!(ask(&token, &keys), wrong("it is no signed token"), "{token}");
        }
    }
    // Whoever has the public key, which everybody has, could sign if it were taken for a secret.
    let secrets = [key.public().to_vec(), jwk.to_string().into_bytes(), b"client secret".to_vec()];
    for secret in secrets {
        let message = message(&json!({ "alg": "HS256", "kid": "k" }), &claims());
        let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        let token = format!("{message}.{}", B64.encode(signed));
        assert_eq!(ask(&token, &keys), wrong("it is signed with a secret, not with a key"));
    }
    let shared = json!({ "kty": "oct", "k": B64.encode("client secret"), "kid": "k" });
    let token = key.token(&json!({ "alg": "ES256", "kid": "k" }), &claims());
    assert_eq!(ask(&token, &set(&[shared])), Err(Flaw::UnknownKey));
    for odd in ["", ".", "..", "a.b.c", "a.b.c.d", "äöü", &"a".repeat(TOKEN_MAX + 1)] {
        assert!(matches!(ask(odd, &keys), Err(Flaw::Wrong(_))), "{odd}");
    }
}

/// A key of one kind with an algorithm of another: nothing is made of it.
#[test]
fn keys_are_used_for_what_they_are() {
    let (p256, p384, ed) = (Key::p256(), Key::p384(), Key::ed());
    let keys = set(&[p256.jwk("k"), p384.jwk("k"), ed.jwk("k")]);
    for key in [&p256, &p384, &ed] {
        for algorithm in ["ES256", "ES384", "EdDSA", "RS256", "PS256"] {
            let token = key.token(&json!({ "alg": algorithm, "kid": "k" }), &claims());
            let told = ask(&token, &keys);
            match algorithm == key.algorithm() {
                true => assert!(told.is_ok(), "{algorithm}"),
                false => assert!(told.is_err(), "{algorithm} by {}", key.algorithm()),
            }
        }
    }
}
