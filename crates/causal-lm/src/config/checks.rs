use super::{Fields, ModelConfig};
use crate::LoadError;

/// That sizes fit one another; products of them can then be taken without overflow.
pub(crate) fn check(config: &ModelConfig, fields: &Fields) -> Result<(), LoadError> {
    let ModelConfig { heads, kv_heads, head_dim, .. } = *config;
    let wrong = |reason: String| Err(fields.inconsistent(reason));
    if !heads.is_multiple_of(kv_heads) {
        return wrong(format!(
            "{heads} attention heads are no multiple of {kv_heads} key-value heads"
        ));
    }
    if heads.checked_mul(head_dim).is_none_or(|width| width > 1 << 31) {
        return wrong(format!("{heads} heads of {head_dim} dimensions are too many"));
    }
    for rope in &config.ropes {
        let pairs = rope.pairs();
        if pairs == 0 || 2 * pairs > head_dim {
            return wrong(format!("{} rotary dimensions in heads of {head_dim}", rope.rotary_dims));
        }
    }
    Ok(())
}
