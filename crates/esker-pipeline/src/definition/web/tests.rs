//! What is read of `[web]`, and what is refused with a line that helps.

use jiff::Timestamp;

use super::*;

const PROJECT: &str = "[project]\nname = \"p\"\n";
const HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA";

fn read(text: &str) -> (Option<Definition>, Vec<String>) {
    let (definition, defects) =
        Definition::parse(&format!("{PROJECT}{text}"), Timestamp::UNIX_EPOCH);
    (definition, defects.iter().map(ToString::to_string).collect())
}

#[test]
fn where_it_is_served_and_to_whom() {
    let text = format!(
        "[web]\nbind = \"0.0.0.0:8443\"\npublic = \"https://Esker.example.org:443/\"\n\
         tls = {{ cert = \"cert.pem\", key = \"key.pem\" }}\n\
         [web.user.ann]\npassword = \"{HASH}\"\nrole = \"admin\"\n\
         [web.user.bob]\npassword = {{ file = \"bob.hash\" }}\nrole = \"view\"\n\
         [web.token.ci]\ntoken = {{ env = \"CI_TOKEN\" }}\nrole = \"what-if\"\n"
    );
    let (definition, defects) = read(&text);
    assert_eq!(defects, [""; 0]);
    let definition = definition.unwrap();
    let web = &definition.web;
    assert_eq!(web.bind, "0.0.0.0:8443");
    assert_eq!(web.public, ["https://esker.example.org"]);
    assert_eq!(web.tls.as_ref().map(|tls| tls.key.as_str()), Some("key.pem"));
    assert_eq!(web.users[0].password, Text::Plain(HASH.to_owned()));
    assert_eq!((web.users[1].name.as_str(), web.users[1].role), ("bob", Role::View));
    assert_eq!((web.tokens[0].name.as_str(), web.tokens[0].role), ("ci", Role::WhatIf));
    let secrets: Vec<&str> = definition.let_in_secrets().map(|(name, _)| name).collect();
    assert_eq!(secrets, ["bob", "ci"]);
    assert_eq!(read("").0.unwrap().web, Web::default());
}

#[test]
fn those_for_whom_another_server_answers() {
    let (definition, defects) = read(
        "[web]\nbind = \"0.0.0.0:8443\"\npublic = \"https://esker.example.org\"\n\
         tls = { cert = \"cert.pem\", key = \"key.pem\" }\n\
         [web.oidc]\nissuer = \"https://login.example.org/a\"\nclient = \"esker\"\n\
         secret = { env = \"OIDC\" }\ndefault = \"view\"\n\
         [web.oidc.role]\n\"ann@example.org\" = \"operate\"\n\
         [web.oidc.group]\nplanners = \"what-if\"\n",
    );
    assert_eq!(defects, [""; 0]);
    let definition = definition.unwrap();
    let oidc = definition.web.oidc.clone().unwrap();
    assert_eq!((oidc.title.as_str(), oidc.claim.as_str()), ("login.example.org", "email"));
    assert_eq!(oidc.groups_claim, "groups");
    assert_eq!(oidc.scopes, ["openid", "email", "profile"]);
    assert_eq!(oidc.roles, [("ann@example.org".to_owned(), Role::Operate)]);
    assert_eq!(oidc.groups, [("planners".to_owned(), Role::WhatIf)]);
    assert_eq!(oidc.default, Some(Role::View));
    let secrets: Vec<&str> = definition.let_in_secrets().map(|(name, _)| name).collect();
    assert_eq!(secrets, ["[web.oidc]"]);
}

#[test]
fn what_is_wrong_with_another_server_is_told() {
    let oidc = |issuer: &str, more: &str| {
        format!("[web.oidc]\nissuer = \"{issuer}\"\nclient = \"esker\"\n{more}")
    };
    let good = "https://login.example.org";
    for (text, expected) in [
        ("[web.oidc]\ndefault = \"view\"\n".to_owned(), "[web.oidc] has no `issuer`"),
        (format!("[web.oidc]\nissuer = \"{good}\"\n"), "[web.oidc] has no `client`"),
        (oidc(good, ""), "lets nobody in"),
        (oidc("http://login.example.org", "default = \"view\"\n"), "does not begin with https://"),
        (oidc("https://a.b/?c=d", "default = \"view\"\n"), "more than a server and a path"),
        (oidc("https://a:b@c.d", "default = \"view\"\n"), "is seen by everyone"),
        (oidc("login", "default = \"view\"\n"), "begins with https://"),
        (oidc(good, "default = \"root\"\n"), "is no role"),
        (oidc(good, "[web.oidc.role]\n\"ann@a.b\" = \"root\"\n"), "is no role"),
        (oidc(good, "[web.oidc.group]\nall = true\n"), "must be a string"),
        (oidc(good, "secret = \"abc\"\ndefault = \"view\"\n"), "a secret written out"),
        (oidc(good, "scopes = [\"email\"]\ndefault = \"view\"\n"), "has no \"openid\""),
        (oidc(good, "scopes = [\"a b\"]\ndefault = \"view\"\n"), "plain words"),
        (oidc(good, "claim = \"\"\ndefault = \"view\"\n"), "it is empty"),
        (
            format!(
                "[web]\nbind = \"0.0.0.0:8443\"\ntls = {{ cert = \"a\", key = \"b\" }}\n{}",
                oidc(good, "default = \"view\"\n")
            ),
            "nowhere to send people back to",
        ),
    ] {
        let (definition, defects) = read(&text);
        assert!(definition.is_none(), "{text}");
        assert!(defects.iter().any(|defect| defect.contains(expected)), "{text}: {defects:?}");
    }
    let (local, defects) = read(&oidc("http://127.0.0.1:3000", "default = \"view\"\n"));
    assert_eq!((local.is_some(), defects), (true, Vec::new()));
}

#[test]
fn hubs_have_their_other_ports_above_the_first() {
    let (definition, defects) = read(
        "[web.hub.plan]\naddress = \"tcp://127.0.0.1:5000\"\n\
         [web.hub.far]\naddress = \"tcp://localhost:65500\"\nevents = \"tcp://localhost:1\"\n\
         model = \"tcp://localhost:2\"\napp = \"../far/pages\"\n",
    );
    assert_eq!(defects, [""; 0]);
    let hubs = definition.unwrap().web.hubs;
    assert_eq!(hubs[0], Hub::new("plan", "tcp://127.0.0.1:5000").unwrap());
    let ports = |hub: &Hub| {
        [&hub.events, &hub.model, &hub.model_events]
            .map(|at| at.rsplit_once(':').unwrap().1.to_owned())
    };
    assert_eq!(ports(&hubs[0]), ["5100", "5200", "5300"]);
    assert_eq!(ports(&hubs[1]), ["1", "2", "102"]);
    assert_eq!(hubs[1].app.as_deref(), Some("../far/pages"));
    for (name, address, why) in [
        ("plan", "tcp://127.0.0.1:65300", "has no port with another one"),
        ("plan", "tcp://127.0.0.1:0", "has no port with another one"),
        ("plan", "tcp://10.0.0.1:5000", "is not a loopback address"),
        ("a/b", "tcp://127.0.0.1:5000", "a name is letters"),
        ("metrics", "tcp://127.0.0.1:5000", "/metrics is the server's own"),
    ] {
        let told = Hub::new(name, address).unwrap_err();
        assert!(told.contains(why), "{name} {address}: {told}");
    }
    let many: Vec<Hub> =
        (0..=32).map(|n| Hub::new(&format!("h{n}"), "tcp://127.0.0.1:5000").unwrap()).collect();
    assert!(hubs::check_all(&many).unwrap_err().contains("at most 32"));
    assert!(hubs::check_all(&[&many[..2], &many[..1]].concat()).unwrap_err().contains("called h0"));
    assert_eq!(hubs::check_all(&many[..32]), Ok(()));
}

#[test]
fn what_is_wrong_is_told() {
    for (text, expected) in [
        ("[web]\nbind = \"0.0.0.0:8000\"\n", "tls = { cert = \"cert.pem\", key"),
        ("[web]\nbind = \"a:1\"\ntls = { cert = \"a\", key = \"a\" }\n", "not a loopback"),
        ("[web]\nbind = \"8000\"\n", "is no address"),
        ("[web]\npublic = \"https://a.b\"\n", "nobody is let in"),
        ("[web]\npublic = \"http://a.b\"\n", "is no address such as https://"),
        ("[web]\npublic = \"esker.example.org\"\n", "is no address such as https://"),
        ("[web]\npublic = \"https://a.b/page\"\n", "is no address such as https://"),
        ("[web]\ntls = { cert = \"a\" }\n", "names no certificate and key"),
        ("[web]\ntls = true\n", "must be a table"),
        ("[web.user.ann]\npassword = \"hunter2\"\nrole = \"view\"\n", "a password written out"),
        ("[web.user.ann]\nrole = \"view\"\n", "[web.user.ann] has no `password`"),
        ("[web.token.ci]\ntoken = { env = \"T\" }\n", "[web.token.ci] has no `role`"),
        ("[web.token.ci]\ntoken = { env = \"T\" }\nrole = \"root\"\n", "is no role: view, what-if"),
        ("[web.token.ci]\ntoken = \"abc\"\nrole = \"view\"\n", "a secret written out"),
        ("[web.user.\"a b\"]\npassword = { env = \"T\" }\nrole = \"view\"\n", "a b"),
        ("[web.hub.a]\n", "[web.hub.a] has no `address`"),
        ("[web.hub.api]\naddress = \"tcp://127.0.0.1:1\"\n", "/api is the server's own"),
        ("[web.hub.\"a b\"]\naddress = \"tcp://127.0.0.1:1\"\n", "a name is letters"),
        ("[web.hub.a]\naddress = \"tcp://127.0.0.1:65500\"\n", "`events` in [web.hub.a]"),
        ("[web.hub.a]\naddress = \"http://a.b\"\n", "is no address"),
        (
            "[web.token.a]\ntoken = { env = \"T\" }\nrole = \"view\"\n[web.user.a]\npassword = { env = \"T\" }\nrole = \"view\"\n",
            "are both called a",
        ),
    ] {
        let (definition, defects) = read(text);
        assert!(definition.is_none(), "{text}");
        assert!(defects.iter().any(|defect| defect.contains(expected)), "{text}: {defects:?}");
    }
}

#[test]
fn what_is_secret_is_not_where_everything_is_shown() {
    let web = |app: &str, more: &str| {
        let text = format!("[web]\napp = \"{app}\"\n{more}");
        read(&text).1.join("\n")
    };
    let user = |path: &str| {
        format!("[web.user.bob]\npassword = {{ file = \"{path}\" }}\nrole = \"view\"\n")
    };
    for path in ["app/bob.hash", "./app/bob.hash", "app/./../app/in/bob.hash"] {
        for app in ["app", "./app/"] {
            let told = web(app, &user(path));
            assert!(told.contains("the password of bob in [web] is in"), "{path} in {app}: {told}");
        }
    }
    let oidc = "[web.oidc]\nissuer = \"https://a.b\"\nclient = \"c\"\ndefault = \"view\"\nsecret = { file = \"app/oidc\" }\n";
    assert!(web("app", oidc).contains("the secret of [web.oidc] in [web] is in app"));
    let token = "[web.token.ci]\ntoken = { file = \"app/ci\" }\nrole = \"view\"\n";
    assert!(web("app", token).contains("the token ci in [web] is in app, which is served"));
    for path in ["bob.hash", "application/bob.hash", "app/../bob.hash"] {
        assert_eq!(web("app", &user(path)), "", "{path}");
    }
}
