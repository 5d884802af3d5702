//! GGUF files that are written: what is read back, and what is refused.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;

use checkpoint_files::{
    Checkpoint, CheckpointError, MetadataArray, MetadataValue, StoredDtype, TensorSource, gguf,
    write_gguf,
};
use proptest::prelude::*;

fn scalar() -> impl Strategy<Value = MetadataValue> {
    use MetadataValue as V;
    prop_oneof![
        any::<u8>().prop_map(V::U8),
        any::<i8>().prop_map(V::I8),
        any::<u16>().prop_map(V::U16),
        any::<i16>().prop_map(V::I16),
        any::<u32>().prop_map(V::U32),
        any::<i32>().prop_map(V::I32),
        any::<f32>().prop_map(V::F32),
        any::<bool>().prop_map(V::Bool),
        any::<String>().prop_map(V::String),
        any::<u64>().prop_map(V::U64),
        any::<i64>().prop_map(V::I64),
        any::<f64>().prop_map(V::F64),
    ]
}

fn array() -> impl Strategy<Value = MetadataArray> {
    use MetadataArray as A;
    prop_oneof![
        any::<Vec<u8>>().prop_map(A::U8),
        any::<Vec<i8>>().prop_map(A::I8),
        any::<Vec<u16>>().prop_map(A::U16),
        any::<Vec<i16>>().prop_map(A::I16),
        any::<Vec<u32>>().prop_map(A::U32),
        any::<Vec<i32>>().prop_map(A::I32),
        any::<Vec<f32>>().prop_map(A::F32),
        any::<Vec<bool>>().prop_map(A::Bool),
        any::<Vec<String>>().prop_map(A::String),
        any::<Vec<Vec<u16>>>().prop_map(|all| A::Array(all.into_iter().map(A::U16).collect())),
        any::<Vec<u64>>().prop_map(A::U64),
        any::<Vec<i64>>().prop_map(A::I64),
        any::<Vec<f64>>().prop_map(A::F64),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(
        values in prop::collection::vec(
            prop_oneof![scalar(), array().prop_map(MetadataValue::Array)], 0..8),
        shapes in prop::collection::vec(prop::collection::vec(0_usize..5, 0..4), 0..5),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gguf");
        let keys: Vec<String> = (0..values.len()).map(|i| format!("key.{i}")).collect();
        let metadata: Vec<_> = keys.iter().map(String::as_str).zip(values.clone()).collect();
        let data = |index: usize, shape: &[usize]| -> Vec<u8> {
            (0..4 * shape.iter().product::<usize>()).map(|i| (i * 7 + index) as u8).collect()
        };
        let tensors = shapes.iter().enumerate().map(|(index, shape)| {
            TensorSource::bytes(format!("t{index}"), StoredDtype::F32, shape.clone(), data(index, shape))
        });
        write_gguf(&path, &metadata, tensors).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let header = gguf::parse(&path, &bytes).unwrap();
        // Through text, since a NaN is not equal to itself.
        let read: Vec<_> = header.metadata.iter().map(|(_, value)| value.clone()).collect();
        prop_assert_eq!(format!("{read:?}"), format!("{values:?}"));
        let file = Checkpoint::open(&path).unwrap();
        for (index, shape) in shapes.iter().enumerate() {
            let view = file.get(&format!("t{index}")).unwrap();
            prop_assert_eq!((view.shape, view.bytes), (&shape[..], &data(index, shape)[..]));
        }
    }
}

fn refused(metadata: &[(&str, MetadataValue)], tensors: Vec<TensorSource<'_>>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.gguf");
    let error: CheckpointError = write_gguf(&path, metadata, tensors).unwrap_err();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{error}");
    assert!(error.to_string().contains("x.gguf"), "{error}");
    error.to_string()
}

#[test]
fn what_no_reader_takes_is_not_written() {
    let floats = |name: &str, shape: &[usize], bytes: usize| {
        TensorSource::bytes(name, StoredDtype::F32, shape, vec![0; bytes])
    };
    let one = |tensor| refused(&[], vec![tensor]);
    assert!(one(floats("", &[1], 4)).contains("a name has 1 to 63 bytes"));
    assert!(one(floats(&"x".repeat(64), &[1], 4)).contains("a name has 1 to 63 bytes"));
    assert!(one(floats("t", &[1; 5], 4)).contains("5 dimensions"));
    assert!(one(floats("t", &[2], 4)).contains("takes 8 bytes"));
    assert!(one(floats("t", &[2], 12)).contains("takes 8 bytes"));
    let codes = TensorSource::bytes("t", StoredDtype::U8, [1], vec![0]);
    assert!(one(codes).contains("no type U8"));
    let blocks = TensorSource::bytes("t", StoredDtype::Q8_0, [2, 16], vec![0; 34]);
    assert!(one(blocks).contains("no whole blocks of 32"));
    assert!(refused(&[], vec![floats("t", &[1], 4), floats("t", &[1], 4)]).contains("twice"));
    let flag = || MetadataValue::Bool(true);
    assert!(refused(&[("a", flag()), ("a", flag())], vec![]).contains("`a`"));
    let alignment = [("general.alignment", MetadataValue::U32(64))];
    assert!(refused(&alignment, vec![]).contains("general.alignment"));
}

#[test]
fn a_file_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let path = folder.path().join("file/x.gguf");
    let error = write_gguf(&path, &[], []).unwrap_err().to_string();
    assert!(error.contains(Path::new("file").to_str().unwrap()), "{error}");
}
