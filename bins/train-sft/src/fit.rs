use causal_lm::ModelConfig;
use causal_lm::estimate::EstimateError;
use model_cli::QuantizationKind;

use crate::config::{AdapterKind, ByteSize, SftConfig, StateKind};
use crate::memory::{Load, training_memory};

/// Rows are not cut below this length to make a run fit.
const SHORTEST: usize = 64;

/// A change of the settings that lets a run fit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// The keys with their new values.
    pub(crate) settings: Vec<String>,
    /// What the run would take.
    pub(crate) bytes: ByteSize,
}

/// The changes that let a run fit into `limit`: each one alone that does, else the fewest of them together.
pub(crate) fn what_fits(
    model: &ModelConfig,
    config: &SftConfig,
    load: Load,
    limit: ByteSize,
) -> Result<Vec<Change>, EstimateError> {
    let mut fitting = Vec::new();
    let mut together = (config.clone(), load, Vec::new());
    for step in steps(config) {
        let (mut changed, mut changed_load) = (config.clone(), load);
        if let Some(setting) = step.until_fits(model, &mut changed, &mut changed_load, limit)? {
            let bytes = bytes(model, &changed, changed_load)?;
            if bytes <= limit {
                fitting.push(Change { settings: vec![setting], bytes });
            }
        }
        let (config, load, settings) = &mut together;
        if bytes(model, config, *load)? > limit
            && let Some(setting) = step.until_fits(model, config, load, limit)?
        {
            settings.push(setting);
        }
    }
    let (config, load, settings) = together;
    let all = bytes(model, &config, load)?;
    if fitting.is_empty() && all <= limit && !settings.is_empty() {
        fitting.push(Change { settings, bytes: all });
    }
    Ok(fitting)
}

/// One way to take less memory, in the order in which they are tried: the least harm first.
#[derive(Debug, Clone, Copy)]
enum Step {
    Checkpointing,
    EightBitState,
    SmallerBatch,
    Nf4,
    Adapter,
    ShorterRows,
}

fn steps(config: &SftConfig) -> Vec<Step> {
    let whole = config.adapter == AdapterKind::None;
    let mut steps = Vec::new();
    let mut push = |when: bool, step| {
        if when {
            steps.push(step);
        }
    };
    push(!config.gradient_checkpointing, Step::Checkpointing);
    push(config.optimizer.state == StateKind::F32, Step::EightBitState);
    push(config.micro_batch > 1, Step::SmallerBatch);
    push(!whole && config.quantization != QuantizationKind::Nf4, Step::Nf4);
    push(whole, Step::Adapter);
    push(true, Step::ShorterRows);
    steps
}

impl Step {
    /// Changes the settings, as little as it takes where there are degrees; the setting as a person would write it.
    fn until_fits(
        self,
        model: &ModelConfig,
        config: &mut SftConfig,
        load: &mut Load,
        limit: ByteSize,
    ) -> Result<Option<String>, EstimateError> {
        let setting = match self {
            Self::Checkpointing => {
                config.gradient_checkpointing = true;
                "gradient_checkpointing: true".to_owned()
            }
            Self::EightBitState => {
                config.optimizer.state = StateKind::Blockwise8;
                "optimizer.state: 8bit".to_owned()
            }
            Self::Nf4 => {
                config.quantization = QuantizationKind::Nf4;
                config.double_quantization = true;
                "quantization: nf4".to_owned()
            }
            Self::Adapter => {
                config.adapter = AdapterKind::Lora;
                config.quantization = QuantizationKind::Nf4;
                config.double_quantization = true;
                "adapter: lora with quantization: nf4".to_owned()
            }
            Self::SmallerBatch => {
                while config.micro_batch > 1 && bytes(model, config, *load)? > limit {
                    config.micro_batch /= 2;
                    // The step keeps its rows.
                    config.accumulation = config.accumulation.saturating_mul(2);
                }
                format!(
                    "micro_batch: {} (accumulation: {})",
                    config.micro_batch, config.accumulation
                )
            }
            Self::ShorterRows => {
                while load.sequence / 2 >= SHORTEST && bytes(model, config, *load)? > limit {
                    load.sequence /= 2;
                }
                config.max_length = Some(load.sequence);
                format!("max_length: {}", load.sequence)
            }
        };
        Ok(Some(setting))
    }
}

fn bytes(model: &ModelConfig, config: &SftConfig, load: Load) -> Result<ByteSize, EstimateError> {
    Ok(ByteSize(training_memory(model, config, load)?.total_bytes))
}
