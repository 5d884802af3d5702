use std::collections::HashSet;

use super::layout::{EMBEDDING, HEAD, Kind, Parameter};
use super::source::Source;
use super::stored_quantization::{Stored, parts, stored};
use crate::LoadError;

/// Tensors that some programs write and none needs.
const HARMLESS: [&str; 6] = [
    "rotary_emb.inv_freq",
    "self_attn.masked_bias",
    "self_attn.bias",
    "rope_freqs.weight",
    "rope_factors_long.weight",
    "rope_factors_short.weight",
];

/// That all parameters are there, in their shapes, and nothing else; all that is wrong is told at once.
pub(super) fn check_tensors(source: &Source, parameters: &[Parameter]) -> Result<(), LoadError> {
    let (mut missing, mut misshapen) = (Vec::new(), Vec::new());
    let mut known = HashSet::new();
    for parameter in parameters {
        let name = source.stored_name(&parameter.name);
        match source.view(&parameter.name) {
            Err(_) => missing.push(name.clone()),
            Ok(_) => misshapen.extend(wrong_with(source, parameter)?),
        }
        known.extend(parts(source, &parameter.name));
        known.insert(name);
    }
    let head = source.stored_name(HEAD);
    if source.config.tied_head && source.checkpoint.contains(&head) {
        if source.view(HEAD)?.bytes == source.view(EMBEDDING).map_or(&[][..], |view| view.bytes) {
            known.insert(head);
        } else {
            misshapen.push(format!(
                "{head} (differs from the embedding, although tie_word_embeddings is set)"
            ));
        }
    }
    let stored = source.checkpoint.tensors().iter().map(|tensor| tensor.name.as_str());
    let harmless = |name: &str| HARMLESS.iter().any(|end| name.ends_with(end));
    let surplus: Vec<String> = stored
        .filter(|name| {
            !known.contains(*name) && !harmless(name) && *name != source.stored_name(HEAD)
        })
        .map(str::to_owned)
        .collect();
    if missing.is_empty() && misshapen.is_empty() && surplus.is_empty() {
        return Ok(());
    }
    Err(LoadError::Tensors { path: source.path().to_owned(), missing, misshapen, surplus })
}

/// What is wrong with a tensor that is there.
fn wrong_with(source: &Source, parameter: &Parameter) -> Result<Option<String>, LoadError> {
    let Parameter { name, shape, kind } = parameter;
    let view = source.view(name)?;
    let values: usize = shape.iter().product();
    let stored = if *kind == Kind::Projection { stored(source, name) } else { Stored::Plain };
    let (right_shape, right_type) = match stored {
        Stored::Plain => (view.shape == shape, view.dtype.is_float()),
        Stored::Nf4 => (view.n_values() == values.div_ceil(2), true),
        Stored::Int8 => (view.shape == shape, true),
    };
    Ok(if !right_shape {
        Some(format!("{} (shape {:?}, expected {shape:?})", view.name, view.shape))
    } else if !right_type {
        Some(format!("{} (holds {}, expected floats)", view.name, view.dtype))
    } else {
        None
    })
}
