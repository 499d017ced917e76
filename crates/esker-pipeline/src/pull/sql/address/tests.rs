//! Addresses in, databases or complaints out.

use super::*;

fn postgres(text: &str) -> Server {
    match parse(text).unwrap() {
        Address::Postgres(server) => server,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_address_says_where_who_and_what() {
    let server = postgres("postgres://me:p%40ss%2F@db.example.org:5433/plan");
    assert_eq!(server.host, Host::Net("db.example.org".to_owned(), 5433));
    assert_eq!((server.user.as_deref(), server.password.as_deref()), (Some("me"), Some("p@ss/")));
    assert_eq!(server.name, "plan");
    let server = postgres("postgresql:///plan?host=/run/postgresql");
    assert_eq!(server.host, Host::Local("/run/postgresql".into()));
    assert_eq!((server.user, server.password), (None, None));
    assert_eq!(postgres("postgres://[::1]/x").host, Host::Net("::1".to_owned(), 5432));
    assert_eq!(postgres("postgres://[::1]:7/x").host, Host::Net("::1".to_owned(), 7));
    assert_eq!(parse("sqlite:data/plan.db"), Ok(Address::Sqlite("data/plan.db".into())));
    assert_eq!(parse("sqlite:///srv/plan.db"), Ok(Address::Sqlite("/srv/plan.db".into())));
}

#[test]
fn what_leaves_the_machine_is_encrypted_unless_someone_says_otherwise() {
    for (text, encrypt) in [
        ("postgres://db.example.org/x", true),
        ("postgres://localhost/x", false),
        ("postgres://127.0.0.1/x", false),
        ("postgres:///x?host=/run", false),
        ("postgres://db.example.org/x?sslmode=disable", false),
        ("postgres://localhost/x?sslmode=verify-full", true),
    ] {
        assert_eq!(postgres(text).encrypt, encrypt, "{text}");
    }
}

#[test]
fn what_is_no_address_is_told() {
    for (text, why) in [
        ("plan.db", "this is no address"),
        ("oracle://x/y", "a database of the kind \"oracle\" is not known"),
        ("sqlite:", "the address names no file"),
        ("postgres:///plan", "the address names no server"),
        ("postgres://x:y/plan", "the address has no port that is a number"),
        ("postgres://x/plan?sslmode=prefer", "sslmode is disable or require"),
        ("postgres://x/plan?a=b", "the parameter \"a\" is not known"),
        ("postgres://x/%zz", "a % that two digits do not follow"),
    ] {
        assert_eq!(parse(text).unwrap_err().0, why, "{text}");
    }
    assert_eq!(
        check("postgres://me:hush@x/y").unwrap_err().0,
        "a password in an address is seen by everyone"
    );
}

#[test]
fn what_is_wrong_with_a_secret_tells_no_part_of_it() {
    let secret = Text::Secret(crate::definition::secret::Secret::Env("DATABASE".to_owned()));
    for wrong in
        ["postgres://me:hush?hush=hush@host/db", "hush:hush@host/db", "postgres://me:%zz@h"]
    {
        let (why, _) = parse(wrong).unwrap_err();
        let told = unquoted(&secret, why);
        assert!(!told.contains("hush"), "{told}");
    }
    let known = parse("postgres://me:hush@host/db").unwrap();
    assert_eq!(known.password(), Some("hush"));
}
