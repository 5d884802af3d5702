//! Files that are written, read back, and held against the `safetensors` crate.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use checkpoint_files::{
    Checkpoint, CheckpointError, StoredDtype, TensorSource, write_safetensors, write_shards,
};
use expect_test::expect;
use proptest::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView, serialize};

fn metadata(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The error and its causes, without the folder.
fn text(error: &CheckpointError, folder: &Path) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text.replace(&folder.display().to_string(), "DIR")
}

const DTYPES: [(StoredDtype, Dtype); 8] = [
    (StoredDtype::Bool, Dtype::BOOL),
    (StoredDtype::U8, Dtype::U8),
    (StoredDtype::F8E4M3, Dtype::F8_E4M3),
    (StoredDtype::F16, Dtype::F16),
    (StoredDtype::Bf16, Dtype::BF16),
    (StoredDtype::I32, Dtype::I32),
    (StoredDtype::F32, Dtype::F32),
    (StoredDtype::F64, Dtype::F64),
];

proptest! {
    // Each case brings a file to disk.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any tensors: the same bytes as the crate writes, and the same tensors when read.
    #[test]
    fn bytes_are_those_of_the_crate(
        tensors in prop::collection::btree_map(
            "[a-z\"\\\\é]{1,8}",
            (0..DTYPES.len(), prop::collection::vec(0..5_usize, 0..4), any::<u8>()),
            0..8,
        ),
        key in prop::option::of("[a-z]{1,5}"),
    ) {
        let sized = tensors.iter().map(|(name, (dtype, shape, fill))| {
            let (ours, theirs) = DTYPES[*dtype];
            let length = ours.bytes_of(shape.iter().product()).unwrap();
            let bytes: Vec<u8> = (0..length).map(|i| fill.wrapping_add(i as u8)).collect();
            (name, ours, theirs, shape, bytes)
        });
        let sized: Vec<_> = sized.collect();
        let views = sized.iter().map(|(name, _, dtype, shape, bytes)| {
            (*name, TensorView::new(*dtype, (*shape).clone(), bytes).unwrap())
        });
        let pair = key.map(|key| (key, "value".to_owned()));
        let theirs = serialize(views, pair.clone().map(|pair| HashMap::from([pair]))).unwrap();

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let sources = sized.iter().enumerate().map(|(i, (name, dtype, _, shape, bytes))| match i % 2 {
            0 => TensorSource::bytes(*name, *dtype, shape.as_slice(), bytes.as_slice()),
            _ => TensorSource::written(*name, *dtype, shape.as_slice(), |out| out.write_all(bytes)),
        });
        write_safetensors(&path, sources, &pair.into_iter().collect()).unwrap();
        prop_assert_eq!(&fs::read(&path).unwrap(), &theirs);

        let checkpoint = Checkpoint::open(folder.path()).unwrap();
        prop_assert_eq!(checkpoint.tensors().len(), sized.len());
        for (name, dtype, _, shape, bytes) in &sized {
            let view = checkpoint.get(name).unwrap();
            prop_assert_eq!((view.dtype, view.shape, view.bytes), (*dtype, shape.as_slice(), bytes.as_slice()));
        }
    }
}

#[test]
fn metadata_stand_in_the_order_of_their_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let pairs = metadata(&[("z", "1"), ("format", "pt"), ("a", "\"2\"")]);
    write_safetensors(&path, [TensorSource::f32("t", [2], [0.5, -1.0].as_slice())], &pairs)
        .unwrap();
    let bytes = fs::read(&path).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    expect![[r#"{"__metadata__":{"a":"\"2\"","format":"pt","z":"1"},"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}       "#]].assert_eq(std::str::from_utf8(&bytes[8..8 + length]).unwrap());
    let checkpoint = Checkpoint::open(&path).unwrap();
    let keys: Vec<&str> = checkpoint.metadata().iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["a", "format", "z"]);
    assert_eq!(checkpoint.metadata().str("a").unwrap(), "\"2\"");
    let mut values = Vec::new();
    checkpoint.get("t").unwrap().to_f32(&mut values).unwrap();
    assert_eq!(values, [0.5, -1.0]);
    SafeTensors::deserialize(&bytes).unwrap();
}

#[test]
fn a_scalar_has_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let scalar = TensorSource::bytes("s", StoredDtype::F64, [], 1e-3_f64.to_le_bytes().to_vec());
    write_safetensors(&path, [scalar], &BTreeMap::new()).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    let view = checkpoint.get("s").unwrap();
    let mut values = Vec::new();
    view.to_f32(&mut values).unwrap();
    assert_eq!(values, [1e-3_f32]);
    assert!(view.rows(0..1).is_err());
}

#[test]
fn what_cannot_be_written_leaves_the_earlier_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    fs::write(&path, "earlier").unwrap();
    let f32s = |name: &str| TensorSource::f32(name, [1], vec![1.0]);
    let cases: Vec<Vec<TensorSource<'_>>> = vec![
        vec![f32s("a"), f32s("a")],
        vec![f32s("")],
        vec![f32s("__metadata__")],
        vec![f32s("with\0nul")],
        vec![TensorSource::bytes("q", StoredDtype::Q4K, [256], vec![0; 144])],
        vec![TensorSource::bytes("short", StoredDtype::U8, [2, 2], vec![0; 3])],
        vec![TensorSource::bytes("long", StoredDtype::U8, [2, 2], vec![0; 5])],
        vec![f32s("a"), TensorSource::f32("short", [3], vec![1.0, 2.0])],
        vec![f32s("a"), TensorSource::f32("long", [1], vec![1.0, 2.0])],
        vec![TensorSource::bytes("huge", StoredDtype::F32, [1 << 40, 1 << 40], vec![])],
        vec![TensorSource::bytes("odd", StoredDtype::F4, [3], vec![0; 2])],
        vec![TensorSource::written("made", StoredDtype::U8, [1], |_| {
            Err(io::Error::other("the model has no layer 7"))
        })],
    ];
    let mut lines = String::new();
    for case in cases {
        let error = write_safetensors(&path, case, &BTreeMap::new()).unwrap_err();
        lines += &(text(&error, folder.path()) + "\n");
        assert_eq!(fs::read(&path).unwrap(), b"earlier");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "litter");
    }
    expect![[r#"
        tensor `a` in DIR/model.safetensors: it is there twice
        tensor `` in DIR/model.safetensors: this is no name for a tensor
        tensor `__metadata__` in DIR/model.safetensors: this is no name for a tensor
        tensor `with\0nul` in DIR/model.safetensors: this is no name for a tensor
        tensor `q` in DIR/model.safetensors: safetensors has no type Q4_K
        tensor `short` in DIR/model.safetensors: shape [2, 2] of U8 takes 4 bytes, and there are 3
        tensor `long` in DIR/model.safetensors: shape [2, 2] of U8 takes 4 bytes, and there are more
        tensor `short` in DIR/model.safetensors: shape [3] of F32 takes 12 bytes, and there are 8
        tensor `long` in DIR/model.safetensors: shape [1] of F32 takes 4 bytes, and there are more
        tensor `huge` in DIR/model.safetensors: the product of its shape [1099511627776, 1099511627776] overflows
        tensor `odd` in DIR/model.safetensors: shape [3] of F4 is no whole number of blocks of 2 values
        cannot write tensor `made` to DIR/model.safetensors: the model has no layer 7
    "#]]
    .assert_eq(&lines);
}

#[test]
fn a_maker_that_writes_too_much_is_stopped_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let written = Cell::new(0);
    let tensor = TensorSource::written("t", StoredDtype::U8, [2500], |out| {
        (0..100)
            .try_for_each(|_| out.write_all(&[0; 1000]).map(|()| written.set(written.get() + 1)))
    });
    let error = write_safetensors(&path, [tensor], &BTreeMap::new()).unwrap_err();
    assert!(error.to_string().ends_with("takes 2500 bytes, and there are more"), "{error}");
    assert_eq!(written.get(), 2);
}

fn layers(n: usize) -> Vec<TensorSource<'static>> {
    let layer = |i: usize| TensorSource::f32(format!("layer.{i}"), [5], vec![i as f32; 5]);
    (0..n).map(layer).collect()
}

#[test]
fn shards_are_filled_in_order_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new");
    // 20 bytes each: two in a shard of 50.
    let files = write_shards(&out, layers(5), &metadata(&[("format", "pt")]), 50).unwrap();
    let names: Vec<_> =
        files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json",
        ]
    );
    expect![[r#"
        {
          "metadata": {
            "total_size": 100
          },
          "weight_map": {
            "layer.0": "model-00001-of-00003.safetensors",
            "layer.1": "model-00001-of-00003.safetensors",
            "layer.2": "model-00002-of-00003.safetensors",
            "layer.3": "model-00002-of-00003.safetensors",
            "layer.4": "model-00003-of-00003.safetensors"
          }
        }
    "#]]
    .assert_eq(&fs::read_to_string(out.join("model.safetensors.index.json")).unwrap());

    for path in [out.clone(), out.join("model.safetensors.index.json")] {
        let checkpoint = Checkpoint::open(path).unwrap();
        let found: Vec<&str> = checkpoint.tensors().iter().map(|info| info.name.as_str()).collect();
        assert_eq!(found, ["layer.0", "layer.1", "layer.2", "layer.3", "layer.4"]);
        assert_eq!(checkpoint.files().count(), 3);
        assert_eq!(checkpoint.metadata().str("format").unwrap(), "pt");
        let mut values = Vec::new();
        for i in 0..5 {
            let view = checkpoint.get(&format!("layer.{i}")).unwrap();
            assert_eq!(view.file, files[i / 2]);
            view.to_f32(&mut values).unwrap();
            checkpoint.release(&view);
            assert_eq!(values, [i as f32; 5]);
        }
    }
    // A second time over the same files is no trouble; fewer shards would leave some of these behind.
    write_shards(&out, layers(5), &BTreeMap::new(), 50).unwrap();
    for (n, max) in [(5, 1000), (5, 1), (4, 50)] {
        let error = write_shards(&out, layers(n), &BTreeMap::new(), max).unwrap_err();
        assert!(matches!(error, CheckpointError::OtherWeights { .. }), "{error}");
    }
}

#[test]
fn one_shard_needs_no_index() {
    let folder = tempfile::tempdir().unwrap();
    let files = write_shards(folder.path(), layers(5), &BTreeMap::new(), 100).unwrap();
    assert_eq!(files, [folder.path().join("model.safetensors")]);
    assert_eq!(Checkpoint::open(folder.path()).unwrap().tensors().len(), 5);
    let error = write_shards(folder.path(), layers(5), &BTreeMap::new(), 50).unwrap_err();
    expect!["DIR holds other weights, which readers would mix up with these: model.safetensors"]
        .assert_eq(&text(&error, folder.path()));
}

#[test]
fn a_tensor_larger_than_a_shard_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let files = write_shards(folder.path(), layers(3), &BTreeMap::new(), 10).unwrap();
    assert_eq!(files.len(), 4);
}
