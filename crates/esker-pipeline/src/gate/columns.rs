//! The columns that a table's schema names, for those who are told of them.

use super::cell::Kind;
use super::file::Rules;
use super::schema::{Field, Schema, Tables};
use crate::deliver::facts::Column;

impl Rules {
    /// The columns of a table; of a stacked stream its streams, each with its columns. Nothing is known of a document.
    pub(crate) fn columns(&self) -> Vec<Column> {
        let columns = |schema: &Schema| schema.fields.iter().map(column).collect::<Vec<_>>();
        match self {
            Self::Document(_) => Vec::new(),
            Self::Tables(Tables::One(schema)) => columns(schema),
            Self::Tables(Tables::Streams(streams)) => {
                let stream = |(name, schema): &(String, Schema)| Column {
                    name: name.clone(),
                    kind: "table",
                    columns: columns(schema),
                };
                streams.iter().map(stream).collect()
            }
        }
    }
}

fn column(field: &Field) -> Column {
    let kind = match &field.kind {
        Kind::Any => "any",
        Kind::String(_) => "string",
        Kind::Integer(_) => "integer",
        Kind::Number(_) => "number",
        Kind::Boolean { .. } => "boolean",
        Kind::Date(_) => "date",
        Kind::Time(_) => "time",
        Kind::DateTime(_) => "datetime",
        Kind::Year => "year",
        Kind::YearMonth => "yearmonth",
        Kind::Object => "object",
        Kind::Array => "array",
    };
    Column { name: field.name.clone(), kind, columns: Vec::new() }
}
