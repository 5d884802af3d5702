//! Vectors of 16 floats, of which each instruction set has its own.

/// 16 floats. All implementations compute the same values; those with a fused multiply-add also the same bits.
///
/// # Safety
/// Every function needs the instructions of its implementation; pointers must be good for what is read, at any alignment.
pub(super) trait Lanes: Copy {
    /// A prepared NF4 codebook.
    type Table: Copy;
    /// Whether there are registers for 16 sums.
    const MANY: bool;

    unsafe fn zero() -> Self;
    /// The same float 16 times.
    unsafe fn splat(value: f32) -> Self;
    unsafe fn load(at: *const f32) -> Self;
    /// 16 half floats.
    unsafe fn load_f16(at: *const u8) -> Self;
    /// 16 signed bytes.
    unsafe fn load_i8(at: *const u8) -> Self;
    /// 32 bfloat16: those with even places, those with odd ones.
    unsafe fn load_bf16(at: *const u8) -> [Self; 2];
    /// `self + a * b`.
    unsafe fn fma(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    /// Rounded to bfloat16, to nearest, ties to even.
    unsafe fn round_bf16(self) -> Self;
    /// The sum of the lanes: halves, quarters, and so on.
    unsafe fn sum(self) -> f32;
    /// The codebook times a scale, rounded to bfloat16 where asked.
    unsafe fn table(scale: f32, round: bool) -> Self::Table;
    /// A block of 64 values in 32 bytes. Lane `l` of vector `s` is value `8 * (l % 8) + 4 * (l / 8) + (s ^ 1)`.
    unsafe fn load_nf4(at: *const u8, table: Self::Table) -> [Self; 4];
    /// Asks for a cache line; any address will do.
    unsafe fn prefetch(at: *const u8);
}
