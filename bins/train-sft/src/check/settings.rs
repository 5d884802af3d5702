use lora_train::EarlyStoppingOptions;
use lora_train::data::ClassWeights;
use model_cli::{QuantizationKind, WeightDtype};

use super::Faults;
use crate::config::{
    AdapterKind, LoggingConfig, LoraConfig, MlflowConfig, OptimizerConfig, SftConfig, TargetModules,
};

/// Adds what is wrong with the settings by themselves: numbers out of range, and what contradicts itself.
pub(super) fn check_settings(config: &SftConfig, faults: &mut Faults) {
    let SftConfig {
        base_model: _,
        shards,
        dataset,
        train_split: _,
        eval_split,
        out: _,
        device: _,
        memory_limit,
        quantization,
        double_quantization: _,
        dtype,
        compute_dtype: _,
        adapter,
        lora,
        train_new_tokens: _,
        optimizer,
        learning_rate,
        schedule: _,
        warmup_steps,
        warmup_ratio,
        epochs,
        max_steps,
        max_grad_norm,
        neftune_alpha,
        max_bad_steps,
        micro_batch,
        accumulation,
        max_length,
        packing,
        gradient_checkpointing: _,
        class_weights,
        balanced_sampling,
        shuffle: _,
        seed: _,
        eval_steps,
        save_steps,
        keep_last,
        early_stopping,
        resume: _,
        logging,
        sample_every,
        sample_prompts,
        sample_max_tokens,
        merge,
        gguf,
    } = config;

    if shards.is_some() && dataset.is_some() {
        faults.add("dataset", "is set, and `shards` too; name one of them");
    }
    above_zero(faults, "learning_rate", Some(*learning_rate));
    above_zero(faults, "epochs", *epochs);
    above_zero(faults, "max_grad_norm", *max_grad_norm);
    above_zero(faults, "neftune_alpha", *neftune_alpha);
    if epochs.is_none() && max_steps.is_none() {
        faults.add(
            "epochs",
            "is null, and so is `max_steps`; one of them must say when training ends",
        );
    }
    if warmup_steps.is_some() && warmup_ratio.is_some() {
        faults.add("warmup_ratio", "is set, and `warmup_steps` too; one of them must be null");
    }
    if let Some(ratio) = warmup_ratio {
        faults.unless(
            (0.0..=1.0).contains(ratio),
            "warmup_ratio",
            format_args!("is {ratio}; it lies between 0 and 1"),
        );
    }
    for (key, number) in [
        ("max_steps", *max_steps),
        ("max_bad_steps", Some(*max_bad_steps)),
        ("micro_batch", Some(*micro_batch as u64)),
        ("accumulation", Some(*accumulation as u64)),
        ("eval_steps", *eval_steps),
        ("save_steps", *save_steps),
        ("keep_last", keep_last.map(|number| number as u64)),
        ("sample_every", *sample_every),
        ("sample_prompts", Some(*sample_prompts as u64)),
        ("sample_max_tokens", Some(*sample_max_tokens as u64)),
        ("memory_limit", memory_limit.map(|limit| limit.0)),
    ] {
        faults.unless(number != Some(0), key, "is 0; it must be 1 or more");
    }
    match max_length {
        None if *packing => {
            faults
                .add("packing", "is on, but `max_length` is null; rows need a length to be filled");
        }
        Some(0 | 1) => faults
            .add("max_length", "leaves no token that could be predicted; it must be 2 or more"),
        _ => {}
    }
    if *balanced_sampling {
        faults.unless(
            !packing,
            "balanced_sampling",
            "goes by a row's action; with `packing` a row has several",
        );
        faults.unless(
            *class_weights != ClassWeights::InverseFrequency,
            "balanced_sampling",
            "evens out what `class_weights: inverse-frequency` does already; take one of them",
        );
    }
    if let Err(error) = class_weights.of_counts([0; 5]) {
        faults.add("class_weights", error);
    }
    match adapter {
        AdapterKind::Lora => check_lora(lora, faults),
        AdapterKind::None => {
            faults.unless(
                *quantization == QuantizationKind::None,
                "quantization",
                "must be none where `adapter` is none: weights of 4 or 8 bits cannot be trained",
            );
            faults.unless(
                matches!(dtype, WeightDtype::Auto | WeightDtype::F32),
                "dtype",
                "must be auto or f32 where `adapter` is none: trained weights are f32",
            );
            faults.unless(!merge, "merge", "has nothing to merge where `adapter` is none");
            faults.unless(!gguf, "gguf", "has no adapter to write where `adapter` is none");
        }
    }
    check_optimizer(optimizer, faults);
    if let Some(stopping) = early_stopping {
        let is_evaluated = eval_split.is_some() && eval_steps.is_some();
        check_stopping(stopping, is_evaluated, faults);
    }
    check_logging(logging, faults);
}

fn check_lora(lora: &LoraConfig, faults: &mut Faults) {
    let LoraConfig { r, alpha, dropout, target_modules, rslora: _, dora: _, init: _ } = lora;
    faults.unless(*r > 0, "lora.r", "is 0; it must be 1 or more");
    above_zero(faults, "lora.alpha", Some(*alpha));
    faults.unless(
        (0.0..1.0).contains(dropout),
        "lora.dropout",
        format_args!("is {dropout}; it is at least 0 and less than 1"),
    );
    if *target_modules == TargetModules::Named(Vec::new()) {
        faults.add("lora.target_modules", "is empty; nothing would be trained");
    }
}

fn check_optimizer(optimizer: &OptimizerConfig, faults: &mut Faults) {
    let OptimizerConfig { state: _, beta1, beta2, eps, weight_decay } = optimizer;
    for (key, beta) in [("optimizer.beta1", beta1), ("optimizer.beta2", beta2)] {
        faults.unless(
            (0.0..1.0).contains(beta),
            key,
            format_args!("is {beta}; it is at least 0 and less than 1"),
        );
    }
    for (key, number) in [("optimizer.eps", eps), ("optimizer.weight_decay", weight_decay)] {
        at_least_zero(faults, key, *number);
    }
}

fn check_stopping(stopping: &EarlyStoppingOptions, is_evaluated: bool, faults: &mut Faults) {
    let EarlyStoppingOptions { patience, min_delta, metric: _ } = stopping;
    faults.unless(*patience > 0, "early_stopping.patience", "is 0; it must be 1 or more");
    at_least_zero(faults, "early_stopping.min_delta", *min_delta);
    faults.unless(
        is_evaluated,
        "early_stopping",
        "goes by evaluations, and `eval_split` or `eval_steps` is null",
    );
}

fn check_logging(logging: &LoggingConfig, faults: &mut Faults) {
    let LoggingConfig { log_steps, tensorboard: _, mlflow } = logging;
    faults.unless(*log_steps > 0, "logging.log_steps", "is 0; it must be 1 or more");
    let Some(MlflowConfig { uri, experiment }) = mlflow else { return };
    let is_web = uri.starts_with("http://") || uri.starts_with("https://");
    faults.unless(
        is_web,
        "logging.mlflow.uri",
        format_args!("is `{uri}`; it begins with http:// or https://"),
    );
    faults.unless(!experiment.is_empty(), "logging.mlflow.experiment", "is empty");
    faults.unless(
        cfg!(feature = "mlflow"),
        "logging.mlflow",
        "is set, and train-sft was built without its client; build with `--features mlflow`",
    );
}

fn above_zero(faults: &mut Faults, key: &str, number: Option<f64>) {
    let Some(number) = number else { return };
    let ok = number.is_finite() && number > 0.0;
    faults.unless(ok, key, format_args!("is {number}; it must be a finite number above 0"));
}

fn at_least_zero(faults: &mut Faults, key: &str, number: f64) {
    let ok = number.is_finite() && number >= 0.0;
    faults.unless(ok, key, format_args!("is {number}; it must be a finite number, at least 0"));
}
