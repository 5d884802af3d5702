use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};

pub(crate) const UID: &str = "uid";
pub(crate) const TICKER: &str = "ticker";
pub(crate) const AS_OF_DATE: &str = "as_of_date";
pub(crate) const INSTRUCTION: &str = "instruction";
pub(crate) const INPUT: &str = "input";
pub(crate) const OUTPUT: &str = "output";
pub(crate) const ACTION: &str = "action";
pub(crate) const INDICATORS: &str = "indicators";
pub(crate) const METADATA: &str = "metadata";
pub(crate) const WEIGHT: &str = "weight";

/// The columns of a data set of records, in order; `weight` comes last where it is asked for.
///
/// Every column may hold nulls by its type, as `datasets` declares its own; only `indicators.value`,
/// `metadata.generated_by` and `metadata.version` do.
pub fn record_schema(weight: bool) -> SchemaRef {
    let text = [UID, TICKER, AS_OF_DATE, INSTRUCTION, INPUT, OUTPUT, ACTION];
    let mut fields: Vec<Field> =
        text.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
    fields.push(Field::new(INDICATORS, DataType::List(INDICATOR_ITEM.clone()), true));
    fields.push(Field::new(METADATA, DataType::Struct(METADATA_FIELDS.clone()), true));
    if weight {
        fields.push(Field::new(WEIGHT, DataType::Float32, true));
    }
    Arc::new(Schema::new(fields))
}

/// `name` and `value`.
pub(crate) static INDICATOR_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    [("name", DataType::Utf8), ("value", DataType::Float64)]
        .into_iter()
        .map(|(name, data_type)| Field::new(name, data_type, true))
        .collect()
});

/// One indicator of the list.
pub(crate) static INDICATOR_ITEM: LazyLock<Arc<Field>> = LazyLock::new(|| {
    Arc::new(Field::new_list_field(DataType::Struct(INDICATOR_FIELDS.clone()), true))
});

/// The parts of a provenance.
pub(crate) static METADATA_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let text = DataType::Utf8;
    [
        ("file", text.clone()),
        ("line", DataType::Int64),
        ("generated_by", text.clone()),
        ("version", text),
    ]
    .into_iter()
    .map(|(name, data_type)| Field::new(name, data_type, true))
    .collect()
});
