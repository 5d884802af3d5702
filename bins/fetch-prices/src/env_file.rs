use std::path::Path;

use anyhow::Context;
use price_cache::ApiKey;

/// The key in the environment variable `name`, else in the file `.env` of the working folder.
///
/// # Errors
/// A file `.env` that cannot be read.
pub(crate) fn api_key(name: &str) -> anyhow::Result<Option<ApiKey>> {
    if let Some(key) = std::env::var(name).ok().and_then(|text| ApiKey::new(&text)) {
        return Ok(Some(key));
    }
    let file = Path::new(".env");
    if !file.is_file() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(file).context("cannot read .env")?;
    Ok(value(&text, name).and_then(ApiKey::new))
}

/// The value of a variable: `NAME=value`, also after `export` and between quotes; `#` begins a
/// comment. The last line of a name counts.
fn value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lines = text.lines().rev().filter_map(|line| {
        let line = line.trim();
        let (found, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        (found.trim() == name).then_some(value.trim())
    });
    lines.map(unquoted).next()
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inside, _)) = value.strip_prefix(quote).and_then(|v| v.split_once(quote)) {
            return inside;
        }
    }
    // A `#` inside of a value belongs to it.
    value.split_once(" #").map_or(value, |(value, _)| value.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_shells_write_them() {
        for (text, want) in [
            ("KEY=abc", Some("abc")),
            ("# KEY=no\n\n export KEY = a#b # the key\nOTHER=x", Some("a#b")),
            ("KEY=\"a b\" # c", Some("a b")),
            ("KEY='a\"b'", Some("a\"b")),
            ("KEY=old\r\nKEY=new\r\n", Some("new")),
            ("KEYS=abc\nMY_KEY=abc\nKEY", None),
            ("KEY=", Some("")),
        ] {
            assert_eq!(value(text, "KEY"), want, "{text}");
        }
    }
}
