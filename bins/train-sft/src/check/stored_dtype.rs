use std::fs;
use std::path::Path;

use causal_lm::{DenseDtype, Quantization};
use checkpoint_files::{Checkpoint, StoredDtype};
use serde_json::Value;

/// How embedding and head will lie in memory where the settings leave that to the checkpoint: as its embedding is stored,
/// else as `config.json` says; where neither tells, f32, which is the most.
pub(super) fn dense_dtype(base: &Path, quantization: Quantization) -> DenseDtype {
    let stored = Checkpoint::open(base).ok().and_then(|checkpoint| {
        let names = ["model.embed_tokens.weight", "token_embd.weight"];
        let embedding = checkpoint.tensors().iter().find(|t| names.contains(&t.name.as_str()));
        embedding.map(|tensor| tensor.dtype)
    });
    match stored {
        Some(StoredDtype::F32) => DenseDtype::F32,
        Some(StoredDtype::Bf16) => DenseDtype::Bf16,
        Some(StoredDtype::F16) => DenseDtype::F16,
        // Tensors of GGUF that are quantized become what `DenseDtype::Auto` says of them.
        Some(_) if quantization == Quantization::None => DenseDtype::F32,
        Some(_) => DenseDtype::Bf16,
        None => described(&base.join("config.json")).unwrap_or(DenseDtype::F32),
    }
}

fn described(path: &Path) -> Option<DenseDtype> {
    let config: Value = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
    match config.get("dtype").or_else(|| config.get("torch_dtype"))?.as_str()? {
        "bfloat16" => Some(DenseDtype::Bf16),
        "float16" => Some(DenseDtype::F16),
        "float32" => Some(DenseDtype::F32),
        _ => None,
    }
}
