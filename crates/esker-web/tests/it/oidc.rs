//! People come from a provider: those it answers for, by the way they went, once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use esker_web::access::Access;
use esker_web::access::oidc::Oidc;
use esker_wire::role::Role;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::door::{Answer, Door, PASSWORD, everybody};
use crate::provider::Provider;

const BACK: &str = "/login/oidc/back";
const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// What a browser sends that another site sends back.
const FROM_THERE: [(&str, &str); 4] = [
    ("Accept", "text/html"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
];

fn oidc(provider: &Provider) -> Oidc {
    Oidc {
        issuer: provider.issuer(),
        client: "esker".to_owned(),
        title: "Example <Ltd>".to_owned(),
        secret: Some("s/e cret".to_owned()),
        scopes: vec!["openid".to_owned(), "email".to_owned()],
        claim: "email".to_owned(),
        groups_claim: "groups".to_owned(),
        roles: BTreeMap::from([("ann@example.org".to_owned(), Role::Operate)]),
        groups: BTreeMap::new(),
        default: None,
    }
}

fn door(provider: &Provider, access: Access) -> Door {
    Door::new(Access { oidc: Some(oidc(provider)), ..access })
}

/// A log-in that a browser has begun.
struct Begun {
    answer: Answer,
    cookie: String,
    sent: BTreeMap<String, String>,
}

fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("text")
}

fn begin(door: &Door, next: &str, headers: &[(&str, &str)]) -> Begun {
    let answer = door.ask("GET", &format!("/login/oidc?next={next}"), headers);
    let (_, query) = answer.header("location").and_then(|to| to.split_once('?')).expect("a place");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let sent = pairs.map(|(key, value)| (key.to_owned(), decoded(value))).collect();
    let cookie = answer.cookie();
    Begun { answer, cookie, sent }
}

/// Comes back.
fn come(door: &Door, (state, cookie): (&str, &str), more: &str) -> Answer {
    let path = format!("{BACK}?state={state}&code=c{more}");
    door.ask("GET", &path, &[&FROM_THERE[..], &[("Cookie", cookie)]].concat())
}

/// Begins, and comes back with a token that says this.
fn log_in(door: &Door, provider: &Provider, claims: &Value) -> Answer {
    let begun = begin(door, "/r", &[]);
    provider.says(&begun.sent["nonce"], claims);
    come(door, (&begun.sent["state"], &begun.cookie), "")
}

fn session(answer: &Answer) -> Option<String> {
    let set = answer.head.lines().filter_map(|line| line.strip_prefix("set-cookie: esker="));
    set.into_iter().next().map(|rest| format!("esker={}", rest.split(';').next().expect("an id")))
}

fn me(door: &Door, cookie: &str) -> Value {
    let told = door.ask("GET", "/api/me", &[("Cookie", cookie)]);
    serde_json::from_str(&told.body).expect("JSON")
}

#[test]
fn who_comes_back_has_a_session_and_their_role() {
    let provider = Provider::new();
    let door = door(&provider, Access::default());
    let page = door.ask("GET", "/login?next=/r%23/a", &[]);
    assert!(
        page.body.contains("href=\"/login/oidc?next=/r%23/a\">Log in with Example &lt;Ltd&gt;")
    );
    assert!(!page.body.contains("password"), "nobody has one");
    let begun = begin(&door, "/r%23/a%26b", &FROM_THERE);
    assert_eq!(begun.answer.status, 303);
    let to = begun.answer.header("location").expect("a place");
    assert!(to.starts_with(&format!("{}/authorize?", provider.issuer())), "{to}");
    let set = begun.answer.header("set-cookie").expect("a cookie");
    assert!(set.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"), "{set}");
    let redirect = format!("http://{}{BACK}", door.at);
    for (key, value) in [
        ("response_type", "code"),
        ("client_id", "esker"),
        ("scope", "openid email"),
        ("redirect_uri", &redirect),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(begun.sent[key], value, "{key}");
    }
    provider.says(&begun.sent["nonce"], &json!({ "email_verified": true }));
    let made_up = "esker=0123456789abcdef";
    let cookies = format!("{}; {made_up}", begun.cookie);
    let on = come(&door, (&begun.sent["state"], &cookies), "");
    assert_eq!(on.status, 200, "{on:?}");
    // A redirect would be of the provider's making: the session's cookie would be kept from it.
    assert!(
        on.body.contains("http-equiv=\"refresh\" content=\"0;url=/r#/a&amp;b\""),
        "{}",
        on.body
    );
    assert!(on.head.contains("SameSite=Strict") && on.head.contains("Max-Age=0"), "{}", on.head);
    let cookie = session(&on).expect("a session");
    assert_ne!(cookie, made_up);
    let told = json!({ "user": "ann@example.org", "role": "operate", "by": "session" });
    assert_eq!(me(&door, &cookie), told);

    let [asked] = &provider.asked("/token")[..] else { panic!("one exchange") };
    let (head, form) = asked.split_once("\r\n\r\n").expect("a form");
    assert!(head.contains("Basic ZXNrZXI6cyUyRmUlMjBjcmV0"), "esker and its secret: {head}");
    let verifier = form.split('&').find_map(|pair| pair.strip_prefix("code_verifier="));
    let challenge = B64.encode(digest(&SHA256, verifier.expect("a verifier").as_bytes()));
    assert_eq!(begun.sent["code_challenge"], challenge);

    assert_eq!(door.ask("POST", "/logout", &[("Cookie", &cookie)]).status, 303);
    assert!(me(&door, &cookie)["error"].is_object());
}

#[test]
fn a_way_back_is_good_once_in_its_browser() {
    let provider = Provider::new();
    let door = door(&provider, Access::default());
    let (begun, other) = (begin(&door, "//evil.example", &[]), begin(&door, "/", &[]));
    provider.says(&begun.sent["nonce"], &json!({}));
    let state = begun.sent["state"].as_str();
    for (state, cookie) in [(state, ""), (state, other.cookie.as_str()), ("x", &begun.cookie)] {
        let answer = come(&door, (state, cookie), "");
        assert_eq!((answer.status, session(&answer)), (400, None), "{state} {cookie}");
        assert_eq!(answer.header("set-cookie"), None, "the right one may still come");
    }
    let on = come(&door, (state, &begun.cookie), "");
    assert!(on.body.contains("0;url=/\""), "within this site: {}", on.body);
    assert!(session(&on).is_some());
    let again = come(&door, (state, &begun.cookie), "");
    assert_eq!((again.status, session(&again)), (400, None));
    assert_eq!(provider.asked("/token").len(), 1, "nothing is asked for what is nothing");
    // Four wrong ones cost nothing, the fifth waits.
    let limited = come(&door, ("x", ""), "");
    assert_eq!(limited.status, 429);
    assert!(limited.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok()));
    assert_eq!(door.ask("GET", "/login/oidc", &[]).status, 429);
}

#[test]
fn a_token_that_is_not_ours_lets_nobody_in() {
    let provider = Provider::new();
    let door = door(&provider, Access::default());
    for (claims, why) in [
        (json!({ "nonce": "x" }), "it is of another log-in"),
        (json!({ "aud": "other" }), "it is for somebody else"),
        (json!({ "exp": 1 }), "it is over"),
    ] {
        let answer = log_in(&door, &provider, &claims);
        assert_eq!((answer.status, session(&answer)), (502, None), "{claims}");
        assert!(answer.body.contains(why), "{}", answer.body);
    }
    let begun = begin(&door, "/", &[]);
    provider.says(&begun.sent["nonce"], &json!({}));
    let mixed = come(&door, (&begun.sent["state"], &begun.cookie), "&iss=https://evil.example");
    assert!(mixed.body.contains("it is another provider's"), "{}", mixed.body);
    assert_eq!((mixed.status, session(&mixed)), (502, None));
}

#[test]
fn what_the_token_leaves_out_is_asked_for_and_is_of_the_same_person() {
    let provider = Provider::new();
    let door = door(&provider, Access::default());
    provider.tells(&json!({ "sub": "8", "email": "ann@example.org" }));
    assert!(session(&log_in(&door, &provider, &json!({}))).is_some());
    assert_eq!(provider.asked("/userinfo").len(), 0, "all was said");
    let nameless = json!({ "email": null });
    let other = log_in(&door, &provider, &nameless);
    assert_eq!((other.status, session(&other)), (502, None), "it is of somebody else");
    provider.tells(&json!({ "sub": "7", "email": "ann@example.org" }));
    assert!(session(&log_in(&door, &provider, &nameless)).is_some());
    let [_, asked] = &provider.asked("/userinfo")[..] else { panic!("once each") };
    assert!(asked.to_ascii_lowercase().contains("authorization: bearer a\r\n"), "{asked}");
    provider.tells(&json!({ "sub": "7" }));
    let nobody = log_in(&door, &provider, &nameless);
    assert!(nobody.body.contains("does not say what your email is."), "{}", nobody.body);
}

#[test]
fn who_has_no_role_or_anothers_name_is_told() {
    let provider = Provider::new();
    let mut access = everybody();
    access.tokens[0].name = "bot@example.org".to_owned();
    let mut with = oidc(&provider);
    with.default = Some(Role::View);
    with.roles = BTreeMap::new();
    let open = Door::new(Access { oidc: Some(with), ..access });
    let taken = log_in(&open, &provider, &json!({ "email": "bot@example.org" }));
    assert_eq!((taken.status, session(&taken)), (403, None), "{taken:?}");
    assert!(session(&log_in(&open, &provider, &json!({}))).is_some());
    let page = open.ask("GET", "/login", &[]);
    assert!(page.body.contains("Log in with") && page.body.contains("type=\"password\""));
    assert_eq!(open.log_in("view", PASSWORD, &[]).status, 303);

    let closed = door(&provider, Access::default());
    let stranger = log_in(&closed, &provider, &json!({ "email": "<b>@evil" }));
    assert!(stranger.body.contains("cannot be a name here"), "{}", stranger.body);
    let stranger = log_in(&closed, &provider, &json!({ "email": "eve@example.org" }));
    assert_eq!((stranger.status, session(&stranger)), (403, None));
    assert!(stranger.body.contains("eve@example.org has no role here."), "{}", stranger.body);
    let begun = begin(&closed, "/", &[]);
    let path = format!("{BACK}?state={}&error=access_denied", begun.sent["state"]);
    let denied = closed.ask("GET", &path, &[("Cookie", &begun.cookie)]);
    assert!(denied.status == 403 && denied.body.contains("did not let you in: access_denied."));
}

#[test]
fn a_provider_that_does_not_answer_as_it_should_is_told_of() {
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{{\"a\":\"{}\"}}", "a".repeat(1 << 20));
    let elsewhere =
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    for answer in ["", "rubbish", &long, elsewhere, "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"]
    {
        let provider = Provider::new();
        provider.answers(CONFIGURATION, answer.as_bytes());
        let door = door(&provider, everybody());
        let began = Instant::now();
        for _ in 0..3 {
            let page = door.ask("GET", "/login/oidc?next=/r", &[]);
            let shown: String = answer.chars().take(40).collect();
            assert_eq!(page.status, 503, "{shown}");
            assert!(page.body.contains("Example &lt;Ltd&gt; cannot be reached just now."));
            assert!(page.body.contains("action=\"/login\""), "{}", page.body);
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{answer}");
        assert_eq!(provider.asked(CONFIGURATION).len(), 1, "it is left alone for a while");
        assert_eq!(door.log_in("view", PASSWORD, &[]).status, 303);
    }
}

/// A new key is asked for, and not by everybody who names one that there is not.
#[test]
fn new_keys_are_found_in_a_while() {
    let provider = Provider::new();
    let door = door(&provider, Access::default());
    assert!(session(&log_in(&door, &provider, &json!({}))).is_some());
    assert!(session(&log_in(&door, &provider, &json!({}))).is_some());
    assert_eq!(provider.asked("/keys").len(), 1);
    provider.has_key("second");
    let until = Instant::now() + Duration::from_secs(60);
    let mut tried = 0;
    loop {
        let begun = door.ask("GET", "/login/oidc", &[]);
        if begun.status == 303 {
            tried += 1;
            if session(&log_in(&door, &provider, &json!({}))).is_some() {
                break;
            }
        }
        assert!(Instant::now() < until, "it is never found");
        std::thread::yield_now();
    }
    assert!(tried > 1, "the first is left alone");
    assert_eq!(provider.asked("/keys").len(), 2);
}

#[test]
fn behind_a_proxy_others_are_told_its_address() {
    let provider = Provider::new();
    let public = vec!["https://esker.example".to_owned()];
    let door = door(&provider, Access { public, ..Access::default() });
    let host = [("Host", "esker.example")];
    let begun = begin(&door, "/", &host);
    assert_eq!(begun.sent["redirect_uri"], format!("https://esker.example{BACK}"));
    let set = begun.answer.header("set-cookie").expect("a cookie");
    assert!(
        set.starts_with("__Host-esker-oidc=") && set.ends_with("SameSite=Lax; Secure"),
        "{set}"
    );
    provider.says(&begun.sent["nonce"], &json!({}));
    let path = format!("{BACK}?state={}&code=c", begun.sent["state"]);
    let on = door.ask("GET", &path, &[&host[..], &[("Cookie", &begun.cookie)]].concat());
    assert!(on.head.contains("__Host-esker=") && on.head.contains("SameSite=Strict; Secure"));
}
