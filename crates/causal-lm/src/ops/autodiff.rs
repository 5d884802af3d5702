use burn::tensor::backend::AutodiffBackend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{FloatDType, Tensor, TensorPrimitive};
use burn_autodiff::Autodiff;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::{CheckpointStrategy, NoCheckpointing};
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};
use cpu_kernels::decoder::{Activation, AttentionShape, KvDtype, Span};

use super::DecoderBackend;

/// Each operation is one node of the graph, and keeps no more than its gradient needs; what goes through the cache is a
/// constant.
impl<B: DecoderBackend, C: CheckpointStrategy> DecoderBackend for Autodiff<B, C> {
    type KvLayer = B::KvLayer;

    fn rms_norm(x: FloatTensor<Self>, weight: FloatTensor<Self>, eps: f32) -> FloatTensor<Self> {
        let y = B::rms_norm(x.primitive.clone(), weight.primitive.clone(), eps);
        match RmsNorm.prepare::<C>([x.node, weight.node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((x.primitive, weight.primitive, eps), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn rope(
        x: FloatTensor<Self>,
        cos: FloatTensor<Self>,
        sin: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self> {
        let (cos, sin) = (cos.primitive, sin.primitive);
        let y = B::rope(x.primitive, cos.clone(), sin.clone(), heads);
        match Rope.prepare::<C>([x.node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((cos, sin, heads), y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn gate(
        activation: Activation,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let y = B::gate(activation, gate.primitive.clone(), up.primitive.clone());
        match Gate.prepare::<C>([gate.node, up.node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                prepared.finish((activation, gate.primitive, up.primitive), y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }

    fn span_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FloatTensor<Self> {
        let (qp, kp, vp) = (q.primitive, k.primitive, v.primitive);
        match Attention.prepare::<C>([q.node, k.node, v.node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (q, k, v) = (qp.clone(), kp.clone(), vp.clone());
                let [out, lse] = B::span_attention_with_lse(q, k, v, spans, shape);
                let (spans, shape) = (spans.to_vec(), *shape);
                let state = Attended { q: qp, k: kp, v: vp, out: out.clone(), lse, spans, shape };
                prepared.finish(state, out)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::span_attention(qp, kp, vp, spans, shape))
            }
        }
    }

    fn new_kv_layer(
        slots: usize,
        capacity: usize,
        shape: &AttentionShape,
        dtype: KvDtype,
        device: &Self::Device,
    ) -> Self::KvLayer {
        B::new_kv_layer(slots, capacity, shape, dtype, device)
    }

    fn cached_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        cache: &mut Self::KvLayer,
        spans: &[Span],
        shape: &AttentionShape,
    ) -> FloatTensor<Self> {
        Self::from_inner(B::cached_attention(
            q.primitive,
            k.primitive,
            v.primitive,
            cache,
            spans,
            shape,
        ))
    }

    fn copy_kv_slot(cache: &mut Self::KvLayer, from: usize, to: usize, len: usize) {
        B::copy_kv_slot(cache, from, to, len);
    }
}

/// Gradients of all that `output`, `[rows, cols]`, came from, given its own.
pub(crate) fn backward_from<B: DecoderBackend>(
    output: Tensor<Autodiff<B>, 2>,
    gradient: Tensor<B, 2>,
) -> Gradients {
    let device = output.device();
    let output = output.into_primitive().tensor();
    // Burn begins with the gradient of one number, 1: this number's value is nobody's, its gradient what was given.
    let one = B::float_zeros([1].into(), &device, FloatDType::F32);
    let gradient = gradient.into_primitive().tensor();
    let root = match Given.prepare::<NoCheckpointing>([output.node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(gradient, one),
        OpsKind::UnTracked(prepared) => prepared.finish(one),
    };
    Tensor::<Autodiff<B>, 1>::from_primitive(TensorPrimitive::Float(root)).backward()
}

#[derive(Debug)]
struct Given;

impl<B: DecoderBackend> Backward<B, 1> for Given {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        grads.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<B>(parent.id, ops.state);
        }
    }
}

#[derive(Debug)]
struct RmsNorm;

impl<B: DecoderBackend> Backward<B, 2> for RmsNorm {
    type State = (FloatTensor<B>, FloatTensor<B>, f32);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (x, weight, eps) = ops.state;
        let dy = grads.consume::<B>(&ops.node);
        let [to_x, to_weight] = ops.parents;
        let (dx, dweight) = B::rms_norm_backward(x, weight, eps, dy, to_weight.is_some());
        if let Some(parent) = to_x {
            grads.register::<B>(parent.id, dx);
        }
        if let (Some(parent), Some(dweight)) = (to_weight, dweight) {
            grads.register::<B>(parent.id, dweight);
        }
    }
}

#[derive(Debug)]
struct Rope;

impl<B: DecoderBackend> Backward<B, 1> for Rope {
    type State = (FloatTensor<B>, FloatTensor<B>, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (cos, sin, heads) = ops.state;
        let dy = grads.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<B>(parent.id, B::rope_backward(dy, cos, sin, heads));
        }
    }
}

#[derive(Debug)]
struct Gate;

impl<B: DecoderBackend> Backward<B, 2> for Gate {
    type State = (Activation, FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (activation, gate, up) = ops.state;
        let dy = grads.consume::<B>(&ops.node);
        let gradients = B::gate_backward(activation, gate, up, dy);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

#[derive(Debug)]
struct Attention;

#[derive(Clone, Debug)]
struct Attended<B: DecoderBackend> {
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    out: FloatTensor<B>,
    lse: FloatTensor<B>,
    spans: Vec<Span>,
    shape: AttentionShape,
}

impl<B: DecoderBackend> Backward<B, 3> for Attention {
    type State = Attended<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let Attended { q, k, v, out, lse, spans, shape } = ops.state;
        let dout = grads.consume::<B>(&ops.node);
        let gradients = B::span_attention_backward(q, k, v, out, lse, dout, &spans, &shape);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}
