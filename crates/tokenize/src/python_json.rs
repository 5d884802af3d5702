use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;

/// How Python's `json.dumps` is asked to write.
#[derive(Debug, Default)]
pub(crate) struct PythonJson {
    /// Spaces a level; `None` is all on one line.
    pub(crate) indent: Option<usize>,
    /// Between items, and between a key and its value.
    pub(crate) separators: Option<(String, String)>,
    /// Write what is not ASCII as `\u` escapes.
    pub(crate) ensure_ascii: bool,
    /// Sort keys at every level.
    pub(crate) sort_keys: bool,
}

impl PythonJson {
    /// `value` as Python's `json.dumps` would write it.
    pub(crate) fn write(&self, value: &Value) -> Result<String, serde_json::Error> {
        let mut sorted;
        let mut value = value;
        if self.sort_keys {
            sorted = value.clone();
            sorted.sort_all_objects();
            value = &sorted;
        }
        let item = if self.indent.is_some() { "," } else { ", " };
        let (item, key) = match &self.separators {
            Some((item, key)) => (item.as_str(), key.as_str()),
            None => (item, ": "),
        };
        let style = Style { indent: self.indent, item, key, depth: 0, empty: true };
        let mut bytes = Vec::new();
        value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, style))?;
        let text = String::from_utf8_lossy(&bytes);
        Ok(if self.ensure_ascii { escape_non_ascii(&text) } else { text.into_owned() })
    }
}

struct Style<'a> {
    indent: Option<usize>,
    item: &'a str,
    key: &'a str,
    depth: usize,
    empty: bool,
}

impl Style<'_> {
    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: u8) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        writer.write_all(&[bracket])
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, bracket: u8) -> io::Result<()> {
        self.depth -= 1;
        if !std::mem::replace(&mut self.empty, false) {
            self.line(writer)?;
        }
        writer.write_all(&[bracket])
    }

    fn item<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(self.item.as_bytes())?;
        }
        self.line(writer)
    }

    fn line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        match self.indent {
            Some(width) => write!(writer, "\n{:1$}", "", width * self.depth),
            None => Ok(()),
        }
    }
}

impl Formatter for Style<'_> {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'[')
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b']')
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.item(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'{')
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b'}')
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.item(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.key.as_bytes())
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }
}

fn escape_non_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut units) {
            // Writing into a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // Expectations from Python 3.12's json.dumps.
    #[test]
    fn as_python_writes_it() {
        let value = json!({"b": [1, "é<&>\"\n\u{1}\u{7f}", [], {}], "a": null});
        let check = |style: PythonJson, want: &str| assert_eq!(style.write(&value).unwrap(), want);
        check(
            PythonJson::default(),
            "{\"b\": [1, \"é<&>\\\"\\n\\u0001\u{7f}\", [], {}], \"a\": null}",
        );
        check(
            PythonJson { ensure_ascii: true, sort_keys: true, ..Default::default() },
            "{\"a\": null, \"b\": [1, \"\\u00e9<&>\\\"\\n\\u0001\u{7f}\", [], {}]}",
        );
        check(
            PythonJson { indent: Some(2), ..Default::default() },
            "{\n  \"b\": [\n    1,\n    \"é<&>\\\"\\n\\u0001\u{7f}\",\n    [],\n    {}\n  ],\n  \"a\": null\n}",
        );
        check(
            PythonJson { separators: Some((",".into(), ":".into())), ..Default::default() },
            "{\"b\":[1,\"é<&>\\\"\\n\\u0001\u{7f}\",[],{}],\"a\":null}",
        );
    }
}
