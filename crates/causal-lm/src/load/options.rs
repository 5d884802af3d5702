use std::path::PathBuf;

use cpu_kernels::ComputeDtype;

/// How a model is loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LoadOptions {
    /// What the projections of the blocks are quantized to; embedding, head and norms stay dense.
    ///
    /// A folder that is quantized already stays as it is.
    pub quantization: Quantization,
    /// How dense weights lie in memory.
    pub dtype: DenseDtype,
    /// The precision of products.
    pub compute: ComputeDtype,
    /// The folder of a PEFT adapter.
    pub adapter: Option<PathBuf>,
    /// Rows that the embedding has at least, where the head is tied to it. Rows behind the stored ones, unless the
    /// adapter has them, are the mean of the stored ones: where new tokens begin.
    ///
    /// Source: Hewitt (2021), Initializing New Word Embeddings for Pretrained Language Models. The mean itself, so that a
    /// model is the same each time; transformers draws around it.
    pub min_vocab_size: usize,
}

/// How the projections of the blocks are quantized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quantization {
    /// Not at all.
    #[default]
    None,
    /// 4-bit NormalFloat in blocks of 64, as QLoRA has it.
    Nf4 {
        /// The scales are quantized to 8 bits too.
        double: bool,
    },
    /// 8 bits with one scale a row, as LLM.int8() has it.
    Int8,
}

/// How dense weights lie in memory. Norms and biases are small, and always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DenseDtype {
    /// As they are stored. Of quantized GGUF tensors: f32, or bf16 where projections are quantized again.
    #[default]
    Auto,
    /// 32-bit floats.
    F32,
    /// bfloat16.
    Bf16,
    /// IEEE half precision.
    F16,
}

/// How far loading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadProgress<'a> {
    /// The tensor that is loaded next, by its name in transformers; empty at the end.
    pub tensor: &'a str,
    /// Stored bytes that have been read.
    pub done: u64,
    /// Stored bytes in all.
    pub total: u64,
}
