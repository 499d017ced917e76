//! What each key of `esker.toml` takes, and what it is for, in one line.

use serde_json::{Value, json};

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    /// One text or several.
    Texts,
    /// Several texts.
    List,
    /// A program and its arguments.
    Words,
    Flag,
    /// A whole number between these.
    Number(u32, u32),
    /// Exit codes.
    Codes,
    Duration,
    Size,
    Percent,
    Resource,
    /// One resource or several.
    Resources,
    Keep,
    Choice(&'static [&'static str]),
    /// Where a secret is kept.
    Secret,
    /// A text, or where it is kept.
    TextOrSecret,
    /// Secrets by name.
    Secrets,
    /// Texts or secrets by name.
    Headers,
    /// Anything by name.
    Table,
    /// Which streams come whole.
    Replace,
    Checks,
}

impl Type {
    pub(super) fn schema(&self) -> Value {
        let shared = |name: &str| json!({ "$ref": format!("#/$defs/{name}") });
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::Texts => shared("texts"),
            Self::List => json!({ "type": "array", "items": { "type": "string" } }),
            Self::Words => shared("words"),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Number(least, most) => {
                json!({ "type": "integer", "minimum": least, "maximum": most })
            }
            Self::Codes => {
                json!({ "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 255 } })
            }
            Self::Duration => shared("duration"),
            Self::Size => shared("size"),
            Self::Percent => {
                json!({ "type": "string", "pattern": "^[0-9]+([.][0-9]{1,2})? ?%$", "examples": ["50%"] })
            }
            Self::Resource => shared("resource"),
            Self::Resources => json!({ "anyOf": [
                shared("resource"),
                { "type": "array", "items": shared("resource"), "minItems": 1, "uniqueItems": true },
            ] }),
            Self::Keep => json!({ "type": "string", "examples": ["90d", "all 7d, daily for 2y"] }),
            Self::Choice(words) => json!({ "enum": words }),
            Self::Secret => shared("secret"),
            Self::TextOrSecret => json!({ "anyOf": [{ "type": "string" }, shared("secret")] }),
            Self::Secrets => {
                json!({ "type": "object", "additionalProperties": shared("secret") })
            }
            Self::Headers => json!({
                "type": "object",
                "additionalProperties": { "anyOf": [{ "type": "string" }, shared("secret")] },
            }),
            Self::Table => json!({ "type": "object" }),
            Self::Replace => json!({ "anyOf": [{ "type": "boolean" }, shared("texts")] }),
            Self::Checks => shared("checks"),
        }
    }
}

/// The types that many keys share.
pub(super) fn definitions() -> Value {
    json!({
        "duration": {
            "type": "string",
            "pattern": "^([0-9]+(ms|s|m|h|d|w))+$",
            "examples": ["30s", "15m", "1h30m", "2d"],
        },
        "size": {
            "type": "string",
            "pattern": "^[0-9]+ *(B|KB|kB|MB|GB|TB|KiB|MiB|GiB|TiB)?$",
            "examples": ["64KiB", "10MB"],
        },
        "resource": {
            "type": "string",
            "pattern": "^[^/@:\\\\]+(/[^/@:\\\\]+)+$",
            "maxLength": 255,
            "examples": ["raw/plan"],
        },
        "texts": { "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" } },
        ] },
        "words": {
            "type": "array",
            "items": { "type": "string" },
            "minItems": 1,
            "examples": [["python3", "clean.py"]],
        },
        "secret": {
            "type": "object",
            "properties": {
                "env": { "type": "string", "description": "An environment variable of esker." },
                "file": { "type": "string", "description": "A file, relative to the project." },
            },
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
        },
        "check": super::check(),
        "checks": { "anyOf": [
            { "type": "string" },
            { "$ref": "#/$defs/check" },
            { "type": "array", "minItems": 1, "items": { "anyOf": [
                { "type": "string" },
                { "$ref": "#/$defs/words" },
                { "$ref": "#/$defs/check" },
            ] } },
        ] },
    })
}

/// What somebody may do.
pub(super) const ROLE: Type = Type::Choice(&["view", "what-if", "operate", "admin"]);

/// What a table is for.
pub(super) fn about(table: &str) -> &'static str {
    match table {
        "project" => "What the project is called.",
        "source" => "Where data comes from: [source.NAME].",
        "stage" => "What is computed: [stage.NAME].",
        "view" => "What people see: [view.NAME].",
        "alias" => "Other names of resources, for the first clients' messages.",
        "keep" => "How much of a resource's past `esker prune` leaves.",
        "store" => "Copies elsewhere, and large contents.",
        "cluster" => "The worker that `esker up` has, and the cluster it takes part in.",
        "hub" => "Where snapshots are served, on this machine only.",
        "model" => "Where the live model is published, on this machine only.",
        "web" => "Where the page is served, and to whom.",
        "web.tls" => "The server's certificate, for https.",
        "web.user" => "Who may log in: [web.user.NAME].",
        "web.token" => "Which programs are let in: [web.token.NAME].",
        "web.oidc" => "Who else may log in: those for whom another server answers.",
        "web.oidc.role" => "Who may do what, by name.",
        "web.oidc.group" => "Which groups may do what.",
        "web.hub" => "The hubs whose projects `esker web` shows: [web.hub.NAME].",
        "pool" => "Programs that run at once only so many: [pool.NAME].",
        "limits" => "How much may happen at once.",
        "lineage" => "Who is told of runs, as OpenLineage says.",
        "webhook" => "Who is told of what happens: [webhook.NAME].",
        "check" => "What an output must be like to be published.",
        _ => "",
    }
}

/// What a key of a table takes, and what it is for.
pub(super) fn word(table: &str, key: &str) -> Option<(Type, &'static str)> {
    use Type::{Number, Resource, Text};
    Some(match (table, key) {
        ("project", "name") => (Text, "What the project is called."),
        ("hub", "requests") => (Text, "Where requests are taken; tcp://127.0.0.1:5000."),
        ("hub", "events") => (Text, "Where events are published; tcp://127.0.0.1:5100."),
        ("model", "requests") => (Text, "Where requests are taken; 200 above the hub's port."),
        ("model", "events") => (Text, "Where changes are published; 200 above the hub's port."),
        ("web" | "web.tls" | "web.user" | "web.token" | "web.hub", key) => web(table, key)?,
        ("web.oidc", key) => oidc(key)?,
        ("limits", "jobs") => (Number(1, 256), "How many programs may run at once."),
        ("pool", "jobs") => (Number(1, 256), "How many of its stages' programs run at once."),
        ("view", "resource") => (Resource, "What is shown."),
        ("view", "kind") => {
            (Type::Choice(&["plan", "chart", "table", "text"]), "How it is shown; text.")
        }
        ("view", "title") => (Text, "What stands above it; the name."),
        ("store", key) => store(key)?,
        ("cluster", key) => cluster(key)?,
        ("lineage" | "webhook", key) => deliver(key)?,
        ("source", "output") => (Resource, "What it makes."),
        ("check", "output") => (Resource, "The output it judges; all."),
        ("check", "file") => (Text, "A file with a schema, relative to the project."),
        ("check", "run") => {
            (Type::Words, "A program that reads the output; exit code 0 lets it pass.")
        }
        ("check", "stream") => (Text, "The stream of a stacked stream that it judges."),
        ("check", "severity") => {
            (Type::Choice(&["error", "warn"]), "What becomes of an output that it refuses; error.")
        }
        ("check", "timeout") => (Type::Duration, "How long it may take; 10m."),
        ("stage", "input") => (Type::Resources, "What it reads: a resource, or a list."),
        ("stage", "output") => (Type::Resources, "What it makes: a resource, or a list."),
        ("stage" | "source", key) => program(key).or_else(|| origin(key)).or_else(|| pull(key))?,
        _ => return None,
    })
}

fn web(table: &str, key: &str) -> Option<(Type, &'static str)> {
    use Type::{Secret, Table, Text, TextOrSecret, Texts};
    Some(match (table, key) {
        ("web", "bind") => (Text, "Where the page is served; 127.0.0.1:8000."),
        ("web", "app") => (Text, "A folder with the project's own pages, served as /app/."),
        ("web", "public") => (Texts, "What people type to get there: https://esker.example.org."),
        ("web", "tls") => (Table, "The server's certificate: { cert = \"…\", key = \"…\" }."),
        ("web", "user") => (Table, "Who may log in."),
        ("web", "token") => (Table, "Which programs are let in."),
        ("web", "oidc") => (Table, "Who else may log in, by OpenID Connect."),
        ("web", "hub") => (Table, "The hubs whose projects `esker web` shows."),
        ("web.hub", "address") => (Text, "Where it takes requests: tcp://127.0.0.1:5000."),
        ("web.hub", "events") => (Text, "Where it publishes events; 100 ports above `address`."),
        ("web.hub", "model") => (Text, "Where its model answers; 200 ports above `address`."),
        ("web.hub", "model_events") => {
            (Text, "Where its model publishes; 100 ports above `model`.")
        }
        ("web.hub", "app") => (Text, "The folder with the project's own pages, if it has some."),
        ("web.tls", "cert") => (Text, "A file with its certificates (PEM), its own first."),
        ("web.tls", "key") => (Text, "A file with its private key (PEM)."),
        ("web.user", "password") => (TextOrSecret, "What `esker web password` prints."),
        ("web.token", "token") => {
            (Secret, "Sent as Authorization: Bearer; at least 16 characters.")
        }
        (_, "role") => (ROLE, "What they may do."),
        _ => return None,
    })
}

fn oidc(key: &str) -> Option<(Type, &'static str)> {
    use Type::{List, Secret, Table, Text};
    Some(match key {
        "issuer" => (Text, "Whose log-in it is: https://login.example.org."),
        "client" => (Text, "What esker is called there."),
        "title" => (Text, "What people read where they begin; the server's name."),
        "secret" => (Secret, "By what esker is known there, if there is such a secret."),
        "scopes" => (List, "What is asked for; openid, email and profile."),
        "claim" => (Text, "What of the answer gives the name; email."),
        "groups_claim" => (Text, "What of the answer gives the groups; groups."),
        "role" => (Table, "Who may do what, by name."),
        "group" => (Table, "Which groups may do what."),
        "default" => (ROLE, "What everybody else may do; nobody else is let in."),
        _ => return None,
    })
}

fn store(key: &str) -> Option<(Type, &'static str)> {
    use Type::{Flag, Size, Text, Texts};
    Some(match key {
        "push" => (Texts, "The git repositories that every commit is pushed to."),
        "large" => (Size, "From which size on a content is kept in a file of its own; 8MB."),
        "large_max" => (Size, "The largest content there may be; 1TB."),
        "blobs" => (Text, "The bucket that large contents are copied to: s3://BUCKET/PREFIX."),
        "blobs_endpoint" => (Text, "The bucket's server, if it is not Amazon's."),
        "blobs_region" => (Text, "The bucket's region."),
        "blobs_allow_http" => (Flag, "Whether blobs_endpoint may be http:// elsewhere."),
        "blobs_cache" => (Size, "How many bytes may stay here that are in the bucket too."),
        _ => return None,
    })
}

fn cluster(key: &str) -> Option<(Type, &'static str)> {
    use Type::{Flag, Size, Text};
    Some(match key {
        "worker" => (Flag, "Whether `esker up` has a worker; true."),
        "join" => (Text, "The cluster: consul://HOST:PORT or static:members.toml; none."),
        "bind" => (Text, "Where the worker listens, 127.0.0.1:5060; without join any free port."),
        "memory" => (Size, "How much it may hold in memory; 256MiB."),
        "name" => (Text, "What it is called; the name of this machine."),
        _ => return None,
    })
}

/// The keys of those who are told.
fn deliver(key: &str) -> Option<(Type, &'static str)> {
    use Type::{Duration, Headers, Number, Secret, Size, Text, TextOrSecret, Texts};
    Some(match key {
        "file" => (Text, "A file that events are appended to, relative to the project."),
        "file_max" => (Size, "How large it becomes before another is begun; 64MB."),
        "namespace" => (Text, "What jobs and data sets belong to; the project's name."),
        "url" => (TextOrSecret, "Where events are sent: https://…"),
        "events" => (Texts, "Which: put, run, rejected, problem; problem."),
        "resources" => (Texts, "Only what has to do with these: results/*."),
        "stages" => (Texts, "Only what has to do with these sources and stages."),
        "secret" => (Secret, "What events are signed with."),
        "timeout" => (Duration, "How long an answer may take; 10s, at most 5m."),
        "retry" => (Number(0, 100), "How often an event is sent again before it is a problem; 8."),
        "header" => (Headers, "Further headers of the request."),
        _ => return pull(key),
    })
}

/// The keys of programs, stages and gates.
fn program(key: &str) -> Option<(Type, &'static str)> {
    use Type::{Choice, Codes, Duration, Flag, Number, Percent, Size, Text, Texts, Words};
    Some(match key {
        "run" => (Words, "The program and its arguments; its standard output is the data."),
        "timeout" => (Duration, "How long it may take; 10m."),
        "grace" => (Duration, "How long between asking it to end and killing it; 5s."),
        "output_max" => (Size, "How much may come; 64MB, at most 64MiB."),
        "retry" => (Number(0, 100), "How often it is tried again by itself after a failure; 0."),
        "allow_empty" => (Flag, "Whether nothing at all is acceptable; false."),
        "code" => (Texts, "The files and folders that are the program; those named in run."),
        "env" => (Texts, "The environment variables it is given; part of the run key."),
        "secret" => (Type::Secrets, "The variables it is given whose values are secrets."),
        "ok_exit" => (Codes, "The exit codes with which it has done its work; [0]."),
        "salt" => (Text, "Any text; another one has everything computed anew."),
        "previous" => (Flag, "Whether it reads what it made last; false."),
        "stamp" => (Words, "A program that prints the essence of an output."),
        "optional" => (Texts, "The inputs that may not exist."),
        "join" => (Choice(&["same", "any"]), "How versions of inputs must belong together; same."),
        "mode" => (Choice(&["latest", "each"]), "Which versions of its input it sees; latest."),
        "pool" => (Text, "The pool it runs in."),
        "split" => {
            (Text, "Where its input is cut: lines:N, rows:N, key:COLUMN, json:/PATH, streams.")
        }
        "partial" => (Flag, "Whether the other parts are published when some fail; false."),
        "preempt" => (Flag, "Whether a run is stopped when there are newer inputs; false."),
        "pure" => (Flag, "Whether the same inputs give the same outputs; true."),
        "effects" => {
            (Flag, "Whether it does something outside, and is left out of what-ifs; false.")
        }
        "priority" => (Number(0, 100), "What runs first where not all can: the highest; 0."),
        "check" => {
            (Type::Checks, "What it must be like: a file, a program in a list, a table, or a list.")
        }
        "rows_min" => (Number(1, 1_000_000_000), "At least so many rows."),
        "rows_drop_max" => (Percent, "How many rows may be gone at once: 50%."),
        "row_delta_max" => (Percent, "How many rows there may be more or fewer at once."),
        _ => return None,
    })
}

/// The keys that say where a source's data comes from, and when.
fn origin(key: &str) -> Option<(Type, &'static str)> {
    use Type::{Duration, List, Table, Text, TextOrSecret, Words};
    Some(match key {
        "file" => (Text, "A file, relative to the project; read whenever it changes."),
        "sheets" => (List, "Which sheets of a workbook, in this order; all."),
        "folder" => (Text, "The files of a folder: drop, or drop/*.csv."),
        "http" => (TextOrSecret, "An address to fetch: https://…"),
        "sql" => (TextOrSecret, "A query of a database, or a file with one."),
        "jira" => (Text, "The address of a JIRA Cloud site."),
        "tap" => (Words, "A Singer tap and its arguments."),
        "git" => (Text, "A git repository: a URL, HOST:PATH, or a path."),
        "hub" => (Text, "Where another esker takes requests: tcp://HOST:PORT."),
        "every" => (Duration, "How often it is read; at least 1s."),
        "cron" => (Text, "When it is read: five fields, 0 6 * * MON-FRI."),
        "timezone" => (Text, "The time zone of cron; the machine's."),
        "config" => (Table, "What the tap is set up with; values may be secrets."),
        "catalog" => (Text, "A file that says which streams of the tap are wanted."),
        "replace" => {
            (Type::Replace, "The streams that come whole with every run, or true for all.")
        }
        _ => return None,
    })
}

/// The keys of what esker fetches by itself.
fn pull(key: &str) -> Option<(Type, &'static str)> {
    use Type::{Duration, Headers, Resource, Secret, Text, TextOrSecret, Texts};
    Some(match key {
        "header" => (Headers, "Further headers of the request."),
        "token" => (Secret, "Sent as Authorization: Bearer."),
        "user" => (TextOrSecret, "Who asks."),
        "password" => (Secret, "The password, or an API token."),
        "ca" => (Text, "A file of certificates (PEM) to trust; the machine's."),
        "database" => (TextOrSecret, "postgres://…, mysql://…, mariadb://… or sqlite:PATH."),
        "jql" => (Text, "Which issues."),
        "fields" => (Texts, "What of the issues, as JIRA's search names it."),
        "census" => (Duration, "How often it is looked which issues there still are; 1h."),
        "ref" => (Text, "A branch, tag or commit; HEAD."),
        "path" => (Text, "A file, a folder, or some of its files."),
        "resource" => (Resource, "What is read of the other esker."),
        "at" => (Text, "Which version of it; HEAD."),
        _ => return None,
    })
}
