/// What can be wrong with a weight.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightError {
    /// A part of a weight that is too long or too short for its shape.
    #[error("{part}: expected {expected} elements, got {got}")]
    Length {
        /// Which part: `values`, `packed codes`, …
        part: &'static str,
        /// How many elements the shape asks for.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A shape with more values than can be counted.
    #[error("a weight of {rows} rows and {cols} columns has too many values")]
    TooLarge {
        /// Number of outputs.
        rows: usize,
        /// Number of inputs.
        cols: usize,
    },
    /// An infinity or NaN where quantization needs a number.
    #[error("{part}: element {index} is not finite")]
    NotFinite {
        /// Which part: `values`, `absmax`, …
        part: &'static str,
        /// Which element, from 0; over the flattened rows.
        index: usize,
    },
    /// Blocks so large that the mean of their largest values is no f32 any more.
    #[error("the mean of the blocks' absmax overflows f32")]
    MeanOverflows,
}
