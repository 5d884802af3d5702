use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Builder, Int8Builder, Int32Builder, ListBuilder, PrimitiveBuilder,
    RecordBatch, StringBuilder,
};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::IGNORED;
use crate::sample::EncodedSample;

/// Which columns a shard has, and how its rows are filled up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShardLayout {
    /// Several examples share a row: `uid`, `action` and `weight` are lists, and `position_ids` and
    /// `seq_lengths` tell examples apart.
    pub(crate) packed: bool,
    /// There is a column `weight`.
    pub(crate) weighted: bool,
    /// Rows are filled up to this length with this id.
    pub(crate) pad: Option<(usize, u32)>,
}

impl ShardLayout {
    pub(crate) fn schema(&self) -> SchemaRef {
        let list = |name: &str, item| {
            Field::new(name, DataType::List(Arc::new(Field::new_list_field(item, true))), false)
        };
        let scalar = |name: &str, item| match self.packed {
            true => list(name, item),
            false => Field::new(name, item, false),
        };
        let mut fields = vec![
            list("input_ids", DataType::Int32),
            list("attention_mask", DataType::Int8),
            list("labels", DataType::Int32),
            scalar("uid", DataType::Utf8),
            scalar("action", DataType::Utf8),
        ];
        if self.weighted {
            fields.push(scalar("weight", DataType::Float32));
        }
        if self.packed {
            fields.push(list("position_ids", DataType::Int32));
            fields.push(list("seq_lengths", DataType::Int32));
        }
        Arc::new(Schema::new(fields))
    }

    /// Rows as columns, each row the examples that share it; one where nothing is packed.
    pub(crate) fn batch(&self, rows: &[Vec<&EncodedSample>]) -> Result<RecordBatch, ArrowError> {
        let mut input_ids = ListBuilder::new(Int32Builder::new());
        let mut attention_mask = ListBuilder::new(Int8Builder::new());
        let mut labels = ListBuilder::new(Int32Builder::new());
        let mut position_ids = ListBuilder::new(Int32Builder::new());
        let mut seq_lengths = ListBuilder::new(Int32Builder::new());
        for row in rows {
            let mut used = 0;
            for EncodedSample { example, .. } in row {
                let length = example.tokens();
                extend(&mut input_ids, example.input_ids().map(|id| id as i32));
                extend(&mut attention_mask, std::iter::repeat_n(1, length));
                extend(&mut labels, example.labels());
                extend(&mut position_ids, 0..length as i32);
                seq_lengths.values().append_value(length as i32);
                used += length;
            }
            if let Some((max_length, pad_id)) = self.pad {
                let missing = max_length.saturating_sub(used);
                extend(&mut input_ids, std::iter::repeat_n(pad_id as i32, missing));
                extend(&mut attention_mask, std::iter::repeat_n(0, missing));
                extend(&mut labels, std::iter::repeat_n(IGNORED, missing));
                extend(&mut position_ids, 0..missing as i32);
            }
            input_ids.append(true);
            attention_mask.append(true);
            labels.append(true);
            position_ids.append(true);
            seq_lengths.append(true);
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(input_ids.finish()),
            Arc::new(attention_mask.finish()),
            Arc::new(labels.finish()),
            self.texts(rows, |sample| &sample.uid),
            self.texts(rows, |sample| sample.action.as_str()),
        ];
        if self.weighted {
            columns.push(self.weights(rows));
        }
        if self.packed {
            columns.push(Arc::new(position_ids.finish()));
            columns.push(Arc::new(seq_lengths.finish()));
        }
        RecordBatch::try_new(self.schema(), columns)
    }

    fn texts<'a>(
        &self,
        rows: &[Vec<&'a EncodedSample>],
        text: impl Fn(&'a EncodedSample) -> &'a str,
    ) -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in rows {
            row.iter().for_each(|sample| lists.values().append_value(text(sample)));
            lists.append(true);
        }
        let lists = lists.finish();
        if self.packed { Arc::new(lists) } else { lists.values().clone() }
    }

    fn weights(&self, rows: &[Vec<&EncodedSample>]) -> ArrayRef {
        let mut lists = ListBuilder::new(Float32Builder::new());
        for row in rows {
            extend(&mut lists, row.iter().map(|sample| sample.weight.unwrap_or(1.0)));
            lists.append(true);
        }
        let lists = lists.finish();
        if self.packed { Arc::new(lists) } else { lists.values().clone() }
    }
}

fn extend<T: ArrowPrimitiveType>(
    list: &mut ListBuilder<PrimitiveBuilder<T>>,
    values: impl Iterator<Item = T::Native>,
) {
    values.for_each(|value| list.values().append_value(value));
}
