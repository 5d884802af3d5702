//! A model with random weights, as a folder: where training from nothing begins.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use checkpoint_files::{MAX_SHARD_BYTES, TensorSource, write_shards};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::companions::{COMPANIONS, copy_companions};
use super::layout::{Kind, Parameter, parameters};
use super::{LoadProgress, MergedDtype};
use crate::LoadError;
use crate::config::Fields;
use crate::families::{class_of, read_config};
use crate::split_mix::{STEP, mix};

/// Values that are in memory at a time.
const CHUNK: usize = 1 << 20;
/// Values of one stream of random numbers.
const STREAM: usize = 1 << 14;
/// What transformers takes where `initializer_range` is missing.
const DEVIATION: f64 = 0.02;

/// Writes a model of the configuration `config`, a `config.json` or its folder, with random weights to the folder `out`,
/// as transformers loads it. The tokenizer and what else lies beside the configuration is copied.
///
/// Matrices are normal with mean 0 and the deviation `initializer_range` (0.02 where it is missing), biases 0, and norms
/// leave their input as it is. The same seed makes the same bytes on every machine. One piece of a tensor is in memory at
/// a time. `config.json` is written last: a folder without it is unfinished.
///
/// # Errors
/// [`LoadError`], also where `out` has the configuration in it.
pub fn save_random(
    config: &Path,
    seed: u64,
    dtype: MergedDtype,
    out: &Path,
    progress: &dyn Fn(LoadProgress<'_>),
) -> Result<(), LoadError> {
    let path = if config.is_dir() { config.join("config.json") } else { config.to_owned() };
    let fields = Fields::read(&path)?;
    let model = read_config(&fields)?;
    let deviation = fields.optional_number("initializer_range")?.unwrap_or(DEVIATION) as f32;
    let folder = path.parent().unwrap_or(Path::new(""));
    if out.canonicalize().is_ok_and(|out| folder.canonicalize().is_ok_and(|folder| folder == out)) {
        return Err(LoadError::SameFolder { path: out.to_owned() });
    }

    let parameters = parameters(&model);
    let bytes = |p: &Parameter| p.shape.iter().product::<usize>() as u64 * dtype.bytes();
    let total = parameters.iter().map(bytes).sum();
    let done = Cell::new(0);
    // A stored norm of 1 − offset leaves its input as it is.
    let norm = 1.0 - model.norm_offset;
    let tensors = parameters.iter().enumerate().map(|(index, parameter)| {
        let done = &done;
        let (name, shape) = (parameter.name.clone(), parameter.shape.clone());
        TensorSource::written(name, dtype.stored(), shape, move |writer| {
            progress(LoadProgress { tensor: &parameter.name, done: done.get(), total });
            done.set(done.get() + bytes(parameter));
            let count = parameter.shape.iter().product();
            match parameter.kind {
                Kind::Norm => dtype.write(&vec![norm; count], writer),
                Kind::Bias => dtype.write(&vec![0.0; count], writer),
                Kind::Vocabulary | Kind::Projection => {
                    let seed = mix(mix(seed.wrapping_add(STEP)).wrapping_add(index as u64));
                    write_normal(seed, deviation, count, dtype, writer)
                }
            }
        })
    });
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |source| LoadError::Io { action, path, source }
    };
    fs::create_dir_all(out).map_err(io("create", out))?;
    let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    write_shards(out, tensors, &metadata, MAX_SHARD_BYTES)?;
    copy_companions(&[Some(folder)], &COMPANIONS, out)?;
    let mut object = fields.object().clone();
    object.retain(|key, value| !value.is_null() && key != "torch_dtype");
    if let Some(class) = class_of(model.family) {
        object.entry("architectures").or_insert_with(|| json!([class]));
    }
    object.insert("dtype".to_owned(), json!(dtype.torch_name()));
    let path = out.join("config.json");
    fs::write(&path, format!("{:#}\n", Value::Object(object))).map_err(io("write", &path))?;
    progress(LoadProgress { tensor: "", done: done.get(), total });
    Ok(())
}

fn write_normal(
    seed: u64,
    deviation: f32,
    count: usize,
    dtype: MergedDtype,
    writer: &mut dyn Write,
) -> io::Result<()> {
    let mut values = Vec::new();
    for start in (0..count).step_by(CHUNK) {
        values.resize(CHUNK.min(count - start), 0.0_f32);
        values.par_chunks_mut(STREAM).enumerate().for_each(|(at, values)| {
            let mut state = mix(seed.wrapping_add((start / STREAM + at) as u64));
            values.iter_mut().for_each(|value| *value = deviation * normal(&mut state));
        });
        dtype.write(&values, writer)?;
    }
    Ok(())
}

/// Almost normal, mean 0 and variance 1: the sum of twelve uniform numbers of 16 bits each. It is whole numbers but for
/// the last step, so that every machine has the same; no value is beyond ±6.
fn normal(state: &mut u64) -> f32 {
    let mut sum = 0;
    for _ in 0..3 {
        *state = state.wrapping_add(STEP);
        let bits = mix(*state);
        sum += (0..4).map(|i| (bits >> (16 * i)) as u16).map(i32::from).sum::<i32>();
    }
    // Twice the sum less twice its mean, 12 · (2¹⁶ − 1) / 2.
    (2 * sum - 12 * 0xFFFF) as f32 / (1 << 17) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_the_moments_of_normal_numbers() {
        let mut state = 7;
        let draws: Vec<f64> = (0..200_000).map(|_| f64::from(normal(&mut state))).collect();
        let moment = |power| draws.iter().map(|x| x.powi(power)).sum::<f64>() / draws.len() as f64;
        // The fourth moment of the sum of twelve is 3 − 1.2 / 12; bounds are five standard errors.
        for (power, want, bound) in
            [(1, 0.0, 0.012), (2, 1.0, 0.016), (3, 0.0, 0.043), (4, 2.9, 0.1)]
        {
            assert!((moment(power) - want).abs() < bound, "{power}: {}", moment(power));
        }
    }
}
