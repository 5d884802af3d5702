use thesis_core::{
    Completion, CoreError, Provenance, Record, RecordTemplate, TemplateContext, Thesis,
};

use crate::outcome::Located;

/// The record of a thesis: the `index`-th of its ticker and date, from 0, found in `file`.
pub fn record_from_thesis(
    located: Located,
    file: &str,
    index: u32,
    template: &RecordTemplate,
) -> Record {
    let Located { thesis, line } = located;
    let (instruction, input) = template.render(&TemplateContext {
        ticker: &thesis.ticker,
        as_of_date: thesis.as_of_date,
        indicators: &thesis.indicators,
    });
    let output = thesis.completion().to_string();
    let Thesis { ticker, as_of_date, indicators, action, generated_by, version, .. } = thesis;
    Record {
        uid: Record::uid(&ticker, as_of_date, index),
        ticker,
        as_of_date,
        instruction,
        input,
        output,
        action,
        indicators,
        metadata: Provenance { file: file.to_owned(), line, generated_by, version },
    }
}

/// The thesis that a record was made from.
///
/// # Errors
/// [`CoreError::Completion`] where the record's output does not follow the tag grammar.
pub fn thesis_from_record(record: &Record) -> Result<Thesis, CoreError> {
    let Completion { reasoning, support, action } = Completion::parse(&record.output)?;
    Ok(Thesis {
        ticker: record.ticker.clone(),
        as_of_date: record.as_of_date,
        indicators: record.indicators.clone(),
        reasoning,
        support,
        action,
        generated_by: record.metadata.generated_by.clone(),
        version: record.metadata.version.clone(),
    })
}
