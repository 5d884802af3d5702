//! A model with its adapter merged into it, as a folder for programs that take no adapters.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use checkpoint_files::{MAX_SHARD_BYTES, StoredDtype, TensorSource, write_shards};
use half::bf16;
use serde_json::{Value, json};

use super::check::check_tensors;
use super::companions::{COMPANIONS, copy_companions};
use super::layout::{Kind, Parameter, parameters};
use super::source::Source;
use super::stored_quantization::{Stored, stored};
use super::tokenizer_ids::check_tokenizer;
use super::vocab_size::vocab_size;
use super::weights;
use super::{LoadOptions, LoadProgress, Quantization};
use crate::LoadError;
use crate::adapter::AdapterPlan;
use crate::families::class_of;

/// About how many values are merged at a time.
const CHUNK: usize = 1 << 20;

/// The type of all tensors of a merged model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MergedDtype {
    /// bfloat16: what servers take.
    #[default]
    Bf16,
    /// 32-bit floats: nothing is rounded.
    F32,
}

/// Writes the model of `source` with the PEFT adapter in `adapter` merged into it to the folder `out`, as transformers
/// loads it: plain weights, no adapter, no quantization. `options.adapter` is not looked at.
///
/// The base is the one that `options` load: where training saw weights in 4 or 8 bits, the adapter is merged into those,
/// dequantized, and not into the weights before they were quantized; `merge.json` in `out` says so. With DoRA each row
/// gets its magnitude. Trained rows of tokens take their place in the embedding, and so in a tied head; those of new
/// tokens make it longer, and `vocab_size` says so. Tokenizer and chat template are the adapter's where it has them, else
/// the base's. `config.json` is written last: a folder without it is unfinished.
///
/// # Errors
/// [`LoadError`], also where `out` is `source` or `adapter`, and [`LoadError::Checkpoint`] for a tensor that is not finite
/// when merged.
pub fn save_merged(
    source: &Path,
    options: &LoadOptions,
    adapter: &Path,
    out: &Path,
    dtype: MergedDtype,
    progress: &dyn Fn(LoadProgress<'_>),
) -> Result<(), LoadError> {
    let source = Source::open(source)?;
    let parameters = parameters(&source.config);
    check_tensors(&source, &parameters)?;
    let plan = AdapterPlan::read(adapter, &source.config, &parameters)?;
    let tokenizer = adapter.join("tokenizer.json");
    let vocab_size = vocab_size(&source, options, Some(&plan))?;
    check_tokenizer(&tokenizer, vocab_size)?;
    refuse_same(out, [Some(adapter), source.folder()])?;

    let merge = Merge { source: &source, options, plan: &plan, vocab_size, dtype };
    let total = parameters.iter().map(|parameter| source.stored_bytes(parameter)).sum();
    let done = Cell::new(0);
    let tensors = parameters.iter().map(|parameter| {
        let (merge, done) = (&merge, &done);
        let (name, shape) = (parameter.name.clone(), merge.shape(parameter));
        TensorSource::written(name, dtype.stored(), shape, move |writer| {
            progress(LoadProgress { tensor: &parameter.name, done: done.get(), total });
            done.set(done.get() + merge.source.stored_bytes(parameter));
            merge.write(parameter, writer)
        })
    });
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |source| LoadError::Io { action, path, source }
    };
    fs::create_dir_all(out).map_err(io("create", out))?;
    let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    write_shards(out, tensors, &metadata, MAX_SHARD_BYTES)?;
    copy_files(&source, adapter, tokenizer.exists(), out)?;
    let write_json = |name: &str, value: Value| {
        let path = out.join(name);
        fs::write(&path, format!("{value:#}\n")).map_err(io("write", &path))
    };
    write_json("merge.json", about(&source, options, adapter, dtype))?;
    write_json("config.json", config(&source, vocab_size, dtype))?;
    progress(LoadProgress { tensor: "", done: done.get(), total });
    Ok(())
}

/// What tensors are made from.
struct Merge<'a> {
    source: &'a Source,
    options: &'a LoadOptions,
    plan: &'a AdapterPlan,
    /// Rows of the embedding, with those of new tokens.
    vocab_size: usize,
    dtype: MergedDtype,
}

impl Merge<'_> {
    fn shape(&self, parameter: &Parameter) -> Vec<usize> {
        match parameter.kind {
            Kind::Vocabulary => vec![self.vocab_size, self.source.config.hidden_size],
            _ => parameter.shape.clone(),
        }
    }

    fn write(&self, parameter: &Parameter, writer: &mut dyn Write) -> io::Result<()> {
        match parameter.kind {
            Kind::Norm | Kind::Bias => self.write_vector(parameter, writer),
            Kind::Vocabulary | Kind::Projection => self.write_matrix(parameter, writer),
        }
    }

    fn write_vector(&self, parameter: &Parameter, writer: &mut dyn Write) -> io::Result<()> {
        let Self { source, dtype, .. } = self;
        let mut values = weights::vector(source, parameter).map_err(io::Error::other)?;
        if parameter.kind == Kind::Norm && source.is_gguf() {
            // GGUF files have it in their norms.
            values.iter_mut().for_each(|value| *value -= source.config.norm_offset);
        }
        dtype.write(&values, writer)
    }

    fn write_matrix(&self, parameter: &Parameter, writer: &mut dyn Write) -> io::Result<()> {
        let Self { source, options, plan, vocab_size, dtype } = self;
        let Parameter { name, kind, .. } = parameter;
        let (weight, lora) = match kind {
            Kind::Projection => {
                let module = name.strip_suffix(".weight").unwrap_or(name);
                let lora = plan.host_lora(module).map_err(io::Error::other)?;
                (weights::projection(source, parameter, options), lora)
            }
            _ => (weights::vocabulary(source, parameter, options, &[], *vocab_size), None),
        };
        let weight = weight.map_err(io::Error::other)?;
        let step = (CHUNK / weight.cols().max(1)).max(1);
        let mut values = Vec::new();
        for start in (0..weight.rows()).step_by(step) {
            let at = start..weight.rows().min(start + step);
            values.resize(at.len() * weight.cols(), 0.0);
            weight.dequantize(at.clone(), &mut values);
            for (row, new) in plan.replaced_rows(name).iter().filter(|(row, _)| at.contains(row)) {
                let first = (row - start) * weight.cols();
                values[first..first + weight.cols()].copy_from_slice(new);
            }
            if let Some(lora) = &lora {
                lora.merge(start, &mut values);
            }
            if values.iter().any(|value| !value.is_finite()) {
                return Err(io::Error::other("it is not finite when merged"));
            }
            dtype.write(&values, writer)?;
        }
        Ok(())
    }
}

impl MergedDtype {
    pub(super) fn stored(self) -> StoredDtype {
        match self {
            Self::Bf16 => StoredDtype::Bf16,
            Self::F32 => StoredDtype::F32,
        }
    }

    /// Bytes a value.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Bf16 => 2,
            Self::F32 => 4,
        }
    }

    /// As torch calls it.
    pub(super) fn torch_name(self) -> &'static str {
        match self {
            Self::Bf16 => "bfloat16",
            Self::F32 => "float32",
        }
    }

    pub(super) fn write(self, values: &[f32], writer: &mut dyn Write) -> io::Result<()> {
        let bytes: Vec<u8> = match self {
            Self::Bf16 => values.iter().flat_map(|v| bf16::from_f32(*v).to_le_bytes()).collect(),
            Self::F32 => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
        writer.write_all(&bytes)
    }
}

/// Tokenizer files are of one folder, so that they fit one another.
fn copy_files(
    source: &Source,
    adapter: &Path,
    adapter_has_tokenizer: bool,
    out: &Path,
) -> Result<(), LoadError> {
    let (adapter, base) = (Some(adapter), source.folder());
    let tokenizer = if adapter_has_tokenizer { adapter } else { base };
    for name in COMPANIONS {
        let folders = match name {
            "chat_template.jinja" => [tokenizer, base],
            "generation_config.json" => [base, adapter],
            _ => [tokenizer, None],
        };
        copy_companions(&folders, &[name], out)?;
    }
    Ok(())
}

/// The model's own `config.json` without quantization, in the type of the tensors.
fn config(source: &Source, vocab_size: usize, dtype: MergedDtype) -> Value {
    let mut config = source.fields.object().clone();
    config.retain(|key, value| !value.is_null() && key != "quantization_config");
    if let Some(class) = class_of(source.config.family) {
        // GGUF files do not say it.
        config.entry("architectures").or_insert_with(|| json!([class]));
    }
    config.insert("vocab_size".to_owned(), json!(vocab_size));
    // The second is the name before transformers 5, which many servers still read.
    for key in ["dtype", "torch_dtype"] {
        config.insert(key.to_owned(), json!(dtype.torch_name()));
    }
    Value::Object(config)
}

/// What was merged into what.
fn about(source: &Source, options: &LoadOptions, adapter: &Path, dtype: MergedDtype) -> Value {
    let quantization = source
        .config
        .layers
        .first()
        .map(|_| stored(source, "model.layers.0.self_attn.o_proj.weight"));
    let base = match (quantization, options.quantization) {
        (Some(Stored::Nf4), _) => "dequantized from the NF4 that the folder holds",
        (Some(Stored::Int8), _) => "dequantized from the INT8 that the folder holds",
        (_, Quantization::Nf4 { double: true }) => {
            "quantized to NF4 with double quantization, and dequantized"
        }
        (_, Quantization::Nf4 { double: false }) => "quantized to NF4, and dequantized",
        (_, Quantization::Int8) => "quantized to INT8, and dequantized",
        (_, Quantization::None) => "as stored",
    };
    json!({
        "base_model": source.path(),
        "base_projections": base,
        "adapter": adapter,
        "dtype": dtype.torch_name(),
        "note": "The adapter is merged into the base as training saw it; quantized projections are not those of the \
                 original checkpoint.",
    })
}

fn refuse_same<'a>(
    out: &Path,
    others: impl IntoIterator<Item = Option<&'a Path>>,
) -> Result<(), LoadError> {
    let Ok(path) = out.canonicalize() else { return Ok(()) };
    let is_out = |other: &Path| other.canonicalize().is_ok_and(|other| other == path);
    match others.into_iter().flatten().any(is_out) {
        true => Err(LoadError::SameFolder { path }),
        false => Ok(()),
    }
}
