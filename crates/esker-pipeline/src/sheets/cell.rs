//! One cell as text: what a person sees in it, in a form programs can read.

use calamine::{Data, DataRef, ExcelDateTime};

/// A cell of an XLSX workbook.
pub(super) fn of_xlsx(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => float(*number),
        DataRef::String(text) => escape(text),
        DataRef::SharedString(text) => escape(text),
        DataRef::Bool(truth) => boolean(*truth),
        DataRef::DateTime(time) => date_time(time),
        DataRef::DateTimeIso(text) => iso_date_time(text),
        DataRef::DurationIso(text) => iso_duration(text),
        DataRef::Error(error) => error.to_string(),
    }
}

/// A cell of an ODS workbook.
pub(super) fn of_ods(value: &Data) -> String {
    match value {
        Data::Empty => String::new(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => float(*number),
        Data::String(text) => escape(text),
        Data::Bool(truth) => boolean(*truth),
        Data::DateTime(time) => date_time(time),
        Data::DateTimeIso(text) => iso_date_time(text),
        Data::DurationIso(text) => iso_duration(text),
        Data::Error(error) => error.to_string(),
    }
}

fn boolean(truth: bool) -> String {
    if truth { "TRUE" } else { "FALSE" }.to_owned()
}

/// The shortest digits that give the same number back: `3`, `0.1`.
fn float(number: f64) -> String {
    if number == 0.0 {
        // Zero has a sign, which nobody means.
        return "0".to_owned();
    }
    number.to_string()
}

fn escape(text: &str) -> String {
    if !text.contains(['\t', '\n', '\r', '\\']) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
    out
}

/// `2027-01-04`, `2027-01-04T13:30:00`, `13:30:00` for a time of no day and for a duration.
fn date_time(time: &ExcelDateTime) -> String {
    let days = time.as_f64();
    if time.is_duration() {
        return duration(days);
    }
    if (0.0..1.0).contains(&days) {
        return duration(days);
    }
    let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    match (hour, minute, second, milli) {
        (0, 0, 0, 0) => date,
        (_, _, _, 0) => format!("{date}T{hour:02}:{minute:02}:{second:02}"),
        _ => format!("{date}T{hour:02}:{minute:02}:{second:02}.{milli:03}"),
    }
}

/// Days as hours, minutes and seconds; hours go on past 24.
fn duration(days: f64) -> String {
    const SECONDS: f64 = 86_400.0;
    let sign = if days < 0.0 { "-" } else { "" };
    // Spreadsheets hold times to the millisecond.
    let total = (days.abs() * SECONDS * 1000.0).round();
    let (seconds, milli) = ((total / 1000.0).floor(), total % 1000.0);
    let (minutes, second) = ((seconds / 60.0).floor(), seconds % 60.0);
    let (hour, minute) = ((minutes / 60.0).floor(), minutes % 60.0);
    let whole = format!("{sign}{hour:02}:{minute:02}:{second:02}");
    if milli == 0.0 { whole } else { format!("{whole}.{milli:03}") }
}

/// A date without a time of day says so by midnight.
fn iso_date_time(text: &str) -> String {
    escape(text.strip_suffix("T00:00:00").unwrap_or(text))
}

/// `PT13H30M00S` as `13:30:00`; anything else as it is.
fn iso_duration(text: &str) -> String {
    let split = || {
        let rest = text.strip_prefix("PT")?.strip_suffix('S')?;
        let (hour, rest) = rest.split_once('H')?;
        let (minute, second) = rest.split_once('M')?;
        let hour: u64 = hour.parse().ok()?;
        let minute: u64 = minute.parse().ok()?;
        let second: f64 = second.replace(',', ".").parse().ok()?;
        let minutes = f64::from(u32::try_from(hour * 60 + minute).ok()?);
        Some(duration((minutes * 60.0 + second) / 86_400.0))
    };
    split().unwrap_or_else(|| escape(text))
}
