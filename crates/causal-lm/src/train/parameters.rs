use std::ops::Range;

use burn::tensor::{Tensor, TensorData};

use lora_linear::Lora;

use crate::CausalLm;
use crate::model::ParameterMut;
use crate::ops::DecoderBackend;

/// What PEFT puts before the names of the model.
const PREFIX: &str = "base_model.model.";

/// All that is trained of a model, one after the other in a flat buffer of f32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    all: Vec<Parameter>,
    /// Where each block's lie, from the embedding up.
    pub(super) blocks: Vec<Range<usize>>,
    pub(super) tokens: Option<usize>,
    pub(super) embedding: Option<usize>,
    pub(super) norm: Option<usize>,
    pub(super) head: Option<usize>,
}

/// A tensor that is trained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in PEFT's adapter files; where the model is trained whole, in transformers.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Where it lies in the buffer.
    pub range: Range<usize>,
}

impl Parameters {
    /// What `model` trains.
    pub fn of<B: DecoderBackend>(model: &mut CausalLm<B>) -> Self {
        let mut found = Self::default();
        let adapters = model.token_rows().is_some();
        for (layer, block) in model.blocks_mut().iter_mut().enumerate() {
            let prefix = if block.trains_whole() { "" } else { PREFIX };
            let first = found.all.len();
            for (name, parameter) in block.parameters_mut() {
                found.add(format!("{prefix}model.layers.{layer}.{name}"), dims(&parameter));
            }
            found.blocks.push(first..found.all.len());
        }
        if adapters {
            let rows = model.token_rows().map_or([0, 0], |rows| rows.rows.dims());
            let name = "model.embed_tokens.token_adapter.trainable_tokens_delta";
            found.tokens = Some(found.add(format!("{PREFIX}{name}"), rows.to_vec()));
        }
        if let lora_linear::Weight::Trained(weight) = model.embedding() {
            let (shape, norm) = (weight.dims().to_vec(), model.config().hidden_size);
            let head = (!model.config().tied_head).then(|| shape.clone());
            found.embedding = Some(found.add("model.embed_tokens.weight".to_owned(), shape));
            found.norm = Some(found.add("model.norm.weight".to_owned(), vec![norm]));
            found.head = head.map(|shape| found.add("lm_head.weight".to_owned(), shape));
        }
        found
    }

    /// Each tensor, in the order of the buffer.
    pub fn all(&self) -> &[Parameter] {
        &self.all
    }

    /// Values of all together.
    pub fn len(&self) -> usize {
        self.all.last().map_or(0, |last| last.range.end)
    }

    /// Whether nothing is trained.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as the model has them.
    pub fn values<B: DecoderBackend>(&self, model: &mut CausalLm<B>) -> Vec<f32> {
        let mut values = vec![0.0; self.len()];
        self.visit(model, |index, parameter| {
            let values = &mut values[self.all[index].range.clone()];
            match parameter {
                ParameterMut::Matrix(tensor) => read(tensor.clone(), values),
                ParameterMut::Vector(tensor) => read(tensor.clone(), values),
            }
        });
        values
    }

    /// Gives the model new values, `len` of them.
    pub fn set_values<B: DecoderBackend>(&self, model: &mut CausalLm<B>, values: &[f32]) {
        let device = model.device().clone();
        self.visit(model, |index, parameter| {
            let values = values[self.all[index].range.clone()].to_vec();
            match parameter {
                ParameterMut::Matrix(tensor) => {
                    *tensor = Tensor::from_data(TensorData::new(values, tensor.dims()), &device);
                }
                ParameterMut::Vector(tensor) => {
                    *tensor = Tensor::from_data(TensorData::new(values, tensor.dims()), &device);
                }
            }
        });
        let_go(model);
    }

    /// Gives the model what `new` makes of each tensor, flat, and its index in [`all`](Self::all).
    pub fn update<B: DecoderBackend>(
        &self,
        model: &mut CausalLm<B>,
        mut new: impl FnMut(usize, Tensor<B, 1>) -> Tensor<B, 1>,
    ) {
        self.visit(model, |index, parameter| {
            let len = self.all[index].range.len();
            match parameter {
                ParameterMut::Matrix(tensor) => {
                    *tensor = new(index, tensor.clone().reshape([len])).reshape(tensor.dims());
                }
                ParameterMut::Vector(tensor) => *tensor = new(index, tensor.clone()),
            }
        });
        let_go(model);
    }

    fn visit<B: DecoderBackend>(
        &self,
        model: &mut CausalLm<B>,
        mut visit: impl FnMut(usize, ParameterMut<'_, B>),
    ) {
        for (block, indices) in model.blocks_mut().iter_mut().zip(&self.blocks) {
            for (index, (_, parameter)) in indices.clone().zip(block.parameters_mut()) {
                visit(index, parameter);
            }
        }
        for (index, parameter) in model.outer_parameters_mut() {
            let index = match index {
                Outer::Tokens => self.tokens,
                Outer::Embedding => self.embedding,
                Outer::Norm => self.norm,
                Outer::Head => self.head,
            };
            if let Some(index) = index {
                visit(index, parameter);
            }
        }
    }

    fn add(&mut self, name: String, shape: Vec<usize>) -> usize {
        let (start, len) = (self.len(), shape.iter().product::<usize>());
        self.all.push(Parameter { name, shape, range: start..start + len });
        self.all.len() - 1
    }
}

/// What is trained outside of the blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outer {
    Tokens,
    Embedding,
    Norm,
    Head,
}

/// Lets go of what the model keeps of values that are no longer its own.
fn let_go<B: DecoderBackend>(model: &mut CausalLm<B>) {
    model.tie_head();
    for block in model.blocks_mut() {
        let adapters = block.projections_mut().into_iter();
        adapters.filter_map(|(_, it)| it.lora.as_mut()).for_each(Lora::release_norms);
    }
}

fn dims<B: DecoderBackend>(parameter: &ParameterMut<'_, B>) -> Vec<usize> {
    match parameter {
        ParameterMut::Matrix(tensor) => tensor.dims().to_vec(),
        ParameterMut::Vector(tensor) => tensor.dims().to_vec(),
    }
}

fn read<B: DecoderBackend, const D: usize>(tensor: Tensor<B, D>, values: &mut [f32]) {
    let data = tensor.into_data();
    values.iter_mut().zip(data.iter::<f32>()).for_each(|(value, read)| *value = read);
}
