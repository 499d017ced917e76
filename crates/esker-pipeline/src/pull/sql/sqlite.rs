//! Asking an SQLite database: a file, opened to be read.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

use crate::run::failure::Broken;

use super::Ask;
use super::sheet::{Sheet, check_names};

/// How long to wait for one who writes.
const BUSY_MAX: Duration = Duration::from_secs(5);
/// After how many of its steps it is looked whether the time is up.
const STEPS: i32 = 10_000;

pub(super) fn ask(ask: &Ask, path: &Path) -> Result<Vec<u8>, Broken> {
    if !path.is_file() {
        let summary = format!("cannot open {}: there is no such file", path.display());
        return Err(Broken::new(
            summary,
            "correct the path; it is meant from the project's folder",
        ));
    }
    read(ask, path).map_err(|error| match error {
        Failed::Broken(broken) => broken,
        Failed::Sqlite(error) => of_error(ask, &error),
    })
}

enum Failed {
    Broken(Broken),
    Sqlite(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

fn read(ask: &Ask, path: &Path) -> Result<Vec<u8>, Failed> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_MAX.min(ask.timeout))?;
    let until = Instant::now() + ask.timeout;
    connection.progress_handler(STEPS, Some(move || Instant::now() > until))?;
    let mut statement = connection.prepare(&ask.query)?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    check_names(names.iter().map(String::as_str)).map_err(Failed::Broken)?;
    let mut sheet = Sheet::new();
    names.iter().for_each(|name| sheet.text(name.as_bytes()));
    sheet.end_line();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for index in 0..names.len() {
            match row.get_ref(index)? {
                ValueRef::Null => sheet.nothing(),
                ValueRef::Integer(number) => sheet.text(number.to_string().as_bytes()),
                ValueRef::Real(number) => sheet.text(format!("{number:?}").as_bytes()),
                ValueRef::Text(text) if std::str::from_utf8(text).is_ok() => sheet.text(text),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => sheet.bytes(bytes),
            }
        }
        sheet.end_line();
        if sheet.len() > ask.size_max {
            return Err(Failed::Broken(ask.too_large()));
        }
    }
    Ok(sheet.into_text())
}

fn of_error(ask: &Ask, error: &Error) -> Broken {
    let code = error.sqlite_error_code();
    match code {
        Some(ErrorCode::OperationInterrupted) => ask.too_slow(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ask.unreachable("someone else is writing to it")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::CannotOpen) => {
            Broken::new(format!("cannot read {}: {error}", ask.named), "is it an SQLite database?")
        }
        Some(ErrorCode::ReadOnly) => ask.refused("it would write, and a source only reads"),
        _ => ask.refused(&error.to_string()),
    }
}
