use lora_linear::LoraScaling;
use serde_json::{Map, Value, json};

use super::AdapterError;

/// The version of PEFT whose form of `adapter_config.json` is written.
const PEFT_VERSION: &str = "0.21.2";

/// What an adapter is: the settings that go into `adapter_config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterSpec {
    /// Name or path of the base model, as people and PEFT's `AutoPeftModel` will look for it.
    pub base_model: String,
    /// Rank of the corrections.
    pub rank: usize,
    /// `alpha`, from which the factor of the corrections follows.
    pub alpha: f64,
    /// Share of the input of `A` that is dropped in training.
    pub dropout: f64,
    /// How the factor follows.
    pub scaling: LoraScaling,
    /// Whether the adapter has magnitudes.
    pub dora: bool,
    /// Names of projections, such as `q_proj`: what [`super::target_modules`] makes of `all-linear`.
    pub target_modules: Vec<String>,
    /// Tokens whose rows of the embedding are trained, in the order of the rows.
    pub trainable_tokens: Vec<usize>,
    /// How training began.
    pub init: InitialWeights,
}

/// How `A` and `B` begin. It says nothing about an adapter that has been trained; PEFT asks for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InitialWeights {
    /// `A` uniform in ±1/√inputs, `B` zero.
    #[default]
    Default,
    /// `A` normal with a deviation of 1/rank, `B` zero.
    Gaussian,
}

impl AdapterSpec {
    /// That PEFT and this crate would take it.
    pub(super) fn check(&self) -> Result<(), AdapterError> {
        let wrong = |key, got: String, expected| Err(AdapterError::Setting { key, got, expected });
        if self.rank == 0 {
            return wrong("r", "0".to_owned(), "1 or more");
        }
        if !(self.alpha.is_finite() && self.alpha > 0.0) {
            return wrong("lora_alpha", self.alpha.to_string(), "a number above zero");
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return wrong("lora_dropout", self.dropout.to_string(), "from 0 to below 1");
        }
        let mut tokens = self.trainable_tokens.clone();
        tokens.sort_unstable();
        if let Some(pair) = tokens.windows(2).find(|pair| pair[0] == pair[1]) {
            return wrong("trainable_token_indices", pair[0].to_string(), "each token once");
        }
        Ok(())
    }

    /// Every key that PEFT's `LoraConfig` has, in its order.
    pub(super) fn to_json(&self) -> Map<String, Value> {
        let mut targets = self.target_modules.clone();
        targets.sort_unstable();
        targets.dedup();
        let tokens = match self.trainable_tokens.as_slice() {
            [] => Value::Null,
            tokens => json!(tokens),
        };
        let init = match self.init {
            InitialWeights::Default => json!(true),
            InitialWeights::Gaussian => json!("gaussian"),
        };
        let pairs = [
            ("alora_invocation_tokens", Value::Null),
            ("alpha_pattern", json!({})),
            ("arrow_config", Value::Null),
            ("auto_mapping", Value::Null),
            ("base_model_name_or_path", json!(self.base_model)),
            ("bias", json!("none")),
            ("corda_config", Value::Null),
            ("ensure_weight_tying", json!(false)),
            ("eva_config", Value::Null),
            ("exclude_modules", Value::Null),
            ("fan_in_fan_out", json!(false)),
            ("inference_mode", json!(true)),
            ("init_lora_weights", init),
            ("kasa_config", Value::Null),
            ("layer_replication", Value::Null),
            ("layers_pattern", Value::Null),
            ("layers_to_transform", Value::Null),
            ("loftq_config", json!({})),
            ("lora_alpha", number(self.alpha)),
            ("lora_bias", json!(false)),
            ("lora_dropout", json!(self.dropout)),
            ("lora_ga_config", Value::Null),
            ("megatron_config", Value::Null),
            ("megatron_core", json!("megatron.core")),
            ("modules_to_save", Value::Null),
            ("monteclora_config", Value::Null),
            ("peft_type", json!("LORA")),
            ("peft_version", json!(PEFT_VERSION)),
            ("qalora_group_size", json!(16)),
            ("r", json!(self.rank)),
            ("rank_pattern", json!({})),
            ("revision", Value::Null),
            ("target_modules", json!(targets)),
            ("target_parameters", Value::Null),
            ("task_type", json!("CAUSAL_LM")),
            ("trainable_token_indices", tokens),
            ("use_bdlora", Value::Null),
            ("use_dora", json!(self.dora)),
            ("use_qalora", json!(false)),
            ("use_rslora", json!(self.scaling == LoraScaling::RankStabilized)),
            ("velora_config", Value::Null),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// A whole number as one: PEFT's `lora_alpha` is an integer.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value.fract() == 0.0 && value.abs() <= EXACT {
        true => json!(value as i64),
        false => json!(value),
    }
}
