//! What the guides name is there: links and their anchors, paths, and the flags of commands.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The guides, the README and the map, each with its path from the root.
fn guides() -> Vec<(PathBuf, String)> {
    let in_docs = fs::read_dir(root().join("docs")).expect("docs").flatten();
    let mut paths: Vec<PathBuf> =
        in_docs.map(|entry| Path::new("docs").join(entry.file_name())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.extend(["README.md", "ARCHITECTURE.md"].map(PathBuf::from));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(root().join(&path)).expect("a guide");
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut missing = Vec::new();
    for (path, text) in guides() {
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.contains("://")) {
            let (file, wanted) = target.split_once('#').unwrap_or((target, ""));
            let folder = path.parent().unwrap_or(Path::new(""));
            let file = if file.is_empty() { path.clone() } else { folder.join(file) };
            let found = match fs::read_to_string(root().join(&file)) {
                Ok(text) => wanted.is_empty() || anchors(&text).contains(wanted),
                // A picture, or a folder.
                Err(_) => root().join(&file).exists(),
            };
            if !found {
                missing.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn paths_exist() {
    let mut missing = Vec::new();
    let of_a_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    for (path, text) in guides() {
        for word in text.split(|c| !of_a_path(c)) {
            let word = word.trim_end_matches(['.', '/', '-']).trim_start_matches("../");
            let ours = ["configs/", "fixtures/", "crates/", "bins/", "xtask/", "benches/"];
            let partial = word.contains("...") || word.ends_with('_');
            if ours.iter().any(|folder| word.starts_with(folder)) && !partial {
                // Named after crates alone, a file lies in `src`, or is a module without its ending.
                let names = [word.to_owned(), format!("{word}.rs")];
                if !names.iter().any(|name| root().join(name).exists()) {
                    missing.push(format!("{}: {word}", path.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn flags_exist() {
    let mut missing = Vec::new();
    for (path, text) in guides() {
        for block in text.split("```sh").skip(1).filter_map(|rest| rest.split("```").next()) {
            for command in block.replace("\\\n", " ").lines() {
                let Some((before, after)) = command.split_once(" -- ") else { continue };
                let Some(bin) = before.split_whitespace().skip_while(|word| *word != "-p").nth(1)
                else {
                    continue;
                };
                let source = flags_source(bin);
                for word in after.split_whitespace().filter_map(|word| word.strip_prefix("--")) {
                    let flag = word.split('=').next().unwrap_or(word).replace('-', "_");
                    if !source.contains(&format!(" {flag}: ")) {
                        missing.push(format!("{}: {bin} --{word}", path.display()));
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// The code that declares a binary's flags.
fn flags_source(bin: &str) -> String {
    let args = root().join("bins").join(bin).join("src");
    let mut files = vec![root().join("crates/stage-cli/src/stage.rs"), args.join("args.rs")];
    files.extend(fs::read_dir(args.join("args")).into_iter().flatten().flatten().map(|e| e.path()));
    files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect()
}
