use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use serde_json::{Map, Value, json};

use crate::HfDatasetError;
use crate::layout::METADATA_KEY;

/// The features of a schema, as `dataset_info.json` spells them.
///
/// Lists of scalars are written as `Sequence` and lists of structs in brackets: the spellings that
/// `datasets` 2 to 5 all read.
///
/// # Errors
/// [`HfDatasetError::UnsupportedType`] for a column that `datasets` has no word for.
pub fn features_of(schema: &Schema) -> Result<Value, HfDatasetError> {
    fields(schema.fields().iter(), "")
}

/// The schema with its features in its metadata, in place of any other metadata.
pub(crate) fn with_features(schema: &Schema, features: &Value) -> SchemaRef {
    let text = json!({"info": {"features": features}}).to_string();
    let metadata = HashMap::from([(METADATA_KEY.to_owned(), text)]);
    Arc::new(Schema::new_with_metadata(schema.fields().clone(), metadata))
}

/// The features that a schema's metadata holds, where it does.
pub(crate) fn features_in(schema: &Schema) -> Option<Value> {
    let text = schema.metadata().get(METADATA_KEY)?;
    let mut value: Value = serde_json::from_str(text).ok()?;
    Some(value.get_mut("info")?.get_mut("features")?.take())
}

/// The names of a `ClassLabel` column: the name at an index is what that number stands for.
pub(crate) fn class_names(features: &Value, column: &str) -> Option<Vec<String>> {
    let feature = features.get(column)?;
    if feature.get("_type")? != "ClassLabel" {
        return None;
    }
    let names = feature.get("names")?.as_array()?.iter();
    names.map(|name| name.as_str().map(str::to_owned)).collect()
}

fn fields<'a>(
    fields: impl Iterator<Item = &'a Arc<Field>>,
    parent: &str,
) -> Result<Value, HfDatasetError> {
    let entries = fields.map(|field| {
        let path = match parent {
            "" => field.name().clone(),
            _ => format!("{parent}.{}", field.name()),
        };
        Ok((field.name().clone(), feature(field.data_type(), &path)?))
    });
    Ok(Value::Object(entries.collect::<Result<Map<_, _>, HfDatasetError>>()?))
}

fn feature(data_type: &DataType, path: &str) -> Result<Value, HfDatasetError> {
    match data_type {
        DataType::Struct(children) => fields(children.iter(), path),
        DataType::List(item) => list(item, -1, path),
        DataType::FixedSizeList(item, length) => list(item, *length, path),
        DataType::LargeList(item) => {
            let feature = feature(item.data_type(), path)?;
            Ok(json!({"feature": feature, "_type": "LargeList"}))
        }
        _ => Ok(json!({"dtype": dtype(data_type, path)?, "_type": "Value"})),
    }
}

fn list(item: &Field, length: i32, path: &str) -> Result<Value, HfDatasetError> {
    let feature = feature(item.data_type(), path)?;
    // A `Sequence` of a struct would be read as a struct of lists.
    let is_value = feature.get("_type").is_some_and(Value::is_string);
    Ok(match (is_value, length) {
        (false, -1) => json!([feature]),
        _ => json!({"feature": feature, "length": length, "_type": "Sequence"}),
    })
}

fn dtype(data_type: &DataType, path: &str) -> Result<String, HfDatasetError> {
    let unit = |unit: &TimeUnit| match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    };
    Ok(match data_type {
        DataType::Null => "null".into(),
        DataType::Boolean => "bool".into(),
        DataType::Int8 => "int8".into(),
        DataType::Int16 => "int16".into(),
        DataType::Int32 => "int32".into(),
        DataType::Int64 => "int64".into(),
        DataType::UInt8 => "uint8".into(),
        DataType::UInt16 => "uint16".into(),
        DataType::UInt32 => "uint32".into(),
        DataType::UInt64 => "uint64".into(),
        DataType::Float16 => "float16".into(),
        DataType::Float32 => "float32".into(),
        DataType::Float64 => "float64".into(),
        DataType::Utf8 => "string".into(),
        DataType::LargeUtf8 => "large_string".into(),
        DataType::Binary => "binary".into(),
        DataType::LargeBinary => "large_binary".into(),
        DataType::Date32 => "date32".into(),
        DataType::Date64 => "date64".into(),
        DataType::Time32(u) => format!("time32[{}]", unit(u)),
        DataType::Time64(u) => format!("time64[{}]", unit(u)),
        DataType::Duration(u) => format!("duration[{}]", unit(u)),
        DataType::Timestamp(u, None) => format!("timestamp[{}]", unit(u)),
        DataType::Timestamp(u, Some(zone)) => format!("timestamp[{}, tz={zone}]", unit(u)),
        DataType::Decimal128(precision, scale) => format!("decimal128({precision}, {scale})"),
        _ => {
            let data_type = data_type.clone();
            return Err(HfDatasetError::UnsupportedType { column: path.to_owned(), data_type });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data_type: DataType, want: &Value) {
        let schema = Schema::new(vec![Field::new("c", data_type, true)]);
        assert_eq!(&features_of(&schema).unwrap()["c"], want);
    }

    #[test]
    fn spellings_that_all_versions_read() {
        let string = json!({"dtype": "string", "_type": "Value"});
        check(DataType::Utf8, &string);
        check(DataType::Date32, &json!({"dtype": "date32", "_type": "Value"}));
        let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        check(zoned, &json!({"dtype": "timestamp[us, tz=UTC]", "_type": "Value"}));
        let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
        check(list(DataType::Utf8), &json!({"feature": string, "length": -1, "_type": "Sequence"}));
        let name = DataType::Struct(vec![Field::new("name", DataType::Utf8, true)].into());
        check(name.clone(), &json!({"name": string}));
        check(list(name.clone()), &json!([{"name": string}]));
        check(list(list(name)), &json!([[{"name": string}]]));
        let pair =
            DataType::FixedSizeList(Arc::new(Field::new_list_field(DataType::Utf8, true)), 2);
        check(pair, &json!({"feature": string, "length": 2, "_type": "Sequence"}));
    }

    #[test]
    fn what_datasets_cannot_hold_is_named_with_its_path() {
        let inner = Field::new("b", DataType::Decimal256(40, 2), true);
        let schema = Schema::new(vec![Field::new_struct("a", vec![inner], true)]);
        let error = features_of(&schema).unwrap_err().to_string();
        assert!(error.contains("`a.b`"), "{error}");
    }

    #[test]
    fn metadata_holds_what_was_put_there() {
        let schema = Schema::new(vec![Field::new("c", DataType::Int32, true)]);
        let features = features_of(&schema).unwrap();
        assert_eq!(features_in(&with_features(&schema, &features)), Some(features));
        assert_eq!(features_in(&schema), None);
    }

    #[test]
    fn class_names_by_number() {
        let features = json!({"a": {"names": ["X", "Y"], "_type": "ClassLabel"}, "b": {"dtype": "int64", "_type": "Value"}});
        assert_eq!(class_names(&features, "a").unwrap(), ["X", "Y"]);
        assert_eq!(class_names(&features, "b"), None);
        assert_eq!(class_names(&features, "c"), None);
    }
}
