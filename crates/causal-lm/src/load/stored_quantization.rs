//! Weights that are stored quantized, as bitsandbytes serializes them.

use checkpoint_files::{StoredDtype, TensorView};
use cpu_kernels::{Absmax, DoubleAbsmax, FrozenWeight, Int8, Nf4, Values};
use serde::{Deserialize, Serialize};

use super::layout::Parameter;
use super::source::Source;
use crate::LoadError;
use crate::config::Fields;

/// Where the parts of a 4-bit weight are, behind its name.
pub(crate) const ABSMAX: &str = ".absmax";
pub(crate) const QUANT_MAP: &str = ".quant_map";
pub(crate) const NESTED_ABSMAX: &str = ".nested_absmax";
pub(crate) const NESTED_QUANT_MAP: &str = ".nested_quant_map";
pub(crate) const QUANT_STATE: &str = ".quant_state.bitsandbytes__nf4";
/// Where the scales of an 8-bit weight are, behind the name of its module, and a mark of their order.
pub(crate) const SCB: &str = "SCB";
pub(crate) const WEIGHT_FORMAT: &str = "weight_format";

/// Values per scale, and scales per scale of scales; bitsandbytes' default, and the only ones here.
pub(crate) const NF4_BLOCK: usize = 64;
pub(crate) const NESTED_BLOCK: usize = 256;

/// How a projection is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// Floats, or blocks of GGUF.
    Plain,
    /// NF4 of bitsandbytes.
    Nf4,
    /// Rows of 8-bit integers of bitsandbytes.
    Int8,
}

/// What does not fit into tensors, as JSON in a tensor of bytes.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct QuantState {
    pub(crate) quant_type: String,
    pub(crate) blocksize: usize,
    pub(crate) dtype: String,
    pub(crate) shape: Vec<usize>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) nested_blocksize: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) nested_dtype: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) nested_offset: Option<f64>,
}

/// That the folder is not quantized by a method that is not understood.
pub(super) fn refuse_other_methods(fields: &Fields) -> Result<(), LoadError> {
    let Some(section) = fields.section("quantization_config")? else { return Ok(()) };
    match section.text("quant_method")? {
        Some("bitsandbytes") | None => Ok(()),
        Some(_) => Err(section.unsupported("quant_method", "bitsandbytes")),
    }
}

/// How the weight `name` is stored, by what is there.
pub(crate) fn stored(source: &Source, name: &str) -> Stored {
    let dtype = source.view(name).map(|view| view.dtype);
    let has = |name: String| source.checkpoint.contains(&name);
    match dtype {
        Ok(StoredDtype::U8) if has(format!("{name}{QUANT_STATE}")) => Stored::Nf4,
        Ok(StoredDtype::I8) if has(scb_name(name)) => Stored::Int8,
        _ => Stored::Plain,
    }
}

/// The names of all tensors of a weight that is stored so.
pub(crate) fn parts(source: &Source, name: &str) -> Vec<String> {
    let own = |end: &str| format!("{name}{end}");
    let names = match stored(source, name) {
        Stored::Plain => Vec::new(),
        Stored::Nf4 => {
            [ABSMAX, QUANT_MAP, NESTED_ABSMAX, NESTED_QUANT_MAP, QUANT_STATE].map(own).into()
        }
        Stored::Int8 => vec![scb_name(name), name.replace("weight", WEIGHT_FORMAT)],
    };
    names.into_iter().filter(|name| source.checkpoint.contains(name)).collect()
}

/// A weight that is stored as NF4.
pub(super) fn read_nf4(source: &Source, parameter: &Parameter) -> Result<FrozenWeight, LoadError> {
    let Parameter { name, shape, .. } = parameter;
    let wrong = |reason: &str| Err(source.tensor_error(name, reason.to_owned()));
    let part = |end: &str| source.checkpoint.get(&format!("{name}{end}"));
    let state: QuantState = match serde_json::from_slice(part(QUANT_STATE)?.bytes) {
        Ok(state) => state,
        Err(error) => return wrong(&format!("its quant_state cannot be read: {error}")),
    };
    if state.quant_type != "nf4" || state.blocksize != NF4_BLOCK || state.shape != *shape {
        return wrong(&format!(
            "{} in blocks of {} with shape {:?}; expected nf4 in blocks of {NF4_BLOCK} with shape {shape:?}",
            state.quant_type, state.blocksize, state.shape
        ));
    }
    if state.nested_blocksize.is_some_and(|block| block != NESTED_BLOCK) {
        return wrong("its scales are not in blocks of 256");
    }
    let absmax = match state.nested_offset {
        None => Absmax::Plain(floats(&part(ABSMAX)?)?),
        Some(offset) => {
            let code = floats(&part(NESTED_QUANT_MAP)?)?;
            let Ok(code) = Box::<[f32; 256]>::try_from(code.into_boxed_slice()) else {
                return wrong("its nested_quant_map has not 256 values");
            };
            let codes = bytes(source, &part(ABSMAX)?)?;
            let absmax = floats(&part(NESTED_ABSMAX)?)?;
            Absmax::Double(DoubleAbsmax { codes, absmax, code, offset: offset as f32 })
        }
    };
    let packed = bytes(source, &source.view(name)?)?;
    let error = source.weight_error(name);
    let nf4 = Nf4::from_parts(shape.iter().product(), packed, absmax).map_err(&error)?;
    check_codebook(source, name, &floats(&part(QUANT_MAP)?)?)?;
    FrozenWeight::new(shape[0], shape[1], Values::Nf4(nf4)).map_err(error)
}

/// A weight that is stored in 8 bits.
pub(super) fn read_int8(source: &Source, parameter: &Parameter) -> Result<FrozenWeight, LoadError> {
    let Parameter { name, shape, .. } = parameter;
    let format = name.replace("weight", WEIGHT_FORMAT);
    if source.checkpoint.contains(&format) && source.checkpoint.get(&format)?.bytes != [0] {
        return Err(source.tensor_error(name, "it is not stored row by row".to_owned()));
    }
    let codes = source.view(name)?.bytes.iter().map(|byte| byte.cast_signed()).collect();
    let absmax = floats(&source.checkpoint.get(&scb_name(name))?)?;
    let error = source.weight_error(name);
    let int8 = Int8::from_parts(shape[1], codes, absmax).map_err(&error)?;
    FrozenWeight::new(shape[0], shape[1], Values::Int8(int8)).map_err(error)
}

/// `….q_proj.weight` to `….q_proj.SCB`.
pub(crate) fn scb_name(name: &str) -> String {
    name.strip_suffix("weight").map_or_else(|| name.to_owned(), |module| format!("{module}{SCB}"))
}

/// That the codes mean what they mean here.
fn check_codebook(source: &Source, name: &str, map: &[f32]) -> Result<(), LoadError> {
    let same = map.len() == 16 && map.iter().zip(codebook()).all(|(a, b)| (a - b).abs() < 1e-6);
    match same {
        true => Ok(()),
        false => Err(source.tensor_error(name, "its quant_map is not that of NF4".to_owned())),
    }
}

/// The values of the 16 codes.
pub(crate) fn codebook() -> Vec<f32> {
    let codes: Vec<u8> = (0..8).map(|i| (2 * i) << 4 | (2 * i + 1)).collect();
    let mut values = vec![0.0; 16];
    if let Ok(nf4) = Nf4::from_parts(16, codes, Absmax::Plain(vec![1.0])) {
        nf4.dequantize(0..16, &mut values);
    }
    values
}

fn floats(view: &TensorView<'_>) -> Result<Vec<f32>, LoadError> {
    let mut values = Vec::new();
    view.to_f32(&mut values)?;
    Ok(values)
}

fn bytes(source: &Source, view: &TensorView<'_>) -> Result<Vec<u8>, LoadError> {
    match view.dtype {
        StoredDtype::U8 => Ok(view.bytes.to_vec()),
        other => {
            Err(source.tensor_error(view.name, format!("it holds {other}, and should hold U8")))
        }
    }
}
