//! Attention in chunks of queries: scores and their gradients are products, and between them stands one kernel a direction.
//!
//! Queries that share keys and values lie below each other, so that a product serves the whole group.

use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Tensor};
use cpu_kernels::decoder::{AttentionShape, Span};
use cube_kernels::{
    CausalMask, CubeRuntime, CubeTensor, causal_softmax, causal_softmax_backward, decode_attention,
    product,
};

use super::super::composed::{primitive, tensor};
use super::CubeKvLayer;
use crate::estimate::SCORES;
use crate::rope::Rotation;

/// Widest head that [`next_tokens`] takes.
pub(super) const WIDEST_HEAD: usize = 256;

/// Attention, `[tokens, heads · head_dim]`, and the logarithm of each row's sum of exponentials, `[tokens, heads]`.
pub(super) fn forward<B, R>(
    q: CubeTensor<R>,
    k: CubeTensor<R>,
    v: CubeTensor<R>,
    spans: &[Span],
    shape: &AttentionShape,
) -> [CubeTensor<R>; 2]
where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    let [q, k, v] = [q, k, v].map(tensor::<B, 2>);
    let (mut outs, mut lses) = (Vec::new(), Vec::new());
    for span in spans {
        let [k, v] = [&k, &v].map(|x| key_heads(x, span, shape));
        for chunk in chunks(span.len, 0, shape) {
            let q = query_heads(&q, span.start + chunk.row, chunk.rows, shape);
            let [out, lse] = attend::<B, R>(q, seen(&k, &chunk), seen(&v, &chunk), &chunk, shape);
            outs.push(out);
            lses.push(lse);
        }
    }
    [primitive(Tensor::cat(outs, 0)), primitive(Tensor::cat(lses, 0))]
}

/// Stores the spans' keys and values, and attends over all that their sequences have in the cache.
pub(super) fn cached<B, R>(
    q: CubeTensor<R>,
    k: CubeTensor<R>,
    v: CubeTensor<R>,
    cache: &mut CubeKvLayer<B>,
    spans: &[Span],
    shape: &AttentionShape,
) -> FloatTensor<B>
where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    let [q, k, v] = [q, k, v].map(tensor::<B, 2>);
    let (mut outs, dtype) = (Vec::new(), q.dtype());
    for span in spans {
        let new = [&k, &v].map(|x| key_heads(x, span, shape));
        cache.store(span.slot, span.position, new);
        for chunk in chunks(span.len, span.position, shape) {
            let q = query_heads(&q, span.start + chunk.row, chunk.rows, shape);
            let mut parts =
                cache.load(span.slot, chunk.first..chunk.first + chunk.keys, dtype).into_iter();
            let (Some(k), Some(v)) = (parts.next(), parts.next()) else {
                unreachable!("a cache has keys and values")
            };
            let [out, _] = attend::<B, R>(q, k, v, &chunk, shape);
            outs.push(out);
        }
    }
    primitive(Tensor::cat(outs, 0))
}

/// As [`cached`], of queries and keys that are not rotated yet, and one token of each sequence, at `places`: one kernel for all.
pub(super) fn next_tokens<B, R>(
    qkv: [CubeTensor<R>; 3],
    rotation: &Rotation<B>,
    places: &CubeTensor<R>,
    cache: &CubeKvLayer<B>,
    shape: &AttentionShape,
) -> FloatTensor<B>
where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    let parts = cache.parts();
    let [cos, sin] = [&rotation.cos, &rotation.sin].map(|x| primitive(x.clone()));
    let mask = CausalMask {
        queries: 1,
        first_query: 0,
        first_key: 0,
        window: shape.window,
        scale: shape.scale,
        softcap: shape.softcap,
    };
    decode_attention(qkv, [cos, sin], parts.each_ref(), places, mask)
}

/// Gradients of `q`, `k` and `v`, from those, the result, its logarithms of sums, and the result's gradient.
pub(super) fn backward<B, R>(
    inputs: [CubeTensor<R>; 6],
    spans: &[Span],
    shape: &AttentionShape,
) -> [CubeTensor<R>; 3]
where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    let [q, k, v, out, lse, dout] = inputs.map(tensor::<B, 2>);
    let (device, dtype) = (q.device(), q.dtype());
    let (mut dqs, mut dks, mut dvs) = (Vec::new(), Vec::new(), Vec::new());
    for span in spans {
        let [keys, values] = [&k, &v].map(|x| key_heads(x, span, shape));
        let mut dk = Tensor::<B, 3>::zeros(keys.dims(), (&device, DType::F32));
        let mut dv = dk.clone();
        for chunk in chunks(span.len, 0, shape) {
            let of = |x: &Tensor<B, 2>| query_heads(x, span.start + chunk.row, chunk.rows, shape);
            let (q, out, dout) = (of(&q), of(&out), of(&dout));
            let (k, v) = (seen(&keys, &chunk), seen(&values, &chunk));
            let lse = lse.clone().narrow(0, span.start + chunk.row, chunk.rows);
            let rows = shape.heads * chunk.rows;
            let lse = lse.swap_dims(0, 1).reshape([rows, 1]);
            let wide = [dout.clone(), out].map(|x| x.cast(DType::F32));
            let [wide_dout, wide_out] = wide;
            let delta = (wide_dout * wide_out).sum_dim(2).reshape([rows, 1]);
            let flat = |x: Tensor<B, 3>| primitive::<B, 2>(x.reshape([rows, chunk.keys]));
            let scores = flat(times(q.clone(), k.clone().swap_dims(1, 2), DType::F32));
            let dp = flat(times(dout.clone(), v.swap_dims(1, 2), DType::F32));
            let (lse, delta) = (primitive::<B, 2>(lse), primitive::<B, 2>(delta));
            let mask = chunk.mask(shape);
            let both = causal_softmax_backward(scores, lse, dp, delta, mask, dtype);
            let group = rows / shape.kv_heads;
            let [p, ds] =
                both.map(|x| tensor::<B, 2>(x).reshape([shape.kv_heads, group, chunk.keys]));
            dqs.push(query_rows(times(ds.clone(), k, dtype), &chunk, shape));
            dk = add(dk, times(ds.swap_dims(1, 2), q, DType::F32), &chunk);
            dv = add(dv, times(p.swap_dims(1, 2), dout, DType::F32), &chunk);
        }
        dks.push(key_rows(dk.cast(dtype)));
        dvs.push(key_rows(dv.cast(dtype)));
    }
    [dqs, dks, dvs].map(|parts| primitive(Tensor::cat(parts, 0)))
}

/// Queries of one sequence, and the keys that they see.
struct Chunk {
    /// The first query, counted in the span.
    row: usize,
    rows: usize,
    /// Position of the first query in its sequence.
    position: usize,
    /// Position of the first key.
    first: usize,
    keys: usize,
}

impl Chunk {
    fn mask(&self, shape: &AttentionShape) -> CausalMask {
        CausalMask {
            queries: self.rows,
            first_query: self.position,
            first_key: self.first,
            window: shape.window,
            scale: shape.scale,
            softcap: shape.softcap,
        }
    }
}

/// `len` queries from `position` of a sequence on, in parts whose scores fit into the space for them.
fn chunks(len: usize, position: usize, shape: &AttentionShape) -> Vec<Chunk> {
    let rows = (SCORES / (shape.heads * (position + len))).clamp(1, len.max(1));
    let chunk = |row: usize| {
        let rows = rows.min(len - row);
        let position = position + row;
        let first = shape.window.map_or(0, |window| (position + 1).saturating_sub(window));
        Chunk { row, rows, position, first, keys: position + rows - first }
    };
    (0..len).step_by(rows).map(chunk).collect()
}

/// `[kv_heads, group · rows, head_dim]` queries with the keys and values that they see: `[rows, heads · head_dim]`, and the
/// logarithms of sums, `[rows, heads]`.
fn attend<B, R>(
    q: Tensor<B, 3>,
    k: Tensor<B, 3>,
    v: Tensor<B, 3>,
    chunk: &Chunk,
    shape: &AttentionShape,
) -> [Tensor<B, 2>; 2]
where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    let ([kv_heads, group_rows, _], dtype) = (q.dims(), q.dtype());
    let scores = times(q, k.swap_dims(1, 2), DType::F32);
    let scores = scores.reshape([kv_heads * group_rows, chunk.keys]);
    let [p, lse] = causal_softmax(primitive::<B, 2>(scores), chunk.mask(shape), dtype);
    let p = tensor::<B, 2>(p).reshape([kv_heads, group_rows, chunk.keys]);
    let lse = tensor::<B, 2>(lse).reshape([shape.heads, chunk.rows]).swap_dims(0, 1);
    [query_rows(times(p, v, dtype), chunk, shape), lse]
}

/// A product for each head, with sums in f32 and the result in `dtype`.
fn times<B, R>(x: Tensor<B, 3>, y: Tensor<B, 3>, dtype: DType) -> Tensor<B, 3>
where
    R: CubeRuntime,
    B: Backend<FloatTensorPrimitive = CubeTensor<R>>,
{
    tensor(product(primitive(x), primitive(y), dtype))
}

/// Rows of queries by the keys they share, `[kv_heads, group · rows, head_dim]`.
fn query_heads<B: Backend>(
    x: &Tensor<B, 2>,
    start: usize,
    rows: usize,
    shape: &AttentionShape,
) -> Tensor<B, 3> {
    let (kv_heads, group) = (shape.kv_heads, shape.heads / shape.kv_heads);
    let x = x.clone().narrow(0, start, rows).reshape([rows, kv_heads, group, shape.head_dim]);
    x.permute([1, 2, 0, 3]).reshape([kv_heads, group * rows, shape.head_dim])
}

/// [`query_heads`] back to rows, `[rows, heads · head_dim]`.
fn query_rows<B: Backend>(x: Tensor<B, 3>, chunk: &Chunk, shape: &AttentionShape) -> Tensor<B, 2> {
    let (kv_heads, group) = (shape.kv_heads, shape.heads / shape.kv_heads);
    let x: Tensor<B, 4> = x.reshape([kv_heads, group, chunk.rows, shape.head_dim]);
    x.permute([2, 0, 1, 3]).reshape([chunk.rows, shape.heads * shape.head_dim])
}

/// A span's keys or values by heads, `[kv_heads, len, head_dim]`.
fn key_heads<B: Backend>(x: &Tensor<B, 2>, span: &Span, shape: &AttentionShape) -> Tensor<B, 3> {
    let x = x.clone().narrow(0, span.start, span.len);
    x.reshape([span.len, shape.kv_heads, shape.head_dim]).swap_dims(0, 1)
}

/// [`key_heads`] back to rows.
fn key_rows<B: Backend>(x: Tensor<B, 3>) -> Tensor<B, 2> {
    let [heads, len, dim] = x.dims();
    x.swap_dims(0, 1).reshape([len, heads * dim])
}

/// The keys or values that a chunk sees.
fn seen<B: Backend>(x: &Tensor<B, 3>, chunk: &Chunk) -> Tensor<B, 3> {
    x.clone().narrow(1, chunk.first, chunk.keys)
}

fn add<B: Backend>(total: Tensor<B, 3>, part: Tensor<B, 3>, chunk: &Chunk) -> Tensor<B, 3> {
    let [heads, _, dim] = total.dims();
    let at = [0..heads, chunk.first..chunk.first + chunk.keys, 0..dim];
    let sum = total.clone().slice(at.clone()) + part;
    total.slice_assign(at, sum)
}
