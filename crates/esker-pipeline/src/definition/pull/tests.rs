//! Definitions of pulls in; what is fetched, or what is wrong, out.

use jiff::Timestamp;

use crate::definition::secret::{Secret, Text};
use crate::definition::{Definition, Origin};

use super::*;

fn read(lines: &str) -> (Option<Definition>, Vec<String>) {
    let text =
        format!("project.name = \"p\"\n[source.a]\noutput = \"raw/a\"\nevery = \"1h\"\n{lines}\n");
    let (definition, defects) = Definition::parse(&text, Timestamp::now());
    (definition, defects.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn pull(lines: &str) -> Pull {
    let (definition, defects) = read(lines);
    assert_eq!(defects, [""; 0]);
    match definition.unwrap().sources.remove(0).origin {
        Origin::Pull(pull) => pull,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_defects(lines: &str, expected: &[&str]) {
    assert_eq!(read(lines).1, expected);
}

fn env(name: &str) -> Secret {
    Secret::Env(name.to_owned())
}

#[test]
fn an_address_is_asked_with_headers_and_secrets() {
    let pull = pull(
        "http = \"https://a.org/plan.xlsx\"\ntoken = { env = \"TOKEN\" }\nca = \"ca.pem\"\n\
         header = { Accept = \"text/csv\", X-Api-Key = { file = \"key\" } }\nsheets = [\"Work\"]\n\
         timeout = \"30s\"\noutput_max = \"1MB\"\nretry = 3",
    );
    assert_eq!(
        (pull.timeout, pull.output_max, pull.retry),
        (Duration::from_secs(30), 1_000_000, 3)
    );
    let Kind::Http(http) = &pull.kind else {
        panic!("{pull:?}");
    };
    assert_eq!(http.url, Text::Plain("https://a.org/plan.xlsx".to_owned()));
    assert_eq!(
        (http.ca.as_deref(), http.sheets.as_slice()),
        (Some("ca.pem"), &["Work".to_owned()][..])
    );
    let file = Secret::File("key".to_owned());
    assert_eq!(
        http.headers,
        [
            Header::Token(env("TOKEN")),
            Header::Named("Accept".to_owned(), Text::Plain("text/csv".to_owned())),
            Header::Named("X-Api-Key".to_owned(), Text::Secret(file.clone())),
        ]
    );
    assert_eq!(pull.secrets(), [&env("TOKEN"), &file]);
    assert_eq!(pull.title(), "https://a.org/plan.xlsx");
}

#[test]
fn what_is_fetched_decides_the_run_key_and_secrets_do_not() {
    let words = |lines: &str| pull(lines).words();
    let one = words("http = \"https://a.org/x\"\ntoken = { env = \"TOKEN\" }");
    let wanted = ["https://a.org/x", "authorization: bearer $TOKEN"].map(str::to_owned);
    assert_eq!(one, ("http", wanted.to_vec()));
    assert_eq!(one, words("http = \"https://a.org/x\"\ntoken.env = \"TOKEN\"\ntimeout = \"1s\""));
    assert_ne!(one, words("http = \"https://a.org/y\"\ntoken = { env = \"TOKEN\" }"));
}

#[test]
fn an_address_may_be_a_secret() {
    let pull = pull("http = { env = \"PLAN_URL\" }\nuser = \"me\"\npassword = { file = \"pw\" }");
    assert_eq!(pull.title(), "$PLAN_URL");
    assert_eq!(pull.secrets(), [&env("PLAN_URL"), &Secret::File("pw".to_owned())]);
}

#[test]
fn secrets_are_never_written_out() {
    check_defects(
        "http = \"https://me:pw@a.org/x\"",
        &[
            "esker.toml:5:8: `http` in [source.a]: a user or password in an address is seen by everyone; \
           write user = \"…\" and password = { env = \"NAME\" }",
        ],
    );
    check_defects(
        "http = \"https://a.org/x\"\ntoken = \"hush\"\nheader = { Cookie = \"a=b\" }",
        &[
            "esker.toml:6:9: `token` in [source.a] is a secret written out; write token = { env = \"NAME\" } \
             or { file = \"PATH\" }",
            "esker.toml:7:21: `header` in [source.a] has a secret written out: \"Cookie\"; \
             write Cookie = { env = \"NAME\" } or { file = \"PATH\" }",
        ],
    );
    check_defects(
        "http = \"https://a.org/x?key=abc\"",
        &[
            "esker.toml:5:8: warning: the address holds a secret, it seems: `key`; write http = { env = \"NAME\" } \
           or { file = \"PATH\" }",
        ],
    );
    check_defects(
        "http = \"http://a.org/x\"\ntoken = { env = \"T\" }",
        &[
            "esker.toml:5:8: warning: secrets are sent where others can read them; use https if the server speaks it",
        ],
    );
    check_defects("http = \"http://127.0.0.1:8000/x\"\ntoken = { env = \"T\" }", &[]);
}

#[test]
fn what_cannot_be_asked_is_told_with_its_place() {
    check_defects(
        "http = \"plan.csv\"",
        &["esker.toml:5:8: `http` in [source.a]: an address begins with https:// or http://; \
           write for example \"https://example.org/plan.csv\""],
    );
    check_defects(
        "http = 5\ntoken = { evn = \"T\" }\nuser = \"me\"",
        &[
            "esker.toml:5:8: `http` in [source.a] must be a string or a table; write http = { env = \"NAME\" } \
             or { file = \"PATH\" }",
            "esker.toml:6:1: `token` in [source.a] must name either an `env` or a `file`",
            "esker.toml:6:11: unknown key `evn` in `token` in [source.a]; did you mean `env`?",
            "esker.toml:7:8: [source.a] has a `user` and no `password`; write password = { env = \"NAME\" } \
             or { file = \"PATH\" }",
        ],
    );
    check_defects(
        "http = \"https://a.org\"\ncode = \"x\"\nheader = { Range = \"bytes=0-\", \"a b\" = \"c\", X = \"\\n\" }",
        &[
            "esker.toml:6:1: `code` in [source.a] needs a `run`; remove it",
            "esker.toml:7:20: `header` in [source.a] sets \"Range\", which is esker's to say; remove it",
            "esker.toml:7:40: `header` in [source.a]: \"a b\" cannot name a header",
            "esker.toml:7:49: `header` in [source.a]: the value of \"X\" holds characters that cannot be sent",
        ],
    );
}

#[test]
fn a_database_is_asked_a_query() {
    let pull = pull(
        "sql = \"select 1 ORDER  BY 1\"\ndatabase = { env = \"DB\" }\npassword = { file = \"p\" }",
    );
    assert_eq!(pull.secrets(), [&env("DB"), &Secret::File("p".to_owned())]);
    assert_eq!((pull.title(), pull.has_state(), pull.file()), ("$DB".to_owned(), false, None));
    let kept = self::pull("sql = { file = \"q.sql\" }\ndatabase = \"sqlite:x.db\"");
    assert_eq!(kept.file(), Some(Path::new("q.sql")));
    check_defects(
        "sql = \"select 1\"",
        &[
            "esker.toml:2:9: [source.a] has no `database`; add database = { env = \"NAME\" } or \"sqlite:plan.db\"",
            "esker.toml:5:7: warning: the query in [source.a] has no `order by`; without it the rows may come in \
             another order each time",
        ],
    );
    check_defects(
        "sql = { env = \"Q\" }\ndatabase = \"postgres://me:hush@a/b\"",
        &[
            "esker.toml:5:7: `sql` in [source.a] is a text or a file; write sql = \"select …\" or \
             sql = { file = \"query.sql\" }",
            "esker.toml:6:12: `database` in [source.a]: a password in an address is seen by everyone; \
             write password = { env = \"NAME\" }, or database = { env = \"NAME\" }",
        ],
    );
}

#[test]
fn a_repository_is_read_at_a_ref() {
    let pull = pull("git = \"../other\"\npath = \"data/*.csv\"\ntoken = { env = \"T\" }");
    let Kind::Git(git) = &pull.kind else {
        panic!("{pull:?}");
    };
    assert_eq!((git.reference.as_str(), git.login.as_ref().unwrap().0.as_str()), ("HEAD", "git"));
    assert_eq!((pull.title().as_str(), pull.has_state()), ("../other HEAD data/*.csv", true));
    check_defects(
        "git = \"https://me:hush@a.org/x.git\"\npath = \"../x\"\nref = \"--upload-pack=x\"",
        &[
            "esker.toml:5:7: a password stands in https://a.org/x.git, where everyone sees it; \
             write token = { env = \"NAME\" } or { file = \"PATH\" }",
            "esker.toml:6:8: `path` in [source.a]: \"../x\" is no path inside a repository",
            "esker.toml:7:7: `ref` in [source.a]: \"--upload-pack=x\" names no branch, tag or commit",
        ],
    );
}

#[test]
fn a_site_is_asked_for_issues() {
    let lines = "jira = \"https://a.org/\"\njql = \"project = P\"\nuser = \"me\"\npassword = { env = \"T\" }";
    let pull = pull(lines);
    assert_eq!((pull.title().as_str(), pull.has_state()), ("https://a.org project = P", true));
    assert_eq!(pull.secrets(), [&env("T")]);
    let Kind::Jira(jira) = &pull.kind else {
        panic!("{pull:?}");
    };
    assert_eq!((jira.census, jira.fields.len()), (Duration::from_secs(3600), 2));
    // How often it is counted changes nothing of what is fetched; what of it is wanted does.
    let words = |more: &str| self::pull(&format!("{lines}\n{more}")).words();
    assert_eq!(words(""), words("census = \"1d\""));
    assert_ne!(words(""), words("fields = [\"summary\"]"));
    check_defects(
        "jira = \"https://a.org?x=1\"\njql = \"project = P Order  By key\"",
        &[
            "esker.toml:5:8: `jira` in [source.a]: this is more than a site; \
             write for example \"https://acme.atlassian.net\"",
            "esker.toml:6:7: `jql` in [source.a] has an `order by`; \
             leave it out: issues come in an order of their own",
        ],
    );
    check_defects(
        "jira = \"a.org\"\njql = \" \"",
        &["esker.toml:5:8: `jira` in [source.a]: an address begins with https:// or http://; \
           write for example \"https://acme.atlassian.net\""],
    );
    check_defects(
        "jira = \"http://a.org\"\njql = \" \"\ntoken = { env = \"T\" }",
        &[
            "esker.toml:5:8: warning: secrets are sent where others can read them; use https if the server speaks it",
            "esker.toml:6:7: `jql` in [source.a] names no issues; write for example \"project = PLAN\"",
        ],
    );
}

#[test]
fn a_resource_of_another_esker_is_read_at_a_version() {
    let pull = pull("hub = \"tcp://127.0.0.1:5010\"\nresource = \"results/plan\"\nat = \"HEAD~1\"");
    assert_eq!(pull.title(), "tcp://127.0.0.1:5010 results/plan@HEAD~1");
    check_defects(
        "hub = \"tcp://example.org:5010\"",
        &[
            "esker.toml:2:9: [source.a] has no `resource`; add resource = \"…\"",
            "esker.toml:5:7: `hub` in [source.a]: \"tcp://example.org:5010\" is not a loopback address; \
             write tcp://HOST:PORT, for example \"tcp://127.0.0.1:5000\"",
        ],
    );
}

#[test]
fn what_is_remembered_is_made_by_nobody_else() {
    check_defects(
        "http = \"https://a.org\"\n[source.b]\nfile = \"b.csv\"\noutput = \"state/a\"",
        &[
            "esker.toml:8:10: state/a is made by [source.b] and by [source.a] (line 2); a resource has one maker; \
             give one of them another output",
        ],
    );
}
