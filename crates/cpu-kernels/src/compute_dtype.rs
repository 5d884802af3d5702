/// In which precision the factors of a product are multiplied; sums are always kept in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ComputeDtype {
    /// Both factors in f32.
    #[default]
    F32,
    /// Both factors rounded to bf16 (to nearest, ties to even), as the bf16 units of processors take them.
    Bf16,
}
