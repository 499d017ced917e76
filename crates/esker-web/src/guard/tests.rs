//! Who may ask.

use super::*;

fn site(bind: &str, speaks_tls: bool, public: &[&str]) -> Site {
    let public: Vec<String> = public.iter().map(|one| (*one).to_owned()).collect();
    Site::new(bind.parse().expect("an address"), speaks_tls, &public)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (header::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"))
    };
    pairs.iter().map(pair).collect()
}

fn ask(site: &Site, host: &str, more: &[(&'static str, &str)]) -> Option<String> {
    let pairs = [&[("host", host)], more].concat();
    site.refusal(&Method::POST, &headers(&pairs)).map(|refused| refused.message)
}

#[test]
fn loopback_by_any_of_its_names_is_served() {
    let here = site("127.0.0.1:8000", false, &[]);
    for host in ["localhost:8000", "127.0.0.1:8000", "127.0.0.2", "[::1]:8000", "LocalHost"] {
        assert_eq!(ask(&here, host, &[]), None, "{host}");
    }
    assert_eq!(ask(&here, "localhost:8000", &[("origin", "http://localhost:8000")]), None);
}

#[test]
fn other_names_and_other_origins_are_refused() {
    let here = site("127.0.0.1:8000", false, &[]);
    for host in
        ["evil.example:8000", "10.0.0.1:8000", "localhost.evil.example", "", "127.0.0.1.evil"]
    {
        assert!(ask(&here, host, &[]).is_some(), "{host}");
    }
    for origin in ["http://evil.example", "http://localhost:9000", "https://localhost:8000", "null"]
    {
        assert!(ask(&here, "localhost:8000", &[("origin", origin)]).is_some(), "{origin}");
    }
    assert!(here.refusal(&Method::GET, &HeaderMap::new()).is_some());
}

#[test]
fn a_server_beyond_this_machine_answers_to_its_address_and_its_names() {
    let there = site("0.0.0.0:443", true, &["https://esker.example"]);
    for host in ["esker.example", "Esker.example:443", "192.0.2.7:443", "localhost"] {
        assert_eq!(ask(&there, host, &[]), None, "{host}");
    }
    for host in ["esker.example.evil", "evil.example", "esker.example:8443"] {
        assert!(ask(&there, host, &[]).is_some(), "{host}");
    }
    let bound = site("192.0.2.7:443", true, &[]);
    assert!(ask(&bound, "192.0.2.8", &[]).is_some());
    let from = |origin| ask(&there, "esker.example", &[("origin", origin)]);
    assert_eq!(from("https://esker.example"), None);
    assert!(from("http://esker.example").is_some(), "a page that anyone could have changed");
}

#[test]
fn a_proxy_in_front_is_asked_by_tls_and_says_for_whom() {
    let behind = site("127.0.0.1:8000", false, &["https://esker.example"]);
    let public = headers(&[("host", "esker.example"), ("x-forwarded-for", "1.2.3.4, 192.0.2.9")]);
    assert!(behind.is_secure(&public));
    assert_eq!(behind.cookie(&public), "__Host-esker");
    assert_eq!(ask(&behind, "esker.example", &[("origin", "https://esker.example")]), None);
    assert!(ask(&behind, "esker.example", &[("origin", "http://esker.example")]).is_some());
    let peer = |text: &str| Some(Peer(text.parse().expect("an address")));
    let from = |peer| behind.from(&public, peer).map(|address| address.to_string());
    assert_eq!(from(peer("127.0.0.1")).as_deref(), Some("192.0.2.9"), "what the proxy says itself");
    assert_eq!(from(peer("192.0.2.1")).as_deref(), Some("192.0.2.1"));
    let local = headers(&[("host", "localhost"), ("x-forwarded-for", "1.2.3.4")]);
    assert!(!behind.is_secure(&local));
    assert_eq!(behind.from(&local, peer("127.0.0.1")), peer("127.0.0.1").map(|peer| peer.0));
}

#[test]
fn a_browser_that_says_it_asks_for_another_site_may_only_follow_a_link() {
    let here = site("127.0.0.1:8000", false, &[]);
    let ask = |method, site, mode, dest| {
        let all = headers(&[
            ("host", "localhost"),
            ("sec-fetch-site", site),
            ("sec-fetch-mode", mode),
            ("sec-fetch-dest", dest),
        ]);
        here.refusal(&method, &all).is_none()
    };
    assert!(ask(Method::GET, "cross-site", "navigate", "document"));
    assert!(ask(Method::POST, "same-origin", "cors", "empty"));
    assert!(ask(Method::GET, "none", "navigate", "document"));
    assert!(!ask(Method::POST, "cross-site", "navigate", "document"), "a form");
    assert!(!ask(Method::GET, "cross-site", "no-cors", "image"));
    assert!(!ask(Method::GET, "same-site", "navigate", "iframe"));
    assert!(!ask(Method::GET, "same-site", "websocket", "websocket"));
}

#[test]
fn others_are_told_the_address_that_was_asked_for_if_it_is_one_of_its_own() {
    let home = |site: &Site, host: &str| site.home(&headers(&[("host", host)]));
    let here = |text: &str| Some(Home::Here(text.to_owned()));
    let there = |text: &str| Some(Home::There(text.to_owned()));
    let alone = site("127.0.0.1:8000", false, &[]);
    for host in ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "localhost"] {
        assert_eq!(home(&alone, host), here(&format!("http://{host}")));
    }
    for host in ["", "evil.example", "localhost:1/evil", "localhost:@evil", "[::1]evil", "10.0.0.1"]
    {
        assert_eq!(home(&alone, host), None, "{host}");
    }
    let known = site("0.0.0.0:8443", true, &["https://esker.example:8443", "https://b.example"]);
    assert_eq!(home(&known, "Esker.example:8443"), here("https://esker.example:8443"));
    assert_eq!(home(&known, "b.example:443"), here("https://b.example"));
    assert_eq!(home(&known, "192.0.2.7:8443"), there("https://esker.example:8443"));
    assert_eq!(home(&known, "localhost:8443"), here("https://localhost:8443"));
}
