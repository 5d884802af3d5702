#![expect(unsafe_code, reason = "threads write disjoint parts of the copies")]

use super::Run;
use crate::cpu_features::Isa;
use crate::decoder::Span;
use crate::lanes::LANES;
use crate::scratch::Disjoint;
use crate::transpose::transpose_all;

/// Keys and values of all spans, head by head, each span from a whole block of 16 tokens on.
///
/// Columns are blocks of 16 tokens, each `[head_dim][16]`, with zeros behind the last token; rows are `[head_dim]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'a> {
    pub(super) key_columns: &'a [f32],
    pub(super) value_columns: &'a [f32],
    pub(super) key_rows: &'a [f32],
    /// Tokens of a head.
    pub(super) tokens: usize,
}

/// Lays keys and values out in `memory`, which has thrice as many floats as there are in the keys of whole blocks.
pub(super) fn pack<'a>(
    isa: Isa,
    k: &[f32],
    v: &[f32],
    spans: &[Span],
    (kv_heads, head_dim): (usize, usize),
    memory: &'a mut [f32],
    run: &Run<'_>,
) -> Packed<'a> {
    let len = memory.len() / 3;
    let tokens = len / (kv_heads * head_dim).max(1);
    let width = kv_heads * head_dim;
    // Blocks: the first token in the batch, tokens that are there, and the block's place in a head.
    let mut blocks = Vec::new();
    for span in spans {
        for token in (0..span.len).step_by(LANES) {
            let n = LANES.min(span.len - token);
            blocks.push((span.start + token, n, blocks.len() * LANES));
        }
    }
    let (key_columns, rest) = memory.split_at_mut(len);
    let (value_columns, key_rows) = rest.split_at_mut(len);
    {
        let key_columns = Disjoint::new(key_columns);
        let value_columns = Disjoint::new(value_columns);
        let key_rows = Disjoint::new(key_rows);
        run(blocks.len(), &|i| {
            let (token, n, place) = blocks[i];
            for head in 0..kv_heads {
                let from = token * width + head * head_dim;
                let at = (head * tokens + place) * head_dim;
                for (values, to) in [(k, &key_columns), (v, &value_columns)] {
                    // SAFETY: each block is written once.
                    let to = unsafe { to.slice(at, LANES * head_dim) };
                    if n < LANES {
                        to.fill(0.0);
                    }
                    transpose_all(isa, &values[from..], width, (n, head_dim), to, LANES);
                }
                // SAFETY: as above.
                let rows = unsafe { key_rows.slice(at, n * head_dim) };
                for (i, row) in rows.chunks_exact_mut(head_dim).enumerate() {
                    row.copy_from_slice(&k[from + i * width..][..head_dim]);
                }
            }
        });
    }
    Packed { key_columns, value_columns, key_rows, tokens }
}
