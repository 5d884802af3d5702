use crate::ModelConfig;

/// The name in GGUF of a parameter that transformers calls `name`; `None` for one that GGUF does not know.
///
/// Source: `gguf/tensor_mapping.py` of llama.cpp.
pub(crate) fn gguf_name(name: &str, config: &ModelConfig) -> Option<String> {
    let (module, end) = name.rsplit_once('.')?;
    let whole = match module {
        "model.embed_tokens" => Some("token_embd"),
        "model.norm" => Some("output_norm"),
        "lm_head" => Some("output"),
        _ => None,
    };
    if let Some(whole) = whole {
        return Some(format!("{whole}.{end}"));
    }
    let (layer, module) = module.strip_prefix("model.layers.")?.split_once('.')?;
    let module = match module {
        "input_layernorm" => "attn_norm",
        "self_attn.q_proj" => "attn_q",
        "self_attn.k_proj" => "attn_k",
        "self_attn.v_proj" => "attn_v",
        "self_attn.qkv_proj" => "attn_qkv",
        "self_attn.o_proj" => "attn_output",
        "self_attn.q_norm" => "attn_q_norm",
        "self_attn.k_norm" => "attn_k_norm",
        // Where norms are on both sides, this one is behind attention; elsewhere it is before the feed-forward.
        "post_attention_layernorm" if config.post_norms => "post_attention_norm",
        "post_attention_layernorm" | "pre_feedforward_layernorm" => "ffn_norm",
        "post_feedforward_layernorm" => "post_ffw_norm",
        "mlp.gate_proj" => "ffn_gate",
        // Fused, the rows of gate come first.
        "mlp.up_proj" | "mlp.gate_up_proj" => "ffn_up",
        "mlp.down_proj" => "ffn_down",
        _ => return None,
    };
    Some(format!("blk.{layer}.{module}.{end}"))
}
