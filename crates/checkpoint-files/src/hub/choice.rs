//! Which files of a model are fetched.

use super::HubError;
use super::answer::{FileOfModel, ModelAnswer};

/// Everything beside weights that a decoder and its tokenizer need.
const PLAIN: [&str; 5] = [
    "config.json",
    "generation_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// The files to fetch, small ones first, weights last.
///
/// Weights are all safetensors at the top, but where there are some called `model…`, only these: some models hold the same
/// weights a second time as `consolidated.safetensors`.
pub(super) fn choose(model: &str, answer: &ModelAnswer) -> Result<Vec<FileOfModel>, HubError> {
    let is_weights = |name: &str| name.ends_with(".safetensors");
    let is_index = |name: &str| name.ends_with(".safetensors.index.json");
    let at_top = || answer.files.iter().filter(|file| is_plain_name(&file.name));
    let has_model = at_top().any(|file| is_weights(&file.name) && file.name.starts_with("model"));
    let is_wanted = |name: &str| !has_model || name.starts_with("model");
    let mut chosen: Vec<FileOfModel> = at_top()
        .filter(|file| {
            let name = file.name.as_str();
            PLAIN.contains(&name)
                || (name.starts_with("tokenizer") && !name.ends_with(".safetensors"))
                || ((is_weights(name) || is_index(name)) && is_wanted(name))
        })
        .cloned()
        .collect();
    chosen.sort_by(|a, b| (is_weights(&a.name), &a.name).cmp(&(is_weights(&b.name), &b.name)));
    chosen.dedup_by(|a, b| a.name == b.name);
    if chosen.iter().any(|file| is_weights(&file.name)) {
        return Ok(chosen);
    }
    let others = at_top().map(|file| file.name.as_str()).filter(|name| {
        [".bin", ".pt", ".pth", ".gguf", ".h5", ".msgpack"].iter().any(|end| name.ends_with(end))
    });
    let mut found: Vec<String> = others.map(str::to_owned).collect();
    found.truncate(10);
    Err(HubError::NoWeights { model: model.to_owned(), found })
}

/// Whether a name is that of a file at the top, and safe as one.
fn is_plain_name(name: &str) -> bool {
    !name.starts_with('.')
        && name.len() <= 200
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], want: Result<&[&str], &str>) {
        let file = |name: &&str| FileOfModel { name: (*name).to_owned(), size: None };
        let files = names.iter().map(file).collect();
        let answer = ModelAnswer { commit: String::new(), files };
        let got = choose("hub:a/b@c", &answer);
        let got = got.map(|files| files.into_iter().map(|file| file.name).collect::<Vec<_>>());
        let want = want.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(got.map_err(|error| error.to_string()), want.map_err(str::to_owned));
    }

    #[test]
    fn what_a_decoder_needs() {
        check(
            &[
                ".gitattributes",
                "README.md",
                "model.safetensors",
                "config.json",
                "tokenizer.json",
                "tokenizer.model",
                "onnx/model.onnx",
                "merges.txt",
                "generation_config.json",
                "training_args.bin",
            ],
            Ok(&[
                "config.json",
                "generation_config.json",
                "tokenizer.json",
                "tokenizer.model",
                "model.safetensors",
            ]),
        );
        check(
            &[
                "consolidated.safetensors",
                "model-00002-of-00002.safetensors",
                "model-00001-of-00002.safetensors",
                "model.safetensors.index.json",
            ],
            Ok(&[
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            ]),
        );
        check(&["adapter_model.safetensors"], Ok(&["adapter_model.safetensors"]));
        check(
            &["pytorch_model.bin", "config.json"],
            Err("hub:a/b@c has no safetensors, but pytorch_model.bin, which are not fetched"),
        );
        check(
            &["../model.safetensors", "a/model.safetensors"],
            Err("hub:a/b@c has no safetensors"),
        );
    }
}
