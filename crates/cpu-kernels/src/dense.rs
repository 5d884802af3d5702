use half::{bf16, f16};

use crate::Values;

/// How the values of a dense weight are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DenseDtype {
    /// 32-bit floats.
    F32,
    /// bfloat16.
    Bf16,
    /// IEEE half precision.
    F16,
}

impl DenseDtype {
    /// Bytes a value.
    pub fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 | Self::F16 => 2,
        }
    }

    /// Little-endian bytes as values; an incomplete last value is left out.
    pub(crate) fn read(self, bytes: &[u8]) -> Values {
        match self {
            Self::F32 => Values::F32(read(bytes, f32::from_le_bytes)),
            Self::Bf16 => Values::Bf16(read(bytes, bf16::from_le_bytes)),
            Self::F16 => Values::F16(read(bytes, f16::from_le_bytes)),
        }
    }

    /// `values` rounded to the nearest, ties to even.
    pub(crate) fn round(self, values: Vec<f32>) -> Values {
        match self {
            Self::F32 => Values::F32(values),
            Self::Bf16 => Values::Bf16(values.into_iter().map(bf16::from_f32).collect()),
            Self::F16 => Values::F16(values.into_iter().map(f16::from_f32).collect()),
        }
    }
}

fn read<T, const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks().0.iter().map(|bytes| value(*bytes)).collect()
}
