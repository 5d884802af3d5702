//! Adapters and merged models as other programs read them: what is written reads back, and what is useless is not written.

mod common;

use std::fs;
use std::path::Path;

use burn_flex::Flex;
use causal_lm::adapter::{
    AdapterError, AdapterSpec, InitialWeights, TOKEN_ROWS, lora_names, save_adapter, target_modules,
};
use causal_lm::{LoadOptions, MergedDtype, Quantization, read_config, save_merged};
use checkpoint_files::Checkpoint;
use common::{FAMILIES, fixture, loaded, logits, max_difference, model_folder, reference};
use lora_linear::LoraScaling;
use serde_json::Value;

fn spec(targets: &[&str]) -> AdapterSpec {
    AdapterSpec {
        base_model: "llama".to_owned(),
        rank: 4,
        alpha: 8.0,
        dropout: 0.0,
        scaling: LoraScaling::Standard,
        dora: false,
        target_modules: targets.iter().map(|name| (*name).to_owned()).collect(),
        trainable_tokens: Vec::new(),
        init: InitialWeights::Default,
    }
}

fn options(adapter: &Path) -> LoadOptions {
    LoadOptions { adapter: Some(adapter.to_owned()), ..LoadOptions::default() }
}

struct Tensors(Vec<(String, Vec<usize>, Vec<f32>)>);

impl Tensors {
    fn read(path: &Path) -> Self {
        let file = Checkpoint::open(path.join("adapter_model.safetensors")).expect("an adapter");
        let read = |name: &str| {
            let view = file.get(name).expect(name);
            let mut values = Vec::new();
            view.to_f32(&mut values).expect(name);
            (name.to_owned(), view.shape.to_vec(), values)
        };
        Self(file.tensors().iter().map(|info| read(&info.name)).collect())
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.0.iter().map(|(name, shape, values)| (name.as_str(), &shape[..], &values[..]))
    }
}

/// An adapter of PEFT, written again.
fn check_written_again(adapter: &Path, family: &str, spec: &AdapterSpec) {
    let tensors = Tensors::read(adapter);
    let out = tempfile::tempdir().expect("a folder");
    save_adapter(out.path(), spec, tensors.iter()).expect("an adapter");
    let weights =
        |folder: &Path| fs::read(folder.join("adapter_model.safetensors")).expect("bytes");
    assert_eq!(weights(out.path()), weights(adapter), "{family}: the bytes of PEFT");
    let config = |folder: &Path| {
        let text = fs::read_to_string(folder.join("adapter_config.json")).expect("a text");
        let mut config: Value = serde_json::from_str(&text).expect("JSON");
        let targets = config["target_modules"].as_array_mut().expect("a list");
        targets.sort_by_key(|target| target.to_string());
        config
    };
    assert_eq!(config(out.path()), config(adapter), "{family}");
    let row = &reference(family).rows[0];
    let model = |adapter| loaded::<Flex>(&model_folder(family), &options(adapter));
    assert_eq!(logits(&model(out.path()), &[row]), logits(&model(adapter), &[row]), "{family}");
}

#[test]
fn what_is_written_is_what_peft_writes() {
    let plain = |family: &str| model_folder(family).join("adapter");
    let all = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"];
    check_written_again(&plain("llama"), "llama", &spec(&all));
    let phi3 = AdapterSpec {
        base_model: "phi3".to_owned(),
        ..spec(&["down_proj", "gate_up_proj", "o_proj", "qkv_proj"])
    };
    check_written_again(&plain("phi3"), "phi3", &phi3);
    let dora = AdapterSpec { dora: true, ..spec(&["q_proj", "o_proj", "down_proj"]) };
    check_written_again(&fixture("models/adapters/dora"), "llama", &dora);
    let tokens =
        AdapterSpec { rank: 2, alpha: 4.0, trainable_tokens: vec![7, 3, 260], ..spec(&["q_proj"]) };
    check_written_again(&fixture("models/adapters/tokens"), "llama", &tokens);
}

#[test]
fn all_linear_is_every_projection_and_not_the_head() {
    for (family, expected) in [
        ("llama", "down_proj gate_proj k_proj o_proj q_proj up_proj v_proj"),
        ("phi3", "down_proj gate_up_proj o_proj qkv_proj"),
        ("gemma3_text", "down_proj gate_proj k_proj o_proj q_proj up_proj v_proj"),
    ] {
        let config = read_config(&model_folder(family)).unwrap();
        let targets = target_modules(&config, &["all-linear".to_owned()]).unwrap();
        assert_eq!(targets.names.join(" "), expected, "{family}");
        let file = Tensors::read(&model_folder(family).join("adapter"));
        let shape_of = |name: &str| {
            let found = file.iter().find(|(other, ..)| *other == name);
            found.map(|(_, shape, _)| shape.to_vec())
        };
        assert_eq!(file.0.len(), 2 * targets.modules.len(), "{family}");
        for module in &targets.modules {
            let names = lora_names(&module.name);
            assert_eq!(shape_of(&names.a), Some(vec![4, module.inputs]), "{}", names.a);
            assert_eq!(shape_of(&names.b), Some(vec![module.outputs, 4]), "{}", names.b);
        }
    }
}

#[test]
fn targets_that_mean_nothing_are_named() {
    let config = read_config(&model_folder("phi3")).unwrap();
    let targets = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        target_modules(&config, &names)
    };
    let message = targets(&["o_proj", "q_proj"]).unwrap_err().to_string();
    assert!(message.contains("`q_proj`") && message.contains("qkv_proj"), "{message}");
    assert!(targets(&["lm_head"]).is_err());
    let two = targets(&["o_proj", "1.mlp.down_proj", "o_proj"]).unwrap();
    assert_eq!(two.names, ["1.mlp.down_proj", "o_proj"]);
    let names: Vec<_> = two.modules.iter().map(|module| module.name.as_str()).collect();
    let expected = [
        "model.layers.0.self_attn.o_proj",
        "model.layers.1.self_attn.o_proj",
        "model.layers.1.mlp.down_proj",
    ];
    assert_eq!(names, expected);
}

/// What is said about the plain adapter of llama, changed; nothing may have been written.
fn refused(spec: &AdapterSpec, change: impl FnOnce(&mut Tensors)) -> AdapterError {
    let mut tensors = Tensors::read(&model_folder("llama").join("adapter"));
    tensors.0.retain(|(name, ..)| name.contains("q_proj"));
    change(&mut tensors);
    let out = tempfile::tempdir().expect("a folder");
    let error = save_adapter(out.path(), spec, tensors.iter()).expect_err("a fault");
    assert_eq!(fs::read_dir(out.path()).expect("a folder").count(), 0, "{error}");
    error
}

#[test]
fn useless_adapters_are_not_written() {
    let q_proj = spec(&["q_proj"]);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = refused(&q_proj, |tensors| tensors.0[1].2[5] = bad).to_string();
        assert!(error.contains("layers.0.self_attn.q_proj.lora_B.weight"), "{error}");
        assert!(error.contains("at 5"), "{error}");
    }
    let says = |spec: &AdapterSpec, change: fn(&mut Tensors), part: &str| {
        let error = refused(spec, change).to_string();
        assert!(error.contains(part), "{error} has no {part}");
    };
    says(&q_proj, |t| drop(t.0.remove(0)), "lora_A.weight` of the adapter");
    says(&q_proj, |t| drop(t.0.remove(1)), "lora_B.weight` of the adapter");
    says(&q_proj, |t| t.0.clear(), "`q_proj`");
    says(&q_proj, |t| t.0[0].0 = "x".to_owned(), "`x`");
    says(&q_proj, |t| t.0[0].2.truncate(255), "255 values");
    says(&spec(&["v_proj"]), |_| {}, "no target module");
    says(&spec(&["q_proj", "v_proj"]), |_| {}, "`v_proj`");
    says(&AdapterSpec { rank: 8, ..q_proj.clone() }, |_| {}, "[4, 64]");
    says(&AdapterSpec { dora: true, ..q_proj.clone() }, |_| {}, "lora_magnitude_vector");
    says(&AdapterSpec { trainable_tokens: vec![1], ..q_proj.clone() }, |_| {}, TOKEN_ROWS);
    says(&AdapterSpec { trainable_tokens: vec![1, 2, 1], ..q_proj.clone() }, |_| {}, "each token");
    says(&AdapterSpec { rank: 0, ..q_proj.clone() }, |_| {}, "`r`");
    says(&AdapterSpec { alpha: f64::NAN, ..q_proj.clone() }, |_| {}, "`lora_alpha`");
    says(&AdapterSpec { dropout: 1.0, ..q_proj.clone() }, |_| {}, "`lora_dropout`");
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let tensors = Tensors::read(&model_folder("llama").join("adapter"));
    let all = ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"];
    let error = save_adapter(&file.join("out"), &spec(&all), tensors.iter()).unwrap_err();
    assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
}

fn floats(folder: &Path) -> Vec<(String, Vec<f32>)> {
    let file = Checkpoint::open(folder).expect("a model");
    let read = |name: &str| {
        let mut values = Vec::new();
        file.get(name).expect(name).to_f32(&mut values).expect(name);
        (name.to_owned(), values)
    };
    file.tensors().iter().map(|info| read(&info.name)).collect()
}

/// Logits of the merged folder against those of base and adapter.
fn check_merged(family: &str, source: &Path, adapter: &Path, quantization: Quantization) {
    let what = format!("{} with {}, {quantization:?}", source.display(), adapter.display());
    let mut row = reference(family).rows[0].clone();
    row[..3].copy_from_slice(&[5, 7, 9]);
    let options = LoadOptions { quantization, ..options(adapter) };
    let adapted = logits(&loaded::<Flex>(source, &options), &[&row]);
    let plain = LoadOptions { adapter: None, ..options.clone() };
    let largest = adapted.iter().fold(0.0, |max: f32, v| max.max(v.abs()));
    let unmerged = logits(&loaded::<Flex>(source, &plain), &[&row]);
    assert!(max_difference(&adapted, &unmerged) > 1e-2, "{what}: the adapter changes nothing");

    let out = tempfile::tempdir().expect("a folder");
    let merged = |dtype, name: &str| {
        let out = out.path().join(name);
        save_merged(source, &plain, adapter, &out, dtype, &|_| {}).expect("a merged model");
        out
    };
    let (exact, rounded) = (merged(MergedDtype::F32, "f32"), merged(MergedDtype::Bf16, "bf16"));
    let difference = |folder: &Path| {
        let model = loaded::<Flex>(folder, &LoadOptions::default());
        max_difference(&logits(&model, &[&row]), &adapted) / largest
    };
    assert!(difference(&exact) < 2e-5, "{what}: {}", difference(&exact));
    // Weights with 8 bits of precision, in models whose weights are random and large.
    assert!(difference(&rounded) < 5e-2, "{what}: {}", difference(&rounded));
    let bf16 = |value: &f32| half::bf16::from_f32(*value).to_f32();
    for ((name, exact), (same, rounded)) in floats(&exact).iter().zip(floats(&rounded)) {
        assert_eq!(*name, same, "{what}");
        assert_eq!(rounded, exact.iter().map(bf16).collect::<Vec<_>>(), "{what}: {name}");
    }
}

#[test]
fn merged_models_compute_what_base_and_adapter_compute() {
    for family in FAMILIES {
        let folder = model_folder(family);
        check_merged(family, &folder, &folder.join("adapter"), Quantization::None);
        let nf4 = Quantization::Nf4 { double: true };
        check_merged(family, &folder, &folder.join("adapter"), nf4);
    }
    for (adapter, family) in [
        ("dora", "llama"),
        ("patterns", "llama"),
        ("regex", "qwen3"),
        ("tokens", "llama"),
        ("tokens_tied", "llama_tied_rope3"),
    ] {
        let adapter = fixture("models/adapters").join(adapter);
        check_merged(family, &model_folder(family), &adapter, Quantization::None);
        check_merged(family, &model_folder(family), &adapter, Quantization::Int8);
    }
}

#[test]
fn quantized_folders_and_gguf_files_are_merged_too() {
    let llama = model_folder("llama");
    let stored = fixture("models/bitsandbytes/nf4_double");
    check_merged("llama", &stored, &llama.join("adapter"), Quantization::None);
    for family in ["llama", "phi3", "gemma3_text"] {
        let gguf = fixture("models/gguf").join(format!("{family}.gguf"));
        check_merged(family, &gguf, &model_folder(family).join("adapter"), Quantization::None);
    }
}

#[test]
fn a_merged_folder_has_all_that_a_server_asks_for() {
    let out = tempfile::tempdir().unwrap();
    let stored = fixture("models/bitsandbytes/nf4_double");
    let adapter = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(model_folder("llama").join("adapter")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), adapter.path().join(entry.file_name())).unwrap();
    }
    let text = |folder: &Path, name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let tokenizer = text(&model_folder("llama"), "tokenizer.json") + " ";
    fs::write(adapter.path().join("tokenizer.json"), &tokenizer).unwrap();
    let options = LoadOptions::default();
    let merge = |out: &Path| {
        save_merged(&stored, &options, adapter.path(), out, MergedDtype::Bf16, &|_| {})
    };
    merge(out.path()).unwrap();
    assert_eq!(text(out.path(), "tokenizer.json"), tokenizer, "the adapter's own");
    let config: Value = serde_json::from_str(&text(out.path(), "config.json")).unwrap();
    assert_eq!(
        (&config["dtype"], &config["torch_dtype"]),
        (&"bfloat16".into(), &"bfloat16".into())
    );
    assert_eq!(config.get("quantization_config"), None);
    let about: Value = serde_json::from_str(&text(out.path(), "merge.json")).unwrap();
    assert_eq!(about["base_projections"], "dequantized from the NF4 that the folder holds");

    let error = merge(adapter.path()).unwrap_err().to_string();
    assert!(error.contains("somewhere else"), "{error}");
    assert!(!adapter.path().join("config.json").exists());
    fs::write(
        adapter.path().join("tokenizer.json"),
        tokenizer.replace("\"id\": 256", "\"id\": 9999"),
    )
    .unwrap();
    let error = merge(&out.path().join("other")).unwrap_err().to_string();
    assert!(error.contains("9999"), "{error}");
    assert!(!out.path().join("other").exists());
}
