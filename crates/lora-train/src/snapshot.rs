//! What a checkpoint holds of a model in training: its trained values and the optimizer's.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use causal_lm::adapter::save_adapter;
use causal_lm::train::Parameters;
use optimizer::{Buffer, NamedBuffer, OptimizerState};

use crate::checkpoint::{Found, StoredTensor, TensorValues, load_tensors, save_tensors};
use crate::{Digests, TrainError, TrainedPart};

const ADAPTER: &str = "adapter_model.safetensors";
const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
/// The optimizer's own count of steps, among its buffers: skipped steps are not in it.
const STEPS: &str = "steps";

/// Trained values, and the optimizer's state.
pub(crate) struct Snapshot {
    pub(crate) values: Vec<f32>,
    pub(crate) optimizer: OptimizerState<'static>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Writes the files of a checkpoint into `folder`.
pub(crate) fn write(
    folder: &Path,
    part: &TrainedPart,
    parameters: &Parameters,
    values: &[f32],
    state: &OptimizerState<'_>,
) -> Result<(), Failure> {
    write_trained(folder, part, parameters, values)?;
    let steps = state.step.to_le_bytes();
    let lens: Vec<[usize; 1]> = state.buffers.iter().map(|buffer| [len(&buffer.values)]).collect();
    let buffers = state.buffers.iter().zip(&lens);
    let buffers = buffers.map(|(buffer, len)| {
        let values = match &buffer.values {
            Buffer::F32(values) => TensorValues::F32(Cow::Borrowed(values.as_ref())),
            Buffer::U8(codes) => TensorValues::U8(Cow::Borrowed(codes.as_ref())),
        };
        (buffer.name.as_ref(), &len[..], values)
    });
    let steps = (STEPS, &[8][..], TensorValues::U8(Cow::Borrowed(&steps[..])));
    save_tensors(&folder.join(OPTIMIZER), buffers.chain([steps]))?;
    Ok(())
}

/// Writes what is trained: an adapter as PEFT has it, or all weights by their names in transformers, in f32.
pub(crate) fn write_trained(
    folder: &Path,
    part: &TrainedPart,
    parameters: &Parameters,
    values: &[f32],
) -> Result<(), Failure> {
    let tensors = parameters.all().iter().map(|parameter| {
        (parameter.name.as_str(), parameter.shape.as_slice(), &values[parameter.range.clone()])
    });
    match part {
        TrainedPart::Adapter(spec) => save_adapter(folder, spec, tensors)?,
        TrainedPart::Model => {
            let tensors = tensors
                .map(|(name, shape, values)| (name, shape, TensorValues::F32(values.into())));
            save_tensors(&folder.join(MODEL), tensors)?;
        }
    }
    Ok(())
}

/// Reads what [`write`] wrote.
pub(crate) fn read(found: &Found, parameters: &Parameters) -> Result<Snapshot, TrainError> {
    let misfit = |reason: String| TrainError::Misfit { path: found.path.clone(), reason };
    let adapter = found.path.join(ADAPTER);
    let file = if adapter.exists() { adapter } else { found.path.join(MODEL) };
    let mut tensors = load_tensors(&file)?;
    let mut values = vec![0.0; parameters.len()];
    for parameter in parameters.all() {
        let StoredTensor { shape, values: stored } = tensors
            .remove(&parameter.name)
            .ok_or_else(|| misfit(format!("it has no tensor {}", parameter.name)))?;
        let TensorValues::F32(stored) = stored else {
            return Err(misfit(format!("{} is not of f32", parameter.name)));
        };
        if shape != parameter.shape {
            let (name, expected) = (&parameter.name, &parameter.shape);
            return Err(misfit(format!("{name} has shape {shape:?}, expected {expected:?}")));
        }
        values[parameter.range.clone()].copy_from_slice(&stored);
    }
    if let Some(name) = tensors.keys().next() {
        return Err(misfit(format!("the model has no tensor {name}")));
    }
    Ok(Snapshot { values, optimizer: read_optimizer(&found.path, &misfit)? })
}

fn read_optimizer(
    folder: &Path,
    misfit: &dyn Fn(String) -> TrainError,
) -> Result<OptimizerState<'static>, TrainError> {
    let mut tensors: BTreeMap<String, StoredTensor> = load_tensors(&folder.join(OPTIMIZER))?;
    let step = match tensors.remove(STEPS).map(|tensor| tensor.values) {
        Some(TensorValues::U8(bytes)) => <[u8; 8]>::try_from(bytes.as_ref()).ok(),
        _ => None,
    };
    let step = step.ok_or_else(|| misfit(format!("{OPTIMIZER} has no count of steps")))?;
    let buffers = tensors.into_iter().map(|(name, tensor)| NamedBuffer {
        name: name.into(),
        values: match tensor.values {
            TensorValues::F32(values) => Buffer::F32(values),
            TensorValues::U8(codes) => Buffer::U8(codes),
        },
    });
    Ok(OptimizerState { step: u64::from_le_bytes(step), buffers: buffers.collect() })
}

/// That a checkpoint is of the run that is about to go on.
pub(crate) fn check_same_run(
    found: &Found,
    world: u64,
    digests: &Digests,
) -> Result<(), TrainError> {
    let (path, state) = (found.path.clone(), &found.state);
    if state.world_size != world {
        return Err(TrainError::WorldSize { path, saved: state.world_size, now: world });
    }
    let differs = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
    let what = if state.config_digest != digests.config {
        "configuration"
    } else if differs(&state.data_digest, &digests.data) {
        "data set"
    } else if differs(&state.model_digest, &digests.model) {
        "base model"
    } else {
        return Ok(());
    };
    Err(TrainError::OtherRun { path, what })
}

fn len(buffer: &Buffer<'_>) -> usize {
    match buffer {
        Buffer::F32(values) => values.len(),
        Buffer::U8(codes) => codes.len(),
    }
}
