use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::tensor::{Tensor, TensorData};
use checkpoint_files::Checkpoint;
use lora_linear::{Lora, LoraScaling, Weight};

use super::host_lora::HostLora;
use super::names::{LoraNames, TOKEN_ROWS, lora_names};
use super::settings::AdapterSettings;
use crate::load::{EMBEDDING, HEAD_APART, Kind, Parameter};
use crate::ops::DecoderBackend;
use crate::{LoadError, ModelConfig};

/// An adapter that fits a model: every tensor has its place.
#[derive(Debug)]
pub(crate) struct AdapterPlan {
    settings: AdapterSettings,
    tensors: Checkpoint,
    modules: BTreeSet<String>,
    rows: Vec<(usize, Vec<f32>)>,
}

impl AdapterPlan {
    /// Opens an adapter and holds it against the model.
    pub(crate) fn read(
        folder: &Path,
        config: &ModelConfig,
        parameters: &[Parameter],
    ) -> Result<Self, LoadError> {
        let path = folder.join("adapter_config.json");
        let settings = AdapterSettings::read(&path)?;
        let tensors = Checkpoint::open(folder.join("adapter_model.safetensors"))?;
        let modules = targeted(&settings, parameters);
        let expected = expected(&settings, &modules, config);
        check(folder, &settings, &tensors, &expected, parameters)?;
        let rows = token_rows(&settings, &tensors, config, &path)?;
        let modules = modules.into_keys().collect();
        Ok(Self { settings, tensors, modules, rows })
    }

    /// The adapter of a projection; `None` where it has none.
    pub(crate) fn lora<B: DecoderBackend>(
        &self,
        module: &str,
        base: &Weight<B>,
        device: &B::Device,
    ) -> Result<Option<Lora<B>>, LoadError> {
        if !self.modules.contains(module) {
            return Ok(None);
        }
        let names = lora_names(module);
        let (rank, alpha) = rank_and_alpha(&self.settings, module);
        let scaling = self.settings.scaling.factor(alpha, rank);
        let a = self.matrix(&names.a, [rank, base.cols()], device)?;
        let b = self.matrix(&names.b, [base.rows(), rank], device)?;
        let mut lora = Lora { a, b, scaling, dora: None };
        if self.settings.dora {
            let values = self.values(&self.magnitude(&names))?;
            let magnitude = Tensor::from_data(TensorData::new(values, [base.rows()]), device);
            lora = lora.with_magnitude(magnitude);
            lora.fix_norms(base);
        }
        Ok(Some(lora))
    }

    /// The projections that have an adapter, by name.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(String::as_str)
    }

    /// Rank, alpha and scaling of the projections that no pattern names.
    pub(crate) fn rank_alpha_scaling(&self) -> (usize, f64, LoraScaling) {
        let AdapterSettings { rank, alpha, scaling, .. } = self.settings;
        (rank, alpha, scaling)
    }

    /// The setting by which projections differ in rank or alpha.
    pub(crate) fn pattern(&self) -> Option<&'static str> {
        let AdapterSettings { rank_pattern, alpha_pattern, .. } = &self.settings;
        let patterns = [("rank_pattern", rank_pattern), ("alpha_pattern", alpha_pattern)];
        patterns.into_iter().find(|(_, pattern)| !pattern.is_empty()).map(|(key, _)| key)
    }

    /// Tokens whose rows of the embedding are trained, rising.
    pub(crate) fn tokens(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().map(|(token, _)| *token)
    }

    /// Whether projections have magnitudes.
    pub(crate) fn is_dora(&self) -> bool {
        self.settings.dora
    }

    /// Whether rows of the embedding are trained.
    pub(crate) fn has_token_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// Rows of an embedding that has all of its tokens.
    pub(crate) fn min_vocab_size(&self) -> usize {
        self.rows.last().map_or(0, |(token, _)| token + 1)
    }

    /// The adapter of a projection in plain memory; `None` where it has none.
    pub(crate) fn host_lora(&self, module: &str) -> Result<Option<HostLora>, LoadError> {
        if !self.modules.contains(module) {
            return Ok(None);
        }
        let names = lora_names(module);
        let (rank, alpha) = rank_and_alpha(&self.settings, module);
        let scaling = self.settings.scaling.factor(alpha, rank);
        let magnitude = match self.settings.dora {
            true => Some(self.values(&self.magnitude(&names))?),
            false => None,
        };
        let (a, b) = (self.values(&names.a)?, self.values(&names.b)?);
        Ok(Some(HostLora { rank, scaling, a, b, magnitude }))
    }

    /// Rows that take the place of those of the parameter `name`: the embedding has them, and the head where it is the
    /// embedding.
    pub(crate) fn replaced_rows(&self, name: &str) -> &[(usize, Vec<f32>)] {
        if name == EMBEDDING { &self.rows } else { &[] }
    }

    /// The magnitude's name in the file: as PEFT writes it now, or as it wrote it first.
    fn magnitude(&self, names: &LoraNames) -> String {
        let first = names.first_magnitude();
        if self.tensors.contains(&first) { first } else { names.magnitude.clone() }
    }

    fn matrix<B: DecoderBackend>(
        &self,
        name: &str,
        shape: [usize; 2],
        device: &B::Device,
    ) -> Result<Tensor<B, 2>, LoadError> {
        Ok(Tensor::from_data(TensorData::new(self.values(name)?, shape), device))
    }

    fn values(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let mut values = Vec::new();
        self.tensors.get(name)?.to_f32(&mut values)?;
        Ok(values)
    }
}

/// The projections that the settings name, with their shapes.
fn targeted(settings: &AdapterSettings, parameters: &[Parameter]) -> BTreeMap<String, [usize; 2]> {
    let projections = projections(parameters);
    let is_meant = |(layer, module): (Option<usize>, &str)| {
        settings.targets.has(module)
            && !settings.excluded.has(module)
            && settings.layers.as_ref().is_none_or(|layers| {
                layers.is_empty() || layer.is_some_and(|layer| layers.contains(&layer))
            })
    };
    let meant = projections.filter(|(module, _)| is_meant((layer_of(module), module)));
    meant.map(|(module, shape)| (module.to_owned(), shape)).collect()
}

fn projections(parameters: &[Parameter]) -> impl Iterator<Item = (&str, [usize; 2])> {
    parameters.iter().filter(|parameter| parameter.kind == Kind::Projection).filter_map(|p| {
        let shape = <[usize; 2]>::try_from(p.shape.as_slice()).ok()?;
        Some((p.name.strip_suffix(".weight")?, shape))
    })
}

fn layer_of(module: &str) -> Option<usize> {
    module.strip_prefix("model.layers.")?.split('.').next()?.parse().ok()
}

fn rank_and_alpha(settings: &AdapterSettings, module: &str) -> (usize, f64) {
    let rank = settings.rank_pattern.of(module).map_or(settings.rank, |rank| rank as usize);
    (rank.max(1), settings.alpha_pattern.of(module).unwrap_or(settings.alpha))
}

/// Every tensor that the settings ask for, with its shape; the magnitude by its present name.
fn expected(
    settings: &AdapterSettings,
    modules: &BTreeMap<String, [usize; 2]>,
    config: &ModelConfig,
) -> Vec<(Vec<String>, Vec<usize>)> {
    let mut expected = Vec::new();
    for (module, [outputs, inputs]) in modules {
        let names = lora_names(module);
        let (rank, _) = rank_and_alpha(settings, module);
        let first_magnitude = names.first_magnitude();
        expected.push((vec![names.a], vec![rank, *inputs]));
        expected.push((vec![names.b], vec![*outputs, rank]));
        if settings.dora {
            expected.push((vec![names.magnitude, first_magnitude], vec![*outputs]));
        }
    }
    if !settings.tokens.is_empty() {
        let shape = vec![settings.tokens.len(), config.hidden_size];
        expected.push((vec![TOKEN_ROWS.to_owned()], shape));
    }
    expected
}

/// That every expected tensor is there in its shape, no other is, and every name of a list means something.
fn check(
    folder: &Path,
    settings: &AdapterSettings,
    tensors: &Checkpoint,
    expected: &[(Vec<String>, Vec<usize>)],
    parameters: &[Parameter],
) -> Result<(), LoadError> {
    let (mut missing, mut misshapen, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (names, shape) in expected {
        match names.iter().find_map(|name| tensors.get(name).ok()) {
            None => missing.extend(names.first().cloned()),
            Some(view) if view.shape != shape || !view.dtype.is_float() => misshapen.push(format!(
                "{} ({} of shape {:?}, expected floats of {shape:?})",
                view.name, view.dtype, view.shape
            )),
            Some(_) => {}
        }
        known.extend(names.iter().map(String::as_str));
    }
    let modules: Vec<&str> = projections(parameters).map(|(module, _)| module).collect();
    let nowhere = settings.targets.without_module(&modules);
    missing
        .extend(nowhere.iter().map(|name| format!("a projection for the target module `{name}`")));
    let surplus: Vec<String> = tensors
        .tensors()
        .iter()
        .filter(|tensor| !known.contains(tensor.name.as_str()))
        .map(|tensor| tensor.name.clone())
        .collect();
    if missing.is_empty() && misshapen.is_empty() && surplus.is_empty() {
        return Ok(());
    }
    let path: PathBuf = folder.to_owned();
    Err(LoadError::Adapter { path, missing, misshapen, surplus })
}

/// The rows of trained tokens, by rising index.
fn token_rows(
    settings: &AdapterSettings,
    tensors: &Checkpoint,
    config: &ModelConfig,
    path: &Path,
) -> Result<Vec<(usize, Vec<f32>)>, LoadError> {
    if settings.tokens.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = Vec::new();
    tensors.get(TOKEN_ROWS)?.to_f32(&mut values)?;
    let rows = values.chunks_exact(config.hidden_size).map(<[f32]>::to_vec);
    let mut rows: Vec<_> = settings.tokens.iter().copied().zip(rows).collect();
    rows.sort_by_key(|(token, _)| *token);
    check_new_tokens(&rows, config, path)?;
    Ok(rows)
}

/// That tokens beyond the embedding follow on its last row, so that each row has its token, and that the head has them.
fn check_new_tokens(
    rows: &[(usize, Vec<f32>)],
    config: &ModelConfig,
    path: &Path,
) -> Result<(), LoadError> {
    let vocab_size = config.vocab_size;
    let beyond = || rows.iter().map(|(token, _)| *token).filter(|token| *token >= vocab_size);
    let refuse = |token, reason| {
        Err(LoadError::NewToken { path: path.to_owned(), token, vocab_size, reason })
    };
    if !config.tied_head
        && let Some(token) = beyond().next()
    {
        return refuse(token, HEAD_APART);
    }
    match beyond().zip(vocab_size..).find(|(token, next)| token != next) {
        Some((token, _)) => refuse(token, "does not follow on the token before it"),
        None => Ok(()),
    }
}
