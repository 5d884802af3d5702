use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor, TensorData, TensorPrimitive};

use crate::ops::{DecoderBackend, RowLosses};
use crate::{BatchError, CausalLm};

/// A token that is to be predicted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// The place in the batch whose logits predict it: the one before its own.
    pub row: usize,
    /// The token.
    pub id: u32,
    /// What its loss counts.
    pub weight: f32,
}

/// Losses of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchLoss {
    /// Negative log-likelihood of each target, in nats, without its weight, in the order of the targets.
    pub losses: Vec<f32>,
    /// The likeliest token at each target.
    pub predicted: Vec<u32>,
    /// The sum of losses times weights.
    pub weighted_sum: f64,
}

/// Losses of a batch that are still on the device.
#[derive(Debug)]
pub struct PendingLoss<B: DecoderBackend> {
    parts: Vec<RowLosses<B>>,
    /// Of each target.
    weights: Vec<f32>,
}

impl<B: DecoderBackend> PendingLoss<B> {
    /// The losses. Waits for the device.
    ///
    /// # Errors
    /// [`BatchError::Device`] where the batch was too much for it.
    pub fn read(self) -> Result<BatchLoss, BatchError> {
        let (losses, predicted) = RowLosses::read(self.parts)?;
        let weighted = losses.iter().zip(self.weights);
        let weighted_sum =
            weighted.map(|(loss, weight)| f64::from(*loss) * f64::from(weight)).sum();
        Ok(BatchLoss { losses, predicted, weighted_sum })
    }
}

/// The rows of `hidden` that predict something go through the head a chunk at a time. The gradient of
/// `scale · weighted_sum` with respect to `hidden` is `[tokens, hidden]`; there is none without a scale.
pub(super) struct ChunkedLoss<'a, B: DecoderBackend> {
    pub(super) model: &'a CausalLm<B>,
    pub(super) targets: &'a [Target],
    pub(super) scale: Option<f32>,
}

/// Gradients of a loss.
pub(super) struct LossGradients<B: DecoderBackend> {
    /// `[tokens, hidden]`.
    pub(super) hidden: Tensor<B, 2>,
    /// Of the head's own rows of trained tokens, `[ids, hidden]`.
    pub(super) rows: Option<Tensor<B, 2>>,
    /// Of a head that is trained whole, `[vocab, hidden]`.
    pub(super) head: Option<Tensor<B, 2>>,
}

impl<B: DecoderBackend> ChunkedLoss<'_, B> {
    pub(super) fn run(&self, hidden: &Tensor<B, 2>) -> (PendingLoss<B>, Option<LossGradients<B>>) {
        let ([tokens, width], dtype) = (hidden.dims(), hidden.dtype());
        let rows = B::logit_rows(self.model.config().vocab_size);
        let (mut parts, mut total) = (Vec::new(), None);
        for targets in self.targets.chunks(rows) {
            let places: Vec<i32> = targets.iter().map(|target| target.row as i32).collect();
            let places = TensorData::new(places, [targets.len()]);
            let places = Tensor::<B, 1, Int>::from_data(places, self.model.device());
            let chunk = hidden.clone().select(0, places.clone()).cast(DType::F32);
            let (losses, gradients) = self.chunk(chunk, targets);
            parts.push(losses);
            let Some((chunk, rows, head)) = gradients else { continue };
            let total = total.get_or_insert_with(|| LossGradients {
                hidden: Tensor::zeros([tokens, width], (self.model.device(), dtype)),
                rows: None,
                head: None,
            });
            // Several targets may share a row only if a caller says so twice; then both count.
            let sum = total.hidden.clone();
            total.hidden = sum.select_assign(0, places, chunk.cast(dtype), IndexingUpdateOp::Add);
            add(&mut total.rows, rows);
            add(&mut total.head, head);
        }
        let weights = self.targets.iter().map(|target| target.weight).collect();
        (PendingLoss { parts, weights }, total)
    }

    #[expect(clippy::type_complexity, reason = "gradients of hidden states, rows and head")]
    fn chunk(
        &self,
        hidden: Tensor<B, 2>,
        targets: &[Target],
    ) -> (RowLosses<B>, Option<(Tensor<B, 2>, Option<Tensor<B, 2>>, Option<Tensor<B, 2>>)>) {
        let model = self.model;
        let ids: Vec<u32> = targets.iter().map(|target| target.id).collect();
        let logits = model.logits(hidden.clone());
        let Some(scale) = self.scale else {
            return (B::row_losses(logits.into_primitive().tensor(), &ids), None);
        };
        // Through `cap · tanh(l / cap)` a gradient is multiplied by `1 - tanh²`.
        let slope = model
            .config()
            .logit_softcap
            .map(|cap| logits.clone().div_scalar(cap).powi_scalar(2).neg().add_scalar(1.0));
        let weights: Vec<f32> = targets.iter().map(|target| target.weight).collect();
        let (gradient, losses) =
            B::cross_entropy(logits.into_primitive().tensor(), &ids, &weights, scale);
        let mut gradient = Tensor::<B, 2>::from_primitive(TensorPrimitive::Float(gradient));
        if let Some(slope) = slope {
            gradient = gradient * slope;
        }
        let of_head = match model.head() {
            lora_linear::Weight::Trained(_) => {
                Some(gradient.clone().transpose().matmul(hidden.clone()))
            }
            lora_linear::Weight::Frozen(_) => None,
        };
        let back = |gradient| model.head().product_transposed(gradient, model.compute());
        let (of_hidden, of_rows) = match model.head_rows() {
            None => (back(gradient), None),
            Some(own) => {
                let columns = own.columns(gradient.clone());
                let of_rows = columns.clone().transpose().matmul(hidden);
                let through_rows = columns.matmul(own.rows.clone());
                (back(own.without_columns(gradient)) + through_rows, Some(of_rows))
            }
        };
        (losses, Some((of_hidden, of_rows, of_head)))
    }
}

fn add<B: DecoderBackend>(total: &mut Option<Tensor<B, 2>>, part: Option<Tensor<B, 2>>) {
    if let Some(part) = part {
        *total = Some(match total.take() {
            None => part,
            Some(total) => total + part,
        });
    }
}
