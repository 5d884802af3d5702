//! The tiny models under other settings, against transformers 5.23 (fixtures/models/make_variants.py).

mod common;

use std::fs;

use burn_flex::Flex;
use checkpoint_files::Checkpoint;
use common::{fixture, loaded, logits, max_difference, model_folder, reference};
use serde_json::{Map, Value};

fn check(name: &str, variant: &Value) {
    let family = variant["family"].as_str().expect("a family");
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(model_folder(family).join("config.json")).expect("a config");
    let mut config: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    config.extend(variant["changes"].as_object().expect("changes").clone());
    config.retain(|_, value| !value.is_null());
    let text = Value::Object(config).to_string();
    fs::write(folder.path().join("config.json"), text).expect("a file");
    let weights = "model.safetensors";
    fs::copy(model_folder(family).join(weights), folder.path().join(weights)).expect("a copy");

    let mut expected = Vec::new();
    let file = Checkpoint::open(fixture("models/variants.safetensors")).expect("logits");
    file.get(name).expect(name).to_f32(&mut expected).expect(name);
    let row = &reference(family).rows[0];
    let all = logits(&loaded::<Flex>(folder.path(), &Default::default()), &[row]);
    let difference = max_difference(&all[all.len() - expected.len()..], &expected);
    assert!(difference < 1e-4, "{name}: {difference}");
    let plain = logits(&loaded::<Flex>(&model_folder(family), &Default::default()), &[row]);
    let apart = max_difference(&plain[plain.len() - expected.len()..], &expected);
    assert!(apart > 1e-2, "{name}: the settings change nothing");
}

#[test]
fn logits_are_those_of_transformers() {
    let text = fs::read_to_string(fixture("models/variants.json")).unwrap();
    let variants: Map<String, Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(variants.len(), 9);
    for (name, variant) in &variants {
        check(name, variant);
    }
}
