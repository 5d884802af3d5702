/// Cosines and sines of rotary positions, `[positions, pairs]` each, and the first position they are for.
#[derive(Clone, Copy, Debug)]
pub struct Rotary<'a> {
    /// `[tokens, pairs]`: one row a token of the batch.
    pub cos: &'a [f32],
    /// `[tokens, pairs]`.
    pub sin: &'a [f32],
    /// Half the number of rotated dimensions of a head; the rest of a head passes unchanged.
    pub pairs: usize,
}

/// Rotates each head of `x`, `[tokens, heads · head_dim]`, in place: dimension `i` with dimension `i + pairs`.
///
/// Source: Su et al. (2021), in the split-half order of transformers.
pub fn rope(x: &mut [f32], heads: usize, head_dim: usize, rotary: Rotary<'_>) {
    let Rotary { cos, sin, pairs } = rotary;
    let width = (heads * head_dim).max(1);
    for (token, row) in x.chunks_exact_mut(width).enumerate() {
        let at = token * pairs..(token + 1) * pairs;
        let (cos, sin) = (&cos[at.clone()], &sin[at]);
        for head in row.chunks_exact_mut(head_dim) {
            for i in 0..pairs {
                let (a, b) = (head[i], head[i + pairs]);
                head[i] = a * cos[i] - b * sin[i];
                head[i + pairs] = b * cos[i] + a * sin[i];
            }
        }
    }
}
