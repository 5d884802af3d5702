/// One field of a line of CSV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Where it begins, in characters from 1.
    pub(crate) column: u64,
    /// Its text without the quotes around it.
    pub(crate) text: String,
}

/// Splits one line at its commas; a comma between quotes belongs to the field, and `""` there is a
/// quote.
///
/// A price export has no line breaks inside of fields. So each line is read by itself, and a quote
/// that is never closed costs one line, not the rest of the file.
pub(crate) fn split(line: &str) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut field = Field { column: 1, text: String::new() };
    let mut quoted = false;
    let mut chars = (1_u64..).zip(line.chars()).peekable();
    while let Some((column, c)) = chars.next() {
        match c {
            '"' if quoted && chars.next_if(|(_, next)| *next == '"').is_some() => {
                field.text.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.text.trim().is_empty() => quoted = true,
            ',' if !quoted => {
                let next = Field { column: column + 1, text: String::new() };
                fields.push(std::mem::replace(&mut field, next));
            }
            _ => field.text.push(c),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, want: &[(u64, &str)]) {
        let field = |(column, text): &(u64, &str)| Field { column: *column, text: (*text).into() };
        let want: Vec<Field> = want.iter().map(field).collect();
        assert_eq!(split(line), want, "{line}");
    }

    #[test]
    fn commas_quotes_and_columns() {
        check("", &[(1, "")]);
        check("a,,é,b", &[(1, "a"), (3, ""), (4, "é"), (6, "b")]);
        check(r#""$1,234.50","say ""x""",z"#, &[(1, "$1,234.50"), (13, r#"say "x""#), (25, "z")]);
        check(r#"a,"open"#, &[(1, "a"), (3, "open")]);
        check(r#"5" disk,b"#, &[(1, r#"5" disk"#), (9, "b")]);
    }
}
