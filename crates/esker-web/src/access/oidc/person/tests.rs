//! Who is who, and what they may do.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn oidc(claim: &str, default: Option<Role>) -> Oidc {
    let roles = [("ann@example.org", Role::View), ("Bob@Example.org", Role::Admin)];
    let groups = [("planners", Role::WhatIf), ("leads", Role::Operate)];
    let owned = |all: &[(&str, Role)]| -> BTreeMap<String, Role> {
        all.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect()
    };
    Oidc {
        issuer: "https://login.example".to_owned(),
        client: "esker".to_owned(),
        title: "Example".to_owned(),
        secret: None,
        scopes: Vec::new(),
        claim: claim.to_owned(),
        groups_claim: "groups".to_owned(),
        roles: owned(&roles),
        groups: owned(&groups),
        default,
    }
}

fn of(value: &Value) -> Claims {
    value.as_object().cloned().expect("claims")
}

fn ask(oidc: &Oidc, signed: &Value) -> Result<(String, Role), Stranger> {
    oidc.person(&of(signed), &Claims::new()).map(|person| (person.name, person.role))
}

#[test]
fn a_name_has_its_role_whatever_its_groups_and_groups_have_the_most() {
    let closed = oidc("email", None);
    let all = json!(["planners", "leads", "others", 7]);
    for (email, groups, expected) in [
        ("ann@example.org", all.clone(), Some(Role::View)),
        ("ANN@example.org", Value::Null, Some(Role::View)),
        ("bob@example.org", Value::Null, Some(Role::Admin)),
        ("eve@example.org", all, Some(Role::Operate)),
        ("eve@example.org", json!("planners"), Some(Role::WhatIf)),
        ("eve@example.org", json!(["others"]), None),
        ("eve@example.org", json!({ "planners": true }), None),
        ("eve@example.org", Value::Null, None),
    ] {
        let name = email.to_ascii_lowercase();
        let expected = expected.map(|role| (name.clone(), role)).ok_or(Stranger::NoRole(name));
        assert_eq!(ask(&closed, &json!({ "email": email, "groups": groups })), expected);
    }
    let open = oidc("email", Some(Role::WhatIf));
    let role = |claims| ask(&open, &claims).expect("let in").1;
    assert_eq!(role(json!({ "email": "eve@example.org" })), Role::WhatIf);
    assert_eq!(role(json!({ "email": "eve@example.org", "groups": "leads" })), Role::Operate);
    assert_eq!(role(json!({ "email": "ann@example.org" })), Role::View, "the name counts first");
}

#[test]
fn an_address_that_is_not_verified_is_nobodys() {
    let oidc = oidc("email", Some(Role::View));
    let with = |verified| ask(&oidc, &json!({ "email": "a@b.c", "email_verified": verified }));
    assert!(with(json!(true)).is_ok() && with(json!("true")).is_ok());
    for said in [json!(false), json!("false"), Value::Null, json!(1)] {
        assert_eq!(with(said), Err(Stranger::Unverified("a@b.c".to_owned())));
    }
    // What is asked for is not verified by what was signed of something else.
    let signed = of(&json!({ "email_verified": true }));
    let asked = of(&json!({ "email": "a@b.c", "email_verified": false }));
    let told = oidc.person(&signed, &asked);
    assert_eq!(told, Err(Stranger::Unverified("a@b.c".to_owned())));
}

#[test]
fn other_claims_are_names_to_the_letter() {
    let mut by_name = oidc("upn", None);
    by_name.roles.insert("Ann".to_owned(), Role::Operate);
    let upn = |name: &str| ask(&by_name, &json!({ "upn": name, "email_verified": false }));
    assert_eq!(upn("Ann"), Ok(("Ann".to_owned(), Role::Operate)));
    assert_eq!(upn("ann"), Err(Stranger::NoRole("ann".to_owned())));
}

#[test]
fn what_cannot_be_a_name_is_none() {
    let oidc = oidc("email", Some(Role::Admin));
    for odd in ["a\nb", "a\u{202e}b", " a", "a ", "a<b>", "a\u{a0}b", "a\u{200b}", &"a".repeat(257)]
    {
        assert_eq!(ask(&oidc, &json!({ "email": odd })), Err(Stranger::Odd), "{odd:?}");
    }
    for none in
        [json!({}), json!({ "email": "" }), json!({ "email": 7 }), json!({ "email": ["a"] })]
    {
        assert_eq!(ask(&oidc, &none), Err(Stranger::Nameless));
    }
}

#[test]
fn what_was_not_signed_is_asked_for() {
    let oidc = oidc("email", None);
    let lacks = |claims| oidc.lacks(&of(&claims));
    assert!(lacks(json!({})) && lacks(json!({ "email": "a@b" })) && lacks(json!({ "groups": [] })));
    assert!(!lacks(json!({ "email": "a@b", "groups": [] })));
    let signed = of(&json!({ "email": "eve@example.org" }));
    let asked = of(&json!({ "email": "bob@example.org", "groups": ["planners"] }));
    let person = oidc.person(&signed, &asked).expect("let in");
    assert_eq!((person.name.as_str(), person.role), ("eve@example.org", Role::WhatIf));
}
