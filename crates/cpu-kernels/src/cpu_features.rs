use std::sync::OnceLock;

/// The instruction set that a kernel is written for; each later one is quicker where the processor has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Isa {
    /// What every processor runs.
    Portable,
    /// AVX2, FMA and F16C: x86-64 since about 2013.
    Avx2,
    /// AVX-512 F, BW, DQ, VL and VBMI with all of [`Isa::Avx2`]: servers since about 2019, Zen 4 and later.
    Avx512,
}

impl Isa {
    /// The best that this processor has; asked once.
    pub(crate) fn detected() -> Self {
        static DETECTED: OnceLock<Isa> = OnceLock::new();
        *DETECTED.get_or_init(detect)
    }

    /// All that this processor has, so that one test suite runs every kernel.
    #[cfg(test)]
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        [Self::Portable, Self::Avx2, Self::Avx512]
            .into_iter()
            .filter(|isa| *isa <= Self::detected())
    }
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Isa {
    use std::arch::is_x86_feature_detected as has;

    let avx2 = has!("avx2") && has!("fma") && has!("f16c");
    let avx512 = has!("avx512f")
        && has!("avx512bw")
        && has!("avx512dq")
        && has!("avx512vl")
        && has!("avx512vbmi");
    match (avx2, avx512) {
        (true, true) => Isa::Avx512,
        (true, false) => Isa::Avx2,
        (false, _) => Isa::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Isa {
    Isa::Portable
}
