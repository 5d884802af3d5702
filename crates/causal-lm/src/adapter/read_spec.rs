use std::collections::BTreeSet;
use std::path::Path;

use super::save::CONFIG;
use super::target_modules::last;
use super::{AdapterError, AdapterPlan, AdapterSpec, InitialWeights, target_modules};
use crate::config::Fields;
use crate::load::parameters;
use crate::{LoadError, ModelConfig};

/// The settings of the PEFT adapter in `folder`, as it is written again when it has been trained on: by
/// [`super::save_adapter`], with tensors of the same names and shapes.
///
/// Targets come as names of projections where these mean the same, else each by its whole path. Tokens rise, as their rows
/// do in a model that has been loaded with the adapter, whatever their order in the file.
///
/// # Errors
/// [`AdapterError::Load`] where the adapter cannot be read or does not fit the model, and for `rank_pattern` and
/// `alpha_pattern`, which [`AdapterSpec`] does not have.
pub fn read_adapter_spec(folder: &Path, config: &ModelConfig) -> Result<AdapterSpec, AdapterError> {
    let plan = AdapterPlan::read(folder, config, &parameters(config))?;
    let path = folder.join(CONFIG);
    let fields = Fields::read(&path)?;
    if let Some(key) = plan.pattern() {
        let got = fields.get(key).map(ToString::to_string).unwrap_or_default();
        return Err(LoadError::AdapterSetting { path, key: key.to_owned(), got }.into());
    }
    let dropout = fields.get("lora_dropout").and_then(|dropout| dropout.as_f64());
    let init = fields.get("init_lora_weights").is_some_and(|init| init == "gaussian");
    let (rank, alpha, scaling) = plan.rank_alpha_scaling();
    Ok(AdapterSpec {
        base_model: fields.text("base_model_name_or_path")?.unwrap_or_default().to_owned(),
        rank,
        alpha,
        dropout: dropout.unwrap_or_default(),
        scaling,
        dora: plan.is_dora(),
        target_modules: names_of(plan.modules(), config),
        trainable_tokens: plan.tokens().collect(),
        init: if init { InitialWeights::Gaussian } else { InitialWeights::Default },
    })
}

/// Names that mean these projections and no others.
fn names_of<'a>(modules: impl Iterator<Item = &'a str>, config: &ModelConfig) -> Vec<String> {
    let modules: Vec<&str> = modules.collect();
    let names: BTreeSet<&str> = modules.iter().map(|module| last(module)).collect();
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    match target_modules(config, &names) {
        Ok(meant) if meant.modules.len() == modules.len() => names,
        _ => modules.into_iter().map(str::to_owned).collect(),
    }
}
