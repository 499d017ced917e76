//! Who is known by what they send.

use super::*;

const TOKEN: &str = "0123456789abcdef0123";

fn access() -> Access {
    let password = password::hash("correct horse").expect("a hash");
    let user = User { name: "ann".to_owned(), password, role: Role::Operate };
    let token = Token { name: "ci".to_owned(), token: TOKEN.to_owned(), role: Role::View };
    Access { users: vec![user], tokens: vec![token], ..Access::default() }
}

fn bind(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn gate(access: Access) -> Result<Gate, Error> {
    Gate::new(access, bind("127.0.0.1:0"))
}

fn ask(gate: &Gate, name: &'static str, value: &str) -> Result<Option<String>, ()> {
    let mut headers = HeaderMap::new();
    headers.insert("host", "localhost".parse().expect("a header"));
    headers.insert(name, value.parse().expect("a header"));
    let who = gate.who(&headers, Instant::now()).map_err(|_| ())?;
    Ok(who.map(|who| format!("{} {}", who.name.as_deref().unwrap_or("-"), who.role)))
}

#[test]
fn a_token_is_known_and_no_other() {
    let gate = gate(access()).expect("a gate");
    assert_eq!(ask(&gate, "authorization", &format!("Bearer {TOKEN}")), Ok(Some("ci view".into())));
    assert_eq!(
        ask(&gate, "authorization", &format!("bearer {TOKEN} ")),
        Ok(Some("ci view".into()))
    );
    for wrong in ["Bearer", "Bearer ", "Bearer x", "Basic YTpi", TOKEN, "ä", "Bearerä"] {
        assert_eq!(ask(&gate, "authorization", wrong), Err(()), "{wrong}");
    }
    assert_eq!(ask(&gate, "accept", "*/*"), Ok(None));
}

#[test]
fn a_session_is_known_by_its_cookie() {
    let gate = gate(access()).expect("a gate");
    let id = gate.enter(gate.named().user("ann").expect("ann"), Instant::now()).expect("an id");
    for cookie in [format!("esker={id}"), format!("a=b; esker={id}; c=d")] {
        assert_eq!(ask(&gate, "cookie", &cookie), Ok(Some("ann operate".into())), "{cookie}");
    }
    for cookie in ["esker=", "esker=x", &format!("xesker={id}"), &format!("__Host-esker={id}")] {
        assert_eq!(ask(&gate, "cookie", cookie), Ok(None), "{cookie}");
    }
}

#[test]
fn where_nobody_is_named_everybody_may_do_everything() {
    let gate = gate(Access::default()).expect("a gate");
    assert_eq!(ask(&gate, "accept", "*/*"), Ok(Some("- admin".into())));
    assert_eq!(ask(&gate, "authorization", "Bearer x"), Ok(Some("- admin".into())));
}

#[test]
fn what_is_not_safe_is_not_served() {
    let files = Files { cert: "cert.pem".into(), key: "key.pem".into() };
    let refused = |access: Access, at: &str| access.check(bind(at)).is_err();
    assert!(!refused(Access::default(), "127.0.0.1:0"));
    assert!(refused(Access::default(), "0.0.0.0:0"));
    assert!(refused(access(), "0.0.0.0:0"), "without TLS");
    let tls = Some(files);
    assert!(refused(Access { tls: tls.clone(), ..Access::default() }, "[::]:0"), "without users");
    assert!(!refused(Access { tls, ..access() }, "[::]:0"));
    let public = vec!["https://esker.example".to_owned()];
    assert!(refused(Access { public: public.clone(), ..Access::default() }, "127.0.0.1:0"));
    assert!(!refused(Access { public, ..access() }, "127.0.0.1:0"));
}

#[test]
fn secrets_that_are_none_are_refused() {
    let mut with = access();
    with.tokens[0].token = "short".to_owned();
    assert!(matches!(gate(with), Err(Error::Token { .. })));
    for wrong in [
        "correct horse",
        "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=4000000,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0",
    ] {
        let mut with = access();
        wrong.clone_into(&mut with.users[0].password);
        assert!(matches!(gate(with), Err(Error::Password { .. })), "{wrong}");
    }
    assert!(password::hash("short").is_err());
    assert!(password::hash(&"long".repeat(1000)).is_err());
}

#[test]
fn who_is_no_longer_named_has_no_session() {
    let gate = gate(access()).expect("a gate");
    let enter = |gate: &Gate| {
        let ann = gate.named().user("ann").expect("ann");
        gate.enter(ann, Instant::now()).expect("an id")
    };
    let whose = |id: &str| ask(&gate, "cookie", &format!("esker={id}")).expect("no token");
    let (id, ann) = (enter(&gate), gate.named().user("ann").expect("ann"));
    gate.replace(access()).expect("the same, but for the salt");
    assert_eq!(whose(&id), None, "it is another password");
    let mut same = access();
    same.users[0].password = ann.hash().expect("a password").to_owned();
    gate.replace(same.clone()).expect("replaced");
    let id = gate.enter(ann.clone(), Instant::now()).expect("the same password");
    let mut more = same.clone();
    more.tokens[0].token = "another-token-0123456789".to_owned();
    gate.replace(more.clone()).expect("replaced");
    assert_eq!(whose(&id), Some("ann operate".into()), "who has not changed stays");
    assert_eq!(ask(&gate, "authorization", &format!("Bearer {TOKEN}")), Err(()));
    more.users[0].role = Role::View;
    gate.replace(more.clone()).expect("replaced");
    assert_eq!(whose(&id), None, "it is another role");
    assert_eq!(gate.enter(ann, Instant::now()).err(), Some(Unentered::Changed));
    more.tokens[0].token = "short".to_owned();
    assert!(gate.replace(more).is_err());
    assert!(gate.named().user("ann").is_some(), "all stays");
}
