use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// How the two moments are kept between steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateDtype {
    /// f32: 8 bytes a parameter.
    #[default]
    F32,
    /// 8-bit codes of a dynamic map and one f32 scale a block of [`BLOCK`](crate::BLOCK) values:
    /// about 2 bytes a parameter. Groups shorter than
    /// [`MIN_BLOCKWISE_LEN`](crate::MIN_BLOCKWISE_LEN) stay in f32.
    ///
    /// Source: Dettmers et al. (2022), 8-bit Optimizers via Block-wise Quantization; block length
    /// and shortest tensor as in bitsandbytes 0.50.
    Blockwise8,
}

/// Everything an optimizer knows beside its settings: what a checkpoint must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimizerState<'a> {
    /// Steps taken.
    pub step: u64,
    /// Flat buffers. In f32: `m` and `v`. In 8 bits: `m` and `v` for the short groups, then
    /// `m_codes`, `m_absmax`, `v_codes` and `v_absmax` for the others. None is left out for being
    /// empty.
    pub buffers: Vec<NamedBuffer<'a>>,
}

/// A flat buffer and its name in a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedBuffer<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its values.
    pub values: Buffer<'a>,
}

/// The values of a buffer.
#[derive(Debug, Clone, PartialEq)]
pub enum Buffer<'a> {
    /// Moments or scales.
    F32(Cow<'a, [f32]>),
    /// Codes.
    U8(Cow<'a, [u8]>),
}
