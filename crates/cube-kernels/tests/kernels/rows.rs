//! Kernels that go through rows: norms, gates, cross-entropy.

use burn_backend::DType;
use cube_kernels::{cross_entropy, gate, gate_backward, rms_norm, rms_norm_backward};

use crate::support::{Numbers, close, get, half, matrix, put, put_ids, wide};

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
