use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::{AsOfDate, CoreError, Indicators, Ticker};

/// Renders a record's `instruction` and `input`.
///
/// Both are Jinja templates over `ticker`, `as_of_date` and `indicators`, a list of `(name, value)`
/// pairs whose value is none where the source has no number. The answer is not in scope, so a
/// template cannot leak it. An unknown variable is an error, not an empty string.
#[derive(Debug, Clone)]
pub struct RecordTemplate {
    environment: Environment<'static>,
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

impl RecordTemplate {
    /// The instruction used where a configuration gives none.
    pub const DEFAULT_INSTRUCTION: &'static str = "Given this market snapshot, write your \
        reasoning, the points that support it, and one action: STRONG_BUY, BUY, HOLD, SELL or \
        STRONG_SELL.";

    /// The input used where a configuration gives none: a header and one figure a line.
    pub const DEFAULT_INPUT: &'static str = "Ticker: {{ ticker }}\nDate: {{ as_of_date }}\n\
        {%- for name, value in indicators %}\n{{ name }}={{ 'n/a' if value is none else value }}\n\
        {%- endfor %}";

    /// Compiles both templates.
    ///
    /// # Errors
    /// [`CoreError::Template`] with the line, where one does not compile.
    pub fn new(instruction: &str, input: &str) -> Result<Self, CoreError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in [("instruction", instruction), ("input", input)] {
            environment
                .add_template_owned(name, source.to_owned())
                .map_err(|error| template_error(name, &error))?;
        }
        Ok(Self { environment })
    }

    /// Renders `(instruction, input)`.
    ///
    /// # Errors
    /// [`CoreError::Template`] where a template names what it does not get, or calls what fails.
    pub fn render(&self, context: &TemplateContext<'_>) -> Result<(String, String), CoreError> {
        let indicators: Value =
            context.indicators.iter().map(|(name, value)| Value::from((name, value))).collect();
        let scope = context! {
            ticker => context.ticker.as_str(),
            as_of_date => context.as_of_date.to_string(),
            indicators,
        };
        let render = |name| {
            let template = self.environment.get_template(name);
            template.and_then(|t| t.render(&scope)).map_err(|error| template_error(name, &error))
        };
        Ok((render("instruction")?, render("input")?))
    }
}

impl Default for RecordTemplate {
    #[expect(clippy::expect_used, reason = "both sources are constants that a test compiles")]
    fn default() -> Self {
        Self::new(Self::DEFAULT_INSTRUCTION, Self::DEFAULT_INPUT).expect("the defaults compile")
    }
}

fn template_error(name: &str, error: &minijinja::Error) -> CoreError {
    CoreError::Template {
        name: name.to_owned(),
        line: error.line().unwrap_or(0),
        message: error.detail().map_or_else(|| error.kind().to_string(), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn render(template: &RecordTemplate) -> Result<(String, String), CoreError> {
        let mut indicators = Indicators::default();
        indicators.insert("RSI(14)", Some(54.93));
        indicators.insert("MACD", None);
        template.render(&TemplateContext {
            ticker: &Ticker::new("TSLA").unwrap(),
            as_of_date: AsOfDate::parse("2021-01-04").unwrap(),
            indicators: &indicators,
        })
    }

    #[test]
    fn the_default_shows_one_figure_a_line() {
        let (_, input) = render(&RecordTemplate::default()).unwrap();
        expect![[r#"
            Ticker: TSLA
            Date: 2021-01-04
            RSI(14)=54.93
            MACD=n/a"#]]
        .assert_eq(&input);
    }

    #[test]
    fn faults_name_the_template_and_the_line() {
        let error = RecordTemplate::new("x", "a\n{% for %}").unwrap_err();
        assert!(
            matches!(&error, CoreError::Template { name, line: 2, .. } if name == "input"),
            "{error}"
        );
        let template = RecordTemplate::new("{{ action }}", "").unwrap();
        assert!(matches!(render(&template), Err(CoreError::Template { .. })));
    }
}
