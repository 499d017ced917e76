//! Who may do what: every route of the OpenAPI document, by every role; logging in and out; what is refused to everybody.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use esker_wire::role::{ROLES, Role};
use serde_json::Value;
use tungstenite::client::IntoClientRequest;

use crate::door::{Answer, Door, PASSWORD, everybody, exchange, token};

fn bearer(role: Role) -> String {
    format!("Bearer {}", token(role))
}

/// Every operation of the document: method, path with something in its holes, what it needs.
fn operations(door: &Door) -> Vec<(String, String, String)> {
    let document: Value = serde_json::from_str(&door.ask("GET", "/api", &[]).body).expect("JSON");
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, told) in item.as_object().expect("operations") {
            let needs = told["x-esker-role"].as_str().expect("a role").to_owned();
            let path = path.replace("{id}", "a").replace("{problem}", "a");
            all.push((method.to_uppercase(), path, needs));
        }
    }
    assert!(all.len() > 30, "{}", all.len());
    all
}

#[test]
fn every_route_by_every_role() {
    let door = Door::new(everybody());
    for (method, path, needs) in operations(&door) {
        let least = needs.parse::<Role>().ok();
        let ask = |headers: &[(&str, &str)]| door.ask(&method, &path, headers).status;
        for (role, _) in ROLES {
            let status = ask(&[("Authorization", &bearer(role))]);
            let may = least.is_none_or(|least| role >= least);
            match may {
                true => {
                    assert!(![0, 401, 403].contains(&status), "{method} {path} by {role}: {status}")
                }
                false => assert_eq!(status, 403, "{method} {path} by {role}"),
            }
        }
        let expected = |status: u16| match least {
            Some(_) => assert_eq!(status, 401, "{method} {path} by nobody"),
            None => {
                assert!(![0, 401, 403].contains(&status), "{method} {path} by nobody: {status}")
            }
        };
        expected(ask(&[]));
        expected(ask(&[("Authorization", "Bearer made-up-and-long-enough")]));
        expected(ask(&[("Cookie", "esker=made-up")]));
        let evil =
            [("Authorization", bearer(Role::Admin)), ("Origin", "http://evil.example".into())];
        assert_eq!(ask(&evil.each_ref().map(|(name, value)| (*name, value.as_str()))), 403);
    }
}

#[test]
fn what_is_asked_by_no_route_is_refused_like_the_rest() {
    let door = Door::new(everybody());
    let admin = bearer(Role::Admin);
    let known = [("Authorization", admin.as_str())];
    for (method, path, status) in [
        ("GET", "/api/none", 404),
        ("DELETE", "/api/get", 405),
        ("POST", "/", 405),
        ("GET", "/r/raw/plan", 200),
    ] {
        assert_eq!(door.ask(method, path, &[]).status, 401, "{method} {path}");
        let answer = door.ask(method, path, &known);
        assert_eq!(answer.status, status, "{method} {path}");
        if status >= 400 {
            let told: Value = serde_json::from_str(&answer.body).expect("JSON");
            assert!(told["error"]["message"].is_string(), "{told}");
        }
    }
    let allow = door.ask("DELETE", "/api/whatif", &known);
    assert_eq!(allow.header("allow").map(|allow| allow.contains("POST")), Some(true), "{allow:?}");
}

#[test]
fn people_log_in_look_and_log_out() {
    let door = Door::new(everybody());
    let page = door.ask("GET", "/r/raw/plan?at=1", &[("Accept", "text/html")]);
    assert_eq!(
        (page.status, page.header("location")),
        (303, Some("/login?next=/r/raw/plan%3Fat%3D1"))
    );
    let form = door.ask("GET", "/login?next=/r/%22%3E", &[]);
    assert!(form.body.contains("value=\"/r/&quot;&gt;\""), "{}", form.body);
    for inline in ["<script", "<style", "style=", "onclick"] {
        assert!(!form.body.contains(inline), "{inline}");
    }
    let policy = form.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{policy}");

    let made_up = "esker=0123456789abcdef";
    let entered = door.log_in("operate", PASSWORD, &[("Cookie", made_up)]);
    assert_eq!((entered.status, entered.header("location")), (303, Some("/r")));
    let set = entered.header("set-cookie").expect("a cookie");
    assert!(set.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{set}");
    let cookie = entered.cookie();
    assert_ne!(cookie, made_up, "what a browser brings is not what lets it in");
    let me = |cookie: &str| door.ask("GET", "/api/me", &[("Cookie", cookie)]);
    assert_eq!(me(made_up).status, 401);
    let told: Value = serde_json::from_str(&me(&cookie).body).expect("JSON");
    assert_eq!(told.to_string(), "{\"by\":\"session\",\"role\":\"operate\",\"user\":\"operate\"}");
    assert_eq!(
        door.ask("GET", "/login?next=/x", &[("Cookie", &cookie)]).header("location"),
        Some("/x")
    );

    let again = door.log_in("operate", PASSWORD, &[("Cookie", &cookie)]).cookie();
    assert_ne!(again, cookie);
    assert_eq!(me(&cookie).status, 401, "the session before is over");
    let left = door.ask("POST", "/logout", &[("Cookie", &again)]);
    assert_eq!((left.status, left.header("location")), (303, Some("/login")));
    assert_eq!(me(&again).status, 401);
}

#[test]
fn a_link_from_elsewhere_is_followed_with_the_session() {
    let door = Door::new(everybody());
    let from = |site| {
        let visit = [
            ("Accept", "text/html"),
            ("Sec-Fetch-Mode", "navigate"),
            ("Sec-Fetch-Dest", "document"),
        ];
        door.ask("GET", "/r", &[&visit[..], &[("Sec-Fetch-Site", site)]].concat())
    };
    let begun = from("cross-site");
    assert_eq!(begun.status, 200);
    assert!(begun.body.contains("http-equiv=\"refresh\""), "{}", begun.body);
    assert_eq!(from("same-origin").status, 303);
}

#[test]
fn passwords_cannot_be_tried_for_long() {
    let door = Door::new(everybody());
    assert_eq!(door.log_in("view", PASSWORD, &[]).status, 303);
    let wrong: Vec<u16> = (0..4).map(|_| door.log_in("view", "wrong", &[]).status).collect();
    assert_eq!(wrong, [401; 4]);
    let limited = door.log_in("view", PASSWORD, &[]);
    assert_eq!(limited.status, 429, "also with the right one");
    assert!(limited.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok()));
    assert_eq!(door.log_in("admin", PASSWORD, &[]).status, 429, "from this address");
    let (known, unknown) = (Door::new(everybody()), Door::new(everybody()));
    let known = known.log_in("view", "wrong", &[]).body;
    assert_eq!(known, unknown.log_in("nobody", "wrong", &[]).body, "it is not told who there is");
}

#[test]
fn forms_that_are_none_are_refused() {
    let door = Door::new(everybody());
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let post = |body: &[u8]| door.send(("POST", "/login"), &form, body).status;
    assert_eq!(post(b"user=view"), 400);
    assert_eq!(post(&[b'a'; 64 * 1024]), 400);
    assert_eq!(post(format!("user=view&password={}", "x".repeat(2_000)).as_bytes()), 400);
    assert_eq!(door.send(("POST", "/login"), &[("Content-Type", "text/plain")], b"x").status, 400);
}

fn socket(
    door: &Door,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<tungstenite::WebSocket<TcpStream>, u16> {
    let mut request = format!("ws://{}{path}", door.at).into_client_request().expect("an address");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    match tungstenite::client(request, door.connect()) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_websocket_is_for_those_who_may_look_for_as_long_as_they_may() {
    let door = Door::new(everybody());
    let origin = format!("http://{}", door.at);
    let path = "/sync/1";
    let cookie = door.log_in("view", PASSWORD, &[]).cookie();
    let ask = |headers: &[(&'static str, &str)]| socket(&door, path, headers).err();
    assert_eq!(ask(&[("origin", &origin)]), Some(401));
    assert_eq!(ask(&[("cookie", &cookie), ("origin", "http://evil.example")]), Some(403));
    assert_eq!(ask(&[("cookie", &cookie), ("sec-fetch-site", "same-site")]), Some(403));
    assert_eq!(ask(&[("authorization", &bearer(Role::View))]), None);
    let status = door.ask("GET", path, &[("Cookie", &cookie)]).status;
    assert_eq!(status, 426, "{path}");
    let mut open = socket(&door, path, &[("cookie", &cookie), ("origin", &origin)]).expect("open");
    assert_eq!(door.ask("POST", "/logout", &[("Cookie", &cookie)]).status, 303);
    // The session it began with is over: so is the WebSocket.
    let ended = loop {
        if let Err(ended) = open.read() {
            break ended;
        }
    };
    let is_late =
        matches!(&ended, tungstenite::Error::Io(error) if error.kind() == ErrorKind::WouldBlock);
    assert!(!is_late, "it goes on: {ended}");
    assert_eq!(ask(&[("cookie", &cookie)]), Some(401));
}

#[test]
fn who_asks_slowly_or_too_much_or_by_a_wrong_name_gets_nowhere() {
    let door = Door::new(everybody());
    let admin = bearer(Role::Admin);
    let known = ("Authorization", admin.as_str());
    assert_eq!(door.ask("GET", "/api/me", &[known, ("Host", "evil.example")]).status, 403);
    let json = ("Content-Type", "application/json");
    let large = vec![b' '; 2 * 1024 * 1024];
    assert_eq!(door.send(("POST", "/api/whatif"), &[known, json], &large).status, 413);
    let mut slow = door.connect();
    slow.write_all(b"GET /api/me HTTP/1.1\r\nHost: ").expect("sent");
    let mut rest = Vec::new();
    let read = slow.read_to_end(&mut rest);
    let is_kept = matches!(&read, Err(error) if error.kind() == ErrorKind::WouldBlock);
    assert!(!is_kept && !String::from_utf8_lossy(&rest).contains("200 OK"), "{read:?}");
}

#[cfg(not(feature = "graphql"))]
#[test]
fn without_graphql_that_is_told() {
    let door = Door::new(everybody());
    let view = bearer(Role::View);
    for method in ["GET", "POST"] {
        let answer = door.ask(method, "/graphql", &[("Authorization", &view)]);
        assert_eq!(answer.status, 404);
        assert!(answer.body.contains("--features graphql"), "{}", answer.body);
    }
}

#[test]
fn what_is_counted_is_told_to_those_who_may_look() {
    let door = Door::new(everybody());
    let view = bearer(Role::View);
    let known = [("Authorization", view.as_str())];
    assert_eq!(door.log_in("view", PASSWORD, &[]).status, 303);
    assert_eq!(door.ask("GET", "/api/me", &known).status, 200);
    let told = door.ask("GET", "/metrics", &known);
    for line in [
        "esker_http_requests_total{operation=\"me\",status=\"200\"} 1",
        "esker_logins_total{outcome=\"done\"} 1",
        "esker_sessions 1",
    ] {
        assert!(told.body.lines().any(|known| known == line), "{line}\n{}", told.body);
    }
}

mod tls {
    //! The same, encrypted.

    use std::sync::Arc;

    use esker_web::access::{Access, Files};
    use esker_web::server::Error;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

    use super::*;

    struct Encrypted {
        door: Door,
        config: Arc<ClientConfig>,
        files: Files,
        _folder: tempfile::TempDir,
    }

    /// Writes a new certificate; what trusts it alone.
    fn renew(files: &Files) -> Arc<ClientConfig> {
        let made = rcgen::generate_simple_self_signed(vec!["esker.example".to_owned()]);
        let made = made.expect("a certificate");
        std::fs::write(&files.cert, made.cert.pem()).expect("written");
        std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("written");
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).expect("trusted");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions");
        Arc::new(config.with_root_certificates(roots).with_no_client_auth())
    }

    impl Encrypted {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let files = Files { cert: folder.path().join("cert"), key: folder.path().join("key") };
            let config = renew(&files);
            let public = vec!["https://esker.example".to_owned()];
            let access = Access { tls: Some(files.clone()), public, ..everybody() };
            let door = Door::at("0.0.0.0:0", access).expect("served");
            let at = (std::net::Ipv4Addr::LOCALHOST, door.at.port()).into();
            Self { door: door.reached_at(at), config, files, _folder: folder }
        }

        fn send(&self, what: (&str, &str), headers: &[(&str, &str)], body: &[u8]) -> Answer {
            let name = ServerName::try_from("esker.example").expect("a name");
            let client = ClientConnection::new(Arc::clone(&self.config), name).expect("a client");
            let headers = [&[("Host", "esker.example")], headers].concat();
            let request = self.door.request(what, &headers, body);
            exchange(StreamOwned::new(client, self.door.connect()), &request)
        }
    }

    #[test]
    fn people_log_in_by_tls() {
        let here = Encrypted::new();
        let form = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Origin", "https://esker.example"),
        ];
        let body = format!("user=admin&password={}", PASSWORD.replace(' ', "+"));
        let entered = here.send(("POST", "/login"), &form, body.as_bytes());
        assert_eq!(entered.status, 303, "{entered:?}");
        let set = entered.header("set-cookie").expect("a cookie");
        assert!(
            set.starts_with("__Host-esker=") && set.ends_with("SameSite=Strict; Secure"),
            "{set}"
        );
        assert_eq!(entered.header("strict-transport-security"), Some("max-age=31536000"));
        let cookie = entered.cookie();
        let me = here.send(("GET", "/api/me"), &[("Cookie", &cookie)], b"");
        assert_eq!(me.status, 200, "{me:?}");
        let plain = cookie.replace("__Host-", "");
        assert_eq!(here.send(("GET", "/api/me"), &[("Cookie", &plain)], b"").status, 401);
        let wrong = [("Cookie", cookie.as_str()), ("Origin", "http://esker.example")];
        assert_eq!(here.send(("POST", "/logout"), &wrong, b"").status, 403);
        let unencrypted = here.door.ask("GET", "/api/me", &[("Host", "esker.example")]);
        assert_eq!(unencrypted.status, 0, "{unencrypted:?}");
    }

    #[test]
    fn a_renewed_certificate_is_used() {
        let mut here = Encrypted::new();
        let status = |here: &Encrypted| here.send(("GET", "/readyz"), &[], b"").status;
        assert_ne!(status(&here), 0);
        std::fs::write(&here.files.cert, "half of it").expect("written");
        let old = Arc::clone(&here.config);
        here.config = renew(&here.files);
        let begun = std::time::Instant::now();
        while status(&here) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "it is not used");
        }
        here.config = old;
        assert_eq!(status(&here), 0, "the one before is used no more");
    }

    #[test]
    fn files_that_are_no_certificates_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = Files { cert: folder.path().join("cert"), key: folder.path().join("key") };
        let serve = || {
            let access = Access { tls: Some(files.clone()), ..everybody() };
            Door::at("127.0.0.1:0", access).err().expect("refused")
        };
        assert!(matches!(serve(), Error::Tls { file, .. } if file.ends_with("cert")));
        std::fs::write(&files.cert, "no certificate").expect("written");
        assert!(matches!(serve(), Error::Tls { .. }));
        let made = rcgen::generate_simple_self_signed(vec!["a".to_owned()]).expect("made");
        std::fs::write(&files.cert, made.cert.pem()).expect("written");
        assert!(matches!(serve(), Error::Tls { file, .. } if file.ends_with("key")));
        assert!(matches!(Door::at("0.0.0.0:0", everybody()), Err(Error::NotProtected { .. })));
    }

    #[test]
    fn who_does_not_agree_on_tls_is_let_go() {
        let here = Encrypted::new();
        let mut silent = here.door.connect();
        silent.set_read_timeout(Some(Duration::from_secs(60))).expect("set");
        let mut rest = Vec::new();
        assert_eq!(silent.read_to_end(&mut rest).ok(), Some(0));
    }
}
