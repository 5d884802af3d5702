use std::borrow::Cow;

use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorData, TensorPrimitive, Transaction};
use causal_lm::ops::DecoderBackend;
use causal_lm::train::{Gradients, Parameter, Parameters};
use causal_lm::{BatchError, CausalLm};
use optimizer::{
    AdamW, AdamWConfig, Buffer, Group, NamedBuffer, OptimizerError, OptimizerState, StateDtype,
    clip_factor, clip_to_norm, global_norm,
};

/// AdamW with its state, on the host or where the model is.
///
/// On the host it sees all trained values in one flat buffer, as the sum over processes does. On the device nothing but the
/// gradient's norm leaves it: so it works for one process that keeps its moments in f32, where the backend
/// [wants it](DecoderBackend::keeps_optimizer). Both do the same; what they compute differs by rounding.
#[derive(Debug)]
pub struct Solver<B: DecoderBackend>(Place<B>);

#[derive(Debug)]
enum Place<B: DecoderBackend> {
    Host { adamw: AdamW, values: Vec<f32> },
    Device(DeviceState<B>),
}

#[derive(Debug)]
struct DeviceState<B: DecoderBackend> {
    config: AdamWConfig,
    /// Steps taken.
    steps: u64,
    /// Of each parameter: whether it decays, and both moments.
    parameters: Vec<(bool, [Tensor<B, 1>; 2])>,
}

/// The gradient of a step, summed over its micro-batches.
#[derive(Debug)]
pub struct StepGradient<B: DecoderBackend>(Summed<B>);

#[derive(Debug)]
enum Summed<B: DecoderBackend> {
    Host(Vec<f32>),
    Device { parts: Vec<Option<Tensor<B, 1>>>, norm: f64 },
}

impl<B: DecoderBackend> StepGradient<B> {
    /// The values, where they are on the host: for the sum over processes.
    pub fn on_host(&mut self) -> Option<&mut [f32]> {
        match &mut self.0 {
            Summed::Host(values) => Some(values),
            Summed::Device { .. } => None,
        }
    }

    /// Its Euclidean norm.
    pub fn norm(&self) -> f64 {
        match &self.0 {
            Summed::Host(values) => global_norm(values),
            Summed::Device { norm, .. } => *norm,
        }
    }
}

impl<B: DecoderBackend> Solver<B> {
    /// A solver for `parameters` of `model`, one of `processes`. With a state it goes on where another one was, whatever place that
    /// had.
    ///
    /// # Errors
    /// As [`AdamW::new`] and [`AdamW::from_state`].
    pub fn new(
        model: &mut CausalLm<B>,
        parameters: &Parameters,
        config: AdamWConfig,
        dtype: StateDtype,
        processes: u64,
        state: Option<OptimizerState<'_>>,
    ) -> Result<Self, OptimizerError> {
        let groups: Vec<Group> = parameters.all().iter().map(group).collect();
        let adamw = match state {
            None => AdamW::new(config, groups.clone(), dtype)?,
            Some(state) => AdamW::from_state(config, groups.clone(), dtype, state)?,
        };
        if !(B::keeps_optimizer() && processes == 1 && dtype == StateDtype::F32) {
            return Ok(Self(Place::Host { adamw, values: parameters.values(model) }));
        }
        let device = model.device();
        let state = adamw.state();
        let upload = |parameter: &Parameter, buffer: &NamedBuffer<'_>| {
            let values = match &buffer.values {
                Buffer::F32(values) => values[parameter.range.clone()].to_vec(),
                Buffer::U8(_) => unreachable!("moments are f32"),
            };
            let len = values.len();
            Tensor::from_data(TensorData::new(values, [len]), device)
        };
        let moments =
            |parameter: &Parameter| [0, 1].map(|moment| upload(parameter, &state.buffers[moment]));
        let parameters = parameters.all().iter().zip(groups);
        let parameters = parameters.map(|(it, group)| (group.weight_decay, moments(it))).collect();
        Ok(Self(Place::Device(DeviceState { config, steps: state.step, parameters })))
    }

    /// Brings the gradient where the solver is. Waits for the device.
    ///
    /// # Errors
    /// [`BatchError::Device`] where one of the passes was too much for it.
    pub fn gather(&self, gradients: Gradients<B>) -> Result<StepGradient<B>, BatchError> {
        if let Place::Host { .. } = &self.0 {
            return gradients.read().map(|values| StepGradient(Summed::Host(values)));
        }
        let parts = gradients.into_parts();
        let present: Vec<_> = parts.iter().flatten().map(|part| primitive(part.clone())).collect();
        if present.is_empty() {
            return Ok(StepGradient(Summed::Device { parts, norm: 0.0 }));
        }
        let sums: Tensor<B, 1> = tensor(B::sums_of_squares(present));
        let read = Transaction::default().register(sums).try_execute();
        let read = read.map_err(|error| BatchError::Device { reason: error.to_string() })?;
        let norm = read.iter().flat_map(TensorData::iter::<f64>).sum::<f64>().sqrt();
        Ok(StepGradient(Summed::Device { parts, norm }))
    }

    /// A step on `model` against a gradient of norm `norm`, scaled to `max_norm` where it is longer.
    ///
    /// # Errors
    /// As [`AdamW::step`]; nothing is changed then.
    ///
    /// # Panics
    /// Where the gradient is of another solver.
    pub fn step(
        &mut self,
        model: &mut CausalLm<B>,
        parameters: &Parameters,
        gradient: StepGradient<B>,
        max_norm: Option<f64>,
        learning_rate: f64,
    ) -> Result<(), OptimizerError> {
        let norm = gradient.norm();
        match (&mut self.0, gradient.0) {
            (Place::Host { adamw, values }, Summed::Host(mut gradient)) => {
                if let Some(max_norm) = max_norm {
                    clip_to_norm(&mut gradient, norm, max_norm);
                }
                adamw.step(values, &gradient, learning_rate)?;
                parameters.set_values(model, values);
            }
            (Place::Device(state), Summed::Device { parts, .. }) => {
                let factor = max_norm.map_or(1.0, |max_norm| clip_factor(norm, max_norm));
                state.step(model, parameters, parts, factor, learning_rate)?;
            }
            _ => unreachable!("the gradient of another solver"),
        }
        Ok(())
    }

    /// All trained values, in the order of `parameters`.
    pub fn values(&self, model: &mut CausalLm<B>, parameters: &Parameters) -> Cow<'_, [f32]> {
        match &self.0 {
            Place::Host { values, .. } => Cow::Borrowed(values),
            Place::Device(_) => Cow::Owned(parameters.values(model)),
        }
    }

    /// What [`new`](Self::new) needs to go on.
    pub fn state(&self) -> OptimizerState<'_> {
        match &self.0 {
            Place::Host { adamw, .. } => adamw.state(),
            Place::Device(state) => state.read(),
        }
    }
}

impl<B: DecoderBackend> DeviceState<B> {
    fn step(
        &mut self,
        model: &mut CausalLm<B>,
        parameters: &Parameters,
        mut gradient: Vec<Option<Tensor<B, 1>>>,
        factor: f32,
        learning_rate: f64,
    ) -> Result<(), OptimizerError> {
        let constants = |decays| self.config.step(learning_rate, self.steps + 1, decays);
        let (plain, decaying) = (constants(false)?, constants(true)?);
        self.steps += 1;
        parameters.update(model, |index, value| {
            let (decays, moments) = &mut self.parameters[index];
            let gradient = gradient[index].take().unwrap_or_else(|| value.zeros_like());
            let [m, v] = moments.clone();
            let step = if *decays { &decaying } else { &plain };
            let tensors = [value, gradient, m, v].map(primitive);
            let [value, m, v] = B::adamw(tensors, factor, step).map(tensor);
            *moments = [m, v];
            value
        });
        Ok(())
    }

    fn read(&self) -> OptimizerState<'static> {
        let buffer = |name: &'static str, moment: usize| {
            let mut all = Vec::new();
            for (_, moments) in &self.parameters {
                all.extend(moments[moment].to_data().iter::<f32>());
            }
            NamedBuffer { name: name.into(), values: Buffer::F32(all.into()) }
        };
        OptimizerState { step: self.steps, buffers: vec![buffer("m", 0), buffer("v", 1)] }
    }
}

/// Biases and the weights of norms do not decay.
fn group(parameter: &Parameter) -> Group {
    let decays = parameter.shape.len() > 1 || parameter.name.contains(".lora_");
    Group { len: parameter.range.len(), weight_decay: decays }
}

fn primitive<B: DecoderBackend>(tensor: Tensor<B, 1>) -> FloatTensor<B> {
    tensor.into_primitive().tensor()
}

fn tensor<B: DecoderBackend>(primitive: FloatTensor<B>) -> Tensor<B, 1> {
    Tensor::from_primitive(TensorPrimitive::Float(primitive))
}
