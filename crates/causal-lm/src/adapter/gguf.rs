use std::path::Path;

use checkpoint_files::{MetadataValue, TensorSource, write_gguf};

use super::host_lora::HostLora;
use super::{AdapterError, AdapterPlan};
use crate::families::gguf_family;
use crate::load::{gguf_name, parameters};
use crate::{ModelConfig, read_config};

/// Writes the PEFT adapter in `adapter` as a GGUF file that llama.cpp puts on a GGUF file of the model `source`, with
/// `--lora` or `lora_path`.
///
/// Factors are folded: llama.cpp knows `alpha / rank` only, so that `adapter.lora.alpha` is the factor times the rank, and
/// where projections differ in their factors, `B` has the rest. The rows of `B` lie as the rows of the weight do there.
/// Tensors are in F32.
///
/// Source: `convert_lora_to_gguf.py` and `src/llama-adapter.cpp` of llama.cpp.
///
/// # Errors
/// [`AdapterError::NotInGguf`] for an adapter with DoRA or trained rows of tokens, which llama.cpp has no place for;
/// [`AdapterError::NotFinite`]; [`AdapterError::Load`] where model and adapter cannot be read or do not fit one another;
/// [`AdapterError::Checkpoint`] where the file cannot be written.
pub fn save_gguf_adapter(source: &Path, adapter: &Path, out: &Path) -> Result<(), AdapterError> {
    let config = read_config(source)?;
    let plan = AdapterPlan::read(adapter, &config, &parameters(&config))?;
    let refuse = |what| Err(AdapterError::NotInGguf { path: adapter.to_owned(), what });
    if plan.is_dora() {
        return refuse("magnitudes (DoRA)");
    }
    if plan.has_token_rows() {
        return refuse("trained rows of tokens");
    }
    let Some(family) = gguf_family(config.family) else {
        return refuse("a base model of a family that llama.cpp does not know");
    };
    let (rank, alpha, scaling) = plan.rank_alpha_scaling();
    let alpha = (scaling.factor(alpha, rank) * rank as f64) as f32;
    let mut tensors = Vec::new();
    for module in plan.modules() {
        let Some(lora) = plan.host_lora(module)? else { continue };
        let permuted = family.permuted_qk && is_query_or_key(module);
        let head = permuted.then_some(config.head_dim);
        tensors.extend(pair(out, module, lora, alpha, head, &config)?);
    }
    let text = |text: &str| MetadataValue::String(text.to_owned());
    let metadata = [
        ("general.architecture", text(family.architecture)),
        ("general.type", text("adapter")),
        ("adapter.type", text("lora")),
        ("adapter.lora.alpha", MetadataValue::F32(alpha)),
    ];
    Ok(write_gguf(out, &metadata, tensors)?)
}

/// `….lora_a` and `….lora_b` of a module; `head` is the number of rows of a head whose rows are permuted.
fn pair(
    out: &Path,
    module: &str,
    lora: HostLora,
    alpha: f32,
    head: Option<usize>,
    config: &ModelConfig,
) -> Result<[TensorSource<'static>; 2], AdapterError> {
    let HostLora { rank, scaling, a, mut b, .. } = lora;
    let factor = scaling * rank as f64 / f64::from(alpha);
    // The alpha of the file is in single precision: what differs by less is the same.
    if (factor - 1.0).abs() > 1e-6 {
        b.iter_mut().for_each(|value| *value = (factor * f64::from(*value)) as f32);
    }
    let b = match head {
        Some(head) => permuted(&b, rank, head),
        None => b,
    };
    let name =
        gguf_name(&format!("{module}.weight"), config).ok_or_else(|| AdapterError::Tensor {
            path: out.to_owned(),
            tensor: module.to_owned(),
            reason: "GGUF has no name for it".to_owned(),
        })?;
    let (inputs, outputs) = (a.len() / rank, b.len() / rank);
    let tensor = |end: &str, shape: [usize; 2], values: Vec<f32>| {
        let name = format!("{name}.{end}");
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(TensorSource::f32(name, shape, values)),
            Some(index) => {
                let (path, value) = (out.to_owned(), values[index]);
                Err(AdapterError::NotFinite { path, tensor: name, value, index })
            }
        }
    };
    Ok([tensor("lora_a", [rank, inputs], a)?, tensor("lora_b", [outputs, rank], b)?])
}

fn is_query_or_key(module: &str) -> bool {
    module.ends_with(".q_proj") || module.ends_with(".k_proj")
}

/// The rows of each head in the order `0, half, 1, half + 1, …`.
///
/// Source: `LlamaModel.permute` of llama.cpp's `convert_hf_to_gguf.py`.
fn permuted(values: &[f32], cols: usize, head: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for rows in values.chunks_exact(head * cols) {
        for pair in 0..head / 2 {
            for row in [pair, pair + head / 2] {
                out.extend_from_slice(&rows[row * cols..(row + 1) * cols]);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_heads_are_interleaved() {
        let values: Vec<f32> = (0..16).map(|i| i as f32).collect();
        let rows = permuted(&values, 2, 4);
        let firsts: Vec<f32> = rows.iter().step_by(2).map(|v| v / 2.0).collect();
        assert_eq!(firsts, [0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0]);
        assert!(rows.as_chunks::<2>().0.iter().all(|[a, b]| *b == a + 1.0));
    }
}
