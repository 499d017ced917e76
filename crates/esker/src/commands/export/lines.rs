//! A history as CSV: a line per revision, or a line per row of every revision.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use anyhow::Result;
use csv::{ByteRecord, Reader, ReaderBuilder, StringRecord, Writer, WriterBuilder};
use esker_store::diff::table::Table;
use esker_wire::snapshot::Entry;

use super::Sink;
use super::columns::Columns;

/// The columns of a line per revision.
const REVISION: [&str; 10] = [
    "revision",
    "previous",
    "time",
    "author",
    "summary",
    "size",
    "blob",
    "content_type",
    "stage",
    "run_key",
];
/// The first columns of a line per row.
const ROW: [&str; 4] = ["revision", "time", "stream", "row"];

/// A CSV file.
pub(super) struct Lines {
    out: Writer<File>,
    rows: Option<Rows>,
}

/// The rows, kept until all columns are known.
struct Rows {
    spool: Writer<File>,
    columns: Columns,
}

impl Lines {
    pub(super) fn open(file: File, rows: bool) -> Result<Self> {
        let mut out = Writer::from_writer(file);
        if !rows {
            out.write_record(REVISION)?;
            return Ok(Self { out, rows: None });
        }
        let spool = WriterBuilder::new().flexible(true).from_writer(tempfile::tempfile()?);
        Ok(Self { out, rows: Some(Rows { spool, columns: Columns::new(&ROW) }) })
    }
}

impl Sink for Lines {
    fn revision(&mut self, entry: &Entry) -> Result<()> {
        if self.rows.is_some() {
            return Ok(());
        }
        let run = entry.provenance.as_ref();
        Ok(self.out.write_record([
            entry.revision.to_string(),
            entry.previous.map(|revision| revision.to_string()).unwrap_or_default(),
            entry.time.to_string(),
            entry.author.clone(),
            entry.summary.clone(),
            entry.size.to_string(),
            entry.blob.map(|blob| blob.to_string()).unwrap_or_default(),
            entry.content_type.clone().unwrap_or_default(),
            run.map(|run| run.stage.clone()).unwrap_or_default(),
            run.map(|run| run.run_key.clone()).unwrap_or_default(),
        ])?)
    }

    fn wants_content(&self, _: &Entry) -> Result<bool> {
        Ok(false)
    }

    fn content(&mut self, _: &Entry, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn rows(&mut self, entry: &Entry, tables: &[Table]) -> Result<()> {
        let Some(rows) = &mut self.rows else {
            return Ok(());
        };
        let (revision, time) = (entry.revision.to_string(), entry.time.to_string());
        for table in tables {
            let sheet = table.sheet();
            let places: Vec<usize> =
                sheet.columns.iter().map(|column| rows.columns.place(column)).collect();
            for (row, cells) in sheet.rows.iter().enumerate() {
                let number = (row + 1).to_string();
                let mut line = vec![""; rows.columns.names.len()];
                line[..ROW.len()].copy_from_slice(&[&revision, &time, &table.name, &number]);
                places.iter().zip(cells).for_each(|(place, cell)| line[*place] = cell);
                rows.spool.write_record(&line)?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if let Some(rows) = self.rows.take() {
            let width = rows.columns.names.len();
            self.out.write_record(&rows.columns.names)?;
            let mut spool = rows.spool.into_inner().map_err(|error| error.into_error())?;
            spool.seek(SeekFrom::Start(0))?;
            let mut reader: Reader<File> =
                ReaderBuilder::new().has_headers(false).flexible(true).from_reader(spool);
            let (mut line, none) = (ByteRecord::new(), StringRecord::from(vec![""; width]));
            while reader.read_byte_record(&mut line)? {
                let missing = none.iter().skip(line.len()).map(str::as_bytes);
                self.out.write_byte_record(&line.iter().chain(missing).collect())?;
            }
        }
        Ok(self.out.flush()?)
    }
}
