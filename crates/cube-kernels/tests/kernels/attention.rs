//! Rotation, the softmax of attention, and attention of next tokens.

use burn_backend::{DType, TensorData};
use cube_kernels::{
    CausalMask, causal_softmax, causal_softmax_backward, decode_attention, rope, upload,
};

use crate::support::{Numbers, close, get, half, matrix, put, wide};

/// Cosines and sines of angles by chance.
fn angles(count: usize, numbers: &mut Numbers) -> [Vec<f32>; 2] {
    let angles = numbers.take(count);
    [angles.iter().map(|a| a.cos()).collect(), angles.iter().map(|a| a.sin()).collect()]
}

/// `x`, `[tokens, heads · head_dim]`, with the first `2 · pairs` dimensions of each head turned.
fn turned(
    x: &[f32],
    [tokens, heads, head_dim, pairs]: [usize; 4],
    [cos, sin]: [&[f32]; 2],
) -> Vec<f64> {
    let width = heads * head_dim;
    matrix(tokens, width, |token, at| {
        let (first, i) = (token * width + at / head_dim * head_dim, at % head_dim);
        let value = |i: usize| f64::from(x[first + i]);
        let turn =
            |i: usize| (f64::from(cos[token * pairs + i]), f64::from(sin[token * pairs + i]));
        if i < pairs {
            let (c, s) = turn(i);
            value(i) * c - value(i + pairs) * s
        } else if i < 2 * pairs {
            let (c, s) = turn(i - pairs);
            value(i) * c + value(i - pairs) * s
        } else {
            value(i)
        }
    })
}

#[test]
fn rotations() {
    for shape in [[1, 1, 2, 1], [3, 2, 10, 5], [5, 3, 16, 4], [4, 9, 64, 32]] {
        let [tokens, heads, head_dim, pairs] = shape;
        let mut numbers = Numbers(3);
        let width = heads * head_dim;
        let [cos, sin] = angles(tokens * pairs, &mut numbers);
        let x = numbers.take(tokens * width);
        for sign in [1.0, -1.0] {
            let signed: Vec<f32> = sin.iter().map(|s| sign * s).collect();
            let y = turned(&x, shape, [&cos, &signed]);
            let [c, s] = [&cos, &sin].map(|values| put(values, tokens, pairs));
            let out = rope(put(&x, tokens, width), c, s, heads, sign < 0.0);
            close(&get(out), &y, 1e-6, &format!("{shape:?}"));
        }
    }
}

#[test]
fn causal_softmaxes() {
    // Heads, queries, position of the first query, position of the first key, window, soft cap.
    let cases = [
        (1, 1, 0, 0, None, None),
        (2, 3, 0, 0, None, None),
        (3, 5, 4, 0, None, Some(2.5)),
        (2, 300, 11, 0, None, None),
        (2, 6, 9, 5, Some(5), None),
        (1, 7, 20, 18, Some(3), Some(1.5)),
    ];
    for (heads, queries, first_query, first_key, window, softcap) in cases {
        let mask = CausalMask { queries, first_query, first_key, window, scale: 0.37, softcap };
        let (rows, keys) = (heads * queries, first_query + queries - first_key);
        let mut numbers = Numbers(rows as u64);
        let raw: Vec<f32> = numbers.take(rows * keys).iter().map(|x| x * 9.0).collect();
        let dp = numbers.take(rows * keys);
        let delta = numbers.take(rows);
        let score = |row: usize, key: usize| {
            let (query, at) = (first_query + row % queries, first_key + key);
            let seen = at <= query && window.is_none_or(|window| query - at < window);
            let s = f64::from(raw[row * keys + key]) * f64::from(mask.scale);
            seen.then(|| softcap.map_or(s, |cap| f64::from(cap) * (s / f64::from(cap)).tanh()))
        };
        let sum = |row| (0..keys).filter_map(|key| score(row, key)).map(f64::exp).sum::<f64>();
        let p = |row, key| score(row, key).map_or(0.0, |s| s.exp() / sum(row));
        let all = matrix(rows, keys, p);
        let lse = matrix(rows, 1, |row, _| sum(row).ln());
        let ds = matrix(rows, keys, |row, key| {
            let at = row * keys + key;
            let slope = match (softcap, score(row, key)) {
                (Some(cap), Some(s)) => 1.0 - (s / f64::from(cap)).powi(2),
                _ => 1.0,
            };
            f64::from(mask.scale)
                * p(row, key)
                * (f64::from(dp[at]) - f64::from(delta[row]))
                * slope
        });
        let what = format!("{mask:?}");
        let scores = || put(&raw, rows, keys);
        let [actual, log_sums] = causal_softmax(scores(), mask, DType::F32);
        close(&get(actual), &all, 3e-6, &what);
        close(&get(log_sums.clone()), &lse, 2e-6, &what);
        let [again, slopes] = causal_softmax_backward(
            scores(),
            log_sums,
            put(&dp, rows, keys),
            put(&delta, rows, 1),
            mask,
            DType::F32,
        );
        close(&get(again), &all, 5e-6, &what);
        close(&get(slopes), &ds, 1e-5, &what);
        let [low, _] = causal_softmax(scores(), mask, DType::F16);
        close(&get(low), &all, 1e-3, &what);
    }
}

#[test]
fn attention_of_next_tokens() {
    // Sequences of one token, of more than a block of keys, and of a block and one.
    let (positions, slots) = ([0u32, 300, 256, 7], [2u32, 0, 4, 1]);
    let (count, capacity) = (5, 310);
    for (heads, kv_heads, head_dim, pairs, window, softcap) in [
        (4, 2, 16, 8, None, None),
        (3, 1, 96, 20, Some(40), None),
        (2, 2, 256, 128, None, Some(2.0f32)),
    ] {
        let mut numbers = Numbers(head_dim as u64);
        let (rows, width, kv) = (positions.len(), heads * head_dim, kv_heads * head_dim);
        let q = numbers.take(rows * width);
        let new = [(); 2].map(|()| numbers.take(rows * kv));
        let old = [(); 2].map(|()| numbers.take(count * kv_heads * capacity * head_dim));
        let places: Vec<i32> =
            slots.into_iter().zip(positions).flat_map(|(s, p)| [s as i32, p as i32]).collect();
        let places = upload(TensorData::new(places, [rows, 2]), &Default::default());
        let [cos, sin] = angles(rows * pairs, &mut numbers);
        let turned = |x: &[f32], heads: usize| {
            turned(x, [rows, heads, head_dim, pairs], [cos.as_slice(), sin.as_slice()])
        };
        let queries = turned(&q, heads);
        let now = [turned(&new[0], kv_heads), wide(&new[1])];
        let mask =
            CausalMask { queries: 1, first_query: 0, first_key: 0, window, scale: 0.3, softcap };
        // What the cache has, token by token.
        let at = |slot: u32, head: usize, position: usize| {
            ((slot as usize * kv_heads + head) * capacity + position) * head_dim
        };
        let mut held = old.each_ref().map(|part| wide(part));
        for (part, new) in held.iter_mut().zip(&now) {
            for row in 0..rows {
                for head in 0..kv_heads {
                    let from = row * kv + head * head_dim;
                    let to = at(slots[row], head, positions[row] as usize);
                    part[to..to + head_dim].copy_from_slice(&new[from..from + head_dim]);
                }
            }
        }
        let mut expected = Vec::new();
        for row in 0..rows {
            let end = positions[row] as usize + 1;
            let from = window.map_or(0, |window: usize| end.saturating_sub(window));
            for head in 0..heads {
                let query = &queries[row * width + head * head_dim..][..head_dim];
                let of = |part: &[f64], key: usize, d: usize| {
                    part[at(slots[row], head * kv_heads / heads, key) + d]
                };
                let score = |key: usize| {
                    let sum: f64 = (0..head_dim).map(|d| query[d] * of(&held[0], key, d)).sum();
                    let sum = sum * f64::from(mask.scale);
                    softcap.map_or(sum, |cap| f64::from(cap) * (sum / f64::from(cap)).tanh())
                };
                let weights: Vec<f64> = (from..end).map(|key| score(key).exp()).collect();
                let total: f64 = weights.iter().sum();
                expected.extend((0..head_dim).map(|d| {
                    let keys = (from..end).zip(&weights);
                    keys.map(|(key, weight)| weight * of(&held[1], key, d)).sum::<f64>() / total
                }));
            }
        }
        let what = format!("{heads} x {head_dim}");
        let cache = |values: &[f32]| {
            let shape = [count * kv_heads, capacity, head_dim];
            upload(TensorData::new(values.to_vec(), shape), &Default::default())
        };
        for (put, tolerance) in [(put as fn(&[f32], usize, usize) -> _, 1e-5), (half, 4e-3)] {
            let parts = [cache(&old[0]), cache(&old[1])];
            let qkv = [put(&q, rows, width), put(&new[0], rows, kv), put(&new[1], rows, kv)];
            let rotation = [&cos, &sin].map(|values| self::put(values, rows, pairs));
            let out = decode_attention(qkv, rotation, parts.each_ref(), &places, mask);
            close(&get(out), &expected, tolerance, &what);
            for ((part, held), old) in parts.into_iter().zip(&held).zip(&old) {
                let part = get(part);
                close(&part, held, tolerance, &what);
                let others =
                    part.iter().zip(held).zip(old).filter(|((_, h), o)| **h == f64::from(**o));
                assert!(
                    others.map(|((is, was), _)| (is, was)).all(|(is, was)| is == was),
                    "{what}"
                );
            }
        }
    }
}
