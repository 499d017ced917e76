//! How a table's changes are written; a promise of docs/protocol.md. Rows, columns and streams count from 1.

use serde::ser::{Serialize, Serializer};

/// One line of the answer.
#[derive(Debug, serde::Serialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub(super) enum Change<'a> {
    /// How the changes after it are meant, up to the next such line.
    Table {
        #[serde(skip_serializing_if = "str::is_empty")]
        stream: &'a str,
        key: &'a [&'a str],
        columns: &'a [String],
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<&'a str>,
    },
    StreamAdd {
        stream: &'a str,
        at: usize,
    },
    StreamRemove {
        stream: &'a str,
        rows: usize,
    },
    StreamMove {
        stream: &'a str,
        from: usize,
        to: usize,
    },
    ColumnAdd {
        #[serde(flatten)]
        place: Place<'a>,
        column: &'a str,
        at: usize,
    },
    ColumnRemove {
        #[serde(flatten)]
        place: Place<'a>,
        column: &'a str,
        at: usize,
    },
    ColumnMove {
        #[serde(flatten)]
        place: Place<'a>,
        column: &'a str,
        from: usize,
        to: usize,
    },
    RowAdd {
        #[serde(flatten)]
        place: Place<'a>,
        row: usize,
        cells: Named<'a>,
    },
    RowRemove {
        #[serde(flatten)]
        place: Place<'a>,
        row: usize,
        cells: Named<'a>,
    },
    RowMove {
        #[serde(flatten)]
        place: Place<'a>,
        from: usize,
        to: usize,
    },
    Cell {
        #[serde(flatten)]
        place: Place<'a>,
        row: usize,
        column: &'a str,
        old: Option<&'a str>,
        new: &'a str,
    },
}

/// In which stream, and of which row by its key.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub(super) struct Place<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) stream: &'a str,
    #[serde(skip_serializing_if = "Named::is_empty")]
    pub(super) key: Named<'a>,
}

/// Cells by their columns' names, in the columns' order.
#[derive(Debug, Clone, Default)]
pub(super) struct Named<'a>(pub(super) Vec<(&'a str, &'a str)>);

impl Named<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}
