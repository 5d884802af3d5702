use cpu_kernels::decoder::Span;
use lora_linear::Dropout;

use super::graph::{BlockGraph, add};
use super::loss::{BatchLoss, ChunkedLoss, Target};
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

/// Losses of a batch, and adds the gradient of `scale · weighted_sum` to `gradient`, `parameters.len()` values.
///
/// # Errors
/// [`BatchError`] where ids, spans or targets fit neither one another nor the model; `gradient` is as before then.
pub fn loss_and_gradients<B: DecoderBackend>(
    model: &CausalLm<B>,
    parameters: &Parameters,
    batch: &TokenBatch<'_>,
    options: &PassOptions,
    gradient: &mut [f32],
) -> Result<BatchLoss, BatchError> {
    check(model, batch)?;
    assert_eq!(gradient.len(), parameters.len(), "values of the gradient");
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
        x = x + embedding_noise(alpha, options.seed, batch.spans, width, device);
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
    let (loss, gradients) = chunked.run(&model.final_norm(x.clone()));
    let Some(gradients) = gradients else { return Ok(loss) };
    let place = |index: Option<usize>| index.map(|index| parameters.all()[index].range.clone());
    for (index, of) in
        [(parameters.tokens, gradients.rows), (parameters.head, gradients.head.clone())]
    {
        if let Some(range) = place(index) {
            add(of, &mut gradient[range]);
        }
    }
    let (mut dx, of_norm) =
        model.final_norm_backward(x, gradients.hidden, parameters.norm.is_some());
    if let Some(range) = place(parameters.norm) {
        add(of_norm, &mut gradient[range]);
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
        match graph.backward(layer, dx, parameters, gradient) {
            Some(next) => dx = next,
            None => return Ok(loss),
        }
    }
    if let Some(scale) = model.embedding_scale() {
        dx = dx.mul_scalar(scale);
    }
    let dx = dx.into_data().iter::<f32>().collect::<Vec<f32>>();
    if let (Some(range), Some(rows)) = (place(parameters.tokens), model.token_rows()) {
        let total = &mut gradient[range];
        rows.places(batch.ids)
            .into_iter()
            .for_each(|(at, row)| add_row(&dx, at, total, row, width));
    }
    if let Some(range) = place(parameters.embedding) {
        let total = &mut gradient[range];
        for (at, &id) in batch.ids.iter().enumerate() {
            add_row(&dx, at, total, id as usize, width);
        }
        if parameters.head.is_none() {
            add(gradients.head, total);
        }
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
    Ok(chunked.run(&hidden).0)
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

fn add_row(from: &[f32], at: usize, to: &mut [f32], row: usize, width: usize) {
    let from = &from[at * width..][..width];
    to[row * width..][..width].iter_mut().zip(from).for_each(|(to, from)| *to += from);
}
