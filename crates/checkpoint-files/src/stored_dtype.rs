use std::fmt;

use ::safetensors::Dtype;

/// How a tensor's values lie in its file; always little-endian.
///
/// The block types are those of ggml: each holds some values of a row together with their scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names say it")]
pub enum StoredDtype {
    Bool,
    F4,
    F6E2M3,
    F6E3M2,
    U8,
    I8,
    F8E5M2,
    F8E4M3,
    F8E8M0,
    F8E4M3Fnuz,
    F8E5M2Fnuz,
    I16,
    U16,
    F16,
    Bf16,
    I32,
    U32,
    F32,
    C64,
    F64,
    I64,
    U64,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q4K,
    Q5K,
    Q6K,
}

impl StoredDtype {
    /// Values in a block and the bytes that they take: `(32, 18)` for `Q4_0`, `(1, 2)` for `F16`.
    ///
    /// Source: `GGML_QUANT_SIZES` of the Python package gguf 0.19; the safetensors format.
    pub fn block(self) -> (usize, usize) {
        match self {
            Self::F4 => (2, 1),
            Self::F6E2M3 | Self::F6E3M2 => (4, 3),
            Self::Bool | Self::U8 | Self::I8 => (1, 1),
            Self::F8E5M2 | Self::F8E4M3 | Self::F8E8M0 => (1, 1),
            Self::F8E4M3Fnuz | Self::F8E5M2Fnuz => (1, 1),
            Self::I16 | Self::U16 | Self::F16 | Self::Bf16 => (1, 2),
            Self::I32 | Self::U32 | Self::F32 => (1, 4),
            Self::C64 | Self::F64 | Self::I64 | Self::U64 => (1, 8),
            Self::Q4_0 => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q4K => (256, 144),
            Self::Q5K => (256, 176),
            Self::Q6K => (256, 210),
        }
    }

    /// The name that the formats use: `BF16`, `Q4_K`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::F4 => "F4",
            Self::F6E2M3 => "F6_E2M3",
            Self::F6E3M2 => "F6_E3M2",
            Self::U8 => "U8",
            Self::I8 => "I8",
            Self::F8E5M2 => "F8_E5M2",
            Self::F8E4M3 => "F8_E4M3",
            Self::F8E8M0 => "F8_E8M0",
            Self::F8E4M3Fnuz => "F8_E4M3FNUZ",
            Self::F8E5M2Fnuz => "F8_E5M2FNUZ",
            Self::I16 => "I16",
            Self::U16 => "U16",
            Self::F16 => "F16",
            Self::Bf16 => "BF16",
            Self::I32 => "I32",
            Self::U32 => "U32",
            Self::F32 => "F32",
            Self::C64 => "C64",
            Self::F64 => "F64",
            Self::I64 => "I64",
            Self::U64 => "U64",
            Self::Q4_0 => "Q4_0",
            Self::Q4_1 => "Q4_1",
            Self::Q5_0 => "Q5_0",
            Self::Q5_1 => "Q5_1",
            Self::Q8_0 => "Q8_0",
            Self::Q4K => "Q4_K",
            Self::Q5K => "Q5_K",
            Self::Q6K => "Q6_K",
        }
    }

    /// Whether [`crate::TensorView::to_f32`] converts it.
    pub fn is_float(self) -> bool {
        match self {
            Self::F16 | Self::Bf16 | Self::F32 | Self::F64 => true,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => true,
            Self::Q4K | Self::Q5K | Self::Q6K => true,
            Self::Bool | Self::U8 | Self::I8 | Self::I16 | Self::U16 => false,
            Self::I32 | Self::U32 | Self::I64 | Self::U64 | Self::C64 => false,
            Self::F4 | Self::F6E2M3 | Self::F6E3M2 | Self::F8E5M2 | Self::F8E4M3 => false,
            Self::F8E8M0 | Self::F8E4M3Fnuz | Self::F8E5M2Fnuz => false,
        }
    }

    /// Bytes that `n_values` take; `None` where they end within a block, or the number overflows.
    pub fn bytes_of(self, n_values: usize) -> Option<usize> {
        let (values, bytes) = self.block();
        if n_values.is_multiple_of(values) { (n_values / values).checked_mul(bytes) } else { None }
    }

    /// The type of that name in a safetensors header.
    pub(crate) fn from_safetensors(name: &str) -> Option<Self> {
        [
            Self::Bool,
            Self::F4,
            Self::F6E2M3,
            Self::F6E3M2,
            Self::U8,
            Self::I8,
            Self::F8E5M2,
            Self::F8E4M3,
            Self::F8E8M0,
            Self::F8E4M3Fnuz,
            Self::F8E5M2Fnuz,
            Self::I16,
            Self::U16,
            Self::F16,
            Self::Bf16,
            Self::I32,
            Self::U32,
            Self::F32,
            Self::C64,
            Self::F64,
            Self::I64,
            Self::U64,
        ]
        .into_iter()
        .find(|dtype| dtype.name() == name)
    }

    /// Where [`Self`] stands in the order in which the `safetensors` crate writes; `None` for block types.
    pub(crate) fn safetensors(self) -> Option<Dtype> {
        Some(match self {
            Self::Bool => Dtype::BOOL,
            Self::F4 => Dtype::F4,
            Self::F6E2M3 => Dtype::F6_E2M3,
            Self::F6E3M2 => Dtype::F6_E3M2,
            Self::U8 => Dtype::U8,
            Self::I8 => Dtype::I8,
            Self::F8E5M2 => Dtype::F8_E5M2,
            Self::F8E4M3 => Dtype::F8_E4M3,
            Self::F8E8M0 => Dtype::F8_E8M0,
            Self::F8E4M3Fnuz => Dtype::F8_E4M3FNUZ,
            Self::F8E5M2Fnuz => Dtype::F8_E5M2FNUZ,
            Self::I16 => Dtype::I16,
            Self::U16 => Dtype::U16,
            Self::F16 => Dtype::F16,
            Self::Bf16 => Dtype::BF16,
            Self::I32 => Dtype::I32,
            Self::U32 => Dtype::U32,
            Self::F32 => Dtype::F32,
            Self::C64 => Dtype::C64,
            Self::F64 => Dtype::F64,
            Self::I64 => Dtype::I64,
            Self::U64 => Dtype::U64,
            Self::Q4_0 | Self::Q4_1 | Self::Q5_0 | Self::Q5_1 | Self::Q8_0 => return None,
            Self::Q4K | Self::Q5K | Self::Q6K => return None,
        })
    }
}

impl fmt::Display for StoredDtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
