use checkpoint_files::{CheckpointError, Metadata};

use super::GgufVocabulary;

impl GgufVocabulary {
    /// The tokenizer that a GGUF file carries in its metadata.
    ///
    /// # Errors
    /// [`CheckpointError`] for a key that is missing or of another type.
    pub fn from_metadata(metadata: &Metadata) -> Result<Self, CheckpointError> {
        let text = |key: &str| -> Result<Option<String>, CheckpointError> {
            Ok(metadata.optional::<&str>(key)?.map(str::to_owned))
        };
        let id = |key: &str| metadata.optional::<u32>(&format!("tokenizer.ggml.{key}_token_id"));
        let merges = metadata.optional::<&[String]>("tokenizer.ggml.merges")?;
        let token_types = metadata.optional::<&[i32]>("tokenizer.ggml.token_type")?;
        let scores = metadata.optional::<&[f32]>("tokenizer.ggml.scores")?;
        Ok(Self {
            model: metadata.str("tokenizer.ggml.model")?.to_owned(),
            pre: text("tokenizer.ggml.pre")?,
            tokens: metadata.strings("tokenizer.ggml.tokens")?.to_vec(),
            token_types: token_types.unwrap_or_default().to_vec(),
            merges: merges.unwrap_or_default().to_vec(),
            scores: scores.unwrap_or_default().to_vec(),
            bos: id("bos")?,
            eos: id("eos")?,
            eot: id("eot")?,
            unknown: id("unknown")?,
            pad: id("padding")?,
            add_bos: metadata.optional("tokenizer.ggml.add_bos_token")?,
            add_space_prefix: metadata.optional("tokenizer.ggml.add_space_prefix")?,
            chat_template: text("tokenizer.chat_template")?,
        })
    }
}
