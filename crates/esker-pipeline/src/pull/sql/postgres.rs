//! Asking PostgreSQL: one query in a read-only transaction, written as CSV by the server itself.

mod tls;

use std::io::Read as _;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::{CancelToken, Client, Config, Error, NoTls};

use crate::run::failure::Broken;

use super::super::tls::certificates;
use super::Ask;
use super::address::{Host, Server};
use super::sheet::check_names;

const CONNECT_MAX: Duration = Duration::from_secs(30);
/// How soon a server that is gone is noticed.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// What makes the texts of values the same everywhere.
const SETTINGS: &str = "SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'iso_8601'; \
    SET bytea_output = 'hex'; SET extra_float_digits = 1; SET client_encoding = 'UTF8'; SET lc_monetary = 'C'; \
    SET xmlbinary = 'base64'";

pub(super) fn ask(ask: &Ask, server: &Server) -> Result<Vec<u8>, Broken> {
    let mut client = connect(ask, server)?;
    let text = read(ask, server, &mut client);
    // What the server thinks of the end does not matter any more.
    drop(client.close());
    text
}

fn connect(ask: &Ask, server: &Server) -> Result<Client, Broken> {
    let mut config = Config::new();
    config
        .application_name("esker")
        .connect_timeout(ask.timeout.min(CONNECT_MAX))
        .keepalives_idle(SILENCE_MAX)
        .tcp_user_timeout(SILENCE_MAX)
        .dbname(&server.name);
    match &server.host {
        Host::Net(name, port) => config.host(name).port(*port),
        Host::Local(path) => config.host_path(path),
    };
    match &server.user {
        Some(user) => config.user(user),
        None => config.user(&std::env::var("USER").unwrap_or_default()),
    };
    if let Some(password) = &server.password {
        config.password(password);
    }
    let connected = match server.encrypt {
        false => config.ssl_mode(SslMode::Disable).connect(NoTls),
        true => {
            let tls = tls::Tls::new(certificates(ask.ca.as_deref())?);
            config.ssl_mode(SslMode::Require).connect(tls)
        }
    };
    connected.map_err(|error| of_connecting(ask, server, &error))
}

fn read(ask: &Ask, server: &Server, client: &mut Client) -> Result<Vec<u8>, Broken> {
    let token = client.cancel_token();
    let failed = |error: Error| of_query(ask, &error);
    let limit = ask.timeout.as_millis().min(i32::MAX as u128);
    client.batch_execute(SETTINGS).map_err(failed)?;
    client
        .batch_execute(&format!(
            "SET statement_timeout = {limit}; SET default_transaction_read_only = on"
        ))
        .map_err(failed)?;
    let mut transaction = client.build_transaction().read_only(true).start().map_err(failed)?;
    // Asked for its columns alone first, what is wrong with it is told as of its own text.
    let statement = transaction.prepare(&ask.query).map_err(failed)?;
    check_names(statement.columns().iter().map(postgres::Column::name))?;
    // A line's end before the bracket, for a query that ends with a comment.
    let copy = format!("COPY ({}\n) TO STDOUT WITH (FORMAT csv, HEADER)", ask.query);
    let mut rows = transaction.copy_out(&copy).map_err(failed)?;
    let mut text = Vec::new();
    let read = (&mut rows).take(ask.size_max + 1).read_to_end(&mut text);
    if let Err(error) = read {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        return Err(
            inner.map_or_else(|| ask.unreachable(&error.to_string()), |error| of_query(ask, error))
        );
    }
    if text.len() as u64 > ask.size_max {
        cancel(ask, server, &token);
        return Err(ask.too_large());
    }
    Ok(text)
}

/// Has the server end the query: the end of the transaction would wait for all of its rows.
fn cancel(ask: &Ask, server: &Server, token: &CancelToken) {
    let cancelled = match server.encrypt {
        false => token.cancel_query(NoTls).map_err(|error| chain(&error)),
        true => {
            certificates(ask.ca.as_deref()).map_err(|broken| broken.summary).and_then(|known| {
                token.cancel_query(tls::Tls::new(known)).map_err(|error| chain(&error))
            })
        }
    };
    if let Err(why) = cancelled {
        tracing::debug!(why, "cannot cancel a query");
    }
}

fn of_connecting(ask: &Ask, server: &Server, error: &Error) -> Broken {
    let why = chain(error);
    if error.as_db_error().is_some_and(|error| !may_pass(error.code().code())) {
        let summary = format!("{} does not let esker in: {why}", ask.named);
        return Broken::new(summary, "see the user and the password, and the name of the database");
    }
    if why.contains("certificate") {
        let hint =
            "if the server is right, name the certificate it is signed with: ca = \"FILE.pem\"";
        return Broken::new(format!("cannot trust {}: {why}", ask.named), hint);
    }
    if server.encrypt && why.contains("TLS") {
        let summary = format!("{} does not speak TLS: {why}", ask.named);
        return Broken::new(
            summary,
            "if nobody else can listen, add ?sslmode=disable to the address",
        );
    }
    ask.unreachable(&why)
}

fn of_query(ask: &Ask, error: &Error) -> Broken {
    let Some(told) = error.as_db_error() else {
        return match error.is_closed() {
            true => ask.unreachable("it broke off"),
            false => ask.unreachable(&chain(error)),
        };
    };
    match told.code().code() {
        "57014" => ask.too_slow(),
        "25006" => ask.refused("it would write, and a source only reads"),
        code if may_pass(code) => ask.unreachable(told.message()),
        _ => {
            let place = match told.position() {
                Some(postgres::error::ErrorPosition::Original(at)) => place(&ask.query, *at),
                _ => String::new(),
            };
            let hint = told.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            ask.refused(&format!("{place}{}{hint}", told.message()))
        }
    }
}

/// Where in a query a character stands, counted from 1.
fn place(query: &str, at: u32) -> String {
    let before: String = query.chars().take(at.saturating_sub(1) as usize).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("line {line}, column {column}: ")
}

/// Whether what has this code may pass by itself: connections, resources, operators, serialisation.
fn may_pass(code: &str) -> bool {
    code.starts_with("08")
        || code.starts_with("53")
        || code.starts_with("57P")
        || matches!(code, "40001" | "40P01" | "55P03")
}

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text += &format!(": {more}");
        }
        source = cause.source();
    }
    text.replace(['\n', '\r'], " ")
}
