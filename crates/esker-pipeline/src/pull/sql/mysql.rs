//! Asking MySQL or MariaDB: one query in a read-only transaction.
//!
//! Only what a query needs of the protocol is here: log in, ask, read rows as the texts that the server writes.

mod login;
mod wire;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::run::failure::Broken;

use super::Ask;
use super::address::Server;
use super::sheet::{Sheet, check_names};

use self::wire::{Fields, Told, Wire};

/// The command that does what its text says.
const QUERY: u8 = 3;
/// The most columns of a query.
const COLUMNS_MAX: u64 = 4096;
const CONNECT_MAX: Duration = Duration::from_secs(30);

/// Where certificates are read from, if not from the machine.
type Ca<'a> = Option<&'a Path>;

/// What can go wrong.
#[derive(Debug)]
enum Wrong {
    /// The server says no.
    Told(Told),
    /// It is not there, or breaks off.
    Gone(String),
    /// The time is up.
    Late,
    /// It says what it should not.
    Strange(String),
    /// It is known what is wrong.
    Broken(Broken),
}

impl From<std::io::Error> for Wrong {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Self::Late,
            ErrorKind::UnexpectedEof => Self::Gone("it broke off".to_owned()),
            _ => Self::Gone(error.to_string()),
        }
    }
}

/// A column of a result.
struct Column {
    name: String,
    /// Whether it holds bytes that are no text.
    is_bytes: bool,
}

pub(super) fn ask(ask: &Ask, server: &Server) -> Result<Vec<u8>, Broken> {
    let until = Instant::now() + ask.timeout;
    let begin = until.min(Instant::now() + CONNECT_MAX);
    let mut wire = login::log_in(server, ask.ca.as_deref(), begin)
        .map_err(|wrong| of_login(ask, server, wrong))?;
    wire.set_deadline(until);
    read(ask, &mut wire).map_err(|wrong| of_query(ask, wrong))
}

fn read(ask: &Ask, wire: &mut Wire) -> Result<Vec<u8>, Wrong> {
    let limit = match wire.is_mariadb() {
        true => format!("SET SESSION max_statement_time = {}", ask.timeout.as_secs_f64()),
        false => format!("SET SESSION max_execution_time = {}", ask.timeout.as_millis()),
    };
    for line in [
        "SET NAMES utf8mb4",
        "SET SESSION time_zone = '+00:00'",
        // Without this, what commits by itself (as `drop table` does) would not be of the transaction.
        "SET SESSION TRANSACTION READ ONLY",
        &limit,
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ] {
        wire.command(QUERY, line.as_bytes())?;
        let answer = wire.receive()?;
        if answer.first() != Some(&0) {
            return Err(Wrong::Strange("it answers a setting with rows".to_owned()));
        }
    }
    check_reads(wire, &ask.query)?;
    wire.command(QUERY, ask.query.as_bytes())?;
    let columns = columns(wire)?;
    check_names(columns.iter().map(|column| column.name.as_str())).map_err(Wrong::Broken)?;
    let mut sheet = Sheet::new();
    columns.iter().for_each(|column| sheet.text(column.name.as_bytes()));
    sheet.end_line();
    loop {
        let packet = wire.receive()?;
        if is_end(&packet) {
            return Ok(sheet.into_text());
        }
        let mut fields = Fields::new(&packet);
        for column in &columns {
            match fields.value()? {
                None => sheet.nothing(),
                Some(value) if column.is_bytes => sheet.bytes(value),
                Some(value) => sheet.text(value),
            }
        }
        sheet.end_line();
        if sheet.len() > ask.size_max {
            return Err(Wrong::Broken(ask.too_large()));
        }
    }
}

/// Has the server say what the query would give, without doing it: only what gives columns is done.
fn check_reads(wire: &mut Wire, query: &str) -> Result<(), Wrong> {
    const PREPARE: u8 = 0x16;
    const CLOSE: u8 = 0x19;
    wire.command(PREPARE, query.as_bytes())?;
    let answer = wire.receive()?;
    let mut fields = Fields::new(&answer);
    fields.array::<1>()?;
    let statement: [u8; 4] = fields.array()?;
    let columns = u16::from_le_bytes(fields.array()?);
    let parameters = u16::from_le_bytes(fields.array()?);
    for count in [parameters, columns] {
        // What each is, then the end of the list.
        for _ in 0..(if count > 0 { count + 1 } else { 0 }) {
            wire.receive()?;
        }
    }
    if columns == 0 {
        let summary = "the query gives no rows and no columns";
        return Err(Wrong::Broken(Broken::new(summary, "write a select: a source only reads")));
    }
    wire.command(CLOSE, &statement)
}

/// The columns of the answer to a query.
fn columns(wire: &mut Wire) -> Result<Vec<Column>, Wrong> {
    let head = wire.receive()?;
    match head.first() {
        Some(0) => return Err(Wrong::Strange("it gives no columns after all".to_owned())),
        Some(0xfb) => return Err(Wrong::Strange("it asks for a file of this machine".to_owned())),
        _ => {}
    }
    let count = Fields::new(&head).number()?;
    if count > COLUMNS_MAX {
        return Err(Wrong::Strange(format!("it announces {count} columns")));
    }
    let mut columns = Vec::new();
    for _ in 0..count {
        let packet = wire.receive()?;
        columns.push(column(&packet)?);
    }
    match is_end(&wire.receive()?) {
        true => Ok(columns),
        false => Err(Wrong::Strange("the columns do not end".to_owned())),
    }
}

fn column(packet: &[u8]) -> Result<Column, Wrong> {
    /// The character set of what is no text.
    const BINARY: u16 = 63;
    let mut fields = Fields::new(packet);
    // Catalog, schema, table, the table's own name.
    for _ in 0..4 {
        fields.text()?;
    }
    let name = String::from_utf8_lossy(fields.text()?).into_owned();
    fields.text()?;
    fields.number()?;
    let charset = u16::from_le_bytes(fields.array()?);
    fields.array::<4>()?;
    let [kind] = fields.array()?;
    // Bits, blobs and texts of any length, geometry: numbers and times are of that character set too.
    let is_bytes = charset == BINARY && matches!(kind, 0x0f | 0x10 | 0xf9..=0xff);
    Ok(Column { name, is_bytes })
}

/// Whether a packet ends a list: a row that begins so is longer.
fn is_end(packet: &[u8]) -> bool {
    packet.first() == Some(&0xfe) && packet.len() < 9
}

fn of_login(ask: &Ask, server: &Server, wrong: Wrong) -> Broken {
    match wrong {
        Wrong::Told(told) if may_pass(told.code) => ask.unreachable(&told.text),
        Wrong::Told(told) => {
            let summary = format!("{} does not let esker in: {}", ask.named, told.text);
            Broken::new(summary, "see the user and the password, and the name of the database")
        }
        Wrong::Gone(why) if why.contains("certificate") => {
            let hint =
                "if the server is right, name the certificate it is signed with: ca = \"FILE.pem\"";
            Broken::new(format!("cannot trust {}: {why}", ask.named), hint)
        }
        Wrong::Gone(why) => ask.unreachable(&why),
        Wrong::Late => ask.unreachable("it does not answer"),
        Wrong::Strange(why) => {
            let hint = match server.encrypt {
                true => "if it speaks no TLS and nobody else can listen, add ?sslmode=disable",
                false => "is it MySQL or MariaDB, and the right port?",
            };
            Broken::new(format!("cannot talk to {}: {why}", ask.named), hint)
        }
        Wrong::Broken(broken) => broken,
    }
}

fn of_query(ask: &Ask, wrong: Wrong) -> Broken {
    /// What MySQL and MariaDB say of a query whose time is up.
    const TOO_SLOW: [u16; 3] = [1317, 1969, 3024];
    /// What they say of one that would write.
    const WRITES: u16 = 1792;
    match wrong {
        Wrong::Told(told) if TOO_SLOW.contains(&told.code) => ask.too_slow(),
        Wrong::Told(told) if told.code == WRITES => {
            ask.refused("it would write, and a source only reads")
        }
        Wrong::Told(told) if may_pass(told.code) => ask.unreachable(&told.text),
        Wrong::Told(told) => ask.refused(&told.text),
        Wrong::Gone(why) => ask.unreachable(&why),
        Wrong::Late => ask.too_slow(),
        Wrong::Strange(why) => Broken::new(
            format!("cannot understand {}: {why}", ask.named),
            "is it MySQL or MariaDB?",
        ),
        Wrong::Broken(broken) => broken,
    }
}

/// Too many connections, too little of something, shut down, locked.
fn may_pass(code: u16) -> bool {
    matches!(code, 1040 | 1041 | 1053 | 1203 | 1205 | 1213 | 1226 | 2006 | 2013)
}
