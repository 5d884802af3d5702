//! GGUF files that llama.cpp's converter made of the tiny models, and a real one (fixtures/models/make_gguf.py).

mod common;

use burn_flex::Flex;
use causal_lm::{DenseDtype, LoadOptions, Quantization, read_config};
use checkpoint_files::Checkpoint;
use common::{fixture, loaded, logits, max_difference, model_folder, reference};

fn gguf(family: &str) -> std::path::PathBuf {
    fixture("models/gguf").join(format!("{family}.gguf"))
}

/// The logits that transformers computes with the weights of the file, of the last 8 tokens of the first row.
fn expected(family: &str) -> Vec<f32> {
    let file = Checkpoint::open(fixture("models/gguf/logits.safetensors")).expect("logits");
    let mut values = Vec::new();
    file.get(family).expect(family).to_f32(&mut values).expect(family);
    values
}

fn check(family: &str) {
    let row = &reference(family).rows[0];
    let model = loaded::<Flex>(&gguf(family), &LoadOptions::default());
    let vocab = model.config().vocab_size;
    let all = logits(&model, &[row]);
    // The converter leaves out Gemma's rows without a token.
    let expected: Vec<f32> =
        expected(family).chunks(272).flat_map(|row| row[..vocab].to_vec()).collect();
    let difference = max_difference(&all[all.len() - expected.len()..], &expected);
    assert!(difference < 1e-4, "{family}: {difference}");
}

#[test]
fn logits_are_those_of_transformers() {
    for family in ["llama", "llama_tied_rope3", "qwen2", "qwen3", "phi3", "gemma3_text"] {
        check(family);
    }
}

#[test]
fn configurations_are_those_of_the_folders() {
    for family in ["llama", "qwen2", "qwen3", "phi3", "gemma3_text"] {
        let (mut ours, theirs) =
            (read_config(&gguf(family)).unwrap(), read_config(&model_folder(family)).unwrap());
        // The converter leaves out Gemma's rows without a token.
        assert!(ours.vocab_size == theirs.vocab_size || family == "gemma3_text");
        ours.vocab_size = theirs.vocab_size;
        assert_eq!(ours, theirs, "{family}");
    }
}

#[test]
fn quantized_tensors_are_dense_by_the_options() {
    let row = &reference("llama").rows[0];
    let plain = logits(&loaded::<Flex>(&gguf("llama"), &LoadOptions::default()), &[row]);
    let differs = |options: LoadOptions| {
        max_difference(&logits(&loaded::<Flex>(&gguf("llama"), &options), &[row]), &plain)
    };
    let dtype = |dtype| LoadOptions { dtype, ..LoadOptions::default() };
    assert_eq!(differs(dtype(DenseDtype::F32)), 0.0);
    let bf16 = differs(dtype(DenseDtype::Bf16));
    assert!(bf16 > 0.0 && bf16 < 0.5, "{bf16}");
    let quantization = Quantization::Nf4 { double: true };
    let nf4 = differs(LoadOptions { quantization, ..LoadOptions::default() });
    assert!(nf4 > bf16, "{nf4}");
}
