use std::collections::BTreeMap;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::process::{capture, cargo, say};

/// What `cargo metadata` says, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    metadata: Option<PackageMetadata>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    kind: Option<String>,
}

#[derive(Debug, Deserialize)]
struct PackageMetadata {
    thesisforge: Option<Layer>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Layer {
    layer: u32,
}

/// Checks that every crate names its layer and uses crates of lower layers only.
///
/// Dev-dependencies may point anywhere: tests are nobody's foundation.
pub(crate) fn check() -> anyhow::Result<()> {
    let json =
        capture(&mut cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"]))?;
    let Metadata { packages } =
        serde_json::from_str(&json).context("`cargo metadata` printed something else")?;
    let faults = faults(&packages);
    if !faults.is_empty() {
        bail!("arrows must point to a lower layer:\n  {}", faults.join("\n  "));
    }
    say(format!("{} crates, every arrow points down", packages.len()));
    Ok(())
}

fn faults(packages: &[Package]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut layers = BTreeMap::new();
    for package in packages {
        match package.metadata.as_ref().and_then(|metadata| metadata.thesisforge) {
            Some(Layer { layer }) => {
                layers.insert(package.name.as_str(), layer);
            }
            None => faults.push(format!(
                "{} names no layer; add `layer` under [package.metadata.thesisforge]",
                package.name
            )),
        }
    }
    for package in packages {
        let Some(own) = layers.get(package.name.as_str()) else { continue };
        for dependency in &package.dependencies {
            let is_dev = dependency.kind.as_deref() == Some("dev");
            match layers.get(dependency.name.as_str()) {
                Some(other) if other >= own && !is_dev => faults.push(format!(
                    "{} (layer {own}) depends on {} (layer {other})",
                    package.name, dependency.name
                )),
                Some(_) if package.name == "xtask" => faults.push(format!(
                    "xtask depends on {}; it must run when that does not compile",
                    dependency.name
                )),
                _ => {}
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn arrows_up_and_sideways_are_faults() {
        let json = r#"{"packages": [
            {"name": "core", "dependencies": [{"name": "serde", "kind": null}, {"name": "xml", "kind": "dev"}],
             "metadata": {"thesisforge": {"layer": 0}}},
            {"name": "xml", "dependencies": [{"name": "core", "kind": null}, {"name": "split", "kind": null}],
             "metadata": {"thesisforge": {"layer": 1}}},
            {"name": "split", "dependencies": [{"name": "bin", "kind": "build"}],
             "metadata": {"thesisforge": {"layer": 1}}},
            {"name": "bin", "dependencies": [{"name": "xml", "kind": null}],
             "metadata": {"thesisforge": {"layer": 9}}},
            {"name": "xtask", "dependencies": [{"name": "core", "kind": null}],
             "metadata": {"thesisforge": {"layer": 9}}},
            {"name": "stray", "dependencies": [], "metadata": null}
        ]}"#;
        let Metadata { packages } = serde_json::from_str(json).unwrap();
        expect![[r#"
            stray names no layer; add `layer` under [package.metadata.thesisforge]
            xml (layer 1) depends on split (layer 1)
            split (layer 1) depends on bin (layer 9)
            xtask depends on core; it must run when that does not compile"#]]
        .assert_eq(&faults(&packages).join("\n"));
    }
}
