use std::borrow::Cow;
use std::ops::Range;

use thesis_core::{
    Action, AsOfDate, CoreError, DateOrder, Diagnostic, Indicators, ParsedNumber,
    SUPPORT_SEPARATOR, Severity, Thesis, Ticker, parse_number,
};

use crate::document::read_document;
use crate::outcome::{Located, Parsed, Reject, RejectReason};
use crate::parse::ParseOptions;
use crate::position::Positions;
use crate::text::{is_blank, tidy};
use crate::tree::{Element, Tree};

/// Levels of elements that are followed.
pub(crate) const MAX_DEPTH: usize = 64;

/// What the elements around a thesis say for all theses inside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inherited<'a> {
    ticker: Option<Cow<'a, str>>,
    generated_by: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
}

impl<'a> Inherited<'a> {
    pub(crate) fn set(&mut self, name: &str, value: Cow<'a, str>) {
        match name {
            "ticker" => self.ticker = Some(value),
            "generated-by" => self.generated_by = Some(value),
            "version" => self.version = Some(value),
            _ => {}
        }
    }
}

/// Reads theses out of trees, and gathers what came of it.
pub(crate) struct Collector<'a> {
    file: &'a str,
    text: &'a str,
    positions: Positions<'a>,
    options: &'a ParseOptions,
    /// Some bytes of the file were no text; U+FFFD stands for them.
    damaged: bool,
    /// Where the text that is being read begins in the file's text.
    base: usize,
    /// What stands around a part that is read on its own.
    around: Option<Inherited<'a>>,
    pub(crate) parsed: Parsed,
}

/// Why a thesis is refused, and at which offset.
struct Refusal(RejectReason, usize, String);

/// What is odd about a thesis that is kept, and at which offset.
type Oddities = Vec<(usize, String)>;

impl<'a> Collector<'a> {
    pub(crate) fn new(
        file: &'a str,
        text: &'a str,
        damaged: bool,
        options: &'a ParseOptions,
    ) -> Self {
        let positions = Positions::new(text);
        let parsed = Parsed::default();
        Self { file, text, positions, options, damaged, base: 0, around: None, parsed }
    }

    /// Takes the thesis in `tree`, which stands at `range` of the text being read.
    pub(crate) fn thesis(
        &mut self,
        tree: &Tree<'_>,
        inherited: &Inherited<'_>,
        range: Range<usize>,
    ) {
        let Some(root) = tree.root() else { return };
        let (line, _) = self.positions.line_and_column(self.base + range.start);
        if self.damaged
            && self.text[self.base + range.start..self.base + range.end].contains('\u{FFFD}')
        {
            let message = "the thesis has bytes that are no text in the file's encoding".to_owned();
            return self.reject(RejectReason::Malformed, range.clone(), range.start, message);
        }
        let around = self.around.clone();
        let mut oddities = Oddities::new();
        match read_thesis(root, around.as_ref().unwrap_or(inherited), self.options, &mut oddities) {
            Ok(thesis) => {
                self.parsed.theses.push(Located { thesis, line });
                for (offset, message) in oddities {
                    self.note(Severity::Warning, offset, message);
                }
            }
            Err(Refusal(reason, offset, message)) => self.reject(reason, range, offset, message),
        }
    }

    /// Reads a part of the text that holds one thesis, which begins at `base`.
    pub(crate) fn part(
        &mut self,
        base: usize,
        around: &Inherited<'a>,
        raw: &str,
    ) -> Result<(), roxmltree::Error> {
        (self.base, self.around) = (base, Some(around.clone()));
        let outcome = read_document(raw, self);
        (self.base, self.around) = (0, None);
        outcome
    }

    /// Refuses the item at `range` for what stands at `offset`, both in the text being read.
    pub(crate) fn reject(
        &mut self,
        reason: RejectReason,
        range: Range<usize>,
        offset: usize,
        message: String,
    ) {
        let raw = self.text[self.base + range.start..self.base + range.end].to_owned();
        let diagnostic = self.diagnostic(Severity::Error, self.base + offset, message);
        self.parsed.rejects.push(Reject { reason, diagnostic, raw });
    }

    /// Refuses a thesis that is not well-formed; `error` counts from the beginning of `range`.
    pub(crate) fn reject_malformed(&mut self, range: Range<usize>, error: &roxmltree::Error) {
        self.reject(RejectReason::Malformed, range.clone(), range.start, describe(error));
        let at = error.pos();
        if let Some(Reject { diagnostic, .. }) = self.parsed.rejects.last_mut() {
            diagnostic.line += u64::from(at.row) - 1;
            diagnostic.column =
                if at.row == 1 { diagnostic.column + u64::from(at.col) - 1 } else { at.col.into() };
        }
    }

    /// Adds a diagnostic that refuses nothing.
    pub(crate) fn note(&mut self, severity: Severity, offset: usize, message: String) {
        let diagnostic = self.diagnostic(severity, self.base + offset, message);
        self.parsed.diagnostics.push(diagnostic);
    }

    fn diagnostic(&mut self, severity: Severity, offset: usize, message: String) -> Diagnostic {
        let (line, column) = self.positions.line_and_column(offset);
        let message = shorten(message);
        Diagnostic { file: self.file.to_owned(), line, column, severity, message }
    }
}

/// A message that quotes a whole book helps nobody.
fn shorten(message: String) -> String {
    const LIMIT: usize = 300;
    match message.char_indices().nth(LIMIT) {
        None => message,
        Some((end, _)) => format!("{}…", &message[..end]),
    }
}

/// The parser's message without its position, which the diagnostic has.
pub(crate) fn describe(error: &roxmltree::Error) -> String {
    let message = error.to_string();
    let position = format!(" at {}", error.pos());
    message.strip_suffix(&position).map_or(message.clone(), str::to_owned)
}

fn read_thesis(
    thesis: Element<'_, '_>,
    inherited: &Inherited<'_>,
    options: &ParseOptions,
    oddities: &mut Oddities,
) -> Result<Thesis, Refusal> {
    let fields = Fields::of(thesis, oddities)?;
    Ok(Thesis {
        ticker: ticker(&fields, inherited)?,
        as_of_date: as_of_date(&fields, options)?,
        action: action(&fields)?,
        reasoning: reasoning(&fields)?,
        support: fields.support.map(support).unwrap_or_default(),
        indicators: fields.indicators.map(|e| indicators(e, oddities)).unwrap_or_default(),
        generated_by: label(
            fields.text("generated-by", fields.generated_by),
            &inherited.generated_by,
        ),
        version: label(fields.text("version", fields.version), &inherited.version),
    })
}

/// The elements of a thesis by name.
struct Fields<'t, 'a> {
    thesis: Element<'t, 'a>,
    ticker: Option<Element<'t, 'a>>,
    as_of_date: Option<Element<'t, 'a>>,
    indicators: Option<Element<'t, 'a>>,
    reasoning: Option<Element<'t, 'a>>,
    action: Option<Element<'t, 'a>>,
    support: Option<Element<'t, 'a>>,
    generated_by: Option<Element<'t, 'a>>,
    version: Option<Element<'t, 'a>>,
}

impl<'t, 'a> Fields<'t, 'a> {
    fn of(thesis: Element<'t, 'a>, oddities: &mut Oddities) -> Result<Self, Refusal> {
        let mut fields = Self {
            thesis,
            ticker: None,
            as_of_date: None,
            indicators: None,
            reasoning: None,
            action: None,
            support: None,
            generated_by: None,
            version: None,
        };
        for child in thesis.children() {
            let field = match child.name() {
                "ticker" => &mut fields.ticker,
                "as-of-date" => &mut fields.as_of_date,
                "indicators" => &mut fields.indicators,
                "reasoning" => &mut fields.reasoning,
                "action" => &mut fields.action,
                "support" => &mut fields.support,
                "generated-by" => &mut fields.generated_by,
                "version" => &mut fields.version,
                "thesis" => {
                    let message =
                        "a thesis inside of a thesis; is a `</thesis>` missing?".to_owned();
                    return Err(Refusal(RejectReason::Malformed, child.offset(), message));
                }
                unknown => {
                    oddities
                        .push((child.offset(), format!("unknown element <{unknown}> is ignored")));
                    continue;
                }
            };
            if field.replace(child).is_some() {
                let message = format!("a second <{}> in one thesis", child.name());
                return Err(Refusal(RejectReason::Ambiguous, child.offset(), message));
            }
        }
        Ok(fields)
    }

    /// The text of a child, or of the attribute of that name; `None` where both are absent or
    /// blank.
    fn text(&self, name: &str, child: Option<Element<'t, 'a>>) -> Option<Cow<'t, str>> {
        let attribute = || self.thesis.attribute(name).map(Cow::Borrowed);
        child
            .map(Element::text)
            .filter(|text| !is_blank(text))
            .or_else(attribute)
            .filter(|text| !is_blank(text))
    }
}

fn ticker(fields: &Fields<'_, '_>, inherited: &Inherited<'_>) -> Result<Ticker, Refusal> {
    let offset = fields.ticker.unwrap_or(fields.thesis).offset();
    let own = fields.text("ticker", fields.ticker);
    let text = own.as_deref().or(inherited.ticker.as_deref()).unwrap_or_default();
    if text.trim().is_empty() {
        let message = "no ticker: neither the thesis nor an element around it has one".to_owned();
        return Err(Refusal(RejectReason::NoTicker, offset, message));
    }
    Ticker::new(text).map_err(|error| Refusal(RejectReason::BadTicker, offset, error.to_string()))
}

fn as_of_date(fields: &Fields<'_, '_>, options: &ParseOptions) -> Result<AsOfDate, Refusal> {
    let ParseOptions { as_of, date_order } = options;
    let offset = fields.as_of_date.unwrap_or(fields.thesis).offset();
    let Some(text) = fields.text("as-of-date", fields.as_of_date) else {
        let message = "no date: <as-of-date> is missing or empty".to_owned();
        return Err(Refusal(RejectReason::NoDate, offset, message));
    };
    let date = AsOfDate::parse_with(&text, *date_order)
        .map_err(|error| Refusal(RejectReason::BadDate, offset, advise(&error, *date_order)))?;
    match as_of {
        Some(last) if date > *last => {
            let message =
                format!("the date {date} lies after {last}, up to which theses are taken");
            Err(Refusal(RejectReason::FutureDate, offset, message))
        }
        _ => Ok(date),
    }
}

fn advise(error: &CoreError, order: DateOrder) -> String {
    match (error, order) {
        (CoreError::Date { reason, .. }, DateOrder::Refuse) if reason.contains("swapped") => {
            format!("{error}, or set the date order")
        }
        _ => error.to_string(),
    }
}

fn action(fields: &Fields<'_, '_>) -> Result<Action, Refusal> {
    let offset = fields.action.unwrap_or(fields.thesis).offset();
    let Some(text) = fields.text("action", fields.action) else {
        let message = "no action: <action> is missing or empty".to_owned();
        return Err(Refusal(RejectReason::NoAction, offset, message));
    };
    text.parse()
        .map_err(|error: CoreError| Refusal(RejectReason::UnknownAction, offset, error.to_string()))
}

fn reasoning(fields: &Fields<'_, '_>) -> Result<String, Refusal> {
    let text = fields.reasoning.map(Element::text).unwrap_or_default();
    let text = tidy(&text);
    if text.is_empty() {
        let offset = fields.reasoning.unwrap_or(fields.thesis).offset();
        let message = "no reasons: <reasoning> is missing or empty".to_owned();
        return Err(Refusal(RejectReason::EmptyReasoning, offset, message));
    }
    Ok(text.into_owned())
}

/// The `<point>` children joined, or the text where there are none.
fn support(support: Element<'_, '_>) -> String {
    let mut points = support.children().filter(|child| child.name() == "point").peekable();
    if points.peek().is_none() {
        return tidy(&support.text()).into_owned();
    }
    let mut joined = String::new();
    for point in points {
        let text = point.text();
        let text = tidy(&text);
        if !joined.is_empty() && !text.is_empty() {
            joined.push_str(SUPPORT_SEPARATOR);
        }
        joined.push_str(&text);
    }
    joined
}

/// The figures of `<indicator name="…">`, of children named after their figure, and of attributes.
fn indicators(element: Element<'_, '_>, oddities: &mut Oddities) -> Indicators {
    let mut indicators =
        Indicators::with_capacity(element.attributes().len() + element.children().count());
    for (name, value) in element.attributes() {
        add_indicator(&mut indicators, name, value, element.offset(), oddities);
    }
    for child in element.children() {
        let text = child.text();
        let text =
            if is_blank(&text) { child.attribute("value").unwrap_or_default() } else { &text };
        let name = match (child.name(), child.attribute("name")) {
            ("indicator", Some(name)) => tidy(name),
            ("indicator", None) => {
                oddities
                    .push((child.offset(), "an indicator without a name is ignored".to_owned()));
                continue;
            }
            (name, _) => Cow::Borrowed(name),
        };
        add_indicator(&mut indicators, &name, text, child.offset(), oddities);
    }
    indicators
}

fn add_indicator(
    indicators: &mut Indicators,
    name: &str,
    text: &str,
    offset: usize,
    oddities: &mut Oddities,
) {
    let value = match parse_number(text) {
        ParsedNumber::Value(value) => Some(value),
        ParsedNumber::Missing => None,
        ParsedNumber::Unreadable => {
            let text = text.trim();
            oddities.push((
                offset,
                format!("indicator `{name}`: `{text}` is no number; it becomes null"),
            ));
            None
        }
    };
    if !indicators.insert(name, value) {
        oddities
            .push((offset, format!("indicator `{name}` stands there twice; the first one counts")));
    }
}

fn label(own: Option<Cow<'_, str>>, inherited: &Option<Cow<'_, str>>) -> Option<String> {
    let text = own.as_deref().or(inherited.as_deref())?;
    Some(tidy(text).into_owned()).filter(|text| !text.is_empty())
}
