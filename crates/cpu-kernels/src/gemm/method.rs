use std::sync::OnceLock;

use super::kernel::{self, Kernel, Word};
use crate::ComputeDtype;

/// A kernel, and how values become its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method {
    pub(super) kernel: &'static Kernel,
    /// Values are rounded to bf16, then multiplied as f32: bf16 without an instruction for it.
    pub(super) rounded: bool,
}

impl Method {
    /// The best one that this processor has.
    pub(super) fn best(compute: ComputeDtype) -> Self {
        static BEST: OnceLock<[Method; 2]> = OnceLock::new();
        let best = BEST.get_or_init(|| {
            [ComputeDtype::F32, ComputeDtype::Bf16].map(|compute| Self::available(compute)[0])
        });
        match compute {
            ComputeDtype::F32 => best[0],
            ComputeDtype::Bf16 => best[1],
        }
    }

    /// All that this processor has, best first; never empty.
    pub(super) fn available(compute: ComputeDtype) -> Vec<Self> {
        let kernels = kernel::available().into_iter();
        match compute {
            ComputeDtype::F32 => kernels
                .filter(|kernel| kernel.word == Word::F32)
                .map(|kernel| Self { kernel, rounded: false })
                .collect(),
            ComputeDtype::Bf16 => {
                kernels.map(|kernel| Self { kernel, rounded: kernel.word == Word::F32 }).collect()
            }
        }
    }
}
