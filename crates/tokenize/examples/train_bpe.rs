//! Trains a byte-level BPE tokenizer on records, for a small model that begins with random weights.
//!
//! ```text
//! cargo run --release -p tokenize --example train_bpe -- RECORDS.jsonl VOCABULARY OUT_DIR
//! ```
//!
//! Digits stand alone, so that a number is read digit by digit. Ids 0 to 2 are the padding and the
//! tokens of the chat template; the structure tokens are the last ones of the vocabulary.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context;
use serde_json::json;
use thesis_core::{Completion, Record, StructureTag};
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, TokenizerBuilder,
};

const PAD: &str = "<|endoftext|>";
const BEGIN: &str = "<|im_start|>";
const END: &str = "<|im_end|>";

/// ChatML: a role, a line break, the text.
const TEMPLATE: &str = "\
{%- for message in messages %}
    {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [records, vocabulary, out] = arguments.as_slice() else {
        anyhow::bail!("usage: train_bpe RECORDS.jsonl VOCABULARY OUT_DIR");
    };
    let texts = texts(Path::new(records))?;
    let tokenizer = train(&texts, vocabulary.parse().context("VOCABULARY is a number")?)?;
    let out = Path::new(out);
    fs::create_dir_all(out)?;
    fs::write(out.join("tokenizer.json"), tokenizer)?;
    fs::write(out.join("chat_template.jinja"), TEMPLATE)?;
    let config = json!({
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": END,
        "pad_token": PAD,
        "clean_up_tokenization_spaces": false,
        "model_max_length": 1024,
    });
    fs::write(out.join("tokenizer_config.json"), format!("{config:#}\n"))?;
    Ok(())
}

/// What prompts and answers say, without the tags, and the words of the chat template.
fn texts(path: &Path) -> anyhow::Result<Vec<String>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut texts = Vec::new();
    for line in BufReader::new(file).lines() {
        let record: Record = serde_json::from_str(&line?)?;
        let Completion { reasoning, support, .. } = Completion::parse(&record.output)?;
        texts.extend(["system\n", "user\n", "assistant\n"].map(str::to_owned));
        texts.extend([record.instruction, record.input, reasoning, support]);
    }
    Ok(texts)
}

/// The text of `tokenizer.json`.
fn train(texts: &[String], vocabulary: usize) -> anyhow::Result<String> {
    let failed = |error| anyhow::anyhow!("{error}");
    let special = |token| AddedToken::from(token, true);
    let structure: Vec<AddedToken> = StructureTag::tokens()
        .map(|token| AddedToken::from(token, false).normalized(false))
        .collect();
    let byte_level = ByteLevel::new(false, true, true);
    let steps: Vec<PreTokenizerWrapper> = vec![Digits::new(true).into(), byte_level.into()];
    let mut tokenizer = TokenizerBuilder::<
        BPE,
        NormalizerWrapper,
        PreTokenizerWrapper,
        PostProcessorWrapper,
        DecoderWrapper,
    >::new()
    .with_model(BPE::default())
    .with_normalizer(None)
    .with_pre_tokenizer(Some(Sequence::new(steps).into()))
    .with_post_processor(None)
    .with_decoder(Some(byte_level.into()))
    .build()
    .map_err(failed)?;
    let mut trainer = BpeTrainer::builder()
        .show_progress(false)
        .vocab_size(vocabulary - structure.len())
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens([PAD, BEGIN, END].map(special).to_vec())
        .build();
    tokenizer.train(&mut trainer, texts.iter()).map_err(failed)?;
    tokenizer.add_tokens(structure).map_err(failed)?;
    Ok(tokenizer.to_string(true).map_err(failed)? + "\n")
}
