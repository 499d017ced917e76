//! What a provider says of itself.

use serde_json::json;

use super::*;

const ISSUER: &str = "https://login.example/a";

fn read(changes: &[(&str, Value)], issuer: &str) -> Result<Found, String> {
    let mut told = json!({
        "issuer": issuer,
        "authorization_endpoint": "https://login.example/authorize?tenant=7",
        "token_endpoint": "https://login.example/token",
        "jwks_uri": "https://keys.example/",
    });
    for (key, value) in changes {
        told[key] = value.clone();
    }
    Found::read(told.as_object().expect("an object"), issuer)
}

#[test]
fn where_it_is_asked_is_read() {
    let found = read(&[], ISSUER).expect("read");
    assert_eq!(found.authorize, "https://login.example/authorize?tenant=7");
    assert_eq!((found.userinfo, found.in_form, found.names_itself), (None, false, false));
    let methods = |all: &[&str]| {
        read(&[("token_endpoint_auth_methods_supported", json!(all))], ISSUER).expect("read")
    };
    assert!(methods(&["client_secret_post"]).in_form);
    assert!(!methods(&["client_secret_post", "client_secret_basic"]).in_form);
}

#[test]
fn what_is_not_safe_is_not_asked() {
    for (key, value, expected) in [
        ("issuer", json!("https://evil.example"), "it calls itself \"https://evil.example\""),
        ("issuer", json!("https://login.example/a/"), "it calls itself"),
        ("issuer", Value::Null, "it calls itself \"\""),
        ("token_endpoint", json!("http://login.example/token"), "its token_endpoint is no address"),
        ("token_endpoint", json!("http://127.0.0.1/token"), "its token_endpoint is no address"),
        ("token_endpoint", json!("https://a:b@login.example/"), "its token_endpoint is no address"),
        ("token_endpoint", Value::Null, "it has no token_endpoint"),
        ("jwks_uri", json!("file:///etc/passwd"), "its jwks_uri is no address"),
        ("jwks_uri", json!("/keys"), "its jwks_uri is no address"),
        ("authorization_endpoint", json!("https://a/#b"), "its authorization_endpoint is no"),
        (
            "authorization_endpoint",
            json!("javascript:alert(1)"),
            "its authorization_endpoint is no",
        ),
        ("authorization_endpoint", json!("https://a/\r\nb: c"), "its authorization_endpoint is no"),
    ] {
        let why = read(&[(key, value.clone())], ISSUER).err().expect("refused");
        assert!(why.contains(expected), "{key} {value}: {why}");
    }
    let local = "http://127.0.0.1:3000";
    assert!(read(&[("token_endpoint", json!("http://localhost:3000/token"))], local).is_ok());
    assert!(read(&[("token_endpoint", json!("http://10.0.0.1/token"))], local).is_err());
}

#[test]
fn what_stands_in_a_form_is_only_text() {
    assert_eq!(form(&[("a", "b c/&=é"), ("d", "")]), "a=b%20c%2F%26%3D%C3%A9&d=");
}
