/// What PEFT puts before the names of the model.
pub(super) const PREFIX: &str = "base_model.model.";

/// The tensor of the trained rows of the embedding, `[tokens, hidden]`: whole rows, despite its name.
pub const TOKEN_ROWS: &str =
    "base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta";

const A: &str = ".lora_A.weight";
const B: &str = ".lora_B.weight";
const MAGNITUDE: &str = ".lora_magnitude_vector";

/// The names of a module's tensors, as PEFT writes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoraNames {
    /// `[rank, inputs]`.
    pub a: String,
    /// `[outputs, rank]`.
    pub b: String,
    /// `[outputs]`, with DoRA.
    pub magnitude: String,
}

/// Which of a module's tensors a name is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    A,
    B,
    Magnitude,
}

/// The names of the tensors of a module such as `model.layers.0.self_attn.q_proj`.
pub fn lora_names(module: &str) -> LoraNames {
    let name = |end: &str| format!("{PREFIX}{module}{end}");
    LoraNames { a: name(A), b: name(B), magnitude: name(MAGNITUDE) }
}

impl LoraNames {
    /// The magnitude as PEFT wrote it first.
    pub(super) fn first_magnitude(&self) -> String {
        format!("{}.weight", self.magnitude)
    }
}

/// The module and the part that a name of [`lora_names`] is of.
pub(super) fn parse(name: &str) -> Option<(&str, Part)> {
    let name = name.strip_prefix(PREFIX)?;
    [(A, Part::A), (B, Part::B), (MAGNITUDE, Part::Magnitude)]
        .into_iter()
        .find_map(|(end, part)| Some((name.strip_suffix(end)?, part)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_peft_and_read_back() {
        let module = "model.layers.0.self_attn.q_proj";
        let names = lora_names(module);
        assert_eq!(names.a, "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
        assert_eq!(parse(&names.a), Some((module, Part::A)));
        assert_eq!(parse(&names.b), Some((module, Part::B)));
        assert_eq!(parse(&names.magnitude), Some((module, Part::Magnitude)));
        for other in [TOKEN_ROWS, "model.layers.0.self_attn.q_proj.lora_A.weight", ""] {
            assert_eq!(parse(other), None, "{other}");
        }
    }
}
