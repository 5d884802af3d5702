use causal_lm::LoadOptions;
use causal_lm::adapter::{ALL_LINEAR, AdapterSpec, InitialWeights, target_modules};
use lora_linear::LoraScaling;
use lora_train::{TrainOptions, TrainedPart};
use optimizer::{AdamWConfig, Schedule};

use crate::check::{Checked, plan_options};
use crate::config::{AdapterKind, LoraConfig, LoraStart, OptimizerConfig, SftConfig};

/// How the base is loaded, with the adapter that training begins from.
pub(super) fn load_options(config: &SftConfig, checked: &Checked) -> LoadOptions {
    let adapter = match (&config.adapter, &config.lora.init) {
        (AdapterKind::Lora, LoraStart::Folder(folder)) => Some(folder.clone()),
        _ => None,
    };
    LoadOptions {
        quantization: config.quantization.with(config.double_quantization),
        dtype: config.dtype.into(),
        compute: config.compute_dtype.into(),
        adapter,
        min_vocab_size: checked.model.vocab_size,
    }
}

pub(super) fn scaling(lora: &LoraConfig) -> LoraScaling {
    match lora.rslora {
        true => LoraScaling::RankStabilized,
        false => LoraScaling::Standard,
    }
}

/// What is trained, as its files say it.
pub(super) fn trained_part(config: &SftConfig, checked: &Checked) -> anyhow::Result<TrainedPart> {
    let lora = &config.lora;
    if config.adapter == AdapterKind::None {
        return Ok(TrainedPart::Model);
    }
    let names = match lora.target_modules.names() {
        [] => vec![ALL_LINEAR.to_owned()],
        names => names.to_vec(),
    };
    Ok(TrainedPart::Adapter(AdapterSpec {
        base_model: config.base_model.clone(),
        rank: lora.r,
        alpha: lora.alpha,
        dropout: lora.dropout,
        scaling: scaling(lora),
        dora: lora.dora,
        target_modules: target_modules(&checked.model, &names)?.names,
        trainable_tokens: checked.new_tokens.iter().map(|token| token.id as usize).collect(),
        init: match lora.init {
            LoraStart::Gaussian => InitialWeights::Gaussian,
            _ => InitialWeights::Default,
        },
    }))
}

/// How the trainer trains for `steps`, in `world` processes.
pub(super) fn train_options(config: &SftConfig, steps: u64, world: usize) -> TrainOptions {
    let OptimizerConfig { state, beta1, beta2, eps, weight_decay } = config.optimizer;
    TrainOptions {
        steps,
        schedule: Schedule {
            kind: config.schedule,
            warmup: config.warmup(steps),
            total: steps,
            peak: config.learning_rate,
            min_ratio: 0.0,
        },
        optimizer: AdamWConfig { beta1, beta2, eps, weight_decay },
        optimizer_state: state.into(),
        max_grad_norm: config.max_grad_norm,
        plan: plan_options(config, world),
        gradient_checkpointing: config.gradient_checkpointing,
        dropout: match config.adapter {
            AdapterKind::Lora => config.lora.dropout as f32,
            AdapterKind::None => 0.0,
        },
        neftune_alpha: config.neftune_alpha,
        eval_steps: config.eval_steps,
        save_steps: config.save_steps,
        keep_last: config.keep_last.unwrap_or(usize::MAX),
        early_stopping: config.early_stopping,
        max_bad_steps: config.max_bad_steps,
        sample_steps: config.sample_every,
        seed: config.seed,
    }
}
