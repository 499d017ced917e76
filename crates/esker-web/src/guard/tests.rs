//! Who may ask.

use axum::http::{HeaderMap, HeaderValue, header};

use super::refusal;

fn ask(host: &str, origin: Option<&str>) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_str(host).expect("a header"));
    if let Some(origin) = origin {
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).expect("a header"));
    }
    refusal(&headers)
}

#[test]
fn loopback_by_any_of_its_names_is_served() {
    for host in ["localhost:8000", "127.0.0.1:8000", "127.0.0.2", "[::1]:8000", "LocalHost"] {
        assert_eq!(ask(host, None), None, "{host}");
    }
    assert_eq!(ask("localhost:8000", Some("http://localhost:8000")), None);
}

#[test]
fn other_names_and_other_origins_are_refused() {
    for host in
        ["evil.example:8000", "10.0.0.1:8000", "localhost.evil.example", "", "127.0.0.1.evil"]
    {
        assert!(ask(host, None).is_some(), "{host}");
    }
    for origin in ["http://evil.example", "http://localhost:9000", "https://localhost:8000", "null"]
    {
        assert!(ask("localhost:8000", Some(origin)).is_some(), "{origin}");
    }
    assert!(refusal(&HeaderMap::new()).is_some());
}
