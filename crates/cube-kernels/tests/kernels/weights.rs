//! Packed weights, their products with few rows, and adapters on these.

use std::ops::Range;

use burn_backend::DType;
use cube_kernels::{
    CubeTensor, FEW_ROWS, Int8Weight, LowRankFactors, Nf4Weight, add_low_rank_to_few,
};

use crate::support::{Device, Numbers, close, get, half, matrix, put};

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
