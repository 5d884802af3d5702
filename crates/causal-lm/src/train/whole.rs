use burn::tensor::Tensor;
use lora_linear::{FrozenBackend, Weight};

use crate::CausalLm;
use crate::ops::DecoderBackend;

/// Makes every weight of the model one that is trained: dense, in f32.
pub fn train_whole<B: DecoderBackend>(model: &mut CausalLm<B>) {
    let device = model.device().clone();
    for block in model.blocks_mut() {
        for (_, projection) in block.projections_mut() {
            projection.base = trained(&projection.base, &device);
            projection.lora = None;
        }
    }
    model.train_vocabulary(|weight| trained(weight, &device));
}

fn trained<B: FrozenBackend>(weight: &Weight<B>, device: &B::Device) -> Weight<B> {
    let ids: Vec<u32> = (0..weight.rows() as u32).collect();
    let rows: Tensor<B, 2> = weight.select(&ids, device);
    Weight::Trained(rows)
}
