//! Trajectories that torch and bitsandbytes took, over gradients that both sides can make.

mod numbers;

use numbers::{gradient, numbers};
use optimizer::{
    AdamW, AdamWConfig, Buffer, DynamicMap, Group, SIGNED_MAP, StateDtype, UNSIGNED_MAP,
};
use serde_json::Value;

const ADAMW: &str = include_str!("../../../fixtures/optimizer/adamw.json");
const ADAMW_8BIT: &str = include_str!("../../../fixtures/optimizer/adamw_8bit.json");

fn floats(value: &Value) -> Vec<f32> {
    let values = value.as_array().expect("array");
    values.iter().map(|value| value.as_f64().expect("number") as f32).collect()
}

fn learning_rates(golden: &Value) -> Vec<f64> {
    let values = golden["learning_rates"].as_array().expect("array");
    values.iter().map(|value| value.as_f64().expect("number")).collect()
}

fn f32_buffer(adamw: &AdamW, name: &str) -> Vec<f32> {
    let state = adamw.state();
    match &state.buffers.iter().find(|buffer| buffer.name == name).expect("buffer").values {
        Buffer::F32(values) => values.to_vec(),
        Buffer::U8(_) => panic!("{name} is u8"),
    }
}

fn u8_buffer(adamw: &AdamW, name: &str) -> Vec<u8> {
    let state = adamw.state();
    match &state.buffers.iter().find(|buffer| buffer.name == name).expect("buffer").values {
        Buffer::U8(values) => values.to_vec(),
        Buffer::F32(_) => panic!("{name} is f32"),
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}

/// Largest difference, relative to the value or to `floor`, whichever is larger.
#[track_caller]
fn check(what: &str, got: &[f32], want: &[f32], floor: f32, tolerance: f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    let worst = got
        .iter()
        .zip(want)
        .map(|(got, want)| (got - want).abs() / want.abs().max(floor))
        .fold(0.0, f32::max);
    assert!(worst <= tolerance, "{what}: {worst:e}");
}

#[test]
fn torch() {
    let golden: Value = serde_json::from_str(ADAMW).unwrap();
    let groups = golden["groups"].as_array().unwrap();
    let groups: Vec<Group> = groups
        .iter()
        .map(|group| Group {
            len: group[0].as_u64().unwrap() as usize,
            weight_decay: group[1].as_bool().unwrap(),
        })
        .collect();
    let config = AdamWConfig { weight_decay: 0.1, ..AdamWConfig::default() };
    let mut adamw = AdamW::new(config, groups, StateDtype::F32).unwrap();
    let mut parameters = numbers(1, adamw.parameters(), 0.5);
    let mut compared = 0;
    for (step, learning_rate) in learning_rates(&golden).into_iter().enumerate() {
        let gradient = gradient(step as u64, parameters.len());
        adamw.step(&mut parameters, &gradient, learning_rate).unwrap();
        if let Some(want) = golden["parameters_after"].get((step + 1).to_string()) {
            compared += 1;
            let what = format!("parameters after step {}", step + 1);
            let want = floats(want);
            check(&what, &parameters, &want, 1e-2, 4e-7);
            // PyTorch fuses multiplications and additions; that moves few values at all.
            let same = parameters.iter().zip(&want).filter(|(got, want)| got == want).count();
            assert!(same * 10 >= want.len() * 9, "{what}: {same}");
        }
    }
    assert_eq!(compared, 4);
    check("m", &f32_buffer(&adamw, "m"), &floats(&golden["m"]), 1e-2, 1e-6);
    check("v", &f32_buffer(&adamw, "v"), &floats(&golden["v"]), 0.0, 1e-6);
}

#[test]
fn maps_of_bitsandbytes() {
    let golden: Value = serde_json::from_str(ADAMW_8BIT).unwrap();
    let check = |map: &DynamicMap, want: &Value| assert_eq!(&map.values()[..], floats(want));
    check(&SIGNED_MAP, &golden["signed_map"]);
    check(&UNSIGNED_MAP, &golden["unsigned_map"]);
}

#[test]
fn bitsandbytes_8bit() {
    let golden: Value = serde_json::from_str(ADAMW_8BIT).unwrap();
    let len = golden["count"].as_u64().unwrap() as usize;
    let config = AdamWConfig { weight_decay: 0.1, ..AdamWConfig::default() };
    let groups = vec![Group { len, weight_decay: true }];
    let mut adamw = AdamW::new(config, groups, StateDtype::Blockwise8).unwrap();
    let mut parameters = numbers(1, len, 0.5);
    let mut compared = 0;
    for (step, learning_rate) in learning_rates(&golden).into_iter().enumerate() {
        adamw.step(&mut parameters, &gradient(step as u64, len), learning_rate).unwrap();
        let Some(want) = golden["after"].get((step + 1).to_string()) else { continue };
        compared += 1;
        let tail = &parameters[len - 400..];
        // A moment within a rounding of a border may get the code beside, and that shows later.
        check(&format!("step {}", step + 1), tail, &floats(&want["parameters"]), 1e-2, 1e-5);
        for (codes, absmax) in [("m_codes", "m_absmax"), ("v_codes", "v_absmax")] {
            check(absmax, &f32_buffer(&adamw, absmax), &floats(&want[absmax]), 0.0, 1e-6);
            let want = bytes(want[codes].as_str().unwrap());
            let got = u8_buffer(&adamw, codes);
            assert_eq!(got.len(), want.len(), "{codes}");
            let distances: Vec<u8> =
                got.iter().zip(want).map(|(got, want)| got.abs_diff(want)).collect();
            let differ = distances.iter().filter(|&&distance| distance > 0).count();
            assert!(differ <= 5 && distances.iter().all(|&distance| distance <= 1), "{codes}");
        }
    }
    assert_eq!(compared, 3);
}
