use arrow::array::RecordBatch;
use arrow::datatypes::DataType;

use super::columns::{ColumnFault, Floats, Integers, Shape, Texts};
use super::raw_row::RawRow;
use super::{ReadOptions, RowFault};

/// The columns of some rows.
pub(super) struct Columns {
    input_ids: Integers,
    labels: Integers,
    attention_mask: Option<Integers>,
    position_ids: Option<Integers>,
    seq_lengths: Option<Integers>,
    weight: Option<Floats>,
    pub(super) uid: Option<Texts>,
    action: Option<Texts>,
}

/// A row whose tokens are examples, with what its other columns say of them.
pub(super) struct CheckedRow<'a> {
    pub(super) examples: Vec<Box<[u32]>>,
    pub(super) actions: Vec<Option<&'a str>>,
    pub(super) weights: &'a [f64],
}

impl Columns {
    pub(super) fn of(batch: &RecordBatch) -> Result<Self, (&'static str, ColumnFault)> {
        let integers = |column| {
            Integers::of(batch, column, Shape::List, "a list of integers")
                .map_err(|fault| (column, fault))
        };
        let texts = |column| {
            Texts::of(batch, column, "a text, or a list of texts").map_err(|fault| (column, fault))
        };
        let needed = |column| {
            let absent = || (column, ColumnFault::Type(DataType::Null, "a list of integers"));
            integers(column)?.ok_or_else(absent)
        };
        Ok(Self {
            input_ids: needed("input_ids")?,
            labels: needed("labels")?,
            attention_mask: integers("attention_mask")?,
            position_ids: integers("position_ids")?,
            seq_lengths: integers("seq_lengths")?,
            weight: Floats::of(
                batch,
                "weight",
                Shape::ListOrSingle,
                "a number, or a list of numbers",
            )
            .map_err(|fault| ("weight", fault))?,
            uid: texts("uid")?,
            action: texts("action")?,
        })
    }

    pub(super) fn row(
        &self,
        row: usize,
        options: &ReadOptions,
    ) -> Result<CheckedRow<'_>, RowFault> {
        let raw = RawRow {
            input_ids: values("input_ids", &self.input_ids, row)?,
            labels: values("labels", &self.labels, row)?,
            attention_mask: optional("attention_mask", self.attention_mask.as_ref(), row)?,
            position_ids: optional("position_ids", self.position_ids.as_ref(), row)?,
            seq_lengths: optional("seq_lengths", self.seq_lengths.as_ref(), row)?,
        };
        let weights = match &self.weight {
            Some(weight) => weight.row(row).ok_or(RowFault::Null { column: "weight" })?,
            None => &[],
        };
        let actions = self.action.as_ref().map_or_else(Vec::new, |action| action.row(row));
        let checked = CheckedRow::new(&raw, actions, weights, options)?;
        let CheckedRow { examples, actions, weights } = &checked;
        let lengths = [
            ("weight", weights.len(), self.weight.is_some()),
            ("action", actions.len(), self.action.is_some()),
        ];
        for (column, got, is_there) in lengths {
            if is_there && got != examples.len() {
                let expected = examples.len();
                return Err(RowFault::Length { column, got, expected, of: "examples" });
            }
        }
        Ok(checked)
    }
}

impl<'a> CheckedRow<'a> {
    pub(super) fn new(
        raw: &RawRow<'_>,
        actions: Vec<Option<&'a str>>,
        weights: &'a [f64],
        options: &ReadOptions,
    ) -> Result<Self, RowFault> {
        let examples = raw.examples(options.vocab_size)?;
        if let Some(&weight) = weights.iter().find(|weight| !is_weight(**weight)) {
            return Err(RowFault::Weight { weight });
        }
        Ok(Self { examples, actions, weights })
    }
}

fn values<'a>(
    column: &'static str,
    numbers: &'a Integers,
    row: usize,
) -> Result<&'a [i64], RowFault> {
    numbers.row(row).ok_or(RowFault::Null { column })
}

fn optional<'a>(
    column: &'static str,
    numbers: Option<&'a Integers>,
    row: usize,
) -> Result<Option<&'a [i64]>, RowFault> {
    numbers.map(|numbers| values(column, numbers, row)).transpose()
}

/// Weights lie in memory as f32.
fn is_weight(weight: f64) -> bool {
    let weight = weight as f32;
    weight.is_finite() && weight > 0.0
}
