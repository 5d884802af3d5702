//! A quantized model as a folder that loads without being quantized again: here, and in transformers with bitsandbytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use checkpoint_files::{MAX_SHARD_BYTES, StoredDtype, TensorSource, write_shards};
use cpu_kernels::{Absmax, Int8, Nf4, Values};
use serde_json::{Map, Value, json};

use super::check::check_tensors;
use super::companions::{COMPANIONS, copy_companions};
use super::layout::{Kind, Parameter, parameters};
use super::source::Source;
use super::stored_quantization::{
    ABSMAX, NESTED_ABSMAX, NESTED_BLOCK, NESTED_QUANT_MAP, NF4_BLOCK, QUANT_MAP, QUANT_STATE,
    QuantState, Stored, WEIGHT_FORMAT, codebook, scb_name, stored,
};
use super::weights;
use super::{LoadOptions, LoadProgress, Quantization};
use crate::LoadError;

/// Writes the model of the folder `source` into the folder `out` with the projections of its blocks quantized; all else
/// is as it is stored; quantized embeddings of a GGUF file become bf16. Tokenizer files of a folder come along, those of a
/// GGUF file are the caller's to write. `config.json` is written last: a folder without it is unfinished.
///
/// Names and types are those of bitsandbytes: `….weight` in bytes with `.absmax`, `.quant_map`, `.quant_state.…`, and
/// for double quantization `.nested_absmax` and `.nested_quant_map`; in 8 bits `….weight` with `….SCB`. Loading `out`
/// gives the bits that loading `source` with the same quantization gives.
///
/// # Errors
/// [`LoadError`], also for a model that is quantized already by bitsandbytes, and for [`Quantization::None`].
pub fn save_quantized(
    source: &Path,
    out: &Path,
    quantization: Quantization,
    progress: &dyn Fn(LoadProgress<'_>),
) -> Result<(), LoadError> {
    let source = Source::open(source)?;
    let parameters = parameters(&source.config);
    check_tensors(&source, &parameters)?;
    let refused = if quantization == Quantization::None {
        Some("no quantization is asked for")
    } else if parameters.iter().any(|p| stored(&source, &p.name) != Stored::Plain) {
        Some("the model is quantized already")
    } else {
        None
    };
    if let Some(reason) = refused {
        return Err(source.fields.inconsistent(reason.to_owned()));
    }

    let options = LoadOptions { quantization, ..LoadOptions::default() };
    let total = parameters.iter().map(|parameter| source.stored_bytes(parameter)).sum();
    let (mut tensors, mut done) = (Vec::new(), 0);
    for parameter in &parameters {
        progress(LoadProgress { tensor: &parameter.name, done, total });
        tensors.extend(saved(&source, parameter, &options)?);
        done += source.stored_bytes(parameter);
    }
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |error| LoadError::Io { action, path, source: error }
    };
    fs::create_dir_all(out).map_err(io("create", out))?;
    let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    write_shards(out, tensors, &metadata, MAX_SHARD_BYTES)?;
    copy_companions(&[source.folder()], &COMPANIONS, out)?;
    let path = out.join("config.json");
    let config = json_text(&config(&source, quantization));
    fs::write(&path, config).map_err(io("write", &path))?;
    progress(LoadProgress { tensor: "", done, total });
    Ok(())
}

/// The tensors that a parameter becomes.
fn saved<'a>(
    source: &'a Source,
    parameter: &Parameter,
    options: &LoadOptions,
) -> Result<Vec<TensorSource<'a>>, LoadError> {
    let Parameter { name, shape, kind } = parameter;
    if *kind != Kind::Projection {
        return match source.is_gguf() {
            true => Ok(vec![converted(source, parameter, options)?]),
            false => {
                let view = source.view(name)?;
                Ok(vec![TensorSource::bytes(name, view.dtype, shape.clone(), view.bytes)])
            }
        };
    }
    let dtype = torch_name(source.view(name)?.dtype);
    let weight = weights::projection(source, parameter, options)?;
    Ok(match weight.values() {
        Values::Nf4(nf4) => nf4_tensors(name, shape, nf4, dtype),
        Values::Int8(int8) => int8_tensors(name, shape, int8),
        _ => Vec::new(),
    })
}

/// A tensor of a GGUF file that is not quantized here, as a transformers folder has it.
fn converted(
    source: &Source,
    parameter: &Parameter,
    options: &LoadOptions,
) -> Result<TensorSource<'static>, LoadError> {
    let Parameter { name, shape, kind } = parameter;
    if shape.len() == 1 {
        // GGUF files have it in their norms.
        let offset = if *kind == Kind::Norm { source.config.norm_offset } else { 0.0 };
        let values = weights::vector(source, parameter)?.into_iter().map(|value| value - offset);
        return Ok(TensorSource::f32(name, shape.clone(), values.collect::<Vec<_>>()));
    }
    let weight = weights::dense(source, parameter, options)?;
    let (dtype, bytes) = match weight.values() {
        Values::Bf16(values) => {
            (StoredDtype::Bf16, values.iter().flat_map(|v| v.to_le_bytes()).collect())
        }
        Values::F16(values) => {
            (StoredDtype::F16, values.iter().flat_map(|v| v.to_le_bytes()).collect())
        }
        _ => {
            let mut values = vec![0.0; shape.iter().product()];
            weight.dequantize(0..weight.rows(), &mut values);
            (StoredDtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
        }
    };
    Ok(TensorSource::bytes(name, dtype, shape.clone(), bytes))
}

fn nf4_tensors<'a>(name: &str, shape: &[usize], nf4: &Nf4, dtype: &str) -> Vec<TensorSource<'a>> {
    let part = |end: &str| format!("{name}{end}");
    let bytes = |end: &str, shape: Vec<usize>, bytes: Vec<u8>| {
        TensorSource::bytes(part(end), StoredDtype::U8, shape, bytes)
    };
    let floats = |end: &str, values: Vec<f32>| TensorSource::f32(part(end), [values.len()], values);
    let mut state = QuantState {
        quant_type: "nf4".to_owned(),
        blocksize: NF4_BLOCK,
        dtype: dtype.to_owned(),
        shape: shape.to_vec(),
        nested_blocksize: None,
        nested_dtype: None,
        nested_offset: None,
    };
    let mut tensors = vec![
        bytes("", vec![nf4.packed().len(), 1], nf4.packed().to_vec()),
        floats(QUANT_MAP, codebook()),
    ];
    match nf4.absmax() {
        Absmax::Plain(absmax) => tensors.push(floats(ABSMAX, absmax.clone())),
        Absmax::Double(double) => {
            tensors.push(bytes(ABSMAX, vec![double.codes.len()], double.codes.clone()));
            tensors.push(floats(NESTED_ABSMAX, double.absmax.clone()));
            tensors.push(floats(NESTED_QUANT_MAP, double.code.to_vec()));
            state.nested_blocksize = Some(NESTED_BLOCK);
            state.nested_dtype = Some("float32".to_owned());
            state.nested_offset = Some(f64::from(double.offset));
        }
    }
    let state = serde_json::to_vec(&state).unwrap_or_default();
    tensors.push(bytes(QUANT_STATE, vec![state.len()], state));
    tensors
}

fn int8_tensors<'a>(name: &str, shape: &[usize], int8: &Int8) -> Vec<TensorSource<'a>> {
    let codes: Vec<u8> = int8.codes().iter().map(|code| code.cast_unsigned()).collect();
    let format = name.replace("weight", WEIGHT_FORMAT);
    vec![
        TensorSource::bytes(name, StoredDtype::I8, shape, codes),
        TensorSource::f32(scb_name(name), [int8.absmax().len()], int8.absmax().to_vec()),
        TensorSource::bytes(format, StoredDtype::U8, [], vec![0]),
    ]
}

/// The model's own `config.json` with the section by which transformers finds bitsandbytes.
fn config(source: &Source, quantization: Quantization) -> Map<String, Value> {
    let mut config = source.fields.object().clone();
    config.retain(|_, value| !value.is_null());
    let dtype = source.view(super::EMBEDDING).map_or("float32", |view| torch_name(view.dtype));
    let double = matches!(quantization, Quantization::Nf4 { double: true });
    let section = json!({
        "quant_method": "bitsandbytes",
        "load_in_4bit": matches!(quantization, Quantization::Nf4 { .. }),
        "load_in_8bit": quantization == Quantization::Int8,
        "bnb_4bit_compute_dtype": dtype,
        "bnb_4bit_quant_storage": "uint8",
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": double,
        "llm_int8_enable_fp32_cpu_offload": false,
        "llm_int8_has_fp16_weight": false,
        "llm_int8_skip_modules": null,
        "llm_int8_threshold": 6.0,
    });
    config.insert("quantization_config".to_owned(), section);
    config
}

fn json_text(object: &Map<String, Value>) -> String {
    format!("{:#}\n", Value::Object(object.clone()))
}

/// A dtype as torch calls it.
fn torch_name(dtype: StoredDtype) -> &'static str {
    match dtype {
        StoredDtype::Bf16 => "bfloat16",
        StoredDtype::F16 => "float16",
        _ => "float32",
    }
}
