//! Workbooks in, text out; and workbooks that are none.

use std::io::Write;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

/// A zip archive of these parts.
fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A workbook of two sheets, the first with these rows.
fn xlsx(rows: &str) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let sheet = |rows: &str| {
        format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>")
    };
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>\
         <sheet name=\"work\" sheetId=\"1\" r:id=\"r1\"/><sheet name=\"my staff\" sheetId=\"2\" r:id=\"r2\"/>\
         </sheets></workbook>"
    );
    let links = format!(
        "<Relationships xmlns=\"{PACKAGE}\">\
         <Relationship Id=\"r1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"r2\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet2.xml\"/>\
         <Relationship Id=\"r3\" Type=\"{OFFICE}/styles\" Target=\"styles.xml\"/></Relationships>"
    );
    let styles = format!(
        "<styleSheet xmlns=\"{MAIN}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/>\
         <xf numFmtId=\"46\"/></cellXfs></styleSheet>"
    );
    let root = format!(
        "<Relationships xmlns=\"{PACKAGE}\"><Relationship Id=\"r1\" Type=\"{OFFICE}/officeDocument\" \
         Target=\"xl/workbook.xml\"/></Relationships>"
    );
    archive(&[
        ("_rels/.rels", &root),
        ("xl/workbook.xml", &book),
        ("xl/_rels/workbook.xml.rels", &links),
        ("xl/styles.xml", &styles),
        ("xl/worksheets/sheet1.xml", &sheet(rows)),
        ("xl/worksheets/sheet2.xml", &sheet("<row r=\"1\"><c r=\"A1\"><v>1</v></c></row>")),
    ])
}

fn text(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>")
}

#[track_caller]
fn check_rows(rows: &str, expected: &str) {
    let stacked = to_stacked("plan.xlsx", &xlsx(rows), &["work".to_owned()]).unwrap();
    assert_eq!(String::from_utf8(stacked).unwrap(), expected);
}

#[test]
fn cells_are_text() {
    check_rows(
        "<row r=\"1\"><c r=\"A1\"><v>3</v></c><c r=\"B1\"><v>0.1</v></c><c r=\"C1\" t=\"b\"><v>1</v></c>\
         <c r=\"D1\" t=\"e\"><v>#DIV/0!</v></c><c r=\"E1\"><v>1234567890123</v></c><c r=\"F1\"><v>-0</v></c></row>",
        "=====work\n\t3\t0.1\tTRUE\t#DIV/0!\t1234567890123\t0\n",
    );
}

#[test]
fn dates_are_iso() {
    check_rows(
        "<row r=\"1\"><c r=\"A1\" s=\"1\"><v>46391</v></c><c r=\"B1\" s=\"1\"><v>46391.5625</v></c>\
         <c r=\"C1\" s=\"2\"><v>1.5</v></c><c r=\"D1\" s=\"1\"><v>0.5625</v></c></row>",
        "=====work\n\t2027-01-04\t2027-01-04T13:30:00\t36:00:00\t13:30:00\n",
    );
}

#[test]
fn rows_and_columns_keep_their_numbers() {
    let rows = format!(
        "<row r=\"3\">{}<c r=\"D3\"/></row><row r=\"5\">{}{}</row><row r=\"9\"><c r=\"A9\"/></row>",
        text("B3", "x"),
        text("A5", "y"),
        text("C5", "z")
    );
    check_rows(&rows, "=====work\n\t\n\t\n\t\tx\n\t\n\ty\t\tz\n");
}

#[test]
fn what_would_break_a_line_is_escaped() {
    let rows = format!("<row r=\"1\">{}</row>", text("A1", "a\tb&#10;c&#13;\\d"));
    check_rows(&rows, "=====work\n\ta\\tb\\nc\\r\\\\d\n");
}

#[test]
fn an_empty_sheet_is_an_empty_stream() {
    check_rows("", "=====work\n");
}

#[test]
fn all_sheets_come_in_order_and_wanted_ones_as_wanted() {
    let book = xlsx("");
    let names = |wanted: &[&str]| {
        let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
        String::from_utf8(to_stacked("p.xlsx", &book, &wanted).unwrap()).unwrap()
    };
    assert_eq!(names(&[]), "=====work\n=====my staff\n\t1\n");
    assert_eq!(names(&["my staff", "work"]), "=====my staff\n\t1\n=====work\n");
    let error = to_stacked("p.xlsx", &book, &["stuff".to_owned()]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no sheet \"stuff\" in p.xlsx; its sheets are \"work\", \"my staff\""
    );
}

#[track_caller]
fn check_unreadable(file: &str, bytes: &[u8], start: &str) {
    let error = to_stacked(file, bytes, &[]).unwrap_err().to_string();
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn what_is_no_workbook_is_named() {
    check_unreadable("a.xlsx", b"", "cannot read a.xlsx: it is no workbook, or damaged");
    check_unreadable("a.xlsx", b"id,name\n", "cannot read a.xlsx: it is no workbook, or damaged");
    check_unreadable("a.ods", &archive(&[("x", "y")]), "cannot read a.ods: it is no workbook");
    check_unreadable("a.xlsx", &archive(&[("x", "y")]), "cannot read a.xlsx: ");
    check_unreadable("a.xlsx", &COMPOUND, "cannot read a.xlsx: it is encrypted");
}

#[test]
fn every_beginning_of_a_workbook_is_refused_in_peace() {
    let book = xlsx("<row r=\"1\"><c r=\"A1\"><v>3</v></c></row>");
    for length in (0..book.len()).step_by(7) {
        assert!(to_stacked("a.xlsx", &book[..length], &[]).is_err(), "{length}");
    }
}

#[test]
fn a_bomb_does_not_go_off() {
    let zeros = " ".repeat(16 << 20);
    let parts: Vec<String> = (0..33).map(|number| format!("part{number}")).collect();
    let parts: Vec<(&str, &str)> =
        parts.iter().map(|name| (name.as_str(), zeros.as_str())).collect();
    check_unreadable(
        "a.xlsx",
        &archive(&parts),
        "cannot read a.xlsx: it unpacks to more than 512 MiB",
    );
    let texts = "<si><t>a</t></si>".repeat(2_000_001);
    let many = "cannot read a.xlsx: it has more than 2000000 shared texts";
    check_unreadable("a.xlsx", &archive(&[("xl/sharedStrings.xml", &texts)]), many);
    let far = text("XFD1048576", "x");
    let rows: String = (1..5000)
        .map(|row| format!("<row r=\"{row}\">{}</row>", text(&format!("XFD{row}"), "x")))
        .collect();
    check_unreadable("a.xlsx", &xlsx(&rows), "cannot read a.xlsx: its sheets are more than 64 MiB");
    assert!(to_stacked("a.xlsx", &xlsx(&format!("<row r=\"1048576\">{far}</row>")), &[]).is_ok());
}

/// An ODS workbook of one sheet.
fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\" \
         xmlns:table=\"urn:oasis:names:tc:opendocument:xmlns:table:1.0\" \
         xmlns:text=\"urn:oasis:names:tc:opendocument:xmlns:text:1.0\"><office:body><office:spreadsheet>\
         <table:table table:name=\"work\">{rows}</table:table>\
         </office:spreadsheet></office:body></office:document-content>"
    );
    archive(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
        ("content.xml", &content),
    ])
}

#[test]
fn ods_is_read_alike() {
    let rows = "<table:table-row table:number-rows-repeated=\"2\"><table:table-cell table:number-columns-repeated=\"9\"/>\
        </table:table-row><table:table-row><table:table-cell/>\
        <table:table-cell office:value-type=\"float\" office:value=\"3\"><text:p>3</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"date\" office:date-value=\"2027-01-04\"><text:p>4.1.</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"time\" office:time-value=\"PT13H30M00S\"><text:p>13:30</text:p></table:table-cell>\
        <table:table-cell office:value-type=\"string\"><text:p>a b</text:p></table:table-cell>\
        <table:table-cell table:number-columns-repeated=\"16000\"/></table:table-row>\
        <table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"16384\"/>\
        </table:table-row>";
    let stacked = to_stacked("plan.ods", &ods(rows), &[]).unwrap();
    let expected = "=====work\n\t\n\t\n\t\t3\t2027-01-04\t13:30:00\ta b\n";
    assert_eq!(String::from_utf8(stacked).unwrap(), expected);
}

#[test]
fn repeated_cells_of_ods_are_bounded() {
    let row = "<table:table-row table:number-rows-repeated=\"1000\"><table:table-cell office:value-type=\"float\" \
               office:value=\"3\" table:number-columns-repeated=\"16384\"><text:p>3</text:p></table:table-cell></table:table-row>";
    check_unreadable("a.ods", &ods(row), "cannot read a.ods: it has more than 8000000 cells");
}
