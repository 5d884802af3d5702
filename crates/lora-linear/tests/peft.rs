//! Outputs and gradients of adapters against PEFT's: `fixtures/lora/cases.json`, which names its versions.

use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};
use burn_autodiff::Autodiff;
use burn_flex::Flex;
use burn_ndarray::NdArray;
use lora_linear::{
    ComputeDtype, Frozen, FrozenBackend, FrozenWeight, Lora, LoraLinear, LoraScaling, Weight,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    rows: usize,
    inputs: usize,
    outputs: usize,
    rank: usize,
    alpha: f64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    rslora: bool,
    weight: Vec<f32>,
    bias: Option<Vec<f32>>,
    a: Vec<f32>,
    b: Vec<f32>,
    magnitude: Option<Vec<f32>>,
    mask: Option<Vec<f32>>,
    x: Vec<f32>,
    dy: Vec<f32>,
    y: Vec<f32>,
    grad_x: Vec<f32>,
    grad_a: Vec<f32>,
    grad_b: Vec<f32>,
    grad_magnitude: Option<Vec<f32>>,
}

fn check<B: AutodiffBackend + FrozenBackend>(fix_norms: bool) {
    let text = include_str!("../../../fixtures/lora/cases.json");
    let cases: Cases = serde_json::from_str(text).expect("the fixture is JSON");
    let (m, k, n, r) = (cases.rows, cases.inputs, cases.outputs, cases.rank);
    let device = B::Device::default();
    let matrix = |values: &[f32], shape: [usize; 2]| {
        Tensor::<B, 2>::from_data(TensorData::new(values.to_vec(), shape), &device)
    };
    let vector = |values: &[f32]| {
        Tensor::<B, 1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &device)
    };
    for case in &cases.cases {
        let weight = FrozenWeight::f32(n, k, case.weight.clone()).expect("the shape fits");
        let scaling = match case.rslora {
            true => LoraScaling::RankStabilized,
            false => LoraScaling::Standard,
        };
        let mut lora = Lora {
            a: matrix(&case.a, [r, k]).require_grad(),
            b: matrix(&case.b, [n, r]).require_grad(),
            scaling: scaling.factor(cases.alpha, r),
            dora: None,
        };
        let magnitude = case.magnitude.as_ref().map(|values| vector(values).require_grad());
        if let Some(magnitude) = &magnitude {
            lora = lora.with_magnitude(magnitude.clone());
        }
        let base = Weight::Frozen(Frozen::new(weight, &device));
        if fix_norms {
            lora.fix_norms(&base);
        }
        let linear =
            LoraLinear { base, bias: case.bias.as_deref().map(vector), lora: Some(lora.clone()) };
        let x = matrix(&case.x, [m, k]).require_grad();
        let y = match &case.mask {
            None => linear.forward(x.clone(), ComputeDtype::F32, None),
            Some(mask) => linear.forward_masked(x.clone(), ComputeDtype::F32, matrix(mask, [m, k])),
        };
        let near = |what: &str, got: TensorData, expected: &[f32]| {
            let got = got.to_vec::<f32>().expect("values are f32");
            assert_eq!(got.len(), expected.len(), "{}: {what}", case.name);
            for (got, expected) in got.iter().zip(expected) {
                let error = (got - expected).abs();
                assert!(
                    error <= 2e-6 * (1.0 + expected.abs()),
                    "{}: {what}: {got}, PEFT has {expected}",
                    case.name
                );
            }
        };
        near("y", y.to_data(), &case.y);
        if case.mask.is_none() {
            let onto = matrix(&case.dy, [m, n]);
            let sum = linear.forward_onto(onto.clone(), x.clone(), ComputeDtype::F32, None);
            near("y on top", (sum - onto).into_data(), &case.y);
        }
        let grads = (y * matrix(&case.dy, [m, n])).sum().backward();
        near("grad of x", x.grad(&grads).expect("x has a gradient").into_data(), &case.grad_x);
        near("grad of a", lora.a.grad(&grads).expect("a has a gradient").into_data(), &case.grad_a);
        near("grad of b", lora.b.grad(&grads).expect("b has a gradient").into_data(), &case.grad_b);
        if let (Some(magnitude), Some(expected)) = (magnitude, &case.grad_magnitude) {
            let grad = magnitude.grad(&grads).expect("the magnitude has a gradient");
            near("grad of the magnitude", grad.into_data(), expected);
        }
    }
    assert_eq!(cases.cases.len(), 7);
}

#[test]
fn flex_agrees_with_peft() {
    check::<Autodiff<Flex>>(false);
}

#[test]
fn ndarray_agrees_with_peft() {
    check::<Autodiff<NdArray>>(false);
}

#[test]
fn norms_that_are_taken_once_change_nothing() {
    check::<Autodiff<Flex>>(true);
}
