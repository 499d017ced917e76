//! The rows of a query as CSV, the same for the same rows whatever the database's settings are.

mod address;
mod mysql;
mod postgres;
mod sheet;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use crate::definition::pull::{Database, Query, Sql};
use crate::run::failure::Broken;
use crate::run::{Halt, Made, output};

use self::address::{Address, Server};
use super::{Errand, files};

pub(crate) use self::address::check;

/// The largest query, in bytes.
const QUERY_MAX: u64 = 1 << 20;

/// What is asked of which database. It waits for the network, so it moves to a thread of its own.
struct Ask {
    address: Address,
    query: String,
    /// What the database is called in front of people.
    named: String,
    /// The certificates to trust instead of the machine's.
    ca: Option<PathBuf>,
    timeout: Duration,
    size_max: u64,
}

impl Ask {
    fn too_large(&self) -> Broken {
        let summary = format!("the query gives more than {} bytes", self.size_max);
        Broken::new(summary, "ask for less, or give the source a larger `output_max`")
    }

    fn too_slow(&self) -> Broken {
        let summary = format!("the query takes longer than {:?}", self.timeout);
        Broken::new(summary, "ask for less, or give the source a longer `timeout`")
    }

    /// What the database says against the query.
    fn refused(&self, why: &str) -> Broken {
        Broken::new(format!("{} refuses the query: {why}", self.named), "correct the query")
    }

    fn unreachable(&self, why: &str) -> Broken {
        let summary = format!("cannot reach {}: {why}", self.named);
        Broken::new(summary, "is the database up, and is the network?").temporary()
    }
}

pub(super) fn fetch(errand: &Errand<'_>, sql: &Sql) -> Result<Made, Halt> {
    let address = address(errand, sql)?;
    let mut secrets = errand.secrets.clone();
    address.password().into_iter().for_each(|password| secrets.hide(password));
    let ask = Ask {
        address,
        query: query(errand, sql)?,
        named: sql.database.title(),
        ca: sql.ca.as_ref().map(|path| errand.bench.dir.join(path)),
        timeout: errand.pull.timeout,
        size_max: errand.pull.output_max,
    };
    let text = errand.aside(&sql.database.title(), move || match &ask.address {
        Address::Mysql(server) => mysql::ask(&ask, server),
        Address::Postgres(server) => postgres::ask(&ask, server),
        Address::Sqlite(path) => sqlite::ask(&ask, path),
    })?;
    let text = text.map_err(|broken| secrets.redact_halt(broken.into()))?;
    if text.is_empty() && !errand.source.allow_empty {
        return Err(output::empty(errand.source.output.as_str()).into());
    }
    let contents = vec![(errand.source.output.clone(), Bytes::from(text))];
    Ok(Made::new(contents, Some("text/csv")))
}

fn address(errand: &Errand<'_>, sql: &Sql) -> Result<Address, Broken> {
    let Database { address, password } = &sql.database;
    let text = errand.secrets.text(address);
    let read = address::parse(text).map_err(|(why, hint)| {
        let why = address::unquoted(address, why);
        Broken::new(format!("cannot use the address of {}: {why}", sql.database.title()), hint)
    })?;
    let password = password.as_ref().map(|secret| errand.secrets.of(secret).to_owned());
    let known =
        |server: Server| Server { password: password.or(server.password.clone()), ..server };
    Ok(match read {
        Address::Mysql(server) => Address::Mysql(known(server)),
        Address::Postgres(server) => Address::Postgres(known(server)),
        Address::Sqlite(path) => Address::Sqlite(errand.bench.dir.join(path)),
    })
}

fn query(errand: &Errand<'_>, sql: &Sql) -> Result<String, Broken> {
    let text = match &sql.query {
        Query::Text(text) => text.clone(),
        Query::File(path) => {
            let text = files::text(&errand.bench.dir.join(path), QUERY_MAX);
            text.map_err(|why| {
                let summary = format!("cannot read the query in {path}: {why}");
                Broken::new(summary, "it must be a file with one query")
            })?
        }
    };
    let bare = text.trim().trim_end_matches(';').trim_end();
    if bare.is_empty() {
        return Err(Broken::new(
            "the query is empty",
            "write for example select id from task order by id",
        ));
    }
    Ok(bare.to_owned())
}
