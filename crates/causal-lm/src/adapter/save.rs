use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use checkpoint_files::{TensorSource, write_safetensors};
use serde_json::Value;

use super::names::{Part, TOKEN_ROWS, lora_names, parse};
use super::target_modules::ends_in;
use super::{AdapterError, AdapterSpec};

pub(super) const CONFIG: &str = "adapter_config.json";
pub(super) const WEIGHTS: &str = "adapter_model.safetensors";

/// A tensor of an adapter: its name in PEFT, its shape, its values in row-major order.
type Named<'a> = (&'a str, &'a [usize], &'a [f32]);

/// Writes an adapter as PEFT's `PeftModel.from_pretrained` loads it: tensors by the names of [`lora_names`] and
/// [`TOKEN_ROWS`], then `adapter_config.json`. Same adapter, same bytes.
///
/// # Errors
/// [`AdapterError::NotFinite`] for a NaN or infinity, [`AdapterError::Tensor`] for a tensor that the settings do not ask
/// for, that is missing or misshapen, [`AdapterError::Setting`]; nothing is written then. [`AdapterError::Checkpoint`] and
/// [`AdapterError::Io`] where a file cannot be written.
pub fn save_adapter<'a>(
    folder: &Path,
    spec: &AdapterSpec,
    tensors: impl IntoIterator<Item = Named<'a>>,
) -> Result<(), AdapterError> {
    spec.check()?;
    let tensors: Vec<Named<'a>> = tensors.into_iter().collect();
    check_tensors(folder, spec, &tensors)?;
    let sources =
        tensors.into_iter().map(|(name, shape, values)| TensorSource::f32(name, shape, values));
    let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    write_safetensors(folder.join(WEIGHTS), sources, &metadata)?;
    write_adapter_config(folder, spec)
}

/// Writes `adapter_config.json` alone.
///
/// # Errors
/// [`AdapterError::Setting`], [`AdapterError::Io`].
pub fn write_adapter_config(folder: &Path, spec: &AdapterSpec) -> Result<(), AdapterError> {
    spec.check()?;
    let io = |action, path: &Path| {
        let path = path.to_owned();
        move |source| AdapterError::Io { action, path, source }
    };
    fs::create_dir_all(folder).map_err(io("create", folder))?;
    let path = folder.join(CONFIG);
    let text = format!("{:#}\n", Value::Object(spec.to_json()));
    fs::write(&path, text).map_err(io("write", &path))
}

/// That the tensors are finite, and those that the settings ask for.
fn check_tensors(
    folder: &Path,
    spec: &AdapterSpec,
    tensors: &[Named<'_>],
) -> Result<(), AdapterError> {
    let wrong = |tensor: &str, reason: String| {
        let (path, tensor) = (folder.to_owned(), tensor.to_owned());
        Err(AdapterError::Tensor { path, tensor, reason })
    };
    let mut outputs: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let names: BTreeSet<&str> = tensors.iter().map(|(name, ..)| *name).collect();
    for &(name, shape, values) in tensors {
        if values.len() != shape.iter().product::<usize>() {
            return wrong(name, format!("{} values of shape {shape:?}", values.len()));
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let (path, tensor, value) = (folder.to_owned(), name.to_owned(), values[index]);
            return Err(AdapterError::NotFinite { path, tensor, value, index });
        }
        let (fits, rows) = match (parse(name), shape) {
            (Some((_, Part::A)), &[rank, _]) => (rank == spec.rank, None),
            (Some((_, Part::B)), &[rows, rank]) => (rank == spec.rank, Some(rows)),
            (Some((_, Part::Magnitude)), &[rows]) => (spec.dora, Some(rows)),
            (None, &[rows, _]) if name == TOKEN_ROWS => {
                (rows == spec.trainable_tokens.len() && rows > 0, None)
            }
            _ => (false, None),
        };
        if !fits {
            let reason = format!("shape {shape:?} is none that the settings ask for");
            return wrong(name, reason);
        }
        let Some((module, _)) = parse(name) else { continue };
        if !spec.target_modules.iter().any(|target| ends_in(module, target)) {
            return wrong(name, "no target module is of this name".to_owned());
        }
        outputs.entry(module).or_default().extend(rows);
    }
    let has_tensors = |target: &str| outputs.keys().any(|module| ends_in(module, target));
    if let Some(target) = spec.target_modules.iter().find(|target| !has_tensors(target)) {
        return wrong(target, "there are no tensors for this target module".to_owned());
    }
    for (module, rows) in outputs {
        let needed = lora_names(module);
        let magnitude = spec.dora.then_some(needed.magnitude);
        for name in [needed.a, needed.b].into_iter().chain(magnitude) {
            if !names.contains(name.as_str()) {
                return wrong(&name, "it is missing".to_owned());
            }
        }
        if rows.len() != 1 {
            return wrong(module, format!("its tensors are of {rows:?} outputs"));
        }
    }
    if !spec.trainable_tokens.is_empty() && !names.contains(TOKEN_ROWS) {
        return wrong(TOKEN_ROWS, "it is missing".to_owned());
    }
    Ok(())
}
