//! JSON as it is written: an object or an array is taken apart when somebody looks into it, and put together to the byte.

use std::borrow::Cow;
use std::ops::Range;

/// An object's member or an array's element, with the blanks around it.
pub(super) struct Item<'a> {
    /// All between the commas or brackets.
    text: Cow<'a, str>,
    /// Where its key is, with its quotes; nowhere in an array.
    key: Range<usize>,
    value: Range<usize>,
    /// The value taken apart; it holds then instead of the text.
    inner: Option<Box<Node<'a>>>,
}

/// An object or an array that was taken apart.
pub(super) struct Node<'a> {
    pub(super) is_object: bool,
    pub(super) items: Vec<Item<'a>>,
    /// What stands between the brackets if there are no items.
    hollow: Cow<'a, str>,
}

impl<'a> Item<'a> {
    /// A whole text that is known to be JSON.
    pub(super) fn root(text: &'a str, start: usize) -> Self {
        let begin = blank_end(text.as_bytes(), start);
        let value = begin..value_end(text.as_bytes(), begin);
        Self { text: Cow::Borrowed(text), key: 0..0, value, inner: None }
    }

    /// The name of the member.
    pub(super) fn name(&self) -> Cow<'_, str> {
        unquoted(&self.text[self.key.clone()])
    }

    /// The value as it is written now.
    pub(super) fn value(&self) -> Cow<'_, str> {
        match &self.inner {
            None => Cow::Borrowed(&self.text[self.value.clone()]),
            Some(node) => {
                let mut out = String::new();
                node.write(&mut out);
                Cow::Owned(out)
            }
        }
    }

    /// The object or array that the value is, taken apart.
    pub(super) fn node(&mut self) -> Option<&mut Node<'a>> {
        if self.inner.is_none() {
            let value = self.value.clone();
            let node = match &self.text {
                Cow::Borrowed(text) => Node::of(&text[value])?,
                Cow::Owned(text) => Node::of(&text[value])?.into_owned(),
            };
            self.inner = Some(Box::new(node));
        }
        self.inner.as_deref_mut()
    }

    /// Gives it another value.
    pub(super) fn set(&mut self, value: &str) {
        let (before, after) = (&self.text[..self.value.start], &self.text[self.value.end..]);
        self.text = Cow::Owned(format!("{before}{value}{after}"));
        self.value.end = self.value.start + value.len();
        self.inner = None;
    }

    pub(super) fn write(&self, out: &mut String) {
        match &self.inner {
            None => out.push_str(&self.text),
            Some(node) => {
                out.push_str(&self.text[..self.value.start]);
                node.write(out);
                out.push_str(&self.text[self.value.end..]);
            }
        }
    }

    fn cut_tail(&mut self) -> String {
        let tail = self.text[self.value.end..].to_owned();
        self.text = Cow::Owned(self.text[..self.value.end].to_owned());
        tail
    }
}

impl<'a> Node<'a> {
    /// Takes a text apart that is known to be JSON without blanks around it; none if it is no object and no array.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let is_object = match bytes.first()? {
            b'{' => true,
            b'[' => false,
            _ => return None,
        };
        let mut items = Vec::new();
        let mut at = 1;
        loop {
            let start = at;
            at = blank_end(bytes, at);
            if matches!(bytes.get(at), None | Some(b'}' | b']')) {
                let hollow = Cow::Borrowed(text.get(start..at).unwrap_or_default());
                return Some(Self { is_object, items, hollow });
            }
            let mut key = 0..0;
            if is_object {
                let end = value_end(bytes, at);
                key = at - start..end - start;
                // The colon.
                at = blank_end(bytes, blank_end(bytes, end) + 1);
            }
            let value = at - start..value_end(bytes, at) - start;
            at = blank_end(bytes, start + value.end);
            let text = Cow::Borrowed(text.get(start..at)?);
            items.push(Item { text, key, value, inner: None });
            if bytes.get(at) != Some(&b',') {
                return Some(Self { is_object, items, hollow: Cow::Borrowed("") });
            }
            at += 1;
        }
    }

    fn into_owned<'b>(self) -> Node<'b> {
        let own = |item: Item<'a>| Item {
            text: Cow::Owned(item.text.into_owned()),
            key: item.key,
            value: item.value,
            inner: item.inner.map(|node| Box::new(node.into_owned())),
        };
        Node {
            is_object: self.is_object,
            items: self.items.into_iter().map(own).collect(),
            hollow: Cow::Owned(self.hollow.into_owned()),
        }
    }

    /// Adds an item at the end, set like the last one; a key comes as JSON.
    pub(super) fn push(&mut self, key: &str, value: &str) {
        let (lead, colon, tail) = match self.items.last_mut() {
            None => (String::new(), ": ".to_owned(), String::new()),
            Some(last) => {
                let begin = if self.is_object { last.key.start } else { last.value.start };
                let colon = last.text[last.key.end..last.value.start].to_owned();
                (last.text[..begin].to_owned(), colon, last.cut_tail())
            }
        };
        let colon = if self.is_object { colon } else { String::new() };
        let text = format!("{lead}{key}{colon}{value}{tail}");
        let key = lead.len()..lead.len() + key.len();
        let start = key.end + colon.len();
        let value = start..start + value.len();
        self.items.push(Item { text: Cow::Owned(text), key, value, inner: None });
    }

    /// Removes an item and its comma.
    pub(super) fn remove(&mut self, at: usize) {
        let mut removed = self.items.remove(at);
        if at == self.items.len()
            && let Some(last) = self.items.last_mut()
        {
            last.cut_tail();
            let tail = removed.cut_tail();
            last.text.to_mut().push_str(&tail);
        }
        if self.items.is_empty() {
            self.hollow = Cow::Borrowed("");
        }
    }

    fn write(&self, out: &mut String) {
        out.push(if self.is_object { '{' } else { '[' });
        out.push_str(if self.items.is_empty() { &self.hollow } else { "" });
        for (index, item) in self.items.iter().enumerate() {
            out.push_str(if index > 0 { "," } else { "" });
            item.write(out);
        }
        out.push(if self.is_object { '}' } else { ']' });
    }
}

/// The text of a JSON string; anything else as it is.
pub(super) fn unquoted(json: &str) -> Cow<'_, str> {
    let inner = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
        Some(_) => serde_json::from_str(json).map_or(Cow::Borrowed(json), Cow::Owned),
        None => Cow::Borrowed(json),
    }
}

fn blank_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| b" \t\r\n".contains(byte)).count()
}

/// Where a value ends.
fn value_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    let mut depth = 0_usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = string_end(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => {
                depth -= 1;
                at += 1;
            }
            b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => {
                at += 1;
                continue;
            }
        }
        if depth == 0 {
            return at.min(bytes.len());
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) {
        at += found + 1;
        if bytes[at - 1] == b'"' {
            return at;
        }
        at += 1;
    }
    bytes.len()
}
