use super::Fields;
use crate::LoadError;

/// Whether each layer's attention is sliding, by `layer_types`; `None` where the file has none.
pub(crate) fn layer_types(fields: &Fields, layers: usize) -> Result<Option<Vec<bool>>, LoadError> {
    let Some(types) = fields.texts("layer_types")? else { return Ok(None) };
    if types.len() != layers {
        let reason = format!("{} layer_types for {layers} layers", types.len());
        return Err(fields.inconsistent(reason));
    }
    let sliding = types.iter().map(|kind| match *kind {
        "sliding_attention" => Ok(true),
        "full_attention" => Ok(false),
        _ => Err(fields.unsupported("layer_types", "full_attention, sliding_attention")),
    });
    sliding.collect::<Result<_, _>>().map(Some)
}

/// The window of each layer in the way of Qwen: only with `use_sliding_window`, by `layer_types` or from layer
/// `max_window_layers` up.
pub(crate) fn sliding_window(
    fields: &Fields,
    layers: usize,
) -> Result<Vec<Option<usize>>, LoadError> {
    let types = layer_types(fields, layers)?;
    if !fields.flag("use_sliding_window", false)? {
        return Ok(vec![None; layers]);
    }
    // transformers takes a missing window for 4096, and a window of null for none.
    let window = match fields.has("sliding_window") {
        true => fields.optional_size("sliding_window")?,
        false => Some(4096),
    };
    let first = fields.count("max_window_layers")?.unwrap_or(28);
    let sliding = types.unwrap_or_else(|| (0..layers).map(|layer| layer >= first).collect());
    Ok(sliding.into_iter().map(|sliding| window.filter(|_| sliding)).collect())
}
