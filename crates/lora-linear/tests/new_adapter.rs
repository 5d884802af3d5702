//! A new adapter changes nothing, and its dropout drops what it says.

use burn::tensor::{Tensor, TensorData};
use burn_flex::{Flex, FlexDevice};
use lora_linear::{
    ComputeDtype, Dropout, Frozen, FrozenWeight, LoraConfig, LoraLinear, LoraScaling,
};

fn base() -> LoraLinear<Flex> {
    let values: Vec<f32> = (0..6 * 9).map(|i| ((i * 7919) % 101) as f32 / 50.0 - 1.0).collect();
    let weight = FrozenWeight::f32(6, 9, values).expect("6 by 9 values");
    LoraLinear::new(Frozen::new(weight, &FlexDevice))
}

#[test]
fn a_new_adapter_changes_nothing() {
    let x = Tensor::<Flex, 2>::from_data(
        [[0.5f32, -1.0, 2.0, 0.0, 1.0, 3.0, -0.25, 0.125, 1.5]],
        &FlexDevice,
    );
    for dora in [false, true] {
        let config = LoraConfig { rank: 2, alpha: 4.0, scaling: LoraScaling::Standard, dora };
        let plain = base();
        let adapted =
            LoraLinear { lora: Some(config.init(&plain.base, 7, &FlexDevice)), ..plain.clone() };
        let expected = plain.forward(x.clone(), ComputeDtype::F32, None).into_data();
        let got = adapted.forward(x.clone(), ComputeDtype::F32, None).into_data();
        got.assert_approx_eq::<f32>(&expected, burn::tensor::Tolerance::absolute(1e-6));
    }
}

#[test]
fn the_seed_decides_the_first_values() {
    let config =
        LoraConfig { rank: 64, alpha: 64.0, scaling: LoraScaling::RankStabilized, dora: false };
    let values = |seed| -> Vec<f32> {
        let lora = config.init(&base().base, seed, &FlexDevice);
        assert_eq!(lora.scaling, 8.0);
        lora.a.into_data().to_vec().expect("values are f32")
    };
    assert_eq!(values(1), values(1));
    assert_ne!(values(1), values(2));
    let bound = 1.0 / 3.0;
    let greatest = values(1).into_iter().map(f32::abs).fold(0.0, f32::max);
    assert!(greatest <= bound && greatest > 0.95 * bound, "{greatest}");
    let mean = values(1).iter().sum::<f32>() / (64.0 * 9.0);
    assert!(mean.abs() < 0.03, "{mean}");
}

#[test]
fn dropout_keeps_the_mean() {
    let values = |seed| -> Vec<f32> {
        let dropout = Dropout { probability: 0.25, seed };
        dropout.mask::<Flex>([200, 100], &FlexDevice).into_data().to_vec().expect("values are f32")
    };
    let mask = values(3);
    assert!(mask.iter().all(|&value| value == 0.0 || value == 4.0 / 3.0));
    // Five standard errors of a share of 20,000 draws.
    let dropped = mask.iter().filter(|&&value| value == 0.0).count() as f64 / 20_000.0;
    assert!((dropped - 0.25).abs() < 0.0153, "{dropped}");
    assert_eq!(mask, values(3));
    assert_ne!(mask, values(4));
    let none = Dropout { probability: 0.0, seed: 1 }.mask::<Flex>([2, 3], &FlexDevice).into_data();
    assert_eq!(none, TensorData::new(vec![1.0f32; 6], [2, 3]));
}
