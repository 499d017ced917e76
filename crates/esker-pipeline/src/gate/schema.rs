//! Frictionless Table Schemas, and Data Packages of several, read from their JSON.

use esker_wire::name::Resource;
use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use super::cell::{Bound, Constraints, Digits, Kind, Text};

/// The largest compiled pattern, in bytes.
const PATTERN_MAX: usize = 1024 * 1024;

const TYPES: [&str; 12] = [
    "any",
    "string",
    "integer",
    "number",
    "boolean",
    "date",
    "time",
    "datetime",
    "year",
    "yearmonth",
    "object",
    "array",
];
const CONSTRAINTS: [&str; 10] = [
    "required",
    "unique",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "pattern",
    "enum",
];
const BOUNDS: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];

/// What is wrong with a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    /// Where, as a JSON pointer.
    pub(super) pointer: String,
    pub(super) message: String,
    pub(super) hint: String,
}

fn wrong(pointer: &str, message: impl Into<String>, hint: impl Into<String>) -> Wrong {
    Wrong { pointer: pointer.to_owned(), message: message.into(), hint: hint.into() }
}

/// What the tables of a content must be like.
#[derive(Debug)]
pub(crate) enum Tables {
    /// One table: the whole content.
    One(Box<Schema>),
    /// A stacked stream: some of its streams, by name.
    Streams(Vec<(String, Schema)>),
}

/// What one table must be like.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(super) fields: Vec<Field>,
    pub(super) matching: Matching,
    pub(super) missing: Vec<String>,
    /// The places of the key's columns among the fields.
    pub(super) primary_key: Vec<usize>,
    pub(super) foreign_keys: Vec<ForeignKey>,
    pub(super) delimiter: Option<u8>,
    pub(super) allow: Allow,
}

/// A column.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) constraints: Constraints,
}

/// How the columns of a table and the fields of its schema belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matching {
    /// The same, in the same order.
    Exact,
    /// The same, in any order.
    Equal,
    /// The table may have more.
    Subset,
    /// The table may have fewer.
    Superset,
    /// They have at least one in common.
    Partial,
}

/// What of a text is let through that programs which read line by line stumble over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Allow {
    /// A byte order mark at the beginning.
    pub(super) bom: bool,
    /// Lines that end in carriage return and line feed.
    pub(super) crlf: bool,
    /// Line feeds within quotes.
    pub(super) newlines: bool,
    /// Rows that lack their last cells.
    pub(super) short: bool,
}

/// Columns whose values are to be found elsewhere.
#[derive(Debug)]
pub(super) struct ForeignKey {
    /// Their places among the fields.
    pub(super) fields: Vec<usize>,
    pub(super) to: Target,
    pub(super) to_fields: Vec<String>,
}

/// Where the values of a foreign key are to be found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    /// In the table itself.
    Itself,
    /// In another stream of the same content.
    Stream(String),
    /// In the current version of a resource, and there in a stream if one is named.
    Resource(Resource, Option<String>),
}

type Object = Map<String, Value>;

/// Whether a JSON object is a table's schema or a package of them, and no JSON Schema.
pub(super) fn is_tables(value: &Value) -> bool {
    let has = |key: &str| value.get(key).is_some_and(Value::is_array);
    has("fields") || has("resources")
}

/// Reads a Table Schema or a Data Package.
pub(super) fn read(value: &Value) -> Result<Tables, Wrong> {
    let Some(resources) = value.get("resources").and_then(Value::as_array) else {
        return schema(value, "", &[]).map(|schema| Tables::One(Box::new(schema)));
    };
    let named = |(index, entry): (usize, &Value)| {
        let name = entry.get("name").and_then(Value::as_str).filter(|name| !name.is_empty());
        let at = format!("/resources/{index}");
        let hint = "name it like the stream it describes";
        name.map(str::to_owned).ok_or_else(|| wrong(&at, "a resource without a name", hint))
    };
    let names: Vec<String> = resources.iter().enumerate().map(named).collect::<Result<_, _>>()?;
    let mut streams = Vec::new();
    for (index, (entry, name)) in resources.iter().zip(&names).enumerate() {
        let at = format!("/resources/{index}/schema");
        let Some(inner) = entry.get("schema").filter(|schema| schema.is_object()) else {
            let hint = "write it out, with its `fields`: no other file is read";
            return Err(wrong(&at, format!("{name} has no `schema` object"), hint));
        };
        if streams.iter().any(|(known, _)| known == name) {
            return Err(wrong(&at, format!("{name} comes twice"), "describe each stream once"));
        }
        streams.push((name.clone(), schema(inner, &at, &names)?));
    }
    Ok(Tables::Streams(streams))
}

fn schema(value: &Value, at: &str, streams: &[String]) -> Result<Schema, Wrong> {
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    let mut fields: Vec<Field> = Vec::new();
    let Some(entries) = object.get("fields").and_then(Value::as_array) else {
        return Err(wrong(at, "no list of `fields`", "write \"fields\": [{\"name\": \"…\"}]"));
    };
    for (index, entry) in entries.iter().enumerate() {
        let at = format!("{at}/fields/{index}");
        let field = field(entry, &at)?;
        if fields.iter().any(|known| known.name == field.name) {
            let message = format!("the field {:?} comes twice", field.name);
            return Err(wrong(&at, message, "describe each column once"));
        }
        fields.push(field);
    }
    let missing = words(object, "missingValues", at)?.unwrap_or_else(|| vec![String::new()]);
    let primary_key = match names(object, "primaryKey", at)? {
        Some(names) => places(&fields, &names, &format!("{at}/primaryKey"))?,
        None => Vec::new(),
    };
    let keys = object.get("foreignKeys").map_or(Ok(&[][..]), |keys| {
        let list = keys.as_array().map(Vec::as_slice);
        list.ok_or_else(|| wrong(&format!("{at}/foreignKeys"), "it must be a list", ""))
    })?;
    let keys = keys.iter().enumerate().map(|(index, key)| {
        foreign_key(key, &format!("{at}/foreignKeys/{index}"), (&fields, streams))
    });
    let foreign_keys = keys.collect::<Result<_, _>>()?;
    Ok(Schema {
        matching: matching(object, at)?,
        delimiter: delimiter(object, at)?,
        allow: allow(object, at)?,
        missing,
        primary_key,
        foreign_keys,
        fields,
    })
}

fn field(entry: &Value, at: &str) -> Result<Field, Wrong> {
    // A field may be its name alone.
    let short = entry.as_str().map(|name| Map::from_iter([("name".into(), name.into())]));
    let Some(object) = short.as_ref().or_else(|| entry.as_object()) else {
        return Err(wrong(at, "a field must be an object", "write {\"name\": \"…\"}"));
    };
    let Some(name) = object.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
    else {
        return Err(wrong(at, "a field without a name", "name it like the column"));
    };
    let kind = kind(object, at)?;
    let constraints = match object.get("constraints") {
        None => Constraints::default(),
        Some(Value::Object(entries)) => constraints(entries, &kind, &format!("{at}/constraints"))?,
        Some(_) => return Err(wrong(&format!("{at}/constraints"), "it must be an object", "")),
    };
    Ok(Field { name: name.to_owned(), kind, constraints })
}

fn kind(object: &Object, at: &str) -> Result<Kind, Wrong> {
    let word = |key: &str, otherwise: &str| match object.get(key) {
        None => Ok(otherwise.to_owned()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(wrong(&format!("{at}/{key}"), format!("`{key}` must be a string"), "")),
    };
    let (name, format) = (word("type", "string")?, word("format", "default")?);
    let pattern = || match format.as_str() {
        "default" => None,
        pattern => Some(pattern.to_owned()),
    };
    let kind = match name.as_str() {
        "any" => Kind::Any,
        "string" => Kind::String(match format.as_str() {
            "default" => Text::Any,
            "email" => Text::Email,
            "uri" => Text::Uri,
            "uuid" => Text::Uuid,
            _ => {
                let message = format!("{format:?} is no format of strings");
                let hint = "known: default, email, uri, uuid";
                return Err(wrong(&format!("{at}/format"), message, hint));
            }
        }),
        "integer" => Kind::Integer(digits(object, at)?),
        "number" => Kind::Number(digits(object, at)?),
        "boolean" => {
            let or = |key: &str, otherwise: [&str; 4]| {
                let words = words(object, key, at)?;
                Ok(words.unwrap_or_else(|| otherwise.map(str::to_owned).to_vec()))
            };
            let yes = or("trueValues", ["true", "True", "TRUE", "1"])?;
            Kind::Boolean { yes, no: or("falseValues", ["false", "False", "FALSE", "0"])? }
        }
        "date" => Kind::Date(pattern()),
        "time" => Kind::Time(pattern()),
        "datetime" => Kind::DateTime(pattern()),
        "year" => Kind::Year,
        "yearmonth" => Kind::YearMonth,
        "object" => Kind::Object,
        "array" => Kind::Array,
        _ => {
            let hint = crate::definition::nearest(&name, &TYPES);
            return Err(wrong(&format!("{at}/type"), format!("{name:?} is no type"), hint));
        }
    };
    if matches!(&kind, Kind::Date(Some(p)) | Kind::Time(Some(p)) | Kind::DateTime(Some(p)) if !p.contains('%'))
    {
        let message = format!("{format:?} is no pattern");
        let hint = "write for example \"%d/%m/%Y\", or leave it out for ISO 8601";
        return Err(wrong(&format!("{at}/format"), message, hint));
    }
    Ok(kind)
}

fn digits(object: &Object, at: &str) -> Result<Digits, Wrong> {
    let letter = |key: &str| match object.get(key) {
        None => Ok(None),
        Some(Value::String(text)) if text.chars().count() == 1 => Ok(text.chars().next()),
        Some(_) => Err(wrong(&format!("{at}/{key}"), format!("`{key}` must be one character"), "")),
    };
    let is_bare = flag(object, "bareNumber", at)?.unwrap_or(true);
    let decimal = letter("decimalChar")?.unwrap_or('.');
    Ok(Digits { is_bare, decimal, group: letter("groupChar")? })
}

fn constraints(object: &Object, kind: &Kind, at: &str) -> Result<Constraints, Wrong> {
    if let Some(unknown) = object.keys().find(|key| !CONSTRAINTS.contains(&key.as_str())) {
        let hint = crate::definition::nearest(unknown, &CONSTRAINTS);
        return Err(wrong(
            &format!("{at}/{unknown}"),
            format!("unknown constraint `{unknown}`"),
            hint,
        ));
    }
    let unfit = |name: &str| {
        let message = format!("`{name}` means nothing for the type {}", kind.name());
        wrong(&format!("{at}/{name}"), message, "remove it, or correct the type")
    };
    let typed = |name: &str, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let message = format!("`{name}`: {text:?} is not of the type {}", kind.name());
        match kind.read(&text) {
            Some(value) => Ok((text, value)),
            None => Err(wrong(&format!("{at}/{name}"), message, "correct it")),
        }
    };
    let mut bounds = Vec::new();
    for name in BOUNDS {
        let Some(value) = object.get(name) else {
            continue;
        };
        if !kind.is_ordered() {
            return Err(unfit(name));
        }
        let (text, value) = typed(name, value)?;
        bounds.push(Bound { name, text, value });
    }
    let length = |name: &str| match object.get(name) {
        None => Ok(None),
        Some(_) if !kind.has_length() => Err(unfit(name)),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| {
            wrong(&format!("{at}/{name}"), format!("`{name}` must be a whole number"), "")
        }),
    };
    let one_of = match object.get("enum") {
        None => None,
        Some(Value::Array(items)) => {
            let items = items.iter().map(|item| typed("enum", item));
            Some(items.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
        }
        Some(_) => return Err(wrong(&format!("{at}/enum"), "`enum` must be a list", "")),
    };
    Ok(Constraints {
        required: flag(object, "required", at)?.unwrap_or(false),
        unique: flag(object, "unique", at)?.unwrap_or(false),
        min_length: length("minLength")?,
        max_length: length("maxLength")?,
        pattern: object.get("pattern").map(|text| pattern(text, at)).transpose()?,
        one_of,
        bounds,
    })
}

/// A pattern that a whole value must match.
fn pattern(value: &Value, at: &str) -> Result<(String, Regex), Wrong> {
    let at = format!("{at}/pattern");
    let text = value.as_str().ok_or_else(|| wrong(&at, "`pattern` must be a string", ""))?;
    let whole = RegexBuilder::new(&format!("^(?:{text})$")).size_limit(PATTERN_MAX).build();
    match whole {
        Ok(regex) => Ok((text.to_owned(), regex)),
        Err(error) => {
            let message = error.to_string();
            let last = message.lines().last().unwrap_or_default();
            let hint = "it must match a whole value; look-around and back-references are not known";
            Err(wrong(&at, format!("cannot read the pattern {text:?}: {last}"), hint))
        }
    }
}

fn foreign_key(
    entry: &Value,
    at: &str,
    (fields, streams): (&[Field], &[String]),
) -> Result<ForeignKey, Wrong> {
    let bad = || {
        let hint =
            "write {\"fields\": \"…\", \"reference\": {\"resource\": \"…\", \"fields\": \"…\"}}";
        wrong(at, "a foreign key needs `fields` and a `reference`", hint)
    };
    let object = entry.as_object().ok_or_else(bad)?;
    let reference = object.get("reference").and_then(Value::as_object).ok_or_else(bad)?;
    let mine = names(object, "fields", at)?.ok_or_else(bad)?;
    let to_fields = names(reference, "fields", &format!("{at}/reference"))?.ok_or_else(bad)?;
    if mine.len() != to_fields.len() || mine.is_empty() {
        let message = format!("{} fields refer to {}", mine.len(), to_fields.len());
        return Err(wrong(at, message, "name as many on both sides"));
    }
    let name = reference.get("resource").and_then(Value::as_str).unwrap_or_default();
    let to = target(name, streams).ok_or_else(|| {
        let message = format!("{name:?} is no resource to refer to");
        let hint = "name a resource (raw/staff), a stream of one (raw/plan:Staff), a resource of \
            this package, or \"\" for the table itself";
        wrong(&format!("{at}/reference/resource"), message, hint)
    })?;
    let fields_at = format!("{at}/fields");
    if to == Target::Itself {
        places(fields, &to_fields, &format!("{at}/reference/fields"))?;
    }
    Ok(ForeignKey { fields: places(fields, &mine, &fields_at)?, to, to_fields })
}

fn target(name: &str, streams: &[String]) -> Option<Target> {
    if name.is_empty() {
        return Some(Target::Itself);
    }
    if streams.iter().any(|stream| stream == name) {
        return Some(Target::Stream(name.to_owned()));
    }
    let (resource, stream) = match name.split_once(':') {
        Some((resource, stream)) => (resource, Some(stream.to_owned())),
        None => (name, None),
    };
    resource.parse().ok().map(|resource| Target::Resource(resource, stream))
}

/// The places of these names among the fields.
fn places(fields: &[Field], names: &[String], at: &str) -> Result<Vec<usize>, Wrong> {
    let place = |name: &String| {
        let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let place = known.iter().position(|known| known == name);
        let hint = crate::definition::nearest(name, &known);
        place.ok_or_else(|| wrong(at, format!("there is no field {name:?}"), hint))
    };
    names.iter().map(place).collect()
}

/// One name or a list of them.
fn names(object: &Object, key: &str, at: &str) -> Result<Option<Vec<String>>, Wrong> {
    match object.get(key) {
        Some(Value::String(name)) => Ok(Some(vec![name.clone()])),
        _ => words(object, key, at),
    }
}

fn words(object: &Object, key: &str, at: &str) -> Result<Option<Vec<String>>, Wrong> {
    let Some(value) = object.get(key) else {
        return Ok(None);
    };
    let text = |item: &Value| item.as_str().map(str::to_owned);
    let list = value.as_array().and_then(|items| items.iter().map(text).collect());
    let message = format!("`{key}` must be a list of strings");
    list.map(Some).ok_or_else(|| wrong(&format!("{at}/{key}"), message, ""))
}

fn flag(object: &Object, key: &str, at: &str) -> Result<Option<bool>, Wrong> {
    match object.get(key) {
        None => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        Some(_) => Err(wrong(&format!("{at}/{key}"), format!("`{key}` must be true or false"), "")),
    }
}

fn matching(object: &Object, at: &str) -> Result<Matching, Wrong> {
    let word = names(object, "fieldsMatch", at)?.unwrap_or_else(|| vec!["exact".to_owned()]);
    Ok(match word.first().map(String::as_str) {
        Some("exact") => Matching::Exact,
        Some("equal") => Matching::Equal,
        Some("subset") => Matching::Subset,
        Some("superset") => Matching::Superset,
        Some("partial") => Matching::Partial,
        _ => {
            let hint = "known: exact, equal, subset, superset, partial";
            return Err(wrong(&format!("{at}/fieldsMatch"), "it is no way to match fields", hint));
        }
    })
}

fn delimiter(object: &Object, at: &str) -> Result<Option<u8>, Wrong> {
    let Some(value) = object.get("dialect").and_then(|dialect| dialect.get("delimiter")) else {
        return Ok(None);
    };
    match value.as_str().map(str::as_bytes) {
        Some([mark]) if !b"\"\r\n".contains(mark) => Ok(Some(*mark)),
        _ => Err(wrong(&format!("{at}/dialect/delimiter"), "it must be one character", "")),
    }
}

fn allow(object: &Object, at: &str) -> Result<Allow, Wrong> {
    let mut allow = Allow::default();
    for word in words(object, "allow", at)?.unwrap_or_default() {
        match word.as_str() {
            "bom" => allow.bom = true,
            "crlf" => allow.crlf = true,
            "newlines" => allow.newlines = true,
            "short" => allow.short = true,
            _ => {
                let hint = "known: bom, crlf, newlines, short";
                return Err(wrong(&format!("{at}/allow"), format!("cannot allow {word:?}"), hint));
            }
        }
    }
    Ok(allow)
}

#[cfg(test)]
mod tests;
