//! Queries of real databases: what comes of them, and what does not.

mod mariadb;
mod postgres;

use std::path::Path;
use std::process::{Command, Output};

use crate::world::World;

use self::mariadb::Mariadb;
use self::postgres::Postgres;

/// A source of a definition.
fn source(name: &str, query: &str, more: &str) -> String {
    format!(
        "[source.{name}]\nsql = '''{query}'''\noutput = \"raw/{name}\"\nevery = \"1s\"\n{more}\n"
    )
}

fn versions(world: &World, resource: &str) -> usize {
    world.json(&["log", resource, "--json"]).as_array().expect("a list").len()
}

/// Waits until each of these sources has a problem that says this.
fn wait_for_problems(world: &World, expected: &[(&str, &str)]) {
    for (name, part) in expected {
        let problem = world.wait_for_problem(name);
        let text = problem.to_string();
        assert!(text.contains(part), "{name}: {part:?} is missing in {text}");
        assert_eq!(world.content(&format!("raw/{name}")), None, "{name}");
    }
}

fn ended(output: &Output, what: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{what}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn postgresql_gives_the_same_text_for_the_same_rows() {
    let server = Postgres::start();
    server.run(
        "create table item (id int primary key, price numeric(30,12), ratio float8, note text, ok bool, day date, \
         at timestamptz, took interval, raw bytea, doc jsonb, tags text[]);
         insert into item values (2, 12345678901234567.000000000001, 0.1, E'a,\"b\"\\nc', true, '2027-01-04',
         '2027-01-04 12:00:00+02', '1 day 02:03', '\\x00ff', '{\"b\": 1, \"a\": null}', '{x,\"y z\"}');
         insert into item values (1, null, 'NaN', '', false, null, null, null, null, null, null);
         alter role postgres set datestyle = 'German'; alter role postgres set timezone = 'Asia/Tokyo';",
    );
    let world = World::new("");
    world.write("database", server.url("postgres", Some("sesame/1"), "?sslmode=disable"));
    world.write(
        "esker.toml",
        "project.name = \"p\"\n".to_owned()
            + &source(
                "item",
                "select * from item -- all\norder by id;",
                "database = { file = \"database\" }",
            ),
    );
    let up = world.up();
    let first = "id,price,ratio,note,ok,day,at,took,raw,doc,tags\n\
        1,,NaN,\"\",f,,,,,,\n\
        2,12345678901234567.000000000001,0.1,\"a,\"\"b\"\"\nc\",t,2027-01-04,2027-01-04 10:00:00+00,P1DT2H3M,\
        \\x00ff,\"{\"\"a\"\": null, \"\"b\"\": 1}\",\"{x,\"\"y z\"\"}\"\n";
    world.wait_for_content("raw/item", |text| text == first);
    server.run("delete from item where id = 2");
    world.wait_for_content("raw/item", |text| text.lines().count() == 2);
    assert_eq!(versions(&world, "raw/item"), 2);
    drop(server);
    let problem = world.wait_for_problem("item").to_string();
    assert!(problem.contains("cannot reach database"), "{problem}");
    assert!(problem.contains("\"ended\":\"retry\""), "{problem}");
    up.stop();
    assert!(!world.git(&["log", "--all", "-p", "--text"]).contains("sesame/1"));
    assert!(!world.logs().contains("sesame/1"));
}

#[test]
fn postgresql_is_asked_with_care() {
    let server = Postgres::start();
    server.run("create table t (a int); insert into t values (1)");
    let world = World::new("");
    world.write("password", "sesame/1");
    world.write("wrong", "open/2");
    world.write("ca.pem", server.ca());
    let here = |more: &str| {
        let url = server.url("postgres", None, "");
        format!("database = \"{url}\"\npassword = {{ file = \"password\" }}\n{more}")
    };
    let tls = |more: &str| {
        let url = server.url("postgres", None, "?sslmode=require");
        format!("database = \"{url}\"\npassword = {{ file = \"password\" }}\n{more}")
    };
    let all = "select 1 as a order by a";
    let definition = [
        source("tls", all, &tls("ca = \"ca.pem\"")),
        source("stranger", all, &tls("")),
        source(
            "writes",
            "with x as (delete from t returning a) select a from x order by a",
            &here(""),
        ),
        source("wrong", "select 1,\n  b from t order by 1", &here("")),
        source("intruder", all, &here("").replace("\"password\"", "\"wrong\"")),
        source("slow", "select pg_sleep(60)::text as a order by 1", &here("timeout = \"500ms\"")),
        source(
            "large",
            "select generate_series(1, 10000000000) as a, 'without order by'",
            &here("output_max = \"1KB\""),
        ),
        source("twice", "select 1 as a, 2 as a order by 1", &here("")),
        source("two", "select 1 as a; drop table t -- order by", &here("")),
    ];
    world.write("esker.toml", "project.name = \"p\"\n".to_owned() + &definition.concat());
    let up = world.up();
    world.wait_for_content("raw/tls", |text| text == "a\n1\n");
    wait_for_problems(
        &world,
        &[
            ("stranger", "cannot trust postgres://"),
            ("writes", "refuses the query: it would write"),
            ("wrong", "refuses the query: line 2, column 3: column"),
            ("intruder", "does not let esker in: "),
            ("slow", "the query takes longer than 500ms"),
            ("large", "the query gives more than 1000 bytes"),
            ("twice", "two columns that are called a"),
            ("two", "cannot insert multiple commands"),
        ],
    );
    up.stop();
    assert_eq!(server.run("select count(*) from t").trim(), "1", "nothing was written");
}

/// Makes an SQLite database with Python's own library.
fn sqlite(path: &Path, script: &str) {
    let program = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.commit()";
    let output = Command::new("python3").args(["-c", program]).arg(path).arg(script).output();
    ended(&output.expect("python3"), script);
}

#[test]
fn sqlite_is_read_and_nothing_else() {
    let world = World::new("");
    let here = |more: &str| format!("database = \"sqlite:data.db\"\n{more}");
    let endless = "with recursive n(a) as (select 1 union all select a + 1 from n) select max(a) from n order by 1";
    let definition = [
        source("item", "select * from item order by id", &here("")),
        source("writes", "delete from item returning id -- order by", &here("")),
        source("wrong", "select missing from item order by 1", &here("")),
        source("slow", endless, &here("timeout = \"300ms\"")),
        source(
            "large",
            "select hex(zeroblob(2000)) as a order by a",
            &here("output_max = \"1KB\""),
        ),
        source("none", "select 1 order by 1", "database = \"sqlite:none.db\""),
        source("garbage", "select 1 order by 1", "database = \"sqlite:esker.toml\""),
    ];
    sqlite(
        &world.path("data.db"),
        "create table item (id integer primary key, x, y); insert into item values (2, 0.1, 'a,\"b\"');
         insert into item values (1, null, ''); insert into item values (3, x'00ff', 1e300);",
    );
    world.write("esker.toml", "project.name = \"p\"\n".to_owned() + &definition.concat());
    let up = world.up();
    let first = "id,x,y\n1,,\"\"\n2,0.1,\"a,\"\"b\"\"\"\n3,\\x00ff,1e300\n";
    world.wait_for_content("raw/item", |text| text == first);
    sqlite(&world.path("data.db"), "update item set y = 'b'");
    world.wait_for_content("raw/item", |text| text == "id,x,y\n1,,b\n2,0.1,b\n3,\\x00ff,b\n");
    wait_for_problems(
        &world,
        &[
            ("writes", "it would write"),
            ("wrong", "no such column: missing"),
            ("slow", "the query takes longer than 300ms"),
            ("large", "the query gives more than 1000 bytes"),
            ("none", "there is no such file"),
            ("garbage", "is it an SQLite database?"),
        ],
    );
    up.stop();
}

#[test]
fn mariadb_gives_the_same_text_for_the_same_rows() {
    let server = Mariadb::start();
    server.run(
        "create database plan character set utf8mb4; install soname 'auth_ed25519'; use plan; set time_zone = '+02:00';
         create table item (id int primary key, price decimal(30,12), ratio double, note text, ok boolean, day date,
         at timestamp null, raw blob, code varbinary(9), doc json, bits bit(9), name varchar(9) character set latin1);
         insert into item values (2, 123456789012345678.000000000001, 0.1, 'a,\"b\"\\ncé😀', true, '2027-01-04',
         '2027-01-04 12:00:00', x'00ff', 'ab', '{\"b\": 1}', b'100000001', 'é');
         insert into item values (1, null, 1e300, '', false, null, null, null, null, null, null, null);
         create user me identified by 'sesame/1'; grant all on plan.* to me; create user nobody;
         create user hidden identified via ed25519 using password('x'); create user local identified by 'sesame/1';
         grant select on plan.* to local;",
    );
    // As Debian has it for its own users: who they are on this machine is enough.
    let me = mariadb::user();
    server.run(&format!(
        "create user if not exists '{me}'@localhost; alter user '{me}'@localhost identified via unix_socket;
         grant select on plan.* to '{me}'@localhost"
    ));
    let world = World::new("");
    world.write("password", "sesame/1");
    world.write("wrong", "open/2");
    world.write("ca.pem", server.ca());
    world.write("esker.toml", mariadb_sources(&server));
    let up = world.up();
    let first = "id,price,ratio,note,ok,day,at,raw,code,doc,bits,name\n\
        1,,1e300,\"\",0,,,,,,,\n\
        2,123456789012345678.000000000001,0.1,\"a,\"\"b\"\"\ncé😀\",1,2027-01-04,2027-01-04 10:00:00,\\x00ff,\
        \\x6162,\"{\"\"b\"\": 1}\",\\x0101,é\n";
    world.wait_for_or(
        "the rows",
        || world.content("raw/item").unwrap_or_default(),
        || world.content("raw/item").as_deref() == Some(first),
    );
    for name in ["raw/tls", "raw/socket", "raw/own"] {
        world.wait_for_content(name, |text| text == "a\n1\n");
    }
    wait_for_problems(
        &world,
        &[
            ("stranger", "cannot trust mariadb://"),
            ("writes", "refuses the query: it would write"),
            ("returns", "refuses the query: it would write"),
            ("drops", "gives no rows and no columns"),
            ("wrong", "refuses the query: Unknown column"),
            ("intruder", "does not let esker in: Access denied"),
            ("unknown", "client_ed25519"),
            ("slow", "the query takes longer than 500ms"),
            ("large", "the query gives more than 1000 bytes"),
            ("twice", "two columns that are called a"),
            ("two", "refuses the query: You have an error"),
        ],
    );
    server.run("delete from plan.item where id = 2");
    world.wait_for_content("raw/item", |text| text.lines().count() == 2);
    assert_eq!(versions(&world, "raw/item"), 2);
    drop(server);
    let problem = world.wait_for_problem("item").to_string();
    assert!(problem.contains("cannot reach mariadb://"), "{problem}");
    up.stop();
    assert!(!world.git(&["log", "--all", "-p", "--text"]).contains("sesame/1"));
    assert!(!world.logs().contains("sesame/1"));
}

/// One that is good, some that get in another way, and some that are kept out.
fn mariadb_sources(server: &Mariadb) -> String {
    let known = |url: &str, more: &str| {
        format!("database = \"{url}\"\npassword = {{ file = \"password\" }}\n{more}")
    };
    let here = |more: &str| known(&server.url("me", ""), more);
    let tls = |more: &str| known(&server.url("me", "?sslmode=require"), more);
    let socket = format!("mysql://local@/plan?socket={}", server.socket().display());
    let own = socket.replace("local@", &format!("{}@", mariadb::user()));
    let all = "select 1 as a order by a";
    let sources = [
        source("item", "select * from item order by id", &here("")),
        source("own", all, &format!("database = \"{own}\"")),
        source("tls", all, &tls("ca = \"ca.pem\"")),
        source("socket", all, &known(&socket, "")),
        source("stranger", all, &tls("")),
        source("writes", "delete from item -- order by", &here("")),
        source("returns", "delete from item returning id -- order by", &here("")),
        source("drops", "drop table item -- order by", &here("")),
        source("wrong", "select missing from item order by 1", &here("")),
        source("intruder", all, &here("").replace("\"password\"", "\"wrong\"")),
        source("unknown", all, &known(&server.url("hidden", ""), "")),
        source("slow", "select sleep(60) as a order by 1", &here("timeout = \"500ms\"")),
        source("large", "select repeat('x', 2000) as a order by a", &here("output_max = \"1KB\"")),
        source("twice", "select 1 as a, 2 as a order by 1", &here("")),
        source("two", "select 1 as a; select 2 order by 1", &here("")),
    ];
    "project.name = \"p\"\n".to_owned() + &sources.concat()
}
