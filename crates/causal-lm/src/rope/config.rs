/// A rotary position embedding.
#[derive(Clone, Debug, PartialEq)]
pub struct RopeConfig {
    /// The base of the wavelengths.
    pub theta: f64,
    /// How many dimensions of a head are rotated; the rest passes unchanged.
    pub rotary_dims: usize,
    /// How it is stretched beyond the context of pre-training.
    pub scaling: RopeScaling,
}

/// How a rotary embedding is stretched beyond the context that a model was first trained on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RopeScaling {
    /// Not at all: Su et al. (2021).
    Default,
    /// All positions are divided: Chen et al. (2023).
    Linear {
        /// By what.
        factor: f64,
    },
    /// The base grows with the sequence beyond `max_positions`: dynamic NTK.
    Dynamic {
        /// How much.
        factor: f64,
        /// `max_position_embeddings`.
        max_positions: usize,
    },
    /// Long waves are divided, short ones are kept, those between are mixed: Llama 3.1.
    Llama3 {
        /// By what.
        factor: f64,
        /// A wave longer than the original context over this is divided.
        low_freq_factor: f64,
        /// A wave shorter than the original context over this is kept.
        high_freq_factor: f64,
        /// The original context.
        original_positions: usize,
    },
    /// The same by number of rotations, with a factor on queries and keys: Peng et al. (2023).
    Yarn {
        /// By what.
        factor: f64,
        /// The original context.
        original_positions: usize,
        /// Dimensions with more rotations are kept.
        beta_fast: f64,
        /// Dimensions with fewer rotations are divided.
        beta_slow: f64,
        /// The bounds are rounded outward to whole dimensions.
        truncate: bool,
        /// What cosines and sines are multiplied by.
        attention_factor: f64,
    },
    /// A divisor a dimension, one set for short sequences and one for long: Ding et al. (2024).
    LongRope {
        /// Divisors up to the original context.
        short: Vec<f32>,
        /// Divisors beyond it.
        long: Vec<f32>,
        /// The original context.
        original_positions: usize,
        /// What cosines and sines are multiplied by.
        attention_factor: f64,
    },
    /// A divisor a dimension, as the tensor `rope_freqs.weight` of a GGUF file has them.
    Divided {
        /// The divisors.
        divisors: Vec<f32>,
    },
}

impl RopeConfig {
    /// How many pairs of dimensions are rotated.
    pub fn pairs(&self) -> usize {
        self.rotary_dims.div_ceil(2)
    }

    /// The name and length of a list of divisors that has not one for each pair.
    pub(crate) fn factors_of_other_length(&self) -> Option<(&'static str, usize)> {
        let pairs = self.pairs();
        let lists = match &self.scaling {
            RopeScaling::LongRope { short, long, .. } => {
                vec![("short_factor", short.len()), ("long_factor", long.len())]
            }
            RopeScaling::Divided { divisors } => vec![("rope_freqs.weight", divisors.len())],
            _ => Vec::new(),
        };
        lists.into_iter().find(|(_, len)| *len != pairs)
    }
}
