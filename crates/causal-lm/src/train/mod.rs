//! Losses and gradients of a model, block by block.
//!
//! [`loss_and_gradients`] runs a flat batch forward and backward. Each block has a graph of its own: it is kept from the
//! forward pass, or, with recomputation, made again from the block's input when its turn comes; both give the same bits.
//! The loss never holds the logits of all rows.
//!
//! What is trained follows from the model: its adapters and its trained tokens ([`add_adapters`], [`train_tokens`]), or
//! all of it ([`train_whole`]). [`Parameters`] names it in the order in which all of it lies in one flat buffer.

mod adapters;
mod gradients;
mod graph;
mod lift;
mod loss;
mod noise;
mod parameters;
mod pass;
mod whole;

pub use adapters::{TrainableError, add_adapters, remove_adapters, train_tokens};
pub use gradients::Gradients;
pub use loss::{BatchLoss, PendingLoss, Target};
pub(crate) use parameters::Outer;
pub use parameters::{Parameter, Parameters};
pub use pass::{PassOptions, TokenBatch, batch_loss, loss_and_gradients};
pub use whole::train_whole;
