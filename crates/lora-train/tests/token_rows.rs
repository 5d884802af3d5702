//! Token rows as they are read from folders: those that Python's `datasets` wrote, and broken ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float32Array, Int32Array, Int64Array, LargeListArray, ListArray, ListBuilder,
    RecordBatch, StringArray, StringBuilder,
};
use arrow::datatypes::{Float32Type, Int8Type, Int32Type, Int64Type};
use hf_dataset::{DEFAULT_SHARD_BYTES, Format, SplitWriter, write_dataset_dict};
use lora_train::data::{
    DataError, DataNote, MicroBatch, Plan, PlanOptions, ReadOptions, TokenRows, TokenizedExample,
};
use tempfile::TempDir;
use thesis_core::Action;

const OPTIONS: ReadOptions = ReadOptions { vocab_size: 128, max_length: 40 };

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sft").join(name)
}

fn open(folder: &Path) -> Result<(TokenRows, Vec<DataNote>), DataError> {
    TokenRows::open(folder, "train", &OPTIONS)
}

/// A data set with one split of these columns.
fn dataset(columns: Vec<(&str, ArrayRef)>) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let (path, schema) = (folder.path(), batch.schema());
    let writer = SplitWriter::create(path, "train", schema, Format::Arrow, DEFAULT_SHARD_BYTES);
    let mut writer = writer.expect("a writer");
    writer.write(&batch).expect("rows");
    writer.finish().expect("a split");
    write_dataset_dict(path, &["train"]).expect("written");
    folder
}

fn list(rows: &[&[i32]]) -> ArrayRef {
    let rows = rows.iter().map(|row| Some(row.iter().map(|&value| Some(value))));
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows))
}

fn bytes(rows: &[&[i8]]) -> ArrayRef {
    let rows = rows.iter().map(|row| Some(row.iter().map(|&value| Some(value))));
    Arc::new(ListArray::from_iter_primitive::<Int8Type, _, _>(rows))
}

fn large(rows: &[&[i64]]) -> ArrayRef {
    let rows = rows.iter().map(|row| Some(row.iter().map(|&value| Some(value))));
    Arc::new(LargeListArray::from_iter_primitive::<Int64Type, _, _>(rows))
}

fn texts(texts: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(texts.to_vec()))
}

fn text_lists(values: &[&str]) -> ArrayRef {
    let mut list = ListBuilder::new(StringBuilder::new());
    values.iter().for_each(|value| list.values().append_value(value));
    list.append(true);
    Arc::new(list.finish())
}

fn targets(batch: &MicroBatch) -> Vec<(usize, u32)> {
    batch.targets.iter().map(|target| (target.row, target.id)).collect()
}

#[test]
fn the_reference_batches() {
    let (rows, notes) = open(&fixture("llama-dataset")).unwrap();
    // Counted with numpy in the batches that the data set was made of.
    assert_eq!((rows.rows(), rows.examples()), (72, 72));
    assert_eq!((rows.tokens(), rows.targets(), rows.longest_row()), (2144, 1628, 40));
    assert_eq!([0, 1, 71].map(|row| rows.row_tokens(row)), [28, 21, 33]);
    assert_eq!(rows.micro_batch(&[0]).ids[..6], [124, 32, 88, 57, 124, 32]);
    assert_eq!((rows.uid(3), rows.action(3)), ("row 3", None));
    assert_eq!(notes, []);
    let options = PlanOptions {
        seed: 0,
        shuffle: false,
        balanced: false,
        micro_batch: 1,
        accumulation: 3,
        world: 1,
    };
    let mut plan = Plan::new(&rows, options).unwrap();
    assert_eq!((plan.steps_per_epoch(), plan.total_steps(Some(1.0), None)), (24, 24));
    assert_eq!(plan.micro_batches(23, 0), [[69], [70], [71]]);
}

#[test]
fn other_forms_of_the_same_rows() {
    let (reference, _) = open(&fixture("llama-dataset")).unwrap();
    for form in ["single-dataset", "parquet-dataset"] {
        let (rows, notes) = open(&fixture(form)).unwrap();
        assert_eq!((rows.rows(), notes), (6, Vec::new()), "{form}");
        for row in 0..6 {
            let (got, want) = (rows.micro_batch(&[row]), reference.micro_batch(&[row]));
            assert_eq!(targets(&got), targets(&want), "{form}");
            assert_eq!((got.ids, got.spans), (want.ids, want.spans), "{form}");
        }
    }
    let (rows, _) = open(&fixture("parquet-dataset")).unwrap();
    assert_eq!((rows.uid(4), rows.action(4)), ("TSLA|2024-01-05|0", Some(Action::StrongSell)));
    assert_eq!(rows.micro_batch(&[4]).targets[0].weight, 4.5);
    assert_eq!(rows.actions(), [2, 1, 1, 1, 1]);
    assert_eq!(rows.files().len(), 2);
}

#[test]
fn padding_goes_at_either_end() {
    let folder = dataset(vec![
        ("input_ids", list(&[&[0, 0, 5, 6, 7], &[5, 6, 7, 0, 0]])),
        ("labels", large(&[&[-100, -100, -100, 6, 7], &[5, 6, 7, -100, -100]])),
        ("attention_mask", bytes(&[&[0, 0, 1, 1, 1], &[1, 1, 1, 0, 0]])),
        ("token_type_ids", list(&[&[0; 5], &[0; 5]])),
    ]);
    let (rows, notes) = open(folder.path()).unwrap();
    assert_eq!(rows.micro_batch(&[0]), rows.micro_batch(&[1]), "the first token is no target");
    assert_eq!(rows.micro_batch(&[0]).ids, [5, 6, 7]);
    assert_eq!(notes, [DataNote::UnusedColumns { columns: vec!["token_type_ids".to_owned()] }]);
}

#[test]
fn rows_of_several_examples() {
    let ids = || ("input_ids", list(&[&[1, 2, 3, 4, 5, 0]]));
    let labels = || ("labels", list(&[&[-100, 2, 3, -100, 5, -100]]));
    let mask = || ("attention_mask", bytes(&[&[1, 1, 1, 1, 1, 0]]));
    let lengths = ("seq_lengths", list(&[&[2, 3]]));
    let positions = ("position_ids", list(&[&[0, 1, 0, 1, 2, 0]]));
    for way in [lengths, positions] {
        let folder = dataset(vec![ids(), labels(), mask(), way.clone()]);
        let (rows, _) = open(folder.path()).unwrap();
        let batch = rows.micro_batch(&[0]);
        assert_eq!((rows.rows(), batch.examples(), rows.row_tokens(0)), (1, 2, 5), "{}", way.0);
        assert_eq!(targets(&batch), [(0, 2), (3, 5)], "none is predicted from another example");
    }
    let weights =
        ListArray::from_iter_primitive::<Float32Type, _, _>([Some([Some(2.0), Some(0.5)])]);
    let folder = dataset(vec![
        ids(),
        labels(),
        mask(),
        ("seq_lengths", list(&[&[2, 3]])),
        ("uid", text_lists(&["a", "b"])),
        ("action", text_lists(&["BUY", "to the moon"])),
        ("weight", Arc::new(weights)),
    ]);
    let (rows, notes) = open(folder.path()).unwrap();
    assert_eq!((rows.uid(0), rows.uid(1)), ("a", "b"));
    assert_eq!((rows.action(0), rows.action(1)), (Some(Action::Buy), None));
    assert_eq!(rows.target_weight(&[0]), 2.5);
    let first = "to the moon".to_owned();
    assert_eq!(notes, [DataNote::UnknownActions { examples: 1, first }]);
}

#[test]
fn an_example_without_targets_in_a_row_that_has_some() {
    let folder = dataset(vec![
        ("input_ids", list(&[&[1, 2, 3, 4]])),
        ("labels", list(&[&[-100, 2, 3, -100]])),
        ("seq_lengths", list(&[&[2, 2]])),
    ]);
    let (rows, notes) = open(folder.path()).unwrap();
    assert_eq!(rows.targets(), 1);
    let first = "row 0, example 1".to_owned();
    assert_eq!(notes, [DataNote::ExamplesWithoutTargets { examples: 1, first }]);
}

#[test]
fn what_is_wrong_with_a_row_is_said() {
    let check = |columns: Vec<(&'static str, ArrayRef)>, words: &[&str]| {
        let folder = dataset(columns);
        let error = open(folder.path()).unwrap_err();
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        let text = format!("{error}: {cause}");
        assert!(text.contains("split `train` of "), "{text}");
        for word in words {
            assert!(text.contains(word), "no {word:?} in {text}");
        }
    };
    let ids = || ("input_ids", list(&[&[1, 2, 3]]));
    let labels = || ("labels", list(&[&[-100, 2, 3]]));
    let uid = || ("uid", texts(&["TSLA|1"]));
    check(vec![ids()], &["no column `labels`; it has input_ids"]);
    check(vec![("text", texts(&["a"]))], &["no column `input_ids`; it has text"]);
    check(vec![("input_ids", texts(&["a"])), labels()], &["`input_ids` has type", "integers"]);
    let floats = ListArray::from_iter_primitive::<Float32Type, _, _>([Some([Some(1.5)])]);
    check(vec![("input_ids", Arc::new(floats)), labels()], &["Float32", "a list of integers"]);
    let single: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    check(vec![("input_ids", single), labels()], &["type Int32", "a list of integers"]);
    let id = |id: i32| vec![uid(), ("input_ids", list(&[&[1, id]])), ("labels", list(&[&[1, id]]))];
    check(id(128), &["`TSLA|1`", "token 1 has id 128", "ends at 127"]);
    check(id(-1), &["token 1 has id -1"]);
    let shifted = ("labels", list(&[&[2, 3, -100]]));
    check(vec![ids(), shifted], &["row 0", "label of token 0 is 2", "the token's own id, 1"]);
    check(vec![ids(), ("labels", list(&[&[-100, 2]]))], &["`labels` has 2 values for 3 tokens"]);
    let mask = |mask: &[i8]| vec![ids(), labels(), ("attention_mask", bytes(&[mask]))];
    check(mask(&[1, 1]), &["`attention_mask` has 2 values for 3 tokens"]);
    check(mask(&[1, 0, 1]), &["0 at token 1, between tokens"]);
    check(mask(&[1, 2, 1]), &["2 at token 1"]);
    check(mask(&[1, 1, 0]), &["token 2 is padding", "label is 3"]);
    check(mask(&[0, 0, 0]), &["there are no tokens"]);
    check(vec![("input_ids", list(&[&[]])), ("labels", list(&[&[]]))], &["no tokens"]);
    for lengths in [&[2][..], &[2, 2], &[3, 0], &[4, -1], &[i32::MAX, i32::MAX]] {
        let lengths = ("seq_lengths", list(&[lengths]));
        check(vec![ids(), labels(), lengths], &["do not add up to the 3 tokens"]);
    }
    let positions = ("position_ids", list(&[&[0, 1, 3]]));
    check(vec![ids(), labels(), positions], &["has 3 at token 2", "goes on with 2"]);
    for weight in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let weights: ArrayRef = Arc::new(Float32Array::from(vec![weight]));
        check(vec![ids(), labels(), ("weight", weights)], &["the weight is", "above 0"]);
    }
    check(
        vec![ids(), labels(), ("uid", text_lists(&["a", "b"]))],
        &["`uid` has 2 values for 1 examples"],
    );
}

#[test]
fn nulls_are_not_zeros() {
    let check = |column: &str, array: ArrayRef| {
        let mut columns = vec![
            ("input_ids", list(&[&[1, 2, 3]])),
            ("labels", list(&[&[-100, 2, 3]])),
            ("attention_mask", list(&[&[1, 1, 1]])),
            ("weight", Arc::new(Int64Array::from(vec![1])) as ArrayRef),
        ];
        let place = columns.iter_mut().find(|(name, _)| *name == column).expect("a column");
        place.1 = array;
        let folder = dataset(columns);
        let error = open(folder.path()).unwrap_err();
        let cause = std::error::Error::source(&error).expect("a cause").to_string();
        assert_eq!(cause, format!("column `{column}` is null, or has a null in it"));
    };
    for column in ["input_ids", "labels", "attention_mask"] {
        let inside = [Some([Some(1), None, Some(3)])];
        check(column, Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(inside)));
        let whole = [None::<[Option<i32>; 0]>];
        check(column, Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(whole)));
    }
    check("weight", Arc::new(Int64Array::from(vec![None])));
}

#[test]
fn rows_that_are_too_long_or_have_no_targets_are_counted() {
    let (long, longer): (Vec<i32>, Vec<i32>) = ((0..41).collect(), (0..50).collect());
    let folder = dataset(vec![
        ("input_ids", list(&[&long, &[1, 2], &longer])),
        ("labels", list(&[&long, &[1, 2], &longer])),
        ("uid", texts(&["a", "b", "c"])),
    ]);
    let error = open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("2 rows have more than 40 tokens; the longest, `c`, has 50"), "{error}");
    let longer = ReadOptions { max_length: 50, ..OPTIONS };
    assert!(TokenRows::open(folder.path(), "train", &longer).is_ok());

    let none: &[i32] = &[-100, -100];
    let first: &[i32] = &[1, -100];
    let folder = dataset(vec![
        ("input_ids", list(&[&[1, 2][..]; 7])),
        ("labels", list(&[none, first, &[-100, 2], first, first, first, first])),
    ]);
    let error = open(folder.path()).unwrap_err().to_string();
    let words = "6 rows have no targets, their labels being -100 everywhere but at the first token; \
                 they are row 0, row 1, row 3, row 4, row 5, …";
    assert!(error.contains(words), "{error}");
}

#[test]
fn what_is_no_data_set_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let check = |folder: &Path, split: &str, word: &str| {
        let error = TokenRows::open(folder, split, &OPTIONS).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    };
    check(folder.path(), "train", "holds no data set");
    check(&folder.path().join("none"), "train", "cannot open data set");
    check(&fixture("llama-dataset"), "test", "has no split `test`; it has train");
    let empty = dataset(vec![("input_ids", list(&[])), ("labels", list(&[]))]);
    check(empty.path(), "train", "has no rows");
}

#[test]
fn examples_that_come_from_a_tokenizer() {
    let example = |prompt: &[u32], target: &[u32]| TokenizedExample {
        uid: "a".to_owned(),
        prompt: prompt.to_vec(),
        target: target.to_vec(),
        action: Some(Action::Sell),
        weight: Some(0.5),
    };
    let rows = |examples: Vec<TokenizedExample>| {
        TokenRows::of_examples(Path::new("records"), "train", Vec::new(), &OPTIONS, examples)
            .map(|(rows, _)| rows)
            .map_err(|error| error.to_string())
    };
    let made = rows(vec![example(&[1, 2], &[3, 4])]).unwrap();
    let batch = made.micro_batch(&[0]);
    assert_eq!((targets(&batch), made.uid(0)), (vec![(1, 3), (2, 4)], "a"));
    assert_eq!((made.action(0), made.target_weight(&[0])), (Some(Action::Sell), 1.0));
    assert!(rows(Vec::new()).unwrap_err().contains("has no rows"));
    assert!(rows(vec![example(&[1], &[])]).unwrap_err().contains("`a`"));
    assert!(rows(vec![example(&[1], &[500])]).unwrap_err().contains("`a`"));
    assert!(rows(vec![example(&[1; 40], &[2])]).unwrap_err().contains("more than 40 tokens"));
}
