use std::fs;
use std::path::{Path, PathBuf};

use figment::providers::{Env, Serialized};
use figment::value::{Dict, Map};
use figment::{Error, Figment, Metadata, Profile, Provider};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Hint;

/// A YAML file as a layer of settings.
#[derive(Debug, Clone)]
pub struct YamlFile(pub PathBuf);

impl Provider for YamlFile {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0.display().to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let text = fs::read_to_string(&self.0)
            .map_err(|error| Error::from(format!("cannot read {}: {error}", self.0.display())))?;
        let values: Option<Dict> = yaml_serde::from_str(&text).map_err(|error| {
            Error::from(format!("{} is no YAML mapping: {error}", self.0.display()))
        })?;
        Ok(Profile::Default.collect(values.unwrap_or_default()))
    }
}

/// Settings of `stage`: the defaults, then the file, then the environment
/// (`THESISFORGE_STAGE_KEY`), then the flags; a later layer wins.
///
/// # Errors
/// A file that cannot be read, an unknown key, a value of the wrong type: with the key, and with
/// the layer that it came from.
pub(crate) fn layered<T>(
    stage: &str,
    file: Option<&Path>,
    flags: &impl Serialize,
) -> anyhow::Result<T>
where
    T: Default + Serialize + DeserializeOwned,
{
    let mut layers = Figment::from(Serialized::defaults(T::default()));
    if let Some(file) = file {
        layers = layers.merge(YamlFile(file.to_owned()));
    }
    let prefix = format!("THESISFORGE_{}_", stage.to_uppercase().replace('-', "_"));
    let settings = layers.merge(Env::prefixed(&prefix)).merge(Serialized::defaults(flags));
    settings.extract().map_err(|error| anyhow::anyhow!("{error}")).hint(format!(
        "every key and its default is in the stage's file under configs/; `{stage} --help` lists \
         the flags"
    ))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Config {
        rows: u32,
        name: String,
    }

    impl Default for Config {
        fn default() -> Self {
            Self { rows: 1, name: "default".into() }
        }
    }

    #[derive(Serialize)]
    struct Flags {
        #[serde(skip_serializing_if = "Option::is_none")]
        rows: Option<u32>,
    }

    fn load(yaml: &str, rows: Option<u32>) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("stage.yaml");
        fs::write(&file, yaml).unwrap();
        layered("test-stage", Some(&file), &Flags { rows }).map_err(|e| format!("{e:#}"))
    }

    #[test]
    fn a_later_layer_wins() {
        assert_eq!(load("", None), Ok(Config::default()));
        assert_eq!(load("rows: 2\nname: file", None), Ok(Config { rows: 2, name: "file".into() }));
        assert_eq!(load("rows: 2\nname: file", Some(3)).unwrap().rows, 3);
    }

    #[test]
    fn faults_name_the_key_and_the_file() {
        let unknown = load("rowz: 2", None).unwrap_err();
        assert!(unknown.contains("rowz") && unknown.contains("rows"), "{unknown}");
        let wrong = load("rows: many", None).unwrap_err();
        assert!(wrong.contains("rows") && wrong.contains("stage.yaml"), "{wrong}");
        assert!(load("- a list", None).unwrap_err().contains("no YAML mapping"));
        let missing = layered::<Config>("s", Some(Path::new("no.yaml")), &Flags { rows: None });
        assert!(missing.unwrap_err().to_string().contains("cannot read no.yaml"));
    }
}
