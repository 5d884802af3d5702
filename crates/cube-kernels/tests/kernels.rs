//! Every kernel against sums in f64, on whatever device the features name; shapes are odd on purpose.
//!
//! `cargo test -p cube-kernels --features vulkan` needs Vulkan, which Mesa has in software; `--features cuda` a graphics
//! processor of NVIDIA.
#![cfg(any(feature = "vulkan", feature = "cuda"))]
#![allow(clippy::unwrap_used)]

use std::ops::Range;

use burn_backend::{DType, TensorData};
use cube_kernels::{
    AdamWConstants, CausalMask, CubeTensor, FEW_ROWS, Int8Weight, LowRankFactors, Nf4Weight, adamw,
    add_low_rank_to_few, causal_softmax, causal_softmax_backward, cross_entropy, decode_attention,
    download, gate, gate_backward, rms_norm, rms_norm_backward, rope, sums_of_squares, upload,
};

#[cfg(feature = "cuda")]
type Device = cube_kernels::CudaRuntime;
#[cfg(not(feature = "cuda"))]
type Device = cube_kernels::WgpuRuntime;

/// Numbers from -1 to 1, the same each time.
struct Numbers(u64);

impl Numbers {
    fn take(&mut self, count: usize) -> Vec<f32> {
        let mut next = || {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }
}

fn put(values: &[f32], rows: usize, cols: usize) -> CubeTensor<Device> {
    upload(TensorData::new(values.to_vec(), [rows, cols]), &Default::default())
}

fn half(values: &[f32], rows: usize, cols: usize) -> CubeTensor<Device> {
    let values: Vec<half::f16> = values.iter().map(|&value| half::f16::from_f32(value)).collect();
    upload(TensorData::new(values, [rows, cols]), &Default::default())
}

fn put_ids(values: &[u32]) -> CubeTensor<Device> {
    upload(TensorData::new(values.to_vec(), [values.len(), 1]), &Default::default())
}

fn get(tensor: CubeTensor<Device>) -> Vec<f64> {
    download(tensor).iter::<f64>().collect()
}

/// Fails where a value is further from what it should be than `tolerance` times the greatest of them.
#[track_caller]
fn close(actual: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let size = expected.iter().fold(1e-30f64, |size, value| size.max(value.abs()));
    for (i, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        let off = (actual - expected).abs() / size;
        assert!(
            off <= tolerance,
            "{what}: value {i} is {actual}, not {expected}: off by {off:.2e}"
        );
    }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// A number for each element of a matrix.
fn matrix(rows: usize, cols: usize, mut value: impl FnMut(usize, usize) -> f64) -> Vec<f64> {
    (0..rows * cols).map(|at| value(at / cols, at % cols)).collect()
}

// A row of one is all cancellation.
const ROWS: [(usize, usize); 6] = [(1, 3), (3, 7), (5, 64), (2, 257), (4, 1_000), (7, 2_048)];

#[test]
fn rms_norms() {
    let eps = 1e-5;
    for (rows, width) in ROWS {
        let mut numbers = Numbers(rows as u64);
        let [x, dy] = [(); 2].map(|()| numbers.take(rows * width));
        let weight = numbers.take(width);
        let (x64, dy64, w64) = (wide(&x), wide(&dy), wide(&weight));
        let mean = |value: &dyn Fn(usize) -> f64, row: usize| {
            (0..width).map(|i| value(row * width + i)).sum::<f64>() / width as f64
        };
        let r = |row| 1.0 / (mean(&|at| x64[at] * x64[at], row) + f64::from(eps as f32)).sqrt();
        let y = matrix(rows, width, |row, i| x64[row * width + i] * r(row) * w64[i]);
        let dx = matrix(rows, width, |row, i| {
            let at = row * width + i;
            let along = mean(&|at| x64[at] * dy64[at] * w64[at % width], row);
            r(row) * (dy64[at] * w64[i] - x64[at] * r(row).powi(2) * along)
        });
        let what = format!("{rows} x {width}");
        let weight = || put(&weight, 1, width);
        let eps = eps as f32;
        close(&get(rms_norm(put(&x, rows, width), weight(), eps)), &y, 2e-6, &what);
        let back = rms_norm_backward(put(&x, rows, width), weight(), eps, put(&dy, rows, width));
        close(&get(back), &dx, 5e-6, &what);
        let low = rms_norm(half(&x, rows, width), weight(), eps);
        assert_eq!(low.dtype, DType::F16);
        close(&get(low), &y, 2e-3, &what);
    }
}

#[test]
fn gates() {
    for (rows, width) in ROWS {
        let mut numbers = Numbers(9 + rows as u64);
        let [x, up, dy] = [(); 3]
            .map(|()| numbers.take(rows * width).iter().map(|x| x * 4.0).collect::<Vec<_>>());
        let (x64, up64, dy64) = (wide(&x), wide(&up), wide(&dy));
        for gelu in [false, true] {
            let activation = |x: f64| {
                if gelu {
                    let t =
                        ((2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh();
                    0.5 * x * (1.0 + t)
                } else {
                    x / (1.0 + (-x).exp())
                }
            };
            let slope = |x: f64| (activation(x + 1e-5) - activation(x - 1e-5)) / 2e-5;
            let y = matrix(1, rows * width, |_, i| activation(x64[i]) * up64[i]);
            let dx = matrix(1, rows * width, |_, i| dy64[i] * up64[i] * slope(x64[i]));
            let dup = matrix(1, rows * width, |_, i| dy64[i] * activation(x64[i]));
            let what = format!("{rows} x {width}, gelu {gelu}");
            let (gates, ups) = (|| put(&x, rows, width), || put(&up, rows, width));
            close(&get(gate(gates(), ups(), gelu)), &y, 2e-6, &what);
            let [a, b] = gate_backward(gates(), ups(), put(&dy, rows, width), gelu);
            close(&get(a), &dx, 5e-6, &what);
            close(&get(b), &dup, 2e-6, &what);
            close(&get(gate(half(&x, rows, width), half(&up, rows, width), gelu)), &y, 3e-3, &what);
        }
    }
}

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
fn cross_entropies() {
    for (rows, vocab) in [(1, 2), (3, 7), (4, 255), (5, 257), (2, 5_001)] {
        let mut numbers = Numbers(vocab as u64);
        let mut logits: Vec<f32> = numbers.take(rows * vocab).iter().map(|x| x * 20.0).collect();
        let weights = numbers.take(rows);
        let targets: Vec<u32> = (0..rows).map(|row| (row * 31 % vocab) as u32).collect();
        // Two that are likeliest: the first counts.
        let (a, b) = (vocab / 2, vocab - 1);
        (logits[a], logits[b]) = (21.0, 21.0);
        let exact = wide(&logits);
        let lse =
            |row: usize| exact[row * vocab..][..vocab].iter().map(|x| x.exp()).sum::<f64>().ln();
        let losses =
            matrix(rows, 1, |row, _| lse(row) - exact[row * vocab + targets[row] as usize]);
        let gradient = matrix(rows, vocab, |row, i| {
            let hit = f64::from(u8::from(i == targets[row] as usize));
            ((exact[row * vocab + i] - lse(row)).exp() - hit) * f64::from(weights[row])
        });
        let best = matrix(rows, 1, |row, _| {
            let row = &exact[row * vocab..][..vocab];
            let top = row.iter().copied().fold(f64::MIN, f64::max);
            row.iter().position(|&x| x == top).unwrap() as f64
        });
        let what = format!("{rows} x {vocab}");
        let put_logits = || put(&logits, rows, vocab);
        let out =
            cross_entropy(put_logits(), Some(put_ids(&targets)), Some(put(&weights, rows, 1)));
        close(&get(out.losses), &losses, 2e-6, &what);
        close(&get(out.gradient.unwrap()), &gradient, 5e-6, &what);
        assert_eq!(get(out.predicted), best, "{what}");
        let without = cross_entropy(put_logits(), Some(put_ids(&targets)), None);
        assert!(without.gradient.is_none());
        close(&get(without.losses), &losses, 2e-6, &what);
        // Of the likeliest token.
        let likeliest = cross_entropy(put_logits(), None, None);
        let least = matrix(rows, 1, |row, _| lse(row) - exact[row * vocab + best[row] as usize]);
        for (loss, least) in get(likeliest.losses).into_iter().zip(least) {
            assert!((loss - least).abs() <= 4e-6, "{what}: {loss}, not {least}");
        }
        assert_eq!(get(likeliest.predicted), best, "{what}");
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

const CODEBOOK: [f32; 16] = [
    -1.0, -0.7, -0.53, -0.39, -0.28, -0.18, -0.09, 0.0, 0.08, 0.16, 0.25, 0.34, 0.44, 0.56, 0.72,
    1.0,
];

/// A weight of codes and scales by chance, and its values.
fn nf4(rows: usize, cols: usize) -> (Nf4Weight<Device>, Vec<f64>) {
    let (len, mut numbers) = (rows * cols, Numbers(len_seed(rows, cols)));
    let packed: Vec<u8> =
        numbers.take(len.div_ceil(2)).iter().map(|x| (x * 127.0 + 128.0) as u8).collect();
    let absmax = numbers.take(len.div_ceil(64));
    let values = matrix(rows, cols, |row, col| {
        let at = row * cols + col;
        let code = packed[at / 2] >> (4 * (1 - at % 2)) & 15;
        f64::from(CODEBOOK[code as usize] * absmax[at / 64])
    });
    let weight = Nf4Weight::new(rows, cols, &packed, &absmax, &CODEBOOK, &Default::default());
    (weight, values)
}

fn len_seed(rows: usize, cols: usize) -> u64 {
    (rows * 1_000 + cols) as u64
}

#[test]
fn nf4_values() {
    for (rows, cols) in [(1, 1), (7, 33), (3, 64), (64, 160), (5, 1_001)] {
        let (weight, values) = nf4(rows, cols);
        // Each is one product in f32: to the bit.
        assert_eq!(get(weight.dequantize(DType::F32)), values, "{rows} x {cols}");
        close(&get(weight.dequantize(DType::F16)), &values, 1e-3, "half precision");
        close(&get(weight.dequantize(DType::F16)), &values, 1e-3, &format!("{rows} x {cols}"));
    }
}

/// Products of some rows with the chosen weights, on top of something.
type Products<'a> = dyn Fn(Range<usize>, &Tensor, &[Tensor]) -> Option<Vec<Tensor>> + 'a;
type Tensor = CubeTensor<Device>;

/// Fused products of 1 to 8 rows with weights of these rows and values, together and each alone.
fn few_rows(cols: usize, weights: &[(usize, Vec<f64>)], products: &Products<'_>) {
    for m in 1..=FEW_ROWS {
        let mut numbers = Numbers(m as u64);
        let x = numbers.take(m * cols);
        let onto: Vec<_> = weights.iter().map(|(rows, _)| numbers.take(m * rows)).collect();
        let alone = (0..weights.len()).map(|weight| weight..weight + 1);
        for chosen in alone.chain(std::iter::once(0..weights.len())) {
            for (put, tolerance) in [(put as fn(&[f32], usize, usize) -> _, 3e-6), (half, 2e-3)] {
                // On top of something for every other number of rows.
                let added = chosen.clone().filter(|_| m % 2 == 0);
                let added: Vec<_> =
                    added.map(|weight| put(&onto[weight], m, weights[weight].0)).collect();
                let products = products(chosen.clone(), &put(&x, m, cols), &added);
                for (weight, product) in chosen.clone().zip(products.expect("few rows")) {
                    let (rows, values) = &weights[weight];
                    let y = matrix(m, *rows, |i, row| {
                        let terms = x[i * cols..][..cols].iter().zip(&values[row * cols..]);
                        let sum: f64 = terms.map(|(&x, value)| f64::from(x) * value).sum();
                        match added.is_empty() {
                            true => sum,
                            false => sum + f64::from(onto[weight][i * rows + row]),
                        }
                    });
                    close(&get(product), &y, tolerance, &format!("{m} x {cols} x {rows}"));
                }
            }
        }
    }
    let many = FEW_ROWS + 1;
    assert!(products(0..1, &put(&vec![0.0; many * cols], many, cols), &[]).is_none());
}

#[test]
fn nf4_products_of_few_rows() {
    // Rows that are read by words, and by four of them; some scales are of two rows.
    for (rows, cols) in [
        ([1, 1, 2], 8),
        ([7, 4, 30], 40),
        ([33, 9, 1], 64),
        ([5, 6, 3], 1_000),
        ([50, 64, 3], 2_080),
    ] {
        let (weights, values): (Vec<_>, Vec<_>) =
            rows.map(|rows| nf4(rows, cols)).into_iter().unzip();
        let values: Vec<_> = rows.into_iter().zip(values).collect();
        few_rows(cols, &values, &|chosen, x, onto| {
            Nf4Weight::few_rows(&weights[chosen].iter().collect::<Vec<_>>(), x, onto)
        });
    }
    let (odd, _) = nf4(7, 33);
    assert!(Nf4Weight::few_rows(&[&odd], &put(&[0.0; 33], 1, 33), &[]).is_none());
}

#[test]
fn int8_values_and_products() {
    for (rows, cols) in
        [([1, 5], 1), ([7, 2], 33), ([3, 41], 64), ([5, 6], 1_001), ([37, 4], 260), ([2, 9], 1_040)]
    {
        let mut numbers = Numbers(cols as u64);
        let (mut weights, mut all) = (Vec::new(), Vec::new());
        for rows in rows {
            let codes: Vec<i8> =
                numbers.take(rows * cols).iter().map(|x| (x * 128.0) as i8).collect();
            let scales = numbers.take(rows);
            let values = matrix(rows, cols, |row, col| {
                f64::from(f32::from(codes[row * cols + col]) * scales[row])
            });
            let weight =
                Int8Weight::<Device>::new(rows, cols, &codes, &scales, &Default::default());
            assert_eq!(get(weight.dequantize(DType::F32)), values, "{rows} x {cols}");
            close(&get(weight.dequantize(DType::F16)), &values, 1e-3, "half precision");
            weights.push(weight);
            all.push((rows, values));
        }
        let products = |chosen: Range<usize>, x: &CubeTensor<Device>, onto: &[_]| {
            Int8Weight::few_rows(&weights[chosen].iter().collect::<Vec<_>>(), x, onto)
        };
        match cols % 4 {
            0 => few_rows(cols, &all, &products),
            _ => assert!(products(0..1, &put(&vec![0.0; cols], 1, cols), &[]).is_none()),
        }
    }
}

#[test]
fn adapters_of_few_rows() {
    for (k, adapters) in
        [(3, vec![(5, 1)]), (64, vec![(7, 4), (1, 2)]), (1_030, vec![(40, 16), (9, 3), (300, 8)])]
    {
        for m in 1..=FEW_ROWS {
            let mut numbers = Numbers((k + m) as u64);
            let x = numbers.take(m * k);
            let parts: Vec<_> = adapters
                .iter()
                .map(|&(n, rank)| [m * n, rank * k, n * rank].map(|len| numbers.take(len)))
                .collect();
            for low_precision in [false, true] {
                let put_activations = if low_precision { half } else { put };
                let ys: Vec<_> = parts
                    .iter()
                    .zip(&adapters)
                    .map(|([y, _, _], (n, _))| put_activations(y, m, *n))
                    .collect();
                let factors = parts.iter().zip(&adapters).map(|([_, a, b], &(n, rank))| {
                    LowRankFactors { a: put(a, rank, k), b: put(b, n, rank), scaling: 1.5 }
                });
                let corrected = ys.iter().cloned().zip(factors).collect();
                add_low_rank_to_few(&put_activations(&x, m, k), corrected);
                for ((y, [old, a, b]), &(n, rank)) in ys.into_iter().zip(&parts).zip(&adapters) {
                    let low = matrix(m, rank, |i, r| {
                        (0..k).map(|at| f64::from(x[i * k + at]) * f64::from(a[r * k + at])).sum()
                    });
                    let expected = matrix(m, n, |i, column| {
                        let terms =
                            (0..rank).map(|r| low[i * rank + r] * f64::from(b[column * rank + r]));
                        f64::from(old[i * n + column]) + 1.5 * terms.sum::<f64>()
                    });
                    let tolerance = if low_precision { 2e-3 } else { 3e-6 };
                    close(&get(y), &expected, tolerance, &format!("{m} x {k} x {n}, rank {rank}"));
                }
            }
        }
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

/// Lengths that vectors divide and that they do not, less than a cube and more than all that sum up together.
const LENS: [usize; 5] = [1, 7, 64, 5_003, 300_000];

#[test]
fn optimizer_steps() {
    let constants = AdamWConstants {
        factor: 0.5,
        decay: 0.999,
        one_minus_beta1: 0.1,
        beta2: 0.99,
        one_minus_beta2: 0.01,
        root_correction2: 0.14,
        eps: 1e-8,
        step_size: 2e-3,
    };
    let wide_constants = [
        constants.factor,
        constants.decay,
        constants.one_minus_beta1,
        constants.beta2,
        constants.one_minus_beta2,
        constants.root_correction2,
        constants.eps,
        constants.step_size,
    ];
    let [factor, decay, rest1, beta2, rest2, correction, eps, size] = wide_constants.map(f64::from);
    for len in LENS {
        let mut numbers = Numbers(31 + len as u64);
        let [p, g, m, mut v] = [(); 4].map(|()| numbers.take(len));
        v.iter_mut().for_each(|v| *v = v.abs());
        let flat = |values: &[f32]| -> CubeTensor<Device> {
            upload(TensorData::new(values.to_vec(), [len]), &Default::default())
        };
        let [new_p, new_m, new_v] = adamw([&p, &g, &m, &v].map(|x| flat(x)), constants).map(get);
        let (mut p64, mut m64, mut v64) = (wide(&p), wide(&m), wide(&v));
        for (i, g) in wide(&g).into_iter().enumerate() {
            let g = g * factor;
            m64[i] += rest1 * (g - m64[i]);
            v64[i] = beta2 * v64[i] + rest2 * g * g;
            p64[i] = decay * p64[i] - size * m64[i] / (v64[i].sqrt() / correction + eps);
        }
        close(&new_p, &p64, 1e-6, "parameters");
        close(&new_m, &m64, 1e-6, "first moments");
        close(&new_v, &v64, 1e-6, "second moments");
    }
}

#[test]
fn squares_are_summed() {
    let mut numbers = Numbers(77);
    let values = LENS.map(|len| numbers.take(len));
    let flat = |values: &Vec<f32>| -> CubeTensor<Device> {
        upload(TensorData::new(values.clone(), [values.len()]), &Default::default())
    };
    let parts = get(sums_of_squares(values.iter().map(flat).collect()));
    // The parts of each tensor lie together.
    let each = parts.len() / LENS.len();
    for (parts, values) in parts.chunks(each).zip(&values) {
        let expected = wide(values).iter().map(|x| x * x).sum::<f64>();
        close(&[parts.iter().sum()], &[expected], 1e-6, &format!("{} values", values.len()));
    }
}
