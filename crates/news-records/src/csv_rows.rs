/// One field of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Line on which it begins, from 1.
    pub(crate) line: u64,
    /// Column at which it begins, in characters from 1.
    pub(crate) column: u64,
    /// Its text without the quotes around it.
    pub(crate) text: String,
}

/// One record of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    /// Line on which it begins, from 1.
    pub(crate) line: u64,
    /// Its text, without the line break at the end.
    pub(crate) raw: &'a str,
    pub(crate) content: Result<Vec<Field>, QuoteFault>,
}

/// Quotes that do not pair up, and where the field in question begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuoteFault {
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) reason: &'static str,
}

/// Splits CSV into rows; blank lines are none.
///
/// It follows RFC 4180 to the letter about quotes: a lenient reader takes a quote that is never
/// closed for the beginning of a field that holds the rows after it. A row whose quotes do not pair
/// up, or which spans lines and has not as many fields as the first row, is taken to end with its
/// first line, so that it cannot swallow good ones.
pub(crate) fn rows(text: &str) -> impl Iterator<Item = Row<'_>> {
    let (mut rest, mut line, mut width) = (text, 1, None);
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let first_line = rest.lines().next().unwrap_or(rest);
            let mut record = record(rest, line);
            let spans = record.lines > 1;
            let as_wide = |fields: &Vec<Field>| width.is_none_or(|width| fields.len() == width);
            if spans && !record.content.as_ref().is_ok_and(as_wide) {
                record.bytes = rest.find('\n').map_or(rest.len(), |at| at + 1);
                record.lines = 1;
                record.content = record.content.and_then(|_| {
                    let reason = "a field goes on to another line, and the row has not as many \
                        fields as the header";
                    Err(QuoteFault { line, column: 1, reason })
                });
            }
            let Record { bytes, lines, content } = record;
            let raw = rest[..bytes].trim_end_matches(['\r', '\n']);
            let row = Row { line, raw, content };
            rest = &rest[bytes..];
            line += lines;
            if lines == 1 && first_line.trim().is_empty() {
                continue;
            }
            if let Ok(fields) = &row.content {
                width.get_or_insert(fields.len());
            }
            return Some(row);
        }
    })
}

/// What stands at the beginning of a text, up to and with the line break that ends it.
struct Record {
    bytes: usize,
    lines: u64,
    content: Result<Vec<Field>, QuoteFault>,
}

fn record(text: &str, first_line: u64) -> Record {
    let mut fields = Vec::new();
    let (mut line, mut column) = (first_line, 1);
    let mut field = Field { line, column, text: String::new() };
    let mut state = State::Start;
    let mut fault = None;
    let mut bytes = text.len();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        column += 1;
        if c == '\n' {
            (line, column) = (line + 1, 1);
        }
        let ends_line = c == '\n' || (c == '\r' && text[at..].starts_with("\r\n"));
        match (state, c) {
            (State::Quoted, '"') if chars.next_if(|(_, next)| *next == '"').is_some() => {
                column += 1;
                field.text.push('"');
            }
            (State::Quoted, '"') => state = State::Closed,
            (State::Quoted, _) => field.text.push(c),
            (_, '\n') => {
                bytes = at + 1;
                break;
            }
            (_, '\r') if ends_line => {}
            (_, ',') => {
                let next = Field { line, column, text: String::new() };
                fields.push(std::mem::replace(&mut field, next));
                state = State::Start;
            }
            (State::Start, '"') => state = State::Quoted,
            (State::Closed, ' ') => {}
            (State::Closed, _) => {
                let reason = "text after the quote that closes this one; write a quote inside of \
                    quotes twice";
                fault.get_or_insert(QuoteFault { line: field.line, column: field.column, reason });
                state = State::Plain;
            }
            (State::Start, ' ') => {}
            (State::Start | State::Plain, _) => {
                state = State::Plain;
                field.text.push(c);
            }
        }
    }
    if state == State::Quoted {
        let reason = "this quote is not closed";
        fault.get_or_insert(QuoteFault { line: field.line, column: field.column, reason });
    }
    fields.push(field);
    let lines = line - first_line + u64::from(bytes == text.len() && !text.ends_with('\n'));
    Record { bytes, lines: lines.max(1), content: fault.map_or(Ok(fields), Err) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    Closed,
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: &Expect) {
        let lines: Vec<String> = rows(text)
            .map(|row| match row.content {
                Ok(fields) => {
                    let place = |f: &Field| format!("{}:{} {:?}", f.line, f.column, f.text);
                    fields.iter().map(place).collect::<Vec<_>>().join(", ")
                }
                Err(QuoteFault { line, column, reason }) => {
                    format!("{line}:{column} fault: {reason}: {}", row.raw)
                }
            })
            .collect();
        want.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn quotes_line_breaks_and_places() {
        check("", &expect![""]);
        check("\n \r\n", &expect![""]);
        check(
            "a,é,c\r\n\n\"1, \"\"x\"\"\",\"two\r\nlines\", \"3\" \r\n4,,5\" disk",
            &expect![[r#"
                1:1 "a", 1:3 "é", 1:5 "c"
                3:1 "1, \"x\"", 3:12 "two\r\nlines", 4:8 "3"
                5:1 "4", 5:3 "", 5:4 "5\" disk""#]],
        );
    }

    #[test]
    fn a_bad_quote_costs_one_line() {
        check(
            "a,b\n1,\"open\n2,\"x\"\n3,\"y, z\"\n",
            &expect![[r#"
                1:1 "a", 1:3 "b"
                2:3 fault: text after the quote that closes this one; write a quote inside of quotes twice: 1,"open
                3:1 "2", 3:3 "x"
                4:1 "3", 4:3 "y, z""#]],
        );
        check(
            "a,b\n1,\"open\n2,x\n3,y",
            &expect![[r#"
            1:1 "a", 1:3 "b"
            2:3 fault: this quote is not closed: 1,"open
            3:1 "2", 3:3 "x"
            4:1 "3", 4:3 "y""#]],
        );
        check(
            "a,b\n\"1\n2,x\n3\"\n",
            &expect![[r#"
            1:1 "a", 1:3 "b"
            2:1 fault: a field goes on to another line, and the row has not as many fields as the header: "1
            3:1 "2", 3:3 "x"
            4:1 "3\"""#]],
        );
        check(
            "a,b\n1,\"say \"no\" now\"\n2,x\n",
            &expect![[r#"
                1:1 "a", 1:3 "b"
                2:3 fault: text after the quote that closes this one; write a quote inside of quotes twice: 1,"say "no" now"
                3:1 "2", 3:3 "x""#]],
        );
    }

    proptest! {
        #[test]
        fn rows_cover_the_text(text in "(\"|,|\n|\r\n|a|é| ){0,40}") {
            let mut next = 1;
            for row in rows(&text) {
                prop_assert!(row.line >= next);
                prop_assert!(text.contains(row.raw));
                next = row.line + 1;
            }
            prop_assert!(next as usize <= text.lines().count() + 1);
        }

        #[test]
        fn what_was_quoted_is_read(cells in prop::collection::vec("(\"|,|\n|a|é){0,6}", 2..5)) {
            let quoted = cells.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\"")));
            let text = quoted.collect::<Vec<_>>().join(",");
            let row = rows(&text).next().unwrap();
            let read: Vec<String> = row.content.unwrap().into_iter().map(|f| f.text).collect();
            prop_assert_eq!(read, cells);
        }
    }
}
