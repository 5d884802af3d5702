use serde::{Deserialize, Serialize};

use crate::{Action, AsOfDate, Indicators, Ticker};

/// One training example: a line of `all.jsonl`, keys in this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// `TICKER|DATE|INDEX`, the index running from 0 within the pair.
    pub uid: String,
    /// The stock.
    pub ticker: Ticker,
    /// The day up to whose close the input uses data.
    pub as_of_date: AsOfDate,
    /// What the model is asked to do.
    pub instruction: String,
    /// What it is shown.
    pub input: String,
    /// What it should write: a rendered [`Completion`](crate::Completion).
    pub output: String,
    /// The call inside the output.
    pub action: Action,
    /// The figures behind the input.
    pub indicators: Indicators,
    /// Where it came from.
    pub metadata: Provenance,
}

impl Record {
    /// The `uid` of the `index`-th record of a ticker and date, counted from 0.
    pub fn uid(ticker: &Ticker, date: AsOfDate, index: u32) -> String {
        format!("{ticker}|{date}|{index}")
    }
}

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The file, relative to the input folder, with `/` between its parts.
    pub file: String,
    /// The line at which the item begins, from 1.
    pub line: u64,
    /// Who or what wrote it.
    pub generated_by: Option<String>,
    /// The version that the source gives.
    pub version: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stand_in_the_documented_order() {
        let date = AsOfDate::parse("2021-01-04").unwrap();
        let ticker = Ticker::new("TSLA").unwrap();
        let mut indicators = Indicators::default();
        indicators.insert("RSI(14)", None);
        let record = Record {
            uid: Record::uid(&ticker, date, 0),
            ticker,
            as_of_date: date,
            instruction: "i".into(),
            input: "x".into(),
            output: "o".into(),
            action: Action::StrongBuy,
            indicators,
            metadata: Provenance { file: "a/b.xml".into(), line: 3, ..Provenance::default() },
        };
        let line = serde_json::to_string(&record).unwrap();
        expect_test::expect![[r#"{"uid":"TSLA|2021-01-04|0","ticker":"TSLA","as_of_date":"2021-01-04","instruction":"i","input":"x","output":"o","action":"STRONG_BUY","indicators":{"RSI(14)":null},"metadata":{"file":"a/b.xml","line":3,"generated_by":null,"version":null}}"#]]
        .assert_eq(&line);
        assert_eq!(serde_json::from_str::<Record>(&line).unwrap(), record);
    }
}
