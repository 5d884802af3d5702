use std::path::Path;

use hf_dataset::DatasetDict;
use thesis_core::AsOfDate;

use crate::place::Place;
use crate::schema::AS_OF_DATE;
use crate::text_column::DateColumn;
use crate::{Split, SplitError, SplitPlan};

/// The dates of a split, as they lie on disk.
struct Found {
    split: Split,
    rows: u64,
    span: Option<(AsOfDate, AsOfDate)>,
}

/// Reads the data set in `folder` back: each split has its rows, and ends before the next begins.
pub(crate) fn check_written(folder: &Path, plan: &SplitPlan) -> Result<(), SplitError> {
    let dataset = DatasetDict::open(folder)?;
    let mut before: Option<(Split, AsOfDate)> = None;
    for part in &plan.parts {
        let Found { split, rows: found, span } = read_dates(&dataset, part.split)?;
        let written = part.rows.len() as u64;
        if found != written {
            return Err(SplitError::RowCount { split, written, found });
        }
        let Some((first, last)) = span else {
            continue;
        };
        match before {
            Some((earlier, last)) if last >= first => {
                return Err(SplitError::Leak { earlier, last, later: split, first });
            }
            _ => before = Some((split, last)),
        }
    }
    Ok(())
}

fn read_dates(dataset: &DatasetDict, split: Split) -> Result<Found, SplitError> {
    let reader = dataset.split(split.as_str())?;
    let mut found = Found { split, rows: 0, span: None };
    for batch in reader.batches_of(&[AS_OF_DATE])? {
        let batch = batch?;
        let place = Place { split: split.to_string(), rows_before: found.rows };
        let dates = DateColumn::new(batch.column(0), AS_OF_DATE, &place)?;
        for row in 0..batch.num_rows() {
            let date = dates.get(row, &place)?;
            let (first, last) = found.span.unwrap_or((date, date));
            found.span = Some((first.min(date), last.max(date)));
        }
        found.rows += batch.num_rows() as u64;
    }
    Ok(found)
}
