use std::collections::BTreeMap;

use chrono::NaiveDate;
use thesis_core::{Bar, DateOrder, Diagnostic, Severity};

use crate::bar_row::{self, Fault};
use crate::columns::Columns;
use crate::line_fields;

/// Reads daily bars from the text of a CSV export, ascending by date, one a date.
///
/// The columns are found by name, whatever their order, case, spaces and signs: `date` (or
/// `timestamp`), `open`, `high`, `low`, `close` (or Nasdaq's `Close/Last`), and where present
/// `Adj Close` (or `adjusted_close`) and `volume`. A `$` before a price and commas between
/// thousands are read. Dates are read by [`thesis_core::AsOfDate::parse_with`]; under
/// [`DateOrder::Refuse`] an export of Nasdaq, known by its header, counts as month first.
///
/// What cannot be a bar is left out with an error at its line and column: a high below its low, a
/// close outside of low to high by more than a basis point, a price that is not above 0 or no
/// number, a row that is too short, and a date that stood there before with other values, of which
/// the first is kept. Without a required column no bar can be read, and the one error names the
/// columns found. An open outside of low to high, a missing volume (read as 0) and a row that
/// repeats an earlier one are warnings.
///
/// `file` is the name that diagnostics carry.
///
/// ```
/// use thesis_core::DateOrder;
/// let text = "Date,Close/Last,Volume,Open,High,Low\n01/04/2021,$129.41,143301900,$133.52,$133.61,$126.76\n";
/// let (bars, diagnostics) = price_cache::parse_csv("AAPL.csv", text, DateOrder::Refuse);
/// assert_eq!((bars[0].close, diagnostics.len()), (129.41, 0));
/// ```
pub fn parse_csv(file: &str, text: &str, order: DateOrder) -> (Vec<Bar>, Vec<Diagnostic>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(line, text)| (line, line_fields::split(text)));
    let mut diagnostics = Diagnostics { file, list: Vec::new() };
    let Some((header_line, header)) = rows.next() else {
        let message = "no header: the file is empty".to_owned();
        diagnostics.push(1, Severity::Error, Fault { column: 1, message });
        return (Vec::new(), diagnostics.list);
    };
    let columns = match Columns::find(&header) {
        Ok(columns) => columns,
        Err(missing) => {
            let found: Vec<&str> = header.iter().map(|field| field.text.trim()).collect();
            let (missing, found) = (missing.join(", "), found.join(", "));
            let message = format!("missing columns: {missing}; found: {found}");
            diagnostics.push(header_line, Severity::Error, Fault { column: 1, message });
            return (Vec::new(), diagnostics.list);
        }
    };
    let order = match (order, columns.date_order) {
        (DateOrder::Refuse, Some(known)) => known,
        _ => order,
    };
    if columns.volume.is_none() {
        let message = "no volume column, read as 0".to_owned();
        diagnostics.push(header_line, Severity::Warning, Fault { column: 1, message });
    }

    let mut bars: BTreeMap<NaiveDate, (u64, Bar)> = BTreeMap::new();
    for (line, row) in rows {
        let mut oddities = Vec::new();
        let bar = match bar_row::read(&row, &columns, order, &mut oddities) {
            Ok(bar) => bar,
            Err(fault) => {
                diagnostics.push(line, Severity::Error, fault);
                continue;
            }
        };
        if let Some((earlier, kept)) = bars.get(&bar.date) {
            let column = row[columns.date].column;
            let (severity, how) = match *kept == bar {
                true => (Severity::Warning, "the same values"),
                false => (Severity::Error, "other values, which are kept"),
            };
            let message = format!("{} stands on line {earlier} already, with {how}", bar.date);
            diagnostics.push(line, severity, Fault { column, message });
            continue;
        }
        for oddity in oddities {
            diagnostics.push(line, Severity::Warning, oddity);
        }
        bars.insert(bar.date, (line, bar));
    }
    (bars.into_values().map(|(_, bar)| bar).collect(), diagnostics.list)
}

struct Diagnostics<'a> {
    file: &'a str,
    list: Vec<Diagnostic>,
}

impl Diagnostics<'_> {
    fn push(&mut self, line: u64, severity: Severity, fault: Fault) {
        let Fault { column, message } = fault;
        let file = self.file.to_owned();
        self.list.push(Diagnostic { file, line, column, severity, message });
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, want: &Expect) {
        let (bars, diagnostics) = parse_csv("x.csv", text, DateOrder::Refuse);
        let bars = bars.iter().map(|b| {
            let adjusted = b.adj_close.map_or("-".to_owned(), |a| a.to_string());
            format!(
                "{} {} {} {} {} {adjusted} {}",
                b.date, b.open, b.high, b.low, b.close, b.volume
            )
        });
        let lines: Vec<String> =
            bars.chain(diagnostics.iter().map(Diagnostic::to_string)).collect();
        want.assert_eq(&lines.join("\n"));
    }

    #[test]
    fn exports_of_yahoo_eodhd_stooq_and_nasdaq() {
        check(
            "\u{feff}Date,Open,High,Low,Close,Adj Close,Volume\r\n\
             2021-01-05,128.89,131.74,128.43,131.01,129.16,97664900\r\n\
             2021-01-04,133.52,133.61,126.76,129.41,127.58,143301900\r\n\r\n",
            &expect![[r#"
                2021-01-04 133.52 133.61 126.76 129.41 127.58 143301900
                2021-01-05 128.89 131.74 128.43 131.01 129.16 97664900"#]],
        );
        check(
            "Date,Open,High,Low,Close,Adjusted_close,Volume\n2021-01-04,9,9,8,8.5,4.25,1e3\n",
            &expect!["2021-01-04 9 9 8 8.5 4.25 1000"],
        );
        check(
            "Date,Open,High,Low,Close\n20210104,9,9,8,8.5\n",
            &expect![[r#"
            2021-01-04 9 9 8 8.5 - 0
            x.csv:1:1: warning: no volume column, read as 0"#]],
        );
        check(
            "Date,Close/Last,Volume,Open,High,Low\n\
             01/05/2021,\"$1,131.01\",97664900,$1128.89,$1131.74,$1128.43\n\
             01/04/2021,$129.41,N/A,$133.52,$133.61,$126.76\n",
            &expect![[r#"
                2021-01-04 133.52 133.61 126.76 129.41 - 0
                2021-01-05 1128.89 1131.74 1128.43 1131.01 - 97664900
                x.csv:3:20: warning: no volume, read as 0"#]],
        );
    }

    #[test]
    fn impossible_bars_are_left_out() {
        check(
            "date,open,high,low,close,adj_close,volume\n\
             2021-01-04,9,8,9,8.5,8,1\n\
             2021-01-05,9,9,8,9.01,8,1\n\
             2021-01-06,9,9,8,9.0005,8,1\n\
             2021-01-07,9,9,8,0,8,1\n\
             2021-01-08,null,null,null,null,null,null\n\
             2021-01-11,9,9,8,8,8,many\n\
             2021-01-12,9,9,8,8,-8,1\n\
             01/02/2021,9,9,8,8,8,1\n\
             2021-01-13,9,9\n\
             2021-01-14,9.5,9,8,8,nan,1\n\
             \"2021-01-15,9,9,8,8,8,1\n\
             2021-01-15,9,9,8,8,8,1\n",
            &expect![[r#"
                2021-01-06 9 9 8 9.0005 8 1
                2021-01-14 9.5 9 8 8 - 1
                2021-01-15 9 9 8 8 8 1
                x.csv:2:14: error: the high 8 is below the low 9
                x.csv:3:18: error: the close 9.01 is outside of low to high, 8 to 9
                x.csv:5:18: error: the close 0 is not above 0
                x.csv:6:12: error: the open `null` is not a number
                x.csv:7:22: error: the volume `many` is not a number
                x.csv:8:20: error: the adjusted close -8 is not above 0
                x.csv:9:1: error: `01/02/2021` is not a date: day and month could be swapped; write it as YYYY-MM-DD
                x.csv:10:14: error: 3 fields where 7 are needed
                x.csv:11:12: warning: the open 9.5 is outside of low to high, 8 to 9
                x.csv:12:1: error: 1 fields where 7 are needed"#]],
        );
    }

    #[test]
    fn a_date_stands_once() {
        check(
            "date,open,high,low,close,volume\n\
             2021-01-05,9,9,8,8,1\n2021-01-05,9,9,8,8,1\n2021-01-05,9,9,8,8.5,1\n",
            &expect![[r#"
                2021-01-05 9 9 8 8 - 1
                x.csv:3:1: warning: 2021-01-05 stands on line 2 already, with the same values
                x.csv:4:1: error: 2021-01-05 stands on line 2 already, with other values, which are kept"#]],
        );
    }

    #[test]
    fn without_a_header_nothing_is_read() {
        check("", &expect!["x.csv:1:1: error: no header: the file is empty"]);
        check(
            "\nDay;Open;High\n1;2;3\n",
            &expect![
                "x.csv:2:1: error: missing columns: date, open, high, low, close; found: Day;Open;High"
            ],
        );
    }

    #[test]
    fn the_fixtures_have_no_fault() {
        for text in [
            include_str!("../../../fixtures/prices/AAPL.csv"),
            include_str!("../../../fixtures/prices/NFLX.csv"),
        ] {
            let (bars, diagnostics) = parse_csv("x.csv", text, DateOrder::Refuse);
            assert_eq!((bars.len(), diagnostics), (90, vec![]));
            assert!(bars.is_sorted_by(|a, b| a.date < b.date));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(date|close|,|\"|\n|9|\\PC){0,40}") {
            let header = "date,open,high,low,close,volume\n";
            let (bars, _) = parse_csv("x.csv", &format!("{header}{text}"), DateOrder::Refuse);
            prop_assert!(bars.is_sorted_by(|a, b| a.date < b.date));
        }
    }
}
