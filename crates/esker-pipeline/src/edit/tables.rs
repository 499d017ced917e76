//! Edits of tables: rows by their keys, cells by their columns.

use esker_wire::edit::address::{Place, Row, Selector, Step};
use esker_wire::edit::{Before, Deed, Edit, Spot};

use super::index;
use super::miss::{Miss, nearest};
use super::rank::Ranks;
use super::scan::Writing;
use super::streams::{Region, regions};
use super::table::{Id, Table};

/// How many rows above a row tell whether it has moved.
const ABOVE_MAX: usize = 64;

/// All tables of a content; those that nothing is asked of are not even looked at.
pub(super) struct Tables<'a> {
    text: &'a str,
    writing: Writing,
    declared: Vec<String>,
    tables: Vec<(Region, Option<Table<'a>>)>,
    /// By their streams' names, the columns that named rows in an older content.
    hints: Vec<(Vec<String>, Vec<String>)>,
    /// The ranks of the table that was ranked last, which are not written yet.
    ranks: Option<(usize, Ranks)>,
}

/// What a place means.
struct Target<'p> {
    table: usize,
    row: Option<&'p Row>,
    column: Option<&'p Step>,
}

impl<'a> Tables<'a> {
    /// Finds the tables of a text; it begins where `start` is.
    pub(super) fn open(text: &'a str, start: usize, declared: &[String]) -> Self {
        let whole = || vec![Region { path: Vec::new(), range: start..text.len(), indent: 0 }];
        let found = if start == 0 { regions(text) } else { None };
        let tables = found.unwrap_or_else(whole).into_iter().map(|region| (region, None));
        Self {
            text,
            writing: Writing::guess(&text[start..]),
            declared: declared.to_vec(),
            tables: tables.collect(),
            hints: Vec::new(),
            ranks: None,
        }
    }

    /// Names rows by the columns that named them in an older content, where both have these.
    pub(super) fn know(&mut self, older: &Self) {
        let known = older.tables.iter().filter_map(|(region, table)| {
            let table = table.as_ref()?;
            let names = table.key.as_ref()?.iter().map(|column| table.columns[*column].clone());
            Some((region.path.clone(), names.collect()))
        });
        self.hints = known.collect();
    }

    fn table(&mut self, at: usize) -> &mut Table<'a> {
        let (region, table) = &mut self.tables[at];
        table.get_or_insert_with(|| {
            let mark = if region.indent > 0 { b'\t' } else { self.writing.mark };
            let writing = Writing { mark, indent: region.indent };
            Table::open(self.text, region.clone(), writing, &self.declared)
        })
    }

    /// The table, its row and its column that a place names.
    fn target<'p>(&mut self, place: &'p Place) -> Result<Target<'p>, Miss> {
        let row = place.steps.iter().position(|step| matches!(step, Step::Row(_)));
        let (path, rest) = place.steps.split_at(row.unwrap_or(place.steps.len()));
        let mut names = Vec::with_capacity(path.len());
        for step in path {
            match step {
                Step::Name(name) => names.push(name.as_str()),
                _ => return Err(Miss::Never("a column needs its row: [KEY].#4".to_owned())),
            }
        }
        let table = self.tables.iter().position(|(region, _)| region.path == names);
        let table = table.ok_or_else(|| self.no_stream(&names))?;
        match rest {
            [] => Ok(Target { table, row: None, column: None }),
            [Step::Row(row)] => Ok(Target { table, row: Some(row), column: None }),
            [Step::Row(row), column @ (Step::Name(_) | Step::Number(_))] => {
                Ok(Target { table, row: Some(row), column: Some(column) })
            }
            _ => Err(Miss::Never("a table has rows and columns: STREAM[KEY].COLUMN".to_owned())),
        }
    }

    fn no_stream(&self, names: &[&str]) -> Miss {
        let wanted = names.join(" › ");
        if names.is_empty() {
            let known = nearest("", self.tables.iter().map(|(region, _)| region.path.join(".")));
            return Miss::Stream(format!(
                "the content is several streams, and none is named; {known}"
            ));
        }
        if let [(Region { path, .. }, _)] = self.tables.as_slice()
            && path.is_empty()
        {
            let what = format!("the content is one table and has no stream {wanted:?}");
            return Miss::Stream(format!("{what}; name a row: [KEY].COLUMN"));
        }
        let near = nearest(&wanted, self.tables.iter().map(|(region, _)| region.path.join(" › ")));
        Miss::Stream(format!("there is no stream {wanted:?}; {near}"))
    }

    /// The columns that name the rows.
    fn key(&mut self, at: usize) -> Vec<usize> {
        let hint = self.hints.iter().find(|(path, _)| *path == self.tables[at].0.path);
        let declared = hint.map_or(&self.declared, |(_, names)| names).clone();
        let table = self.table(at);
        if table.key.is_none() {
            table.key = Some(index::choose(table, &declared));
        }
        table.key.clone().unwrap_or_default()
    }

    /// The row that is named.
    fn row(&mut self, at: usize, row: &Row) -> Result<Id, Miss> {
        let selectors = match row {
            Row::Keys(selectors) => selectors,
            Row::Number(number) => {
                let table = self.table(at);
                let place = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
                let id = place.and_then(|place| table.order.get(place)).copied();
                let (title, count) = (table.title(), table.order.len());
                return id.ok_or_else(|| {
                    Miss::Row(format!("{title} has no row #{number}; it has {count}"))
                });
            }
        };
        let columns = self.columns(at, selectors)?;
        let values: Vec<&str> = selectors.iter().map(|selector| selector.value.as_str()).collect();
        let table = self.table(at);
        let found = table.rows_with(&columns, &values);
        match found.as_slice() {
            [id] => Ok(*id),
            [] => {
                let known = table.order.iter().map(|id| table.text(*id, columns[0]));
                let near = nearest(values[0], known);
                Err(Miss::Row(format!("{} has no row [{row}]; {near}", table.title())))
            }
            several => {
                let count = several.len();
                let what = format!("{} has {count} rows [{row}]", table.title());
                Err(Miss::Twice(format!("{what}; name more columns: [Column=text,…]")))
            }
        }
    }

    /// The columns of selectors; those without one are of the key, in its order.
    fn columns(&mut self, at: usize, selectors: &[Selector]) -> Result<Vec<usize>, Miss> {
        if selectors.is_empty() {
            return Err(Miss::Never("the address names a row by nothing: []".to_owned()));
        }
        let bare = selectors.iter().filter(|selector| selector.column.is_none()).count();
        let key = if bare > 0 { self.key(at) } else { Vec::new() };
        let table = self.table(at);
        if bare != key.len() {
            let names: Vec<&str> = key.iter().map(|at| table.columns[*at].as_str()).collect();
            let what = match names.is_empty() {
                true => "no column whose cells are all filled and unique".to_owned(),
                false => format!("a key of {} ({})", names.len(), names.join(", ")),
            };
            let hint = "name columns: [Column=text], or the row's number: [#3]";
            return Err(Miss::Kind(format!("{} has {what}; {hint}", table.title())));
        }
        let mut key = key.into_iter();
        let column = |selector: &Selector| match &selector.column {
            Some(name) => table.column(name),
            None => Ok(key.next().expect("as many as there are selectors without a column")),
        };
        selectors.iter().map(column).collect()
    }

    /// The cell that a place names.
    fn cell(&mut self, target: &Target<'_>) -> Result<(Id, usize), Miss> {
        let (Some(row), Some(column)) = (target.row, target.column) else {
            let what = "the address names no cell; write STREAM[KEY].COLUMN, or [KEY].COLUMN";
            return Err(Miss::Never(what.to_owned()));
        };
        let id = self.row(target.table, row)?;
        let table = self.table(target.table);
        let place = match column {
            Step::Name(name) => table.column(name),
            Step::Number(number) => {
                let place = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
                let is_there = |place: &usize| {
                    *place < table.columns.len() || table.cell(id, *place).is_some()
                };
                place.filter(is_there).ok_or_else(|| {
                    let count = table.columns.len();
                    Miss::Column(format!(
                        "{} has no column #{number}; it has {count}",
                        table.title()
                    ))
                })
            }
            Step::Row(_) => Err(Miss::Never("a column is no row".to_owned())),
        }?;
        Ok((id, place))
    }

    fn named_row(&mut self, target: &Target<'_>, deed: &str) -> Result<Id, Miss> {
        match (target.row, target.column) {
            (Some(row), None) => self.row(target.table, row),
            _ => Err(Miss::Never(format!("a {deed} needs the address of a row: STREAM[KEY]"))),
        }
    }

    /// The texts of a new row, and the row that has its key already.
    fn wanted(
        &mut self,
        target: &Target<'_>,
        cells: &[(String, String)],
    ) -> Result<(Vec<String>, Option<Id>), Miss> {
        let at = target.table;
        if target.column.is_some() {
            return Err(Miss::Never("a new row has no column in its address".to_owned()));
        }
        let mut texts = vec![String::new(); self.table(at).columns.len()];
        if let Some(Row::Keys(selectors)) = target.row {
            let columns = self.columns(at, selectors)?;
            for (column, selector) in columns.iter().zip(selectors) {
                texts[*column].clone_from(&selector.value);
            }
        } else if target.row.is_some() {
            return Err(Miss::Never(
                "a new row has no number; name its key, or its table".to_owned(),
            ));
        }
        let writing = self.table(at).writing;
        for (name, text) in cells {
            let column = self.table(at).column(name)?;
            writing.encode(text)?;
            texts[column].clone_from(text);
        }
        let key = self.key(at);
        let values: Vec<&str> = key.iter().map(|column| texts[*column].as_str()).collect();
        let table = self.table(at);
        if let Some(empty) = key.iter().find(|column| texts[**column].is_empty()) {
            let name = &table.columns[*empty];
            return Err(Miss::Never(format!("a new row needs its key: {name:?} is empty")));
        }
        let found = match key.is_empty() {
            true => None,
            false => table.rows_with(&key, &values).first().copied(),
        };
        Ok((texts, found))
    }

    /// What names a row: its key, else its number.
    fn name(&mut self, at: usize, id: Id) -> Row {
        let key = self.key(at);
        let table = self.table(at);
        if key.is_empty() {
            let position = table.position(id).unwrap_or(0);
            return Row::Number(position as u64 + 1);
        }
        let selector = |column: &usize| {
            let value = table.text(id, *column).into_owned();
            Selector { column: None, value }
        };
        Row::Keys(key.iter().map(selector).collect())
    }

    /// Where among the other rows a spot is, the row itself not counted.
    fn spot(&mut self, at: usize, id: Option<Id>, spot: &Spot) -> Result<usize, Miss> {
        let anchor = match spot {
            Spot::First => return Ok(0),
            Spot::Last => return Ok(self.table(at).order.len() - usize::from(id.is_some())),
            Spot::After(row) | Spot::Before(row) => self.row(at, row)?,
        };
        let table = self.table(at);
        let own = id.and_then(|id| table.position(id));
        let place = table.position(anchor).unwrap_or(0);
        if own == Some(place) {
            return Ok(place);
        }
        let before = place - usize::from(own.is_some_and(|own| own < place));
        Ok(before + usize::from(matches!(spot, Spot::After(_))))
    }

    fn ranks(&mut self, at: usize, column: usize) -> &mut Ranks {
        let is_known = self
            .ranks
            .as_ref()
            .is_some_and(|(table, ranks)| *table == at && ranks.column == column);
        if !is_known {
            self.settle();
            let ranks = Ranks::of(self.table(at), column);
            self.ranks = Some((at, ranks));
        }
        let (_, ranks) = self.ranks.as_mut().expect("it was made just now");
        ranks
    }

    /// Writes the ranks that have changed.
    fn settle(&mut self) {
        if let Some((at, ranks)) = self.ranks.take() {
            ranks.write(self.table(at));
        }
    }

    /// What an edit finds.
    pub(super) fn now(&mut self, edit: &Edit) -> Result<Before, Miss> {
        if !matches!(edit.deed, Deed::Rank(_)) {
            self.settle();
        }
        let target = self.target(&edit.at.place)?;
        let at = target.table;
        match &edit.deed {
            Deed::Set(text) => {
                let (id, column) = self.cell(&target)?;
                let table = self.table(at);
                table.writing.encode(text)?;
                Ok(Before::Text(table.text(id, column).into_owned()))
            }
            Deed::Add { cells, .. } => {
                let (_, found) = self.wanted(&target, cells)?;
                Ok(found.map_or(Before::Absent, |id| Before::Row(self.table(at).named(id))))
            }
            Deed::Remove => {
                let id = self.named_row(&target, "removal")?;
                Ok(Before::Row(self.table(at).named(id)))
            }
            Deed::Move(_) => {
                let id = self.named_row(&target, "move")?;
                let position = self.table(at).position(id).unwrap_or(0);
                let Some(before) = position.checked_sub(1) else {
                    return Ok(Before::First);
                };
                let neighbour = self.table(at).order[before];
                Ok(Before::Behind(self.name(at, neighbour)))
            }
            Deed::Rank(_) => {
                let (id, column) = self.cell(&target)?;
                let rank = self.ranks(at, column).of_row(id);
                rank.map(Before::Rank).map_err(|text| {
                    Miss::Kind(format!("{text:?} is no rank: ranks are whole numbers"))
                })
            }
        }
    }

    /// Whether the content is already as an edit wants it, given what it finds.
    pub(super) fn says(&mut self, edit: &Edit, found: &Before) -> Result<bool, Miss> {
        let target = self.target(&edit.at.place)?;
        Ok(match (&edit.deed, found) {
            (Deed::Set(text), Before::Text(now)) => text == now,
            (Deed::Rank(rank), Before::Rank(now)) => Some(*rank) == *now,
            (Deed::Add { cells, .. }, Before::Row(now)) => {
                let (texts, _) = self.wanted(&target, cells)?;
                let named = self.table(target.table).columns.iter().cloned().zip(texts);
                *now == named.filter(|(_, text)| !text.is_empty()).collect::<Vec<_>>()
            }
            (Deed::Move(spot), _) => {
                let id = self.named_row(&target, "move")?;
                let place = self.spot(target.table, Some(id), spot)?;
                self.table(target.table).position(id) == Some(place)
            }
            _ => false,
        })
    }

    /// Whether a row just like a new one is there, of which no key can tell.
    pub(super) fn has_like(&mut self, edit: &Edit) -> Result<bool, Miss> {
        let Deed::Add { cells, .. } = &edit.deed else {
            return Ok(false);
        };
        let target = self.target(&edit.at.place)?;
        let (texts, _) = self.wanted(&target, cells)?;
        if !self.key(target.table).is_empty() {
            return Ok(false);
        }
        let table = self.table(target.table);
        let columns: Vec<usize> = (0..texts.len()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Ok(!columns.is_empty() && !table.rows_with(&columns, &texts).is_empty())
    }

    /// The rows above the one that is to be moved, the nearest first; a limited number of them.
    pub(super) fn above(&mut self, edit: &Edit) -> Result<Vec<Row>, Miss> {
        let Deed::Move(_) = edit.deed else {
            return Ok(Vec::new());
        };
        let target = self.target(&edit.at.place)?;
        let id = self.named_row(&target, "move")?;
        let table = self.table(target.table);
        let position = table.position(id).unwrap_or(0);
        let above: Vec<Id> =
            table.order[..position].iter().rev().take(ABOVE_MAX).copied().collect();
        Ok(above.into_iter().map(|id| self.name(target.table, id)).collect())
    }

    /// Whether the table that an edit is of has a row.
    pub(super) fn has(&mut self, edit: &Edit, row: &Row) -> bool {
        let target = self.target(&edit.at.place);
        target.is_ok_and(|target| self.row(target.table, row).is_ok())
    }

    /// Does what an edit says. A row that is added over one of its key gives that one its cells.
    pub(super) fn apply(&mut self, edit: &Edit, is_lenient: bool) -> Result<(), Miss> {
        let target = self.target(&edit.at.place)?;
        let at = target.table;
        match &edit.deed {
            Deed::Set(text) => {
                let (id, column) = self.cell(&target)?;
                self.table(at).set(id, column, text)
            }
            Deed::Add { cells, to } => {
                let (texts, found) = self.wanted(&target, cells)?;
                if let Some(id) = found {
                    let mut texts = texts.iter().enumerate();
                    return texts
                        .try_for_each(|(column, text)| self.table(at).set(id, column, text));
                }
                let position = match self.spot(at, None, to) {
                    Err(Miss::Row(_)) if is_lenient => self.spot(at, None, &Spot::Last)?,
                    position => position?,
                };
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                self.table(at).add(&texts, position).map(drop)
            }
            Deed::Remove => {
                let id = self.named_row(&target, "removal")?;
                self.table(at).remove(id);
                Ok(())
            }
            Deed::Move(spot) => {
                let id = self.named_row(&target, "move")?;
                let position = self.spot(at, Some(id), spot)?;
                self.table(at).shift(id, position);
                Ok(())
            }
            Deed::Rank(rank) => {
                let (id, column) = self.cell(&target)?;
                self.ranks(at, column).give(id, *rank);
                Ok(())
            }
        }
    }

    /// The text of a cell.
    pub(super) fn read(&mut self, place: &Place) -> Option<String> {
        self.settle();
        let target = self.target(place).ok()?;
        let (id, column) = self.cell(&target).ok()?;
        Some(self.table(target.table).text(id, column).into_owned())
    }

    /// The content as it is now.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Miss> {
        self.settle();
        let mut out = Vec::with_capacity(self.text.len() + 64);
        let mut at = 0;
        for table in self.tables.iter().filter_map(|(_, table)| table.as_ref()) {
            if !table.is_read_alike(&self.declared) {
                let what = "the first rows would be taken for another heading or another table";
                return Err(Miss::Never(format!("{}: {what}; declare the key", table.title())));
            }
            out.extend_from_slice(&self.text.as_bytes()[at..table.range().start]);
            table.write(&mut out);
            at = table.range().end;
        }
        out.extend_from_slice(&self.text.as_bytes()[at..]);
        Ok(out)
    }

    /// The tables' streams, from the first to the last.
    pub(super) fn paths(&self) -> Vec<Vec<String>> {
        self.tables.iter().map(|(region, _)| region.path.clone()).collect()
    }

    /// A table and the columns that name its rows.
    pub(super) fn keyed(&mut self, at: usize) -> (&mut Table<'a>, Vec<usize>) {
        let key = self.key(at);
        (self.table(at), key)
    }
}
