//! A history as an SQLite database: the tables `revisions`, `contents` and `rows`.

use std::path::Path;

use anyhow::Result;
use esker_store::diff::table::Table;
use esker_wire::snapshot::Entry;
use rusqlite::{Connection, params, params_from_iter, types::Null, types::Value};

use super::Sink;
use super::columns::Columns;
use crate::cli::Export;
use crate::say::hinted;

/// How many columns a table of a database may have.
const COLUMNS_MAX: usize = 2_000;

/// The first columns of the table `rows`.
const ROW: [&str; 4] = ["revision", "time", "stream", "row"];

const REVISIONS: &str = "
CREATE TABLE revisions (
    revision TEXT PRIMARY KEY, previous TEXT, time TEXT NOT NULL, author TEXT NOT NULL,
    summary TEXT NOT NULL, size INTEGER NOT NULL, blob TEXT, content_type TEXT, stage TEXT, run_key TEXT
)";
const CONTENTS: &str = "CREATE TABLE contents (blob TEXT PRIMARY KEY, content BLOB NOT NULL)";
const ROWS: &str = "
CREATE TABLE rows (revision TEXT NOT NULL, time TEXT NOT NULL, stream TEXT NOT NULL, row INTEGER NOT NULL)";

/// A database that is written.
pub(super) struct Sqlite {
    database: Connection,
    contents: bool,
    columns: Columns,
    /// How many columns the table `rows` has by now.
    made: usize,
}

impl Sqlite {
    pub(super) fn open(path: &Path, asked: &Export) -> Result<Self> {
        let database = Connection::open(path)?;
        // Nobody sees the file before it is whole: what a crash leaves of it does not matter.
        database.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")?;
        database.execute_batch(REVISIONS)?;
        if asked.contents {
            database.execute_batch(CONTENTS)?;
        }
        if asked.rows {
            database.execute_batch(ROWS)?;
        }
        let columns = Columns::new(&ROW);
        Ok(Self { database, contents: asked.contents, columns, made: ROW.len() })
    }

    /// Gives the table `rows` the columns it lacks.
    fn widen(&mut self) -> Result<()> {
        if self.columns.names.len() > COLUMNS_MAX {
            let what = format!("the versions have over {COLUMNS_MAX} columns together");
            return Err(hinted(
                what,
                "export fewer versions with --since and --until, or write CSV",
            ));
        }
        for name in &self.columns.names[self.made..] {
            let quoted = name.replace('"', "\"\"");
            self.database.execute(&format!("ALTER TABLE rows ADD COLUMN \"{quoted}\" TEXT"), [])?;
        }
        self.made = self.columns.names.len();
        Ok(())
    }
}

impl Sink for Sqlite {
    fn revision(&mut self, entry: &Entry) -> Result<()> {
        let run = entry.provenance.as_ref();
        let mut insert =
            self.database.prepare("INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        insert.execute(params![
            entry.revision.to_string(),
            entry.previous.map(|revision| revision.to_string()),
            entry.time.to_string(),
            entry.author,
            entry.summary,
            i64::try_from(entry.size).unwrap_or(i64::MAX),
            entry.blob.map(|blob| blob.to_string()),
            entry.content_type,
            run.map(|run| run.stage.as_str()),
            run.map(|run| run.run_key.as_str()),
        ])?;
        Ok(())
    }

    fn wants_content(&self, entry: &Entry) -> Result<bool> {
        let (true, Some(blob)) = (self.contents, entry.blob) else {
            return Ok(false);
        };
        let mut find = self.database.prepare("SELECT 1 FROM contents WHERE blob = ?")?;
        Ok(!find.exists([blob.to_string()])?)
    }

    fn content(&mut self, entry: &Entry, content: &[u8]) -> Result<()> {
        let blob = entry.blob.map(|blob| blob.to_string());
        self.database
            .prepare("INSERT INTO contents VALUES (?, ?)")?
            .execute(params![blob, content])?;
        Ok(())
    }

    fn rows(&mut self, entry: &Entry, tables: &[Table]) -> Result<()> {
        let revision = Value::from(entry.revision.to_string());
        let time = Value::from(entry.time.to_string());
        for table in tables {
            let sheet = table.sheet();
            let places: Vec<usize> =
                sheet.columns.iter().map(|column| self.columns.place(column)).collect();
            self.widen()?;
            let marks = vec!["?"; self.made].join(", ");
            let mut insert =
                self.database.prepare(&format!("INSERT INTO rows VALUES ({marks})"))?;
            for (row, cells) in sheet.rows.iter().enumerate() {
                // What a version has no column for is null.
                let mut values = vec![Value::from(Null); self.made];
                let number = i64::try_from(row + 1).unwrap_or(i64::MAX);
                values[0] = revision.clone();
                values[1] = time.clone();
                values[2] = table.name.clone().into();
                values[3] = number.into();
                places.iter().for_each(|place| values[*place] = String::new().into());
                places
                    .iter()
                    .zip(cells)
                    .for_each(|(place, cell)| values[*place] = cell.to_owned().into());
                insert.execute(params_from_iter(values))?;
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.database.execute_batch("COMMIT")?;
        self.database.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}
