use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    base_model: String,
    epochs: f64,
    seed: u64,
    packing: bool,
    quantization: Kind,
    last_day: Option<u32>,
    days: Option<u32>,
    lora: Lora,
    stop: Option<Stop>,
    variables: Dict,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Lora {
    r: usize,
    alpha: f64,
    modules: Vec<String>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Nf4,
    Int8,
    None,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    depth: f64,
    after: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            base_model: "default".into(),
            epochs: 3.0,
            seed: 7,
            packing: false,
            quantization: Kind::Nf4,
            last_day: None,
            days: None,
            lora: Lora::default(),
            stop: None,
            variables: Dict::new(),
        }
    }
}

impl Default for Lora {
    fn default() -> Self {
        Self { r: 16, alpha: 32.0, modules: Vec::new() }
    }
}

const RULES: ConfigRules = ConfigRules {
    aliases: &[
        EnvAlias { variable: "BASE_MODEL", key: "base_model" },
        EnvAlias { variable: "RANK", key: "lora.r" },
        EnvAlias { variable: "LAST_DAY", key: "last_day" },
    ],
    alternatives: &[&["last_day"], &["days"]],
};

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// The settings of a file, of the environment, of `.env` and of flags (JSON); both names of the file
/// and of `.env` come out the same everywhere.
fn load(
    yaml: &str,
    process: Pairs<'_>,
    env_file: Pairs<'_>,
    flags: &str,
) -> Result<Layered<Config>, String> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sft.yaml");
    fs::write(&file, yaml).unwrap();
    let flags: Dict = serde_json::from_str(flags).unwrap();
    let environment = Environment::of(process, env_file);
    let layered = layered("train-sft", Some(&file), &environment, &RULES, &flags);
    layered.map_err(|error| format!("{error:#}").replace(&file.display().to_string(), "sft.yaml"))
}

#[test]
fn a_later_layer_wins() {
    const SEED: &str = "THESISFORGE_TRAIN_SFT_SEED";
    let check = |yaml, process: Pairs<'_>, env_file: Pairs<'_>, flags, want, by: &str| {
        let Layered { settings, by_variables } = load(yaml, process, env_file, flags).unwrap();
        let by_variables: Vec<_> =
            by_variables.iter().map(|(key, by)| format!("{key}: {by}")).collect();
        let case = format!("{yaml} {process:?} {env_file:?} {flags}");
        assert_eq!((settings.seed, by_variables.join(", ").as_str()), (want, by), "{case}");
    };
    check("", &[], &[], "{}", 7, "");
    check("seed: 1", &[], &[], "{}", 1, "");
    check("seed: 1", &[], &[(SEED, "2")], "{}", 2, "seed: THESISFORGE_TRAIN_SFT_SEED in work/.env");
    check("seed: 1", &[(SEED, "3")], &[(SEED, "2")], "{}", 3, "seed: THESISFORGE_TRAIN_SFT_SEED");
    check("seed: 1", &[(SEED, "3")], &[(SEED, "2")], "{\"seed\": 4}", 4, "");
    check("", &[], &[], "{\"seed\": 4}", 4, "");
    // Set to nothing is not set, and hides the file's.
    check("seed: 1", &[(SEED, "")], &[(SEED, "2")], "{}", 1, "");
    // Of other stages, or of none.
    check("", &[("THESISFORGE_INGEST_SEED", "2"), ("SEED", "2")], &[("SEED", "3")], "{}", 7, "");
}

#[test]
fn aliases_rank_between_file_and_variables() {
    const NAME: &str = "THESISFORGE_TRAIN_SFT_BASE_MODEL";
    let check = |yaml, process: Pairs<'_>, env_file: Pairs<'_>, flags, want, by: &str| {
        let Layered { settings, by_variables } = load(yaml, process, env_file, flags).unwrap();
        let by_variables: Vec<_> = by_variables.into_iter().map(|(_, by)| by).collect();
        let case = format!("{yaml} {process:?} {env_file:?} {flags}");
        assert_eq!(
            (settings.base_model.as_str(), by_variables.join(" ").as_str()),
            (want, by),
            "{case}"
        );
    };
    let yaml = "base_model: file";
    check(yaml, &[("BASE_MODEL", "alias")], &[], "{}", "alias", "BASE_MODEL");
    check(yaml, &[], &[("BASE_MODEL", "alias")], "{}", "alias", "BASE_MODEL in work/.env");
    check(yaml, &[("BASE_MODEL", "alias"), (NAME, "own")], &[], "{}", "own", NAME);
    let of_file = format!("{NAME} in work/.env");
    check(yaml, &[("BASE_MODEL", "alias")], &[(NAME, "own")], "{}", "own", &of_file);
    check(yaml, &[("BASE_MODEL", "alias")], &[], "{\"base_model\": \"flag\"}", "flag", "");
    let nested = load("lora: {r: 1, alpha: 2}", &[("RANK", "4")], &[], "{}").unwrap().settings.lora;
    assert_eq!(nested, Lora { r: 4, alpha: 2.0, modules: Vec::new() });
}

#[test]
fn values_of_variables_are_written_as_in_the_file() {
    let check = |name: &str, value: &str, want: Config| {
        let name = format!("THESISFORGE_TRAIN_SFT_{name}");
        let loaded = load("stop: {depth: 0.1}", &[(&name, value)], &[], "{}").unwrap().settings;
        let want = Config { stop: want.stop.or(Some(Stop { depth: 0.1, after: None })), ..want };
        assert_eq!(loaded, want, "{name}={value}");
    };
    let lora = |r, modules: &[&str]| Config {
        lora: Lora {
            r,
            modules: modules.iter().map(|m| (*m).to_owned()).collect(),
            ..Lora::default()
        },
        ..Config::default()
    };
    let base = |text: &str| Config { base_model: text.into(), ..Config::default() };
    check("LORA__R", "8", lora(8, &[]));
    check("LORA", "{r: 8, modules: [q]}", lora(8, &["q"]));
    check("LORA__MODULES", "[q_proj, 'v']", lora(16, &["q_proj", "v"]));
    check("PACKING", " true ", Config { packing: true, ..Config::default() });
    check("EPOCHS", "2", Config { epochs: 2.0, ..Config::default() });
    check("QUANTIZATION", "int8", Config { quantization: Kind::Int8, ..Config::default() });
    check("LAST_DAY", "null", Config::default());
    check("BASE_MODEL", "2021", base("2021"));
    check("BASE_MODEL", "true", base("true"));
    check("BASE_MODEL", "C:\\models: a", base("C:\\models: a"));
    check("BASE_MODEL", "'quoted # text'", base("quoted # text"));
    let stop = Some(Stop { depth: 0.2, after: None });
    check("STOP__DEPTH", "0.2", Config { stop, ..Config::default() });
    let variables = Dict::from([("a".to_owned(), Value::from("b"))]);
    let loaded = load("", &[("THESISFORGE_TRAIN_SFT_VARIABLES", "{a: b}")], &[], "{}").unwrap();
    assert_eq!(loaded.settings.variables, variables);
}

#[test]
fn a_layer_that_says_it_another_way_clears_the_earlier_ones() {
    let check = |yaml, process: Pairs<'_>, flags, want, by: &str| {
        let Layered { settings, by_variables } = load(yaml, process, &[], flags).unwrap();
        let by_variables: Vec<_> = by_variables.into_iter().map(|(_, by)| by).collect();
        let got = ((settings.last_day, settings.days), by_variables.join(" "));
        assert_eq!(got, (want, by.to_owned()), "{yaml} {process:?} {flags}");
    };
    let last_day = [("LAST_DAY", "5")];
    check("days: 3", &[], "{}", (None, Some(3)), "");
    check("days: 3", &last_day, "{}", (Some(5), None), "LAST_DAY");
    check("days: 3", &last_day, "{\"days\": 4}", (None, Some(4)), "");
    check("last_day: 3", &last_day, "{\"seed\": 4}", (Some(5), None), "LAST_DAY");
    // A file that says both is for the stage to judge.
    check("days: 3\nlast_day: 2", &[], "{}", (Some(2), Some(3)), "");
    check("days: 3\nlast_day: null", &[], "{}", (None, Some(3)), "");
}

#[test]
fn faults_of_a_file_name_it_and_the_key() {
    let check = |yaml: &str, want: &str| {
        let error = load(yaml, &[], &[], "{}").expect_err(yaml);
        assert_eq!(error, format!("sft.yaml{want}"), "{yaml}");
    };
    let unknown = |key: &str, meant: &str| {
        format!(": train-sft has no setting `{key}`; did you mean `{meant}`?")
    };
    check("lora: {rank: 8}", &unknown("lora.rank", "lora.r"));
    check("lora: {alfa: 8}", &unknown("lora.alfa", "lora.alpha"));
    check("sede: 1", &unknown("sede", "seed"));
    check("lora_rank: 1", &unknown("lora_rank", "lora.r"));
    check("alpha: 1", &unknown("alpha", "lora.alpha"));
    check("lora: {seed: 1}", &unknown("lora.seed", "seed"));
    check("lara: {r: 1}", &unknown("lara", "lora"));
    check("stop: {dept: 0.1}", &unknown("stop.dept", "stop.depth"));
    check("colour: red", ": train-sft has no setting `colour`");
    check(
        "sede: 1\nlora: {rank: 8}",
        ":\n  train-sft has no setting `lora.rank`; did you mean `lora.r`?\n  train-sft has no setting `sede`; \
         did you mean `seed`?",
    );
    check(
        "lora: {r: many}",
        ": `lora.r` must be a whole number of 0 or more, got the text \"many\"",
    );
    check("lora: {r: -1}", ": `lora.r` must be a whole number of 0 or more, got -1");
    check("lora: {r: 1.5}", ": `lora.r` must be a whole number of 0 or more, got 1.5");
    check("lora: {modules: 3}", ": `lora.modules` must be a list such as [a, b], got 3");
    check("lora: {modules: [[1]]}", ": `lora.modules.0` must be text, got a list");
    check("lora: 8", ": `lora` must be a mapping, got 8");
    check("last_day: 5000000000", ": `last_day` must be a smaller number, got 5000000000");
    check("epochs: three", ": `epochs` must be a number, got the text \"three\"");
    check("packing: yes", ": `packing` must be true or false, got the text \"yes\"");
    check("base_model: 3", ": `base_model` must be text, got 3");
    check("base_model: null", ": `base_model` must be text, got null");
    check(
        "quantization: nf5",
        ": `quantization` must be one of `nf4`, `int8`, `none`, got `nf5`; did you mean `nf4`?",
    );
    check("stop: {after: 3}", ": `stop` lacks `depth`");
    check("- a list", " is no YAML mapping: it must be lines such as `key: value`");
    check("word", " is no YAML mapping: it must be lines such as `key: value`");
    for (yaml, want) in [("a: [1", "cannot be read as YAML: "), ("seed: 1\nseed: 2", "duplicate")] {
        let error = load(yaml, &[], &[], "{}").unwrap_err();
        assert!(error.starts_with("sft.yaml cannot be read") && error.contains(want), "{error}");
    }
    let missing = layered::<Config>(
        "s",
        Some(Path::new("no.yaml")),
        &Environment::default(),
        &RULES,
        &Dict::new(),
    );
    assert!(missing.unwrap_err().to_string().contains("cannot read no.yaml"));
}

#[test]
fn faults_of_a_variable_name_it() {
    let check = |process: Pairs<'_>, env_file: Pairs<'_>, want: &str| {
        let error = load("seed: 1", process, env_file, "{}").expect_err(want);
        assert_eq!(error, want);
    };
    check(
        &[("THESISFORGE_TRAIN_SFT_LORA__RANK", "8")],
        &[],
        "THESISFORGE_TRAIN_SFT_LORA__RANK: train-sft has no setting `lora.rank`; did you mean \
         THESISFORGE_TRAIN_SFT_LORA__R?",
    );
    check(
        &[],
        &[("THESISFORGE_TRAIN_SFT_LORA_R", "8")],
        "THESISFORGE_TRAIN_SFT_LORA_R in work/.env: train-sft has no setting `lora_r`; did you mean \
         THESISFORGE_TRAIN_SFT_LORA__R?",
    );
    check(
        &[("THESISFORGE_TRAIN_SFT_EPOCHS", "1o")],
        &[],
        "THESISFORGE_TRAIN_SFT_EPOCHS: `epochs` must be a number, got the text \"1o\"",
    );
    check(
        &[],
        &[("RANK", "high")],
        "RANK in work/.env: `lora.r` must be a whole number of 0 or more, got the text \"high\"",
    );
    check(
        &[("THESISFORGE_TRAIN_SFT_EPOCHS__X", "1")],
        &[],
        "THESISFORGE_TRAIN_SFT_EPOCHS__X: `epochs` must be a number, got a mapping",
    );
    check(
        &[("THESISFORGE_TRAIN_SFT_STOP__DEPT", "1")],
        &[],
        "THESISFORGE_TRAIN_SFT_STOP__DEPT: train-sft has no setting `stop.dept`; did you mean \
         THESISFORGE_TRAIN_SFT_STOP__DEPTH?",
    );
}
