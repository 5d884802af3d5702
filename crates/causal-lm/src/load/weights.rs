//! From stored tensors to frozen weights, some rows at a time.

use std::ops::Range;

use checkpoint_files::{StoredDtype, TensorView};
use cpu_kernels::{Absmax, FrozenWeight, Int8, Nf4, Values};
use half::{bf16, f16};

use super::layout::Parameter;
use super::source::Source;
use super::stored_quantization::{NF4_BLOCK, Stored, read_int8, read_nf4, stored};
use super::{DenseDtype, LoadOptions, Quantization};
use crate::LoadError;

/// About how many values are converted at a time.
const CHUNK: usize = 1 << 20;

/// Rows that take the place of stored ones, by index, in rising order.
pub(super) type ReplacedRows<'a> = &'a [(usize, Vec<f32>)];

/// The weight of a projection, quantized as it is stored, or else as the options have it.
pub(super) fn projection(
    source: &Source,
    parameter: &Parameter,
    options: &LoadOptions,
) -> Result<FrozenWeight, LoadError> {
    let asked = options.quantization;
    match (stored(source, &parameter.name), asked) {
        (Stored::Nf4, Quantization::None | Quantization::Nf4 { .. }) => {
            released(source, parameter, read_nf4(source, parameter)?)
        }
        (Stored::Int8, Quantization::None | Quantization::Int8) => {
            released(source, parameter, read_int8(source, parameter)?)
        }
        (Stored::Nf4, Quantization::Int8) => Err(otherwise(source, "NF4", "INT8")),
        (Stored::Int8, Quantization::Nf4 { .. }) => Err(otherwise(source, "INT8", "NF4")),
        (Stored::Plain, Quantization::None) => dense(source, parameter, options),
        (Stored::Plain, Quantization::Nf4 { double }) => nf4(source, parameter, double),
        (Stored::Plain, Quantization::Int8) => int8(source, parameter),
    }
}

/// A dense weight in the dtype of the options.
pub(super) fn dense(
    source: &Source,
    parameter: &Parameter,
    options: &LoadOptions,
) -> Result<FrozenWeight, LoadError> {
    vocabulary(source, parameter, options, &[], 0)
}

/// An embedding or a head in the dtype of the options, of `min_rows` or more. Rows behind the stored ones that are not
/// among `replaced` are the mean of all stored ones.
pub(super) fn vocabulary(
    source: &Source,
    parameter: &Parameter,
    options: &LoadOptions,
    replaced: ReplacedRows<'_>,
    min_rows: usize,
) -> Result<FrozenWeight, LoadError> {
    let (stored, cols) = rows_and_cols(&parameter.shape);
    let rows = stored.max(min_rows);
    let view = source.view(&parameter.name)?;
    let mut values = match dense_dtype(&view, options) {
        cpu_kernels::DenseDtype::F32 => Values::F32(Vec::with_capacity(rows * cols)),
        cpu_kernels::DenseDtype::Bf16 => Values::Bf16(Vec::with_capacity(rows * cols)),
        cpu_kernels::DenseDtype::F16 => Values::F16(Vec::with_capacity(rows * cols)),
    };
    let mut push = |chunk: &[f32]| match &mut values {
        Values::F32(values) => values.extend_from_slice(chunk),
        Values::Bf16(values) => values.extend(chunk.iter().map(|v| bf16::from_f32(*v))),
        Values::F16(values) => values.extend(chunk.iter().map(|v| f16::from_f32(*v))),
        _ => {}
    };
    let mut sums = vec![0.0; if rows > stored { cols } else { 0 }];
    in_chunks(source, parameter, 1, |at, chunk| {
        if rows > stored {
            chunk.chunks_exact(cols).for_each(|row| add(&mut sums, row));
        }
        for (row, new) in replaced.iter().filter(|(row, _)| at.contains(row)) {
            let start = (row - at.start) * cols;
            chunk[start..start + cols].copy_from_slice(new);
        }
        push(chunk);
        Ok(())
    })?;
    let mean: Vec<f32> = sums.iter().map(|sum| (sum / stored as f64) as f32).collect();
    for row in stored..rows {
        let own = replaced.binary_search_by_key(&row, |(row, _)| *row).ok();
        push(own.map_or(&mean, |at| &replaced[at].1));
    }
    FrozenWeight::new(rows, cols, values).map_err(source.weight_error(&parameter.name))
}

/// The values of a norm or bias.
pub(super) fn vector(source: &Source, parameter: &Parameter) -> Result<Vec<f32>, LoadError> {
    let mut values = Vec::new();
    in_chunks(source, parameter, 1, |_, chunk| {
        values.extend_from_slice(chunk);
        Ok(())
    })?;
    Ok(values)
}

/// How a dense weight lies in memory.
pub(crate) fn dense_dtype(view: &TensorView<'_>, options: &LoadOptions) -> cpu_kernels::DenseDtype {
    match (options.dtype, view.dtype) {
        (DenseDtype::F32, _) => cpu_kernels::DenseDtype::F32,
        (DenseDtype::Bf16, _) => cpu_kernels::DenseDtype::Bf16,
        (DenseDtype::F16, _) => cpu_kernels::DenseDtype::F16,
        (DenseDtype::Auto, StoredDtype::F32 | StoredDtype::F64) => cpu_kernels::DenseDtype::F32,
        (DenseDtype::Auto, StoredDtype::Bf16) => cpu_kernels::DenseDtype::Bf16,
        (DenseDtype::Auto, StoredDtype::F16) => cpu_kernels::DenseDtype::F16,
        (DenseDtype::Auto, _) if options.quantization == Quantization::None => {
            cpu_kernels::DenseDtype::F32
        }
        (DenseDtype::Auto, _) => cpu_kernels::DenseDtype::Bf16,
    }
}

fn nf4(source: &Source, parameter: &Parameter, double: bool) -> Result<FrozenWeight, LoadError> {
    let (rows, cols) = rows_and_cols(&parameter.shape);
    let error = source.weight_error(&parameter.name);
    let (mut packed, mut absmax) = (Vec::new(), Vec::new());
    let block_rows = NF4_BLOCK / gcd(NF4_BLOCK, cols);
    in_chunks(source, parameter, block_rows, |_, chunk| {
        let part = Nf4::quantize(chunk).map_err(&error)?;
        packed.extend_from_slice(part.packed());
        if let Absmax::Plain(scales) = part.absmax() {
            absmax.extend_from_slice(scales);
        }
        Ok(())
    })?;
    let whole = Nf4::from_parts(rows * cols, packed, Absmax::Plain(absmax)).map_err(&error)?;
    let whole = if double { whole.double_quantized().map_err(&error)? } else { whole };
    FrozenWeight::new(rows, cols, Values::Nf4(whole)).map_err(error)
}

fn int8(source: &Source, parameter: &Parameter) -> Result<FrozenWeight, LoadError> {
    let (rows, cols) = rows_and_cols(&parameter.shape);
    let error = source.weight_error(&parameter.name);
    let (mut codes, mut absmax) = (Vec::new(), Vec::new());
    in_chunks(source, parameter, 1, |at, chunk| {
        let part = Int8::quantize(at.len(), cols, chunk).map_err(&error)?;
        codes.extend_from_slice(part.codes());
        absmax.extend_from_slice(part.absmax());
        Ok(())
    })?;
    let whole = Int8::from_parts(cols, codes, absmax).map_err(&error)?;
    FrozenWeight::new(rows, cols, Values::Int8(whole)).map_err(error)
}

/// Calls `take` with some rows after the other as f32, each time a multiple of `rows_a_step` but for the last; releases
/// their pages behind it. Rows of permuted heads come in their right order.
fn in_chunks(
    source: &Source,
    parameter: &Parameter,
    rows_a_step: usize,
    mut take: impl FnMut(Range<usize>, &mut [f32]) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    let (rows, cols) = rows_and_cols(&parameter.shape);
    let view = source.view(&parameter.name)?;
    let head = source.permuted_rows(&parameter.name);
    let step = rows_a_step * head.unwrap_or(1);
    // A vector may be stored in blocks that end within a row; it is small, and is taken whole.
    let whole = parameter.shape.len() < 2;
    let chunk_rows = if whole { rows } else { (CHUNK / cols.max(1) / step).max(1) * step };
    let (mut values, mut ordered) = (Vec::new(), Vec::new());
    for start in (0..rows).step_by(chunk_rows.max(1)) {
        let at = start..rows.min(start + chunk_rows);
        let part = if whole { view } else { view.rows(at.clone())? };
        part.to_f32(&mut values)?;
        match head {
            None => take(at, &mut values)?,
            Some(head) => {
                unpermute(&values, cols, head, &mut ordered);
                take(at, &mut ordered)?;
            }
        }
        source.checkpoint.release(&part);
    }
    Ok(())
}

fn add(sums: &mut [f64], row: &[f32]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
}

/// The weight, whose stored bytes are not needed any more.
fn released(
    source: &Source,
    parameter: &Parameter,
    weight: FrozenWeight,
) -> Result<FrozenWeight, LoadError> {
    source.checkpoint.release(&source.view(&parameter.name)?);
    Ok(weight)
}

/// Puts rows of heads back in order: stored are `0, half, 1, half + 1, …`.
///
/// Source: `LlamaModel.permute` of llama.cpp's `convert_hf_to_gguf.py`.
fn unpermute(values: &[f32], cols: usize, head: usize, out: &mut Vec<f32>) {
    out.clear();
    for rows in values.chunks_exact(head * cols) {
        for row in (0..head).step_by(2).chain((1..head).step_by(2)) {
            out.extend_from_slice(&rows[row * cols..(row + 1) * cols]);
        }
    }
}

/// A vector is a column of rows of one value.
fn rows_and_cols(shape: &[usize]) -> (usize, usize) {
    (shape.first().copied().unwrap_or(1), shape.iter().skip(1).product())
}

fn otherwise(source: &Source, stored: &'static str, asked: &'static str) -> LoadError {
    LoadError::QuantizedOtherwise { path: source.path().to_owned(), stored, asked }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
