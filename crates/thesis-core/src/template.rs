use std::fmt::Write;

use crate::{AsOfDate, CoreError, Indicators, Ticker};

/// Renders a record's `instruction` and `input`.
///
/// Both are texts with the placeholders `{ticker}`, `{as_of_date}` and `{indicators}`; the last one
/// stands for a line of `{name}` and `{value}` for each figure. `{{` and `}}` are braces. The answer
/// has no placeholder, so a template cannot leak it, and an unknown one is an error.
///
/// ```
/// use thesis_core::{AsOfDate, Indicators, RecordTemplate, TemplateContext, Ticker};
/// # fn main() -> Result<(), thesis_core::CoreError> {
/// let template = RecordTemplate::new("Judge {ticker}.", "{indicators}", "{name}: {value}", "none")?;
/// let mut indicators = Indicators::default();
/// indicators.insert("RSI(14)", Some(54.93));
/// indicators.insert("MACD", None);
/// let (instruction, input) = template.render(&TemplateContext {
///     ticker: &Ticker::new("TSLA")?,
///     as_of_date: AsOfDate::parse("2021-01-04")?,
///     indicators: &indicators,
/// });
/// assert_eq!((&*instruction, &*input), ("Judge TSLA.", "RSI(14): 54.93\nMACD: none"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordTemplate {
    instruction: Vec<Piece>,
    input: Vec<Piece>,
    indicator: Vec<Piece>,
    missing: String,
}

/// What a template sees.
#[derive(Debug, Clone, Copy)]
pub struct TemplateContext<'a> {
    /// The stock.
    pub ticker: &'a Ticker,
    /// The day up to whose close the figures are known.
    pub as_of_date: AsOfDate,
    /// The figures.
    pub indicators: &'a Indicators,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Ticker,
    AsOfDate,
    Indicators,
    Name,
    Value,
}

impl RecordTemplate {
    /// The instruction used where a configuration gives none.
    pub const DEFAULT_INSTRUCTION: &'static str = "Given this market snapshot, write your \
        reasoning, the points that support it, and one action: STRONG_BUY, BUY, HOLD, SELL or \
        STRONG_SELL.";

    /// The input used where a configuration gives none.
    pub const DEFAULT_INPUT: &'static str = "Ticker: {ticker}\nDate: {as_of_date}\n{indicators}";

    /// The line of a figure used where a configuration gives none.
    pub const DEFAULT_INDICATOR: &'static str = "{name}={value}";

    /// What stands for a figure without a value where a configuration gives nothing else.
    pub const DEFAULT_MISSING: &'static str = "n/a";

    /// Reads the templates of the instruction, the input and the line of a figure; `missing` stands
    /// for a figure without a value.
    ///
    /// # Errors
    /// [`CoreError::Template`] for an unknown placeholder or a brace without its other half.
    pub fn new(
        instruction: &str,
        input: &str,
        indicator: &str,
        missing: &str,
    ) -> Result<Self, CoreError> {
        let record = [Piece::Ticker, Piece::AsOfDate, Piece::Indicators];
        let figure = [Piece::Ticker, Piece::AsOfDate, Piece::Name, Piece::Value];
        Ok(Self {
            instruction: pieces("instruction", instruction, &record)?,
            input: pieces("input", input, &record)?,
            indicator: pieces("indicator", indicator, &figure)?,
            missing: missing.to_owned(),
        })
    }

    /// Renders `(instruction, input)`.
    pub fn render(&self, context: &TemplateContext<'_>) -> (String, String) {
        let render = |pieces| {
            let mut text = String::with_capacity(512);
            self.push(pieces, context, None, &mut text);
            text
        };
        (render(&self.instruction), render(&self.input))
    }

    fn push(
        &self,
        pieces: &[Piece],
        context: &TemplateContext<'_>,
        figure: Option<(&str, Option<f64>)>,
        text: &mut String,
    ) {
        for piece in pieces {
            match (piece, figure) {
                (Piece::Text(literal), _) => text.push_str(literal),
                (Piece::Ticker, _) => text.push_str(context.ticker.as_str()),
                (Piece::AsOfDate, _) => push_display(text, context.as_of_date),
                (Piece::Indicators, _) => {
                    for (index, figure) in context.indicators.iter().enumerate() {
                        text.push_str(if index > 0 { "\n" } else { "" });
                        self.push(&self.indicator, context, Some(figure), text);
                    }
                }
                (Piece::Name, Some((name, _))) => text.push_str(name),
                // Adding zero leaves every number as it is but −0, which nobody wants to read.
                (Piece::Value, Some((_, Some(value)))) => push_display(text, value + 0.0),
                (Piece::Value, Some((_, None))) => text.push_str(&self.missing),
                (Piece::Name | Piece::Value, None) => {}
            }
        }
    }
}

impl Default for RecordTemplate {
    #[expect(clippy::expect_used, reason = "the sources are constants, and a test reads them")]
    fn default() -> Self {
        Self::new(
            Self::DEFAULT_INSTRUCTION,
            Self::DEFAULT_INPUT,
            Self::DEFAULT_INDICATOR,
            Self::DEFAULT_MISSING,
        )
        .expect("the defaults are valid")
    }
}

fn push_display(text: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{value}");
}

impl Piece {
    const fn placeholder(&self) -> &'static str {
        match self {
            Self::Text(_) => "",
            Self::Ticker => "ticker",
            Self::AsOfDate => "as_of_date",
            Self::Indicators => "indicators",
            Self::Name => "name",
            Self::Value => "value",
        }
    }
}

/// Cuts a template at its placeholders, of which only `known` ones may stand there.
fn pieces(template: &str, source: &str, known: &[Piece]) -> Result<Vec<Piece>, CoreError> {
    let refuse = |rest: &str, reason: String| CoreError::Template {
        template: template.to_owned(),
        line: source[..source.len() - rest.len()].matches('\n').count() + 1,
        reason,
    };
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = source;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal.push_str(&rest[..1]);
            rest = &rest[2..];
            continue;
        }
        let name = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((name, after)) = name else {
            let reason = "a single brace; write `{{` or `}}` for a brace".to_owned();
            return Err(refuse(rest, reason));
        };
        let Some(piece) = known.iter().find(|piece| piece.placeholder() == name) else {
            let known: Vec<_> = known.iter().map(|p| format!("{{{}}}", p.placeholder())).collect();
            let known = known.join(", ");
            return Err(refuse(rest, format!("unknown placeholder `{{{name}}}` (known: {known})")));
        };
        pieces.push(Piece::Text(std::mem::take(&mut literal)));
        pieces.push(piece.clone());
        rest = after;
    }
    literal.push_str(rest);
    pieces.push(Piece::Text(literal));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn render(instruction: &str, input: &str) -> Result<(String, String), CoreError> {
        let mut indicators = Indicators::default();
        indicators.insert("RSI(14)", Some(54.93));
        indicators.insert("MACD", None);
        indicators.insert("News count", Some(2.0));
        let (indicator, missing) =
            (RecordTemplate::DEFAULT_INDICATOR, RecordTemplate::DEFAULT_MISSING);
        let template = RecordTemplate::new(instruction, input, indicator, missing)?;
        Ok(template.render(&TemplateContext {
            ticker: &Ticker::new("TSLA").unwrap(),
            as_of_date: AsOfDate::parse("2021-01-04").unwrap(),
            indicators: &indicators,
        }))
    }

    #[test]
    fn the_default_shows_one_figure_a_line() {
        let (_, input) = render("", RecordTemplate::DEFAULT_INPUT).unwrap();
        assert_eq!(RecordTemplate::default().missing, "n/a");
        expect![[r#"
            Ticker: TSLA
            Date: 2021-01-04
            RSI(14)=54.93
            MACD=n/a
            News count=2"#]]
        .assert_eq(&input);
    }

    #[test]
    fn braces_can_be_written() {
        let (instruction, input) = render("{{{ticker}}}", "{{\"a\": {{}}}}").unwrap();
        assert_eq!((&*instruction, &*input), ("{TSLA}", "{\"a\": {}}"));
    }

    #[test]
    fn faults_name_the_template_and_the_line() {
        let check = |input: &str, want: &str| {
            assert_eq!(render("", input).unwrap_err().to_string(), want);
        };
        check(
            "a\n{action}",
            "record template `input`, line 2: unknown placeholder `{action}` (known: {ticker}, \
             {as_of_date}, {indicators})",
        );
        let brace =
            "record template `input`, line 1: a single brace; write `{{` or `}}` for a brace";
        check("{ticker", brace);
        check("ticker}", brace);
    }
}
