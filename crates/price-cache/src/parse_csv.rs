use std::collections::BTreeMap;

use thesis_core::{Bar, DateOrder, Diagnostic, Severity, Ticker};

use crate::bar_row::{self, Fault};
use crate::columns::Columns;
use crate::line_fields::{self, Field};
use crate::series::{Diagnostics, Series};

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
    let mut diagnostics = Diagnostics::new(file);
    let mut series = Series::default();
    if let Some((columns, rows)) = header(text, order, &mut diagnostics) {
        for (line, row) in rows {
            add_row(line, &row, &columns, &mut series, &mut diagnostics);
        }
    }
    (series.into_bars(), diagnostics.list)
}

/// As [`parse_csv`], for text that may hold many tickers under a column `ticker` (or `symbol`).
///
/// `None` stands for the ticker where there is no such column; the caller knows it from elsewhere,
/// such as the file's name. A row whose ticker is none is left out with an error, as any other that
/// cannot be a bar. A row of a ticker that `wanted` refuses is passed over.
pub fn parse_csv_by_ticker(
    file: &str,
    text: &str,
    order: DateOrder,
    wanted: &dyn Fn(&Ticker) -> bool,
) -> (BTreeMap<Option<Ticker>, Vec<Bar>>, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::new(file);
    let mut by_ticker: BTreeMap<Option<Ticker>, Series> = BTreeMap::new();
    if let Some((columns, rows)) = header(text, order, &mut diagnostics) {
        for (line, row) in rows {
            let ticker = match columns.ticker.and_then(|index| row.get(index)) {
                None => None,
                Some(field) => match Ticker::new(&field.text) {
                    Ok(ticker) if !wanted(&ticker) => continue,
                    Ok(ticker) => Some(ticker),
                    Err(error) => {
                        let fault = Fault { column: field.column, message: error.to_string() };
                        diagnostics.push(line, Severity::Error, fault);
                        continue;
                    }
                },
            };
            let series = by_ticker.entry(ticker).or_default();
            add_row(line, &row, &columns, series, &mut diagnostics);
        }
    }
    let bars = by_ticker.into_iter().map(|(ticker, series)| (ticker, series.into_bars()));
    (bars.filter(|(_, bars)| !bars.is_empty()).collect(), diagnostics.list)
}

/// Whether the header of this text names a column for the ticker.
#[cfg(feature = "parquet")]
pub(crate) fn has_ticker_column(text: &str) -> bool {
    let mut diagnostics = Diagnostics::new("");
    header(text, DateOrder::Refuse, &mut diagnostics).is_some_and(|(c, _)| c.ticker.is_some())
}

fn add_row(
    line: u64,
    row: &[Field],
    columns: &Columns,
    series: &mut Series,
    diagnostics: &mut Diagnostics,
) {
    let order = columns.date_order.unwrap_or_default();
    let mut oddities = Vec::new();
    let added = bar_row::read(row, columns, order, &mut oddities)
        .map(|bar| series.add(line, row[columns.date].column, bar, diagnostics));
    diagnostics.after_row(line, added, oddities);
}

/// A line's number and fields.
type Row = (u64, Vec<Field>);

/// Finds the columns and the order of dates, and gives the rows below the header.
fn header<'a>(
    text: &'a str,
    order: DateOrder,
    diagnostics: &mut Diagnostics,
) -> Option<(Columns, impl Iterator<Item = Row> + use<'a>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rows = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(line, text)| (line, line_fields::split(text)));
    let Some((line, header)) = rows.next() else {
        let message = "no header: the file is empty".to_owned();
        diagnostics.push(1, Severity::Error, Fault { column: 1, message });
        return None;
    };
    let names = header.iter().map(|field| field.text.as_str());
    let mut columns = match Columns::find(names.clone()) {
        Ok(columns) => columns,
        Err(missing) => {
            let found: Vec<&str> = names.map(str::trim).collect();
            let (missing, found) = (missing.join(", "), found.join(", "));
            let message = format!("missing columns: {missing}; found: {found}");
            diagnostics.push(line, Severity::Error, Fault { column: 1, message });
            return None;
        }
    };
    columns.date_order = match (order, columns.date_order) {
        (DateOrder::Refuse, Some(known)) => Some(known),
        _ => Some(order),
    };
    if columns.volume.is_none() {
        let message = "no volume column, read as 0".to_owned();
        diagnostics.push(line, Severity::Warning, Fault { column: 1, message });
    }
    Some((columns, rows))
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
    fn many_tickers_in_one_file() {
        let text = "ticker,date,open,high,low,close,volume\n\
             B,2021-01-05,9,9,8,8,1\na,2021-01-05,9,9,8,8.5,1\nA,2021-01-04,9,9,8,8,1\n\
             C,2021-01-05,0,9,8,8,1\nA|B,2021-01-05,9,9,8,8,1\nA,2021-01-05,9,9,8,8.5,1\n";
        let check = |wanted: &dyn Fn(&Ticker) -> bool, want: &Expect| {
            let (bars, diagnostics) = parse_csv_by_ticker("x.csv", text, DateOrder::Refuse, wanted);
            let bars = bars.iter().map(|(ticker, bars)| {
                let dates: Vec<String> = bars.iter().map(|bar| bar.date.to_string()).collect();
                format!("{}: {}", ticker.as_ref().map_or("-", Ticker::as_str), dates.join(" "))
            });
            let lines: Vec<String> =
                bars.chain(diagnostics.iter().map(Diagnostic::to_string)).collect();
            want.assert_eq(&lines.join("\n"));
        };
        check(
            &|_| true,
            &expect![[r#"
            A: 2021-01-04 2021-01-05
            B: 2021-01-05
            x.csv:5:14: error: the open 0 is not above 0
            x.csv:6:1: error: `A|B` is not a ticker: it has a character other than letters, digits and . - ^ = /
            x.csv:7:3: warning: 2021-01-05 stands on line 3 already, with the same values"#]],
        );
        check(
            &|ticker| ticker.as_str() == "B",
            &expect![[r#"
            B: 2021-01-05
            x.csv:6:1: error: `A|B` is not a ticker: it has a character other than letters, digits and . - ^ = /"#]],
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
