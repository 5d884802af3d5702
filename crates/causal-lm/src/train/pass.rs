use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor, TensorData};
use cpu_kernels::decoder::Span;
use lora_linear::Dropout;

use super::gradients::Gradients;
use super::graph::BlockGraph;
use super::loss::{BatchLoss, ChunkedLoss, PendingLoss, Target};
use super::noise::embedding_noise;
use super::parameters::Parameters;
use crate::model::BlockInputs;
use crate::ops::DecoderBackend;
use crate::{BatchError, CausalLm};

/// A flat batch with what it is to predict.
#[derive(Clone, Copy, Debug)]
pub struct TokenBatch<'a> {
    /// Tokens of all sequences, one after the other.
    pub ids: &'a [u32],
    /// Whose they are; whole sequences.
    pub spans: &'a [Span],
    /// What is to be predicted.
    pub targets: &'a [Target],
}

/// How a pass is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassOptions {
    /// What the loss is multiplied by before the gradient is taken.
    pub scale: f32,
    /// Blocks are computed again in the backward pass instead of kept.
    pub recompute: bool,
    /// Dropout on the inputs of adapters: its probability.
    pub dropout: f32,
    /// NEFTune's `alpha`: noise on embeddings.
    pub neftune_alpha: Option<f64>,
    /// Decides about dropout and noise; the same seed, the same masks.
    pub seed: u64,
}

/// Losses of a batch, and adds the gradient of `scale · weighted_sum` to `gradients`, those of `parameters`. It returns before the
/// device is done.
///
/// # Errors
/// [`BatchError`] where ids, spans or targets fit neither one another nor the model; `gradients` are as before then.
pub fn loss_and_gradients<B: DecoderBackend>(
    model: &CausalLm<B>,
    parameters: &Parameters,
    batch: &TokenBatch<'_>,
    options: &PassOptions,
    gradients: &mut Gradients<B>,
) -> Result<PendingLoss<B>, BatchError> {
    check(model, batch)?;
    assert_eq!(gradients.len(), parameters.all().len(), "gradients of other parameters");
    let (width, device) = (model.config().hidden_size, model.device());
    let embedding_gradient = parameters.tokens.is_some() || parameters.embedding.is_some();
    let rotations = model.rotations(batch.spans);
    let inputs_of = |layer: usize| BlockInputs {
        rotations: &rotations,
        spans: batch.spans,
        compute: model.compute(),
        dropout: (options.dropout > 0.0).then(|| {
            let all = Dropout { probability: options.dropout, seed: options.seed };
            // Parts of a block are numbered from 0; its number is far above them.
            all.part((layer as u64 + 1) << 8)
        }),
    };
    let mut x = model.embed(batch.ids)?;
    if let Some(alpha) = options.neftune_alpha {
        let noise = embedding_noise(alpha, options.seed, batch.spans, width, device);
        let dtype = x.dtype();
        x = x + noise.cast(dtype);
    }
    let (mut inputs, mut graphs) = (Vec::new(), Vec::new());
    for (layer, block) in model.blocks().iter().enumerate() {
        if options.recompute {
            inputs.push(x.clone());
            x = block.forward(x, &inputs_of(layer), None);
        } else {
            let wanted = layer > 0 || embedding_gradient;
            let graph = BlockGraph::forward(block, x, &inputs_of(layer), wanted);
            x = graph.output();
            graphs.push(graph);
        }
    }
    let chunked = ChunkedLoss { model, targets: batch.targets, scale: Some(options.scale) };
    let (loss, of_loss) = chunked.run(&model.final_norm(x.clone()));
    let Some(of_loss) = of_loss else { return Ok(loss) };
    if let Some(index) = parameters.tokens {
        gradients.add(index, of_loss.rows);
    }
    // A tied head is the embedding.
    if let Some(index) = parameters.head.or(parameters.embedding) {
        gradients.add(index, of_loss.head);
    }
    let (mut dx, of_norm) = model.final_norm_backward(x, of_loss.hidden, parameters.norm.is_some());
    if let Some(index) = parameters.norm {
        gradients.add(index, of_norm);
    }
    for layer in (0..model.blocks().len()).rev() {
        let graph = match graphs.pop() {
            Some(graph) => graph,
            None => {
                let Some(input) = inputs.pop() else { break };
                let wanted = layer > 0 || embedding_gradient;
                BlockGraph::forward(&model.blocks()[layer], input, &inputs_of(layer), wanted)
            }
        };
        match graph.backward(layer, dx, parameters, gradients) {
            Some(next) => dx = next,
            None => return Ok(loss),
        }
    }
    if let Some(scale) = model.embedding_scale() {
        dx = dx.mul_scalar(scale);
    }
    let ids = |ids: Vec<i32>| {
        let count = ids.len();
        let data = TensorData::new(ids, [count]);
        Tensor::<B, 1, Int>::from_data(data, device)
    };
    // The sum of the rows of `dx` over the places of each token.
    let of_rows = |count: usize, places: Vec<i32>, dx: Tensor<B, 2>| {
        let zeros = Tensor::<B, 2>::zeros([count, width], (device, dx.dtype()));
        zeros.select_assign(0, ids(places), dx, IndexingUpdateOp::Add)
    };
    if let (Some(index), Some(rows)) = (parameters.tokens, model.token_rows()) {
        let places = rows.places(batch.ids);
        if !places.is_empty() {
            let (at, row): (Vec<i32>, Vec<i32>) =
                places.into_iter().map(|(at, row)| (at as i32, row as i32)).unzip();
            let dx = dx.clone().select(0, ids(at)).cast(DType::F32);
            gradients.add(index, Some(of_rows(rows.ids().len(), row, dx)));
        }
    }
    if let Some(index) = parameters.embedding {
        let places = batch.ids.iter().map(|&id| id as i32).collect();
        gradients.add(index, Some(of_rows(model.config().vocab_size, places, dx)));
    }
    Ok(loss)
}

/// Losses of a batch without gradients.
///
/// # Errors
/// As [`loss_and_gradients`].
pub fn batch_loss<B: DecoderBackend>(
    model: &CausalLm<B>,
    batch: &TokenBatch<'_>,
) -> Result<BatchLoss, BatchError> {
    check(model, batch)?;
    let hidden = model.hidden(batch.ids, batch.spans, None)?;
    let chunked = ChunkedLoss { model, targets: batch.targets, scale: None };
    chunked.run(&hidden).0.read()
}

fn check<B: DecoderBackend>(model: &CausalLm<B>, batch: &TokenBatch<'_>) -> Result<(), BatchError> {
    model.check_whole(batch.ids, batch.spans)?;
    let (rows, vocab_size) = (batch.ids.len(), model.config().vocab_size);
    let wrong = |t: &Target| t.row >= rows || t.id as usize >= vocab_size;
    match batch.targets.iter().position(wrong) {
        None => Ok(()),
        Some(index) => {
            let Target { row, id, .. } = batch.targets[index];
            Err(BatchError::Target { index, row, rows, id, vocab_size })
        }
    }
}
