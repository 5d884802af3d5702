//! Tokens that the model does not know, and tokenizers that do not go with it.

use std::fs;
use std::path::Path;

use burn_flex::Flex;
use causal_lm::{LoadOptions, load};
use checkpoint_files::{Checkpoint, TensorSource, write_safetensors};
use dataset_split::{DatasetRow, read_records};
use hf_dataset::{DatasetDict, write_dataset_dict};
use tokenize::{
    ModelFiles, PromptFormat, PromptOptions, RowOptions, Sample, ShardWriter, StructureTokens,
    tokenizer_files,
};

use crate::support::{fixture, run_in, trains};

/// Shards of records whose tags and actions are single tokens, with the tokenizer beside them.
fn shards_with_structure_tokens(folder: &Path) {
    let files = ModelFiles::read(&fixture("models/llama")).expect("a tokenizer");
    let added = StructureTokens::Added;
    let options = PromptOptions { structure_tokens: added, ..PromptOptions::default() };
    let format = PromptFormat::new(&files, &options).expect("a format");
    let rows = RowOptions {
        max_length: 512,
        on_overflow: Default::default(),
        packing: Default::default(),
        padding: Default::default(),
    };
    let mut writer = ShardWriter::create(folder, "train", &format, rows, false).expect("a writer");
    let records = DatasetDict::open(&fixture("hf-dataset/reference")).expect("a data set");
    let records = read_records(&records, "train").expect("records");
    let samples: Vec<Sample> = records
        .map(|row| row.expect("a record"))
        .map(|DatasetRow { record, weight }| Sample { record, weight })
        .collect();
    writer.push(&samples).expect("rows");
    writer.finish().expect("a split");
    write_dataset_dict(folder, &["train"]).expect("written");
    fs::create_dir(folder.join("tokenizer")).expect("a folder");
    for file in tokenizer_files(&files, &format).expect("files") {
        fs::write(folder.join("tokenizer").join(file.name), file.text).expect("written");
    }
}

#[test]
fn new_tokens_get_rows_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    shards_with_structure_tokens(&folder.path().join("shards"));
    let yaml = format!(
        "base_model: {}\nshards: shards\neval_split: null\nmax_length: 512\n",
        fixture("models/llama").display()
    );
    let run = trains(folder.path(), &yaml, &["--max-steps", "2"]);
    // 11 tokens of width 64, besides the adapter.
    run.says(&["trainable   36,544", "rows of 11 new tokens"]);
    let adapter = folder.path().join("sft/adapter");
    let text = fs::read_to_string(adapter.join("adapter_config.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tokens: Vec<u64> = (259..270).collect();
    assert_eq!(settings["trainable_token_indices"], serde_json::json!(tokens));
    let tokenizer = fs::read_to_string(adapter.join("tokenizer.json")).unwrap();
    assert!(tokenizer.contains("<STRONG_BUY>"));
    let gguf = run_in(folder.path(), &yaml, &["--out", "other", "--gguf"]);
    gguf.says(&["gguf: llama.cpp has no place for rows of new tokens"]);

    // It goes on as the beginning of another run, whose new tokens are the same.
    let more = yaml.clone() + "lora: { init: sft/adapter }\n";
    trains(folder.path(), &more, &["--max-steps", "1", "--out", "more"]);
    let other = yaml + "lora: { init: sft/adapter }\ntrain_new_tokens: none\n";
    let other = run_in(folder.path(), &other, &["--out", "none"]);
    assert_eq!(other.code, 1);
    other.says(&["lora.init: the adapter in sft/adapter trains rows of tokens [259, 260"]);
}

#[test]
fn how_prompts_were_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let shards = folder.path().join("shards");
    shards_with_structure_tokens(&shards);
    let yaml = format!(
        "base_model: {}\nshards: shards\neval_split: null\nmax_length: 512\nmax_steps: 1\nepochs: null\n",
        fixture("models/llama").display()
    );
    let recipe = |path: &str| -> serde_json::Value {
        let text = fs::read_to_string(folder.path().join(path)).expect(path);
        serde_json::from_str(&text).expect("JSON")
    };
    // Of shards that say nothing, what their tokenizer shows.
    trains(folder.path(), &yaml, &[]);
    let guessed = serde_json::json!({
        "prompt": {
            "structure_tokens": "added", "system_prompt": null, "end_token": null, "template_variables": {}
        },
        "shortened_to": null
    });
    for path in ["sft/adapter/prompt.json", "sft/prompt/prompt.json"] {
        assert_eq!(recipe(path), guessed, "{path}");
    }
    assert!(folder.path().join("sft/prompt/tokenizer.json").is_file());

    let settings = serde_json::json!({
        "max_length": 512, "structure_tokens": "added", "packing": "none", "on_overflow": "truncate-input",
        "padding": "none", "system_prompt": "Be brief.", "end_token": null, "template_variables": { "a": 1 }
    });
    let run = run_manifest::Run::begin("tokenize-shards", "0", &settings).unwrap();
    let manifest = run.finish(Vec::new()).to_json().unwrap();
    fs::write(shards.join("manifest.json"), manifest).unwrap();
    trains(folder.path(), &yaml, &["--out", "told", "--merge"]);
    let told = serde_json::json!({
        "prompt": {
            "structure_tokens": "added", "system_prompt": "Be brief.", "end_token": null,
            "template_variables": { "a": 1 }
        },
        "shortened_to": 512
    });
    for path in ["told/adapter/prompt.json", "told/prompt/prompt.json", "told/merged/prompt.json"] {
        assert_eq!(recipe(path), told, "{path}");
    }
}

/// A tiny model with `rows` rows in its embedding, and in its head where it has one.
fn shorter_embedding(family: &str, rows: usize, folder: &Path) {
    let from = fixture("models").join(family);
    let weights = Checkpoint::open(from.join("model.safetensors")).expect("weights");
    let tensors = weights.tensors().iter().map(|info| {
        let mut view = weights.get(&info.name).expect("a tensor");
        let mut shape = view.shape.to_vec();
        if ["model.embed_tokens.weight", "lm_head.weight"].contains(&info.name.as_str()) {
            view = view.rows(0..rows).expect("rows");
            shape[0] = rows;
        }
        TensorSource::bytes(&info.name, view.dtype, shape, view.bytes)
    });
    fs::create_dir(folder).expect("a folder");
    let metadata = [("format".to_owned(), "pt".to_owned())].into();
    write_safetensors(folder.join("model.safetensors"), tensors, &metadata).expect("written");
    let config = fs::read_to_string(from.join("config.json")).expect("a configuration");
    let config = config.replace("\"vocab_size\": 272", &format!("\"vocab_size\": {rows}"));
    fs::write(folder.join("config.json"), config).expect("written");
    for name in ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"] {
        fs::copy(from.join(name), folder.join(name)).expect("a copy");
    }
}

#[test]
fn new_tokens_get_rows_behind_the_embedding() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    shards_with_structure_tokens(&path("shards"));
    // Three of the 11 new tokens, 259 to 269, have rows.
    shorter_embedding("llama_tied_rope3", 262, &path("base"));
    let yaml = "base_model: base\nshards: shards\neval_split: null\nmax_length: 512\n";
    let run = trains(folder.path(), yaml, &["--max-steps", "4", "--merge"]);
    run.says(&[
        "rows of 11 new tokens",
        "the embedding has 262 rows; 8 new tokens get rows behind them",
        "`model.resize_token_embeddings(270)`",
    ]);
    let adapter = path("sft/adapter");
    let text = fs::read_to_string(adapter.join("adapter_config.json")).unwrap();
    let settings: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tokens: Vec<u32> = (259..270).collect();
    assert_eq!(settings["trainable_token_indices"], serde_json::json!(tokens));

    let rows = |options: &LoadOptions, model: &str| -> Vec<f32> {
        let model = load::<Flex>(&path(model), options, &Default::default(), &|_| {}).unwrap();
        assert_eq!(model.config().vocab_size, 270);
        model.embed(&tokens).unwrap().into_data().into_vec().unwrap()
    };
    let begun = rows(&LoadOptions { min_vocab_size: 270, ..LoadOptions::default() }, "base");
    let with_adapter = LoadOptions { adapter: Some(adapter), ..LoadOptions::default() };
    let trained = rows(&with_adapter, "base");
    let moved = |(begun, trained): (&[f32], &[f32])| begun != trained;
    assert!(begun.chunks(64).zip(trained.chunks(64)).all(moved), "every row is trained");
    let rounded: Vec<f32> = rows(&LoadOptions::default(), "sft/merged")
        .into_iter()
        .zip(&trained)
        .map(|(m, t)| m - t)
        .collect();
    assert!(rounded.iter().zip(&trained).all(|(off, t)| off.abs() <= t.abs() / 256.0));

    // It goes on, and as the beginning of another run.
    fs::remove_dir_all(path("sft/adapter")).unwrap();
    trains(folder.path(), yaml, &["--max-steps", "4"]).says(&["goes on"]);
    let more = format!("{yaml}lora: {{ init: sft/adapter }}\n");
    trains(folder.path(), &more, &["--max-steps", "1", "--out", "more"]);
    // A whole model has all rows.
    let whole = format!("{yaml}adapter: none\nquantization: none\n");
    trains(folder.path(), &whole, &["--max-steps", "1", "--out", "whole"]);
    rows(&LoadOptions::default(), "whole/model");

    let refused = |yaml: &str, words: &[&str]| {
        let run = run_in(folder.path(), yaml, &["--out", "none"]);
        assert_eq!(run.code, 1, "{}", run.stdout);
        run.says(words);
    };
    let untrained = format!("{yaml}train_new_tokens: none\n");
    let hint = "take `tokenize-shards --structure-tokens plain`";
    refused(&untrained, &["with id 269, and the model's embedding ends at 261", "no row", hint]);
    shorter_embedding("llama", 262, &path("untied"));
    refused(&yaml.replace("base\n", "untied\n"), &["shards: ", "head, which is not tied", hint]);
}

#[test]
fn tokenizers_that_do_not_go_with_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let shards = folder.path().join("shards");
    shards_with_structure_tokens(&shards);
    let yaml = format!(
        "base_model: {}\nshards: shards\neval_split: null\nmax_length: 512\n",
        fixture("models/llama").display()
    );
    let file = shards.join("tokenizer/tokenizer.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("\"id\": 269", "\"id\": 273").replace("\"id\":269", "\"id\":273"),
    )
    .unwrap();
    for (family, reason) in [("llama", "head"), ("llama_tied_rope3", "before it have no token")] {
        let run =
            run_in(folder.path(), &yaml.replace("models/llama", &format!("models/{family}")), &[]);
        assert_eq!(run.code, 1, "{}", run.stdout);
        run.says(&[
            "with id 273, and the model's embedding ends at 271",
            "--structure-tokens plain",
        ]);
        run.says(&[reason]);
    }
    fs::copy(fixture("tokenizers/bpe/tokenizer.json"), &file).unwrap();
    let run = run_in(folder.path(), &yaml, &[]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    run.says(&["they were made with another tokenizer"]);
}
