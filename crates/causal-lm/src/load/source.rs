use std::path::{Path, PathBuf};

use checkpoint_files::{Checkpoint, Format, TensorView};

use super::layout::Parameter;
use super::names::gguf_name;
use super::stored_quantization::refuse_other_methods;
use super::tokenizer_ids::check_tokenizer;
use crate::config::{Fields, fields_of_gguf};
use crate::families::{GgufFamily, read_config};
use crate::{LoadError, ModelConfig};

/// The files of a model, open, with its configuration read and checked.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) config: ModelConfig,
    /// The configuration as the files have it.
    pub(crate) fields: Fields,
    gguf: Option<GgufFamily>,
}

impl Source {
    /// Opens a transformers folder, a safetensors file beside its `config.json`, or a GGUF file.
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) };
        // A folder without a configuration is told so, before its weights are looked for.
        if path.is_dir() {
            Fields::read(&config_path(folder))?;
        }
        let checkpoint = Checkpoint::open(path)?;
        let source = match checkpoint.format() {
            Format::Gguf => {
                let (fields, gguf) = fields_of_gguf(&checkpoint)?;
                let config = read_config(&fields)?;
                Self { checkpoint, config, fields, gguf: Some(gguf) }
            }
            _ => {
                let fields = Fields::read(&config_path(folder))?;
                refuse_other_methods(&fields)?;
                let config = read_config(&fields)?;
                check_tokenizer(&folder.join("tokenizer.json"), config.vocab_size)?;
                Self { checkpoint, config, fields, gguf: None }
            }
        };
        Ok(source)
    }

    /// What was opened.
    pub(crate) fn path(&self) -> &Path {
        self.checkpoint.path()
    }

    /// The folder that has what else belongs to the model; `None` for a GGUF file, which has it in itself.
    pub(crate) fn folder(&self) -> Option<&Path> {
        let folder = if self.path().is_dir() { Some(self.path()) } else { self.path().parent() };
        folder.filter(|_| !self.is_gguf())
    }

    /// Whether it is a GGUF file.
    pub(crate) fn is_gguf(&self) -> bool {
        self.gguf.is_some()
    }

    /// The name in the files of what transformers calls `name`.
    pub(crate) fn stored_name(&self, name: &str) -> String {
        let gguf = self.gguf.and_then(|_| gguf_name(name, &self.config));
        gguf.unwrap_or_else(|| name.to_owned())
    }

    /// The tensor that transformers calls `name`.
    pub(crate) fn view(&self, name: &str) -> Result<TensorView<'_>, LoadError> {
        Ok(self.checkpoint.get(&self.stored_name(name))?)
    }

    /// Stored bytes of a parameter.
    pub(crate) fn stored_bytes(&self, parameter: &Parameter) -> u64 {
        self.view(&parameter.name).map_or(0, |view| view.bytes.len() as u64)
    }

    /// How many rows each head has whose rows have to be put back in order; `None` where they are.
    pub(crate) fn permuted_rows(&self, name: &str) -> Option<usize> {
        let module = name.rsplit_once('.').map_or(name, |(module, _)| module);
        let is_qk = module.ends_with(".q_proj") || module.ends_with(".k_proj");
        let permuted = self.gguf.is_some_and(|gguf| gguf.permuted_qk) && is_qk;
        permuted.then_some(self.config.head_dim)
    }

    /// What has to be added to stored norm weights. GGUF files have it in them.
    pub(crate) fn norm_offset(&self) -> f32 {
        if self.is_gguf() { 0.0 } else { self.config.norm_offset }
    }

    /// That a tensor cannot be used.
    pub(crate) fn tensor_error(&self, tensor: &str, reason: String) -> LoadError {
        LoadError::Tensor { path: self.path().to_owned(), tensor: tensor.to_owned(), reason }
    }

    /// That the values of a tensor cannot be used.
    pub(crate) fn weight_error(
        &self,
        tensor: &str,
    ) -> impl Fn(cpu_kernels::WeightError) -> LoadError + use<> {
        let (path, tensor) = (self.path().to_owned(), tensor.to_owned());
        move |source| LoadError::Weight { path: path.clone(), tensor: tensor.clone(), source }
    }
}

fn config_path(folder: &Path) -> PathBuf {
    folder.join("config.json")
}
