use burn::tensor::{DType, Tensor, Transaction};

use super::parameters::Parameters;
use crate::BatchError;
use crate::ops::{DecoderBackend, read};

/// The gradient of all that is trained, summed over passes. It stays on the device until it is read.
#[derive(Debug)]
pub struct Gradients<B: DecoderBackend> {
    /// Of each parameter, flat; none as long as it is zero.
    parts: Vec<Option<Tensor<B, 1>>>,
    lens: Vec<usize>,
}

impl<B: DecoderBackend> Gradients<B> {
    /// Zeros for `parameters`.
    pub fn new(parameters: &Parameters) -> Self {
        let lens: Vec<usize> = parameters.all().iter().map(|it| it.range.len()).collect();
        Self { parts: vec![None; lens.len()], lens }
    }

    /// The gradient of each parameter, flat and in f32, where it is; none where it is zero.
    pub fn into_parts(self) -> Vec<Option<Tensor<B, 1>>> {
        self.parts
    }

    /// All values in the order of the parameters. Waits for the device, once.
    ///
    /// # Errors
    /// [`BatchError::Device`] where one of the passes was too much for it.
    pub fn read(self) -> Result<Vec<f32>, BatchError> {
        let present: Vec<bool> = self.parts.iter().map(Option::is_some).collect();
        let parts = self.parts.into_iter().flatten();
        let mut parts = read(parts.fold(Transaction::default(), Transaction::register))?;
        // Taken from the end, so that each part is let go of as it is copied.
        parts.reverse();
        let mut values = Vec::with_capacity(self.lens.iter().sum());
        for (len, present) in self.lens.into_iter().zip(present) {
            match parts.pop_if(|_| present) {
                None => values.resize(values.len() + len, 0.0),
                Some(part) => match part.as_slice::<f32>() {
                    Ok(part) => values.extend_from_slice(part),
                    Err(_) => values.extend(part.iter::<f32>()),
                },
            }
        }
        Ok(values)
    }

    /// How many parameters there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// Adds to the gradient of a parameter.
    pub(super) fn add<const D: usize>(&mut self, index: usize, gradient: Option<Tensor<B, D>>) {
        let Some(gradient) = gradient else { return };
        let gradient = gradient.reshape([self.lens[index]]).cast(DType::F32);
        let total = &mut self.parts[index];
        *total = Some(match total.take() {
            None => gradient,
            Some(total) => total + gradient,
        });
    }
}
