//! Rows and their lines.

use super::*;

#[track_caller]
fn check(content: &str, expected: &[(usize, &[&str])]) {
    let mut rows = Rows::new(content.as_bytes(), 10, None).unwrap();
    let mut record = ByteRecord::new();
    let mut found: Vec<(usize, Vec<String>)> = Vec::new();
    while let Some(position) = rows.next(&mut record).unwrap() {
        assert_eq!(position.row, found.len() + 1);
        let cells = record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned());
        found.push((position.line - 10, cells.collect()));
    }
    let expected: Vec<(usize, Vec<String>)> = expected
        .iter()
        .map(|(line, cells)| (*line, cells.iter().map(|cell| (*cell).to_owned()).collect()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn rows_come_with_the_line_they_begin_on() {
    check("", &[]);
    check("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
    check("a,b\n1,\"2\n3\"\n\n\n4,5", &[(1, &["a", "b"]), (2, &["1", "2\n3"]), (6, &["4", "5"])]);
    check("a;b\n1,5;2\n", &[(1, &["a", "b"]), (2, &["1,5", "2"])]);
    check("a\tb\n\"1\t2\"\n", &[(1, &["a", "b"]), (2, &["\"1", "2\""])]);
    check("a,b\r\n1,\"2\"\r\n", &[(1, &["a", "b\r"]), (2, &["1", "2\r"])]);
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    let content = [b"a,b\n".as_slice(), &b",".repeat(3 << 20)].concat();
    let finding = Rows::new(&content, 0, None).err().unwrap();
    assert_eq!(
        finding.to_string(),
        "line 2: the line has 3145728 bytes, 1048576 are allowed; is this a table?"
    );
}

proptest::proptest! {
    #[test]
    fn every_row_of_a_written_table_comes_back_on_its_line(
        table in proptest::collection::vec(proptest::collection::vec("[a-c,\"\n;]{0,4}", 2..4), 1..20),
    ) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let mut lines = Vec::new();
        for row in &table {
            writer.flush().unwrap();
            let written = writer.get_ref();
            lines.push(written.iter().filter(|byte| **byte == b'\n').count() + 1);
            writer.write_record(row).unwrap();
        }
        let content = writer.into_inner().unwrap();
        let mut rows = Rows::new(&content, 0, Some(b',')).unwrap();
        let mut record = ByteRecord::new();
        for (row, line) in table.iter().zip(lines) {
            let position = rows.next(&mut record).unwrap().unwrap();
            proptest::prop_assert_eq!(position.line, line);
            let cells: Vec<String> =
                record.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect();
            proptest::prop_assert_eq!(&cells, row);
        }
        proptest::prop_assert!(rows.next(&mut record).unwrap().is_none());
    }
}
