use lora_train::checkpoint::{Found, newest, verify};
use run_manifest::read_manifest;
use serde_json::{Map, Value};

use super::{Faults, Note};
use crate::config::{Resume, SftConfig, decisive};

/// Finds the checkpoint that the settings name, and holds it against them.
pub(super) fn resume(
    config: &SftConfig,
    world: usize,
    faults: &mut Faults,
    notes: &mut Vec<Note>,
) -> Option<Found> {
    let found = find(config, faults, notes)?;
    let (path, saved) = (found.path.display(), found.state.world_size);
    faults.unless(
        saved == world as u64,
        "resume",
        format_args!(
            "{path} is of a run with {saved} processes, and this one has {world}; start as many, or begin anew \
             with --resume none and another --out"
        ),
    );
    // The trainer goes by digests, and would only say that something differs.
    let manifest = faults.take("resume", read_manifest(&found.path.join("manifest.json")))?;
    let Value::Object(theirs) = manifest.config else { return Some(found) };
    for (key, ours, theirs) in differences(&config.decisive(), &decisive(theirs)) {
        faults.add(
            key,
            format_args!(
                "is {ours}, and was {theirs} in the run of {path}; it must stay, or begin anew with --resume none \
                 and another --out"
            ),
        );
    }
    Some(found)
}

fn find(config: &SftConfig, faults: &mut Faults, notes: &mut Vec<Note>) -> Option<Found> {
    match &config.resume {
        Resume::None => None,
        Resume::Folder(path) => {
            let state = faults.take("resume", verify(path))?;
            Some(Found { path: path.clone(), state })
        }
        Resume::Auto => {
            let newest = faults.take("resume", newest(&config.out))?;
            notes.extend(newest.skipped.iter().map(|(path, error)| {
                Note::warning(format!("passed over {}: {error}", path.display()))
            }));
            newest.found
        }
    }
}

/// Keys whose values differ, with both.
fn differences(
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
) -> Vec<(String, Value, Value)> {
    let mut keys: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let of = |map: &Map<String, Value>, key: &str| map.get(key).cloned().unwrap_or(Value::Null);
    let pairs = keys.into_iter().map(|key| (key.clone(), of(ours, key), of(theirs, key)));
    let mut found = Vec::new();
    for (key, ours, theirs) in pairs.filter(|(_, ours, theirs)| ours != theirs) {
        match (&ours, &theirs) {
            (Value::Object(ours), Value::Object(theirs)) => {
                let inner = differences(ours, theirs).into_iter();
                found.extend(
                    inner.map(|(inner, ours, theirs)| (format!("{key}.{inner}"), ours, theirs)),
                );
            }
            _ => found.push((key, ours, theirs)),
        }
    }
    found
}
