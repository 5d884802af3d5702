use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use backtest_engine::CallRow;
use csv::StringRecord;
use stage_cli::Hint;
use thesis_core::{Action, ActionProbabilities, AsOfDate, Bar, DateOrder, Ticker};

use crate::config::{BacktestSettings, StrengthSetting};

/// What a file of calls holds.
#[derive(Debug, Default)]
pub(crate) struct CallFile {
    /// In the order of the file, HOLD included.
    pub(crate) calls: Vec<CallRow>,
    /// Lines of the file that each call stands on.
    pub(crate) lines: Vec<u64>,
    /// Bars of the same file, by ticker.
    pub(crate) bars: BTreeMap<Ticker, Vec<Bar>>,
    /// Rows whose action is empty: the model named none.
    pub(crate) without_action: usize,
    /// Calls that count as HOLD because of their confidence.
    pub(crate) unsure: usize,
    /// All rows.
    pub(crate) rows: usize,
}

/// Where the file keeps what a call needs.
struct Columns {
    date: usize,
    ticker: usize,
    action: usize,
    confidence: Option<usize>,
    /// In the order of [`Action::ALL`].
    probabilities: Option<[usize; 5]>,
    /// open, high, low, close.
    bar: Option<[usize; 4]>,
    adj_close: Option<usize>,
    volume: Option<usize>,
}

/// Faults that one error lists.
const FAULTS_SHOWN: usize = 10;

/// Reads calls, and bars where the file has them.
///
/// # Errors
/// A file that cannot be read, a column that is missing, and rows with faults, with their lines:
/// figures of half a file could not be trusted.
pub(crate) fn read_calls(path: &Path, settings: &BacktestSettings) -> anyhow::Result<CallFile> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("cannot read {}", path.display()))
        .hint("--eval-csv names a CSV of calls, as `evaluate-sft` writes it")?;
    let header = reader.headers().with_context(|| format!("cannot read {}", path.display()))?;
    let columns = Columns::find(header).map_err(|error| error.context(path.display().to_string()));
    let columns = columns.hint(
        "the header must name as_of_date (or date), ticker and pred_action (or signal); bars need \
         open, high, low and close",
    )?;
    if settings.min_confidence > 0.0 || settings.strength == StrengthSetting::Confidence {
        let known = columns.confidence.is_some() || columns.probabilities.is_some();
        if !known {
            return Err(anyhow::anyhow!("{} has no confidence of its calls", path.display()))
                .hint("leave `min_confidence` and `strength` out, or add a column `confidence`");
        }
    }
    if settings.strength == StrengthSetting::Conviction && columns.probabilities.is_none() {
        let lacks = format!("{} has no probabilities of the five actions", path.display());
        return Err(anyhow::anyhow!(lacks)).hint(
            "`strength: conviction` needs the columns p_STRONG_BUY to p_STRONG_SELL, as `evaluate-sft` \
             writes them; `strength: confidence` does with a column `confidence`",
        );
    }
    let mut file = CallFile::default();
    let (mut faults, mut fault_count) = (Vec::new(), 0_usize);
    for row in reader.records() {
        let outcome = row.map_err(anyhow::Error::from).and_then(|row| {
            let line = row.position().map_or(0, csv::Position::line);
            file.add(&row, line, &columns, settings)
                .with_context(|| format!("{}:{line}", path.display()))
        });
        if let Err(fault) = outcome {
            fault_count += 1;
            if faults.len() < FAULTS_SHOWN {
                faults.push(format!("{fault:#}"));
            }
        }
    }
    if fault_count > 0 {
        let more = fault_count - faults.len();
        let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
        return Err(anyhow::anyhow!(
            "{fault_count} of {} rows cannot be used:\n  {}{more}",
            file.rows + fault_count,
            faults.join("\n  ")
        ))
        .hint("correct these rows; figures of half a file could not be trusted");
    }
    if file.calls.is_empty() {
        bail!("{} has no calls", path.display());
    }
    Ok(file)
}

impl Columns {
    fn find(header: &StringRecord) -> anyhow::Result<Self> {
        let names: Vec<String> = header.iter().map(plain).collect();
        let find = |known: &[&str]| {
            known.iter().find_map(|known| names.iter().position(|name| *name == plain(known)))
        };
        let need = |known: &[&str]| {
            find(known).with_context(|| {
                let found: Vec<&str> = header.iter().collect();
                format!("no column `{}`; found: {}", known.join("` or `"), found.join(", "))
            })
        };
        let probability = |action: Action| {
            let name = plain(action.as_str());
            ["p", "prob", "probability"]
                .iter()
                .find_map(|prefix| names.iter().position(|n| *n == format!("{prefix}{name}")))
        };
        let all = Action::ALL.map(probability);
        let probabilities = match all {
            [Some(a), Some(b), Some(c), Some(d), Some(e)] => Some([a, b, c, d, e]),
            [None, None, None, None, None] => None,
            _ => {
                bail!("some of the five actions have a column of probabilities, and some have none")
            }
        };
        let prices = [&["open"][..], &["high"], &["low"], &["close"]].map(find);
        Ok(Self {
            date: need(&["as_of_date", "date"])?,
            ticker: need(&["ticker", "symbol"])?,
            action: need(&["pred_action", "signal", "prediction", "action"])?,
            confidence: find(&["confidence"]),
            probabilities,
            bar: match prices {
                [Some(open), Some(high), Some(low), Some(close)] => Some([open, high, low, close]),
                _ => None,
            },
            adj_close: find(&["adj_close", "adjusted_close"]),
            volume: find(&["volume"]),
        })
    }
}

impl CallFile {
    fn add(
        &mut self,
        row: &StringRecord,
        line: u64,
        columns: &Columns,
        settings: &BacktestSettings,
    ) -> anyhow::Result<()> {
        let field = |column: usize| row.get(column).unwrap_or_default();
        let number = |column: usize, name: &str| -> anyhow::Result<f64> {
            let text = field(column);
            text.parse().with_context(|| format!("the {name} `{text}` is not a number"))
        };
        let date = date(field(columns.date), settings.date_order)?;
        let ticker = Ticker::new(field(columns.ticker))?;
        let named = field(columns.action);
        let action = match named {
            "" => None,
            named => Some(named.parse::<Action>()?),
        };
        let probabilities = || probabilities(columns, number, field);
        let confidence = confidence(columns, action, number, field, probabilities)?;
        if let Some(columns_of_bar) = columns.bar
            && !columns_of_bar.iter().all(|column| field(*column).is_empty())
        {
            let [open, high, low, close] = columns_of_bar;
            let optional = |column: Option<usize>, name: &str| {
                column
                    .filter(|column| !field(*column).is_empty())
                    .map(|column| number(column, name))
                    .transpose()
            };
            let bar = Bar {
                date,
                open: number(open, "open")?,
                high: number(high, "high")?,
                low: number(low, "low")?,
                close: number(close, "close")?,
                adj_close: optional(columns.adj_close, "adjusted close")?,
                // As in files of prices; where no bar has any, it limits nothing.
                volume: optional(columns.volume, "volume")?.unwrap_or(0.0),
            };
            self.add_bar(ticker.clone(), bar)?;
        }
        self.rows += 1;
        let Some(mut action) = action else {
            self.without_action += 1;
            return Ok(());
        };
        if confidence.is_some_and(|confidence| confidence < settings.min_confidence) {
            self.unsure += 1;
            action = Action::Hold;
        }
        let strength = match settings.strength {
            StrengthSetting::None => 1.0,
            StrengthSetting::Confidence => confidence.unwrap_or(1.0),
            StrengthSetting::Conviction => {
                let lacks = "there are no probabilities, which `strength: conviction` needs";
                conviction(&probabilities()?.context(lacks)?)
            }
        };
        self.calls.push(CallRow { date, ticker, action, strength });
        self.lines.push(line);
        Ok(())
    }

    /// Adds a bar; several calls of one ticker and day may repeat it.
    fn add_bar(&mut self, ticker: Ticker, bar: Bar) -> anyhow::Result<()> {
        let of_ticker = self.bars.entry(ticker).or_default();
        match of_ticker.iter().rev().take(8).find(|known| known.date == bar.date) {
            Some(known) if (known.open, known.close) != (bar.open, bar.close) => {
                bail!("{} has another bar further up", bar.date)
            }
            Some(_) => {}
            None => of_ticker.push(bar),
        }
        Ok(())
    }
}

/// How sure a call is: its own column, else the probability of its action.
fn confidence<'a>(
    columns: &Columns,
    action: Option<Action>,
    number: impl Fn(usize, &str) -> anyhow::Result<f64>,
    field: impl Fn(usize) -> &'a str,
    probabilities: impl Fn() -> anyhow::Result<Option<ActionProbabilities>>,
) -> anyhow::Result<Option<f64>> {
    if let Some(column) = columns.confidence.filter(|column| !field(*column).is_empty()) {
        let confidence = number(column, "confidence")?;
        if !(0.0..=1.0).contains(&confidence) {
            bail!("the confidence {confidence} is not within 0 to 1");
        }
        return Ok(Some(confidence));
    }
    let probabilities = probabilities()?;
    Ok(action.zip(probabilities).map(|(action, probabilities)| probabilities.of(action)))
}

/// The five probabilities of a row, unless all of them are empty.
fn probabilities<'a>(
    columns: &Columns,
    number: impl Fn(usize, &str) -> anyhow::Result<f64>,
    field: impl Fn(usize) -> &'a str,
) -> anyhow::Result<Option<ActionProbabilities>> {
    let Some(probabilities) = columns.probabilities else { return Ok(None) };
    if probabilities.iter().all(|column| field(*column).is_empty()) {
        return Ok(None);
    }
    let mut values = [0.0; 5];
    for ((value, column), action) in values.iter_mut().zip(probabilities).zip(Action::ALL) {
        *value = number(column, &format!("probability of {action}"))?;
    }
    Ok(Some(ActionProbabilities::new(values)?))
}

/// How far the probabilities lean to one side: `|Σ p_a·c_a| / 2`, `c` being the conviction of an
/// action, −2 to 2. 1: all on STRONG_BUY or all on STRONG_SELL; 0: both sides weigh the same.
fn conviction(probabilities: &ActionProbabilities) -> f64 {
    let terms = Action::ALL.map(|action| probabilities.of(action) * f64::from(action.conviction()));
    (terms.iter().sum::<f64>() / 2.0).abs()
}

fn date(text: &str, order: DateOrder) -> anyhow::Result<chrono::NaiveDate> {
    Ok(AsOfDate::parse_with(text, order)?.day())
}

fn plain(name: &str) -> String {
    let name = name.trim_start_matches('\u{feff}');
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn convictions() {
        for (values, want) in [
            ([1.0, 0.0, 0.0, 0.0, 0.0], 1.0),
            ([0.0, 0.0, 0.0, 0.0, 1.0], 1.0),
            ([0.0, 1.0, 0.0, 0.0, 0.0], 0.5),
            ([0.0, 0.0, 1.0, 0.0, 0.0], 0.0),
            ([0.5, 0.0, 0.0, 0.0, 0.5], 0.0),
            ([0.2, 0.2, 0.2, 0.2, 0.2], 0.0),
            ([0.1, 0.2, 0.3, 0.3, 0.1], 0.05),
            ([0.4, 0.3, 0.2, 0.1, 0.0], 0.5),
        ] {
            let got = conviction(&ActionProbabilities::new(values).unwrap());
            assert!((got - want).abs() < 1e-12, "{values:?}: {got}");
        }
    }
}
