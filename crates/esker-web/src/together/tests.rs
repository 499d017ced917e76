//! Whose a path is.

use super::*;

fn all() -> Together {
    let each = ["plan", &encoded("überall")].map(|name| (name.to_owned(), Router::new()));
    Together { front: Router::new(), each: each.into() }
}

#[test]
fn a_path_begins_with_whose_it_is() {
    let all = all();
    for (path, within) in [
        ("/plan/", Some("/")),
        ("/plan/?a=b", Some("/?a=b")),
        ("/plan/api/get?resource=a%2Fb", Some("/api/get?resource=a%2Fb")),
        ("/plan/plan/x", Some("/plan/x")),
        ("/plan//etc", Some("//etc")),
        ("/%C3%BCberall/sync/1", Some("/sync/1")),
        ("/plan", None),
        ("/plan?a/b", None),
        ("/plans/", None),
        ("/PLAN/", None),
        ("//plan/", None),
        ("/", None),
        ("/api/plan/", None),
    ] {
        let found = all.find(&path.parse().expect("a path")).map(|(_, uri)| uri.to_string());
        assert_eq!(found.as_deref(), within, "{path}");
    }
}
