use cpu_kernels::decoder::Span;

use super::AnyError;

/// What generation asks of a model: logits of some tokens of a flat batch, with a cache of some slots.
pub trait StepModel {
    /// Number of ids that the model knows.
    fn vocabulary(&self) -> usize;

    /// Sequences that the cache holds.
    fn slots(&self) -> usize;

    /// Tokens that a sequence of the cache may have.
    fn capacity(&self) -> usize;

    /// Runs the tokens `ids`, whose sequences and positions `spans` tell, puts them into the cache, and writes the
    /// logits that follow the tokens `wanted` (indices into `ids`, rising) to `logits`: `[wanted.len(), vocabulary]`.
    ///
    /// # Errors
    /// Whatever keeps the model from it.
    fn step(
        &mut self,
        ids: &[u32],
        spans: &[Span],
        wanted: &[usize],
        logits: &mut Vec<f32>,
    ) -> Result<(), AnyError>;

    /// As [`step`](Self::step), but of the tokens that may follow each of `wanted` only the likeliest, the lowest id among equals, with
    /// its log-probability. `None`, and nothing is done, where a model gives logits as readily.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    fn step_likeliest(
        &mut self,
        _ids: &[u32],
        _spans: &[Span],
        _wanted: &[usize],
    ) -> Result<Option<Vec<(u32, f32)>>, AnyError> {
        Ok(None)
    }

    /// Makes the first `len` tokens of slot `from` the sequence of slot `to`, which is another one.
    ///
    /// # Errors
    /// Whatever keeps the model from it.
    fn copy_slot(&mut self, from: usize, to: usize, len: usize) -> Result<(), AnyError>;
}
