//! Which projections a new adapter is put on.

use std::collections::BTreeSet;

use super::AdapterError;
use crate::ModelConfig;
use crate::load::{Kind, parameters};

/// The name that stands for all projections of the blocks; the head is none of them, as in PEFT.
pub const ALL_LINEAR: &str = "all-linear";

/// What names of targets mean in a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetModules {
    /// Names of projections, sorted: what `adapter_config.json` says.
    pub names: Vec<String>,
    /// The projections, in the order in which they are loaded.
    pub modules: Vec<TargetModule>,
}

/// A projection that an adapter is put on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetModule {
    /// `model.layers.0.self_attn.q_proj`.
    pub name: String,
    /// Rows of its weight.
    pub outputs: usize,
    /// Columns of its weight.
    pub inputs: usize,
}

/// The projections of all blocks that `names` mean: `q_proj`, `mlp.up_proj`, or [`ALL_LINEAR`].
///
/// # Errors
/// [`AdapterError::NoTarget`] for a name that means none.
pub fn target_modules(
    config: &ModelConfig,
    names: &[String],
) -> Result<TargetModules, AdapterError> {
    let projections = projections(config);
    let all: BTreeSet<&str> = projections.iter().map(|module| last(&module.name)).collect();
    let mut meant = BTreeSet::new();
    for name in names {
        if name == ALL_LINEAR {
            meant.extend(all.iter().map(|name| (*name).to_owned()));
        } else if projections.iter().any(|module| ends_in(&module.name, name)) {
            meant.insert(name.clone());
        } else {
            let known = all.into_iter().collect::<Vec<_>>().join(", ");
            return Err(AdapterError::NoTarget { name: name.clone(), known });
        }
    }
    let is_meant = |module: &TargetModule| meant.iter().any(|name| ends_in(&module.name, name));
    let modules = projections.iter().filter(|module| is_meant(module)).cloned().collect();
    Ok(TargetModules { names: meant.into_iter().collect(), modules })
}

fn projections(config: &ModelConfig) -> Vec<TargetModule> {
    let projections = parameters(config).into_iter().filter(|p| p.kind == Kind::Projection);
    let module = |(name, shape): (String, Vec<usize>)| {
        let [outputs, inputs] = <[usize; 2]>::try_from(shape).ok()?;
        let name = name.strip_suffix(".weight")?.to_owned();
        Some(TargetModule { name, outputs, inputs })
    };
    projections.filter_map(|parameter| module((parameter.name, parameter.shape))).collect()
}

/// Whether a list with `name` means the module, by PEFT's rule.
pub(super) fn ends_in(module: &str, name: &str) -> bool {
    module.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The name of a module in its block: `q_proj`.
pub(super) fn last(module: &str) -> &str {
    module.rsplit('.').next().unwrap_or(module)
}
