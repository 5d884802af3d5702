//! Everything that can be wrong with a run, before anything heavy is done.

mod faults;
mod files;
mod records;
mod resume;
mod rows;
mod settings;
mod stored_dtype;
mod tokens;
mod vocabulary;

use std::path::PathBuf;

use causal_lm::{DenseDtype, ModelConfig};
use lora_train::checkpoint::Found;
use lora_train::data::{DataNote, Plan, TokenRows};
use model_cli::Device;

use crate::config::SftConfig;

pub(crate) use faults::Faults;
pub(crate) use rows::plan_options;
pub(crate) use tokens::{NewToken, base_tokenizer, prompt_format};

/// A run whose settings and files go together.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The model, by its configuration alone, with room for new tokens.
    pub(crate) model: ModelConfig,
    /// How its dense matrices will lie in memory.
    pub(crate) dense: DenseDtype,
    /// The data; `None` only where a dry run has none.
    pub(crate) data: Option<Data>,
    /// Tokens of the tokenizer that the model does not know.
    pub(crate) new_tokens: Vec<NewToken>,
    /// The folder of the tokenizer that the rows were made with, where it is known.
    pub(crate) tokenizer: Option<PathBuf>,
    /// Where the run goes on.
    pub(crate) resume: Option<Found>,
    /// Where it runs.
    pub(crate) device: Device,
    /// What a person should know.
    pub(crate) notes: Vec<Note>,
}

/// What is learned, and in which order.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) train: TokenRows,
    pub(crate) validation: Option<TokenRows>,
    pub(crate) plan: Plan,
    /// Optimizer steps of the whole run.
    pub(crate) steps: u64,
}

/// Something that a person should know.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) is_warning: bool,
    pub(crate) text: String,
}

impl Note {
    fn warning(text: impl Into<String>) -> Self {
        Self { is_warning: true, text: text.into() }
    }

    fn remark(text: impl Into<String>) -> Self {
        Self { is_warning: false, text: text.into() }
    }

    fn of_data(split: &str, note: &DataNote) -> Self {
        Self { is_warning: note.is_warning(), text: format!("split `{split}`: {note}") }
    }
}

/// Checks settings and files in one pass, and says all that is wrong at once. The run is one of `world` processes, and has `device`.
///
/// # Errors
/// [`Faults`].
pub(crate) fn check(
    config: &SftConfig,
    device: Device,
    dry_run: bool,
    world: usize,
) -> Result<Checked, Faults> {
    let mut faults = Faults::default();
    settings::check_settings(config, &mut faults);
    let checked = files::check_files(config, device, dry_run, world, &mut faults);
    faults.into_result()?;
    // Without a fault there is nothing that could be missing.
    checked.ok_or_else(Faults::default)
}
