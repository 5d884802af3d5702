use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// The variables of a file `.env`.
#[derive(Clone, Default)]
pub(crate) struct EnvFile {
    pub(crate) path: PathBuf,
    pub(crate) values: BTreeMap<String, String>,
}

impl EnvFile {
    /// The file `.env` of `folder`, else of the nearest folder above it that has one.
    ///
    /// # Errors
    /// A file that cannot be read, or a faulty line, by its number: its text may be a secret.
    pub(crate) fn find(folder: &Path) -> anyhow::Result<Option<Self>> {
        let candidates = folder.ancestors().map(|folder| folder.join(".env"));
        let Some(path) = candidates.into_iter().find(|path| path.is_file()) else {
            return Ok(None);
        };
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let Ok(text) = std::str::from_utf8(&bytes) else {
            bail!("{} is not UTF-8", path.display());
        };
        match parse(text) {
            Ok(values) => Ok(Some(Self { path, values })),
            Err(Fault { line, what }) => bail!("{}:{line}: {what}", path.display()),
        }
    }
}

/// A line that is none of a `.env`, without its text.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: usize,
    what: &'static str,
}

/// Reads `NAME=value` lines, as shells write them: `export` may stand in front, `#` begins a comment
/// on a line of its own and after a blank. Between single quotes everything stands for itself, also
/// line ends; between double quotes `\n`, `\r`, `\t`, `\"`, `\\` and `\$` are escapes. Nothing else is
/// replaced: a `$` is a `$`. The last line of a name counts.
fn parse(text: &str) -> Result<BTreeMap<String, String>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut values = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let line = 1 + text[..text.len() - rest.len()].matches('\n').count();
        let entry = rest.trim_start_matches([' ', '\t', '\r']);
        if entry.starts_with(['\n', '#']) || entry.is_empty() {
            rest = after_line(entry);
            continue;
        }
        let (name, value, after) = variable(entry).map_err(|what| Fault { line, what })?;
        values.insert(name.to_owned(), value);
        rest = after;
    }
    Ok(values)
}

/// One variable, and the text after its line.
fn variable(entry: &str) -> Result<(&str, String, &str), &'static str> {
    let line = entry.lines().next().unwrap_or_default();
    let declared = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => line,
    };
    let Some((name, value)) = declared.split_once('=') else {
        return Err("expected NAME=value, found a line without `=`");
    };
    let name = name.trim_end();
    let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if name.is_empty()
        || name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(of_a_name)
    {
        return Err("expected NAME=value, with a name of letters, digits and `_`");
    }
    let value = value.trim_start();
    // A quoted value may go on over the end of the line.
    let from_value = &entry[line.len() - value.len()..];
    match from_value.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            let (value, after) = quoted(&from_value[1..], quote)?;
            let left = after.lines().next().unwrap_or_default().trim();
            if !(left.is_empty() || left.starts_with('#')) {
                return Err("there is text after the closing quote");
            }
            Ok((name, value, after_line(after)))
        }
        _ => {
            let end = comment(value).unwrap_or(value.len());
            Ok((name, value[..end].trim_end().to_owned(), after_line(entry)))
        }
    }
}

/// Where a comment begins: at a `#` that is the first character, or after a blank.
fn comment(value: &str) -> Option<usize> {
    let hash = |(at, _): &(usize, _)| *at == 0 || value[..*at].ends_with([' ', '\t']);
    value.match_indices('#').find(hash).map(|(at, _)| at)
}

/// The text up to the closing quote, and what follows that.
fn quoted(text: &str, quote: char) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok((value, &text[at + 1..])),
            '\\' if quote == '"' => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, 'r')) => '\r',
                Some((_, 't')) => '\t',
                Some((_, c @ ('"' | '\\' | '$'))) => c,
                _ => {
                    return Err(
                        "an unknown escape; write a backslash as `\\\\` or use single quotes",
                    );
                }
            }),
            _ => value.push(c),
        }
    }
    Err("the quote that begins here is never closed")
}

fn after_line(text: &str) -> &str {
    text.find('\n').map_or("", |end| &text[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_shells_write_them() {
        for (text, want) in [
            ("", ""),
            ("KEY=abc", "KEY: abc"),
            ("\u{feff}KEY=abc\n", "KEY: abc"),
            ("# KEY=no\n\n export KEY = a#b # the key\nOTHER=x", "KEY: a#b, OTHER: x"),
            ("KEY=\"a b\" # c", "KEY: a b"),
            ("KEY='a\"b\\n$HOME'", "KEY: a\"b\\n$HOME"),
            ("KEY=\"a\\n\\\"b\\\\ \\$HOME\"", "KEY: a\n\"b\\ $HOME"),
            ("KEY=$HOME/x", "KEY: $HOME/x"),
            ("KEY=old\r\nKEY=new\r\n", "KEY: new"),
            ("KEY=\nNEXT=# nothing", "KEY: , NEXT: "),
            ("exported=1\nexport\tB=2", "B: 2, exported: 1"),
            ("PEM='line 1\nline 2'  # c\nNEXT=a=b", "NEXT: a=b, PEM: line 1\nline 2"),
            ("KEY=ü \"x\"", "KEY: ü \"x\""),
        ] {
            let pairs = parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
            let pairs: Vec<_> =
                pairs.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            assert_eq!(pairs.join(", "), want, "{text}");
        }
    }

    #[test]
    fn a_faulty_line_is_named_by_its_number_alone() {
        for (text, line, want) in [
            ("A=1\n\ns3cret", 3, "without `=`"),
            ("s3cret key=1", 1, "a name of letters"),
            ("=s3cret", 1, "a name of letters"),
            ("1A=s3cret", 1, "a name of letters"),
            ("A='x\ny'\nB=\"s3cret\nC=1", 3, "never closed"),
            ("A=\"x\" s3cret", 1, "after the closing quote"),
            ("A=\"s3\\cret\"", 1, "unknown escape"),
            ("A=\"s3cret\\", 1, "unknown escape"),
        ] {
            let fault = parse(text).expect_err(text);
            assert!(fault.line == line && fault.what.contains(want), "{text}: {fault:?}");
        }
    }

    #[test]
    fn the_nearest_file_above_counts() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(root.path().join(".env"), "WHERE=root").unwrap();
        let found = |folder: &Path| EnvFile::find(folder).unwrap().unwrap();
        assert_eq!(found(&inner).values["WHERE"], "root");
        fs::write(root.path().join("a/.env"), "WHERE=a").unwrap();
        assert_eq!(found(&inner).values["WHERE"], "a");
        assert_eq!(found(&inner).path, root.path().join("a/.env"));
        // A folder of that name is none.
        fs::create_dir(inner.join(".env")).unwrap();
        assert_eq!(found(&inner).values["WHERE"], "a");

        fs::write(root.path().join("a/.env"), "A=1\ns3cret\n").unwrap();
        let fault = EnvFile::find(&inner).err().unwrap().to_string();
        assert!(fault.contains("a/.env:2: ") && !fault.contains("s3cret"), "{fault}");
        fs::write(root.path().join("a/.env"), b"A=\xff").unwrap();
        let fault = EnvFile::find(&inner).err().unwrap().to_string();
        assert!(fault.ends_with(".env is not UTF-8"), "{fault}");
    }
}
