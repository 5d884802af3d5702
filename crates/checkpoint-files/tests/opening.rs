//! What may lie at a path, and what is said about it.

use std::fs;
use std::path::Path;

use checkpoint_files::{Checkpoint, TensorSource, write_safetensors};
use expect_test::{Expect, expect};

type Fill<'a> = &'a dyn Fn(&Path);

/// Makes a folder for each case, fills it, opens a path in it: the error with its causes, or the names of the tensors.
fn check(cases: &[(&str, Fill<'_>, &str)], want: &Expect) {
    let mut lines = String::new();
    for (name, fill, open) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path());
        let text = said(&folder.path().join(open));
        let text = text.replace(&folder.path().display().to_string(), "DIR");
        lines += &format!("{name}: {text}\n");
    }
    want.assert_eq(&lines);
}

fn said(path: &Path) -> String {
    let error = match Checkpoint::open(path) {
        Ok(checkpoint) => {
            let names = checkpoint.tensors().iter().map(|info| info.name.as_str());
            return format!("[{}]", names.collect::<Vec<_>>().join(" "));
        }
        Err(error) => error,
    };
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.join(name), bytes).expect("a file");
}

/// A shard with these tensors.
fn shard(folder: &Path, name: &str, tensors: &[&str]) {
    let tensors = tensors.iter().map(|name| TensorSource::f32(*name, [1], vec![1.0]));
    write_safetensors(folder.join(name), tensors, &Default::default()).expect("a shard");
}

/// An index of tensor and shard.
fn index(folder: &Path, pairs: &[(&str, &str)]) {
    let map: serde_json::Map<String, serde_json::Value> =
        pairs.iter().map(|(tensor, shard)| ((*tensor).to_owned(), (*shard).into())).collect();
    write(folder, INDEX, serde_json::json!({ "weight_map": map }).to_string());
}

#[test]
fn folders() {
    let cases: &[(&str, Fill<'_>, &str)] = &[
        ("empty", &|_| (), ""),
        ("not there", &|_| (), "nothing"),
        ("other files", &|f| write(f, "README.md", ""), ""),
        ("GGUF", &|f| write(f, "model-q4.gguf", ""), ""),
        ("an adapter", &|f| shard(f, "adapter_model.safetensors", &["a"]), ""),
        ("one file", &|f| shard(f, "model.safetensors", &["a", "b"]), ""),
        ("pickle", &|f| write(f, "pytorch_model.bin", ""), ""),
        ("pickles", &|f| write(f, "pytorch_model.bin.index.json", ""), ""),
        ("part of pickles", &|f| write(f, "pytorch_model-00001-of-00002.bin", ""), ""),
        (
            "one file and an index, of which transformers, too, takes the file",
            &|f| {
                shard(f, "model.safetensors", &["single"]);
                index(f, &[("a", "model-00001-of-00001.safetensors")]);
            },
            "",
        ),
        (
            "a folder of the name",
            &|f| fs::create_dir(f.join("model.safetensors")).expect("a folder"),
            "",
        ),
        #[cfg(unix)]
        (
            "a link to nowhere",
            &|f| {
                std::os::unix::fs::symlink("nowhere", f.join("model.safetensors")).expect("a link");
            },
            "",
        ),
        #[cfg(unix)]
        ("a device", &|_| (), "/dev/null"),
    ];
    check(
        cases,
        &expect![[r#"
            empty: DIR/ has neither model.safetensors nor model.safetensors.index.json
            not there: cannot open DIR/nothing: No such file or directory (os error 2)
            other files: DIR/ has neither model.safetensors nor model.safetensors.index.json
            GGUF: DIR/ has neither model.safetensors nor model.safetensors.index.json; it has model-q4.gguf
            an adapter: DIR/ has neither model.safetensors nor model.safetensors.index.json; it has adapter_model.safetensors
            one file: [a b]
            pickle: DIR/pytorch_model.bin is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox (`from_pretrained(…)`, then `save_pretrained(…)`)
            pickles: DIR/pytorch_model.bin.index.json is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox (`from_pretrained(…)`, then `save_pretrained(…)`)
            part of pickles: DIR/pytorch_model-00001-of-00002.bin is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox (`from_pretrained(…)`, then `save_pretrained(…)`)
            one file and an index, of which transformers, too, takes the file: [single]
            a folder of the name: cannot read DIR/model.safetensors: Is a directory (os error 21)
            a link to nowhere: cannot open DIR/model.safetensors: No such file or directory (os error 2)
            a device: /dev/null is neither safetensors nor GGUF: it is neither a file nor a folder
        "#]],
    );
}

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 134";

#[test]
fn files_of_other_kinds() {
    let cases: [(&str, &[u8]); 12] = [
        ("empty.safetensors", b""),
        ("short.safetensors", b"{}"),
        ("lfs.safetensors", POINTER.as_bytes()),
        ("page.safetensors", b"<!DOCTYPE html><html>"),
        ("text.safetensors", b"Entry not found"),
        ("zip.safetensors", b"PK\x03\x04\0\0\x08\x08\0\0"),
        ("protocol2.safetensors", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."),
        ("pytorch_model.bin", b"any"),
        ("consolidated.00.pth", b"any"),
        ("old.bin", b"tjgg\x03\0\0\0"),
        ("truncated.gguf", b"GGUF\x03\0\0\0"),
        ("renamed.bin", b"GGUF\x09\0\0\0"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut lines = String::new();
    for (name, bytes) in cases {
        fs::write(folder.path().join(name), bytes).unwrap();
        let text = said(&folder.path().join(name));
        lines += &(text.replace(&folder.path().display().to_string(), "DIR") + "\n");
    }
    expect![[r#"
        DIR/empty.safetensors: the length of the header needs 8 bytes, and 0 are left
        DIR/short.safetensors: the length of the header needs 8 bytes, and 2 are left
        DIR/lfs.safetensors is neither safetensors nor GGUF: it is a pointer of Git LFS; fetch the file itself with `git lfs pull`
        DIR/page.safetensors is neither safetensors nor GGUF: it looks like HTML or XML
        the header of DIR/text.safetensors is wrong: it claims 8029390891631537733 bytes, and 100000000 are the most
        DIR/zip.safetensors is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox (`from_pretrained(…)`, then `save_pretrained(…)`)
        DIR/protocol2.safetensors is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox (`from_pretrained(…)`, then `save_pretrained(…)`)
        DIR/pytorch_model.bin is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox (`from_pretrained(…)`, then `save_pretrained(…)`)
        DIR/consolidated.00.pth is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox (`from_pretrained(…)`, then `save_pretrained(…)`)
        DIR/old.bin is neither safetensors nor GGUF: it is a GGML file from before GGUF; convert the original model anew
        DIR/truncated.gguf: the list of tensors needs 8 bytes, and 0 are left
        the header of DIR/renamed.bin is wrong: GGUF version 9 is not known; 2 and 3 are
    "#]].assert_eq(&lines);
}

#[test]
fn a_header_may_be_as_long_as_a_pickle_begins() {
    // 640 is 80 02 in hexadecimal, the beginning of a pickle; 60 is `<`.
    for length in [60, 640, 768, 896, 1024, 1152, 1280, 1408] {
        let mut bytes = u64::to_le_bytes(length as u64).to_vec();
        bytes.extend(b"{}");
        bytes.resize(8 + length, b' ');
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "model.bin", bytes);
        assert_eq!(said(&folder.path().join("model.bin")), "[]", "{length}");
    }
}

const ONE: &str = "model-00001-of-00002.safetensors";
const TWO: &str = "model-00002-of-00002.safetensors";
const INDEX: &str = "model.safetensors.index.json";

fn good(folder: &Path) {
    shard(folder, ONE, &["b", "a"]);
    shard(folder, TWO, &["c"]);
    index(folder, &[("c", TWO), ("a", ONE), ("b", ONE)]);
}

#[test]
fn indices() {
    let deep = format!(r#"{{"weight_map":{}"#, "[".repeat(100_000));
    let cases: &[(&str, Fill<'_>, &str)] = &[
        ("good", &good, ""),
        ("by its name", &good, INDEX),
        ("one shard alone", &good, ONE),
        ("of nothing", &|f| index(f, &[]), ""),
        ("empty", &|f| write(f, INDEX, ""), ""),
        ("without a map", &|f| write(f, INDEX, "{}"), ""),
        ("a list", &|f| write(f, INDEX, r#"{"weight_map":[]}"#), ""),
        ("a number", &|f| write(f, INDEX, r#"{"weight_map":{"a":7}}"#), ""),
        ("a tensor twice", &|f| write(f, INDEX, r#"{"weight_map":{"a":"x","a":"x"}}"#), ""),
        ("deep", &|f| write(f, INDEX, &deep), ""),
        ("no shards", &|f| index(f, &[("a", ONE), ("b", TWO), ("c", TWO)]), ""),
        (
            "one shard missing",
            &|f| {
                shard(f, ONE, &["a"]);
                index(f, &[("a", ONE), ("b", TWO)]);
            },
            "",
        ),
        (
            "other tensors",
            &|f| {
                shard(f, ONE, &["a", "extra"]);
                shard(f, TWO, &["moved"]);
                index(f, &[("a", ONE), ("moved", ONE), ("lost", TWO)]);
            },
            "",
        ),
        (
            "a tensor in both",
            &|f| {
                shard(f, ONE, &["a", "b"]);
                shard(f, TWO, &["b"]);
                index(f, &[("a", ONE), ("b", TWO)]);
            },
            "",
        ),
        (
            "a cut shard",
            &|f| {
                good(f);
                let bytes = fs::read(f.join(TWO)).expect("the shard");
                write(f, TWO, &bytes[..bytes.len() - 1]);
            },
            "",
        ),
        (
            "a pointer for a shard",
            &|f| {
                write(f, ONE, POINTER);
                index(f, &[("a", ONE)]);
            },
            "",
        ),
        ("itself for a shard", &|f| index(f, &[("a", INDEX)]), ""),
        (
            "a pickle for a shard",
            &|f| {
                write(f, "pytorch_model-1.bin", "PK\x03\x04\0\0\x08\x08\0\0");
                index(f, &[("a", "pytorch_model-1.bin")]);
            },
            "",
        ),
    ];
    check(
        cases,
        &expect![[r#"
            good: [a b c]
            by its name: [a b c]
            one shard alone: [a b]
            of nothing: []
            empty: DIR/model.safetensors.index.json: its JSON is wrong: EOF while parsing a value at line 1 column 0
            without a map: DIR/model.safetensors.index.json: its JSON is wrong: missing field `weight_map` at line 1 column 2
            a list: DIR/model.safetensors.index.json: its JSON is wrong: invalid type: sequence, expected an object from tensor to shard at line 1 column 14
            a number: DIR/model.safetensors.index.json: its JSON is wrong: invalid type: integer `7`, expected a string at line 1 column 20
            a tensor twice: DIR/model.safetensors.index.json: its JSON is wrong: tensor `a` is there twice at line 1 column 31
            deep: DIR/model.safetensors.index.json: its JSON is wrong: invalid type: sequence, expected an object from tensor to shard at line 1 column 14
            no shards: DIR/model.safetensors.index.json names shards that are not there: model-00001-of-00002.safetensors, model-00002-of-00002.safetensors
            one shard missing: DIR/model.safetensors.index.json names shards that are not there: model-00002-of-00002.safetensors
            other tensors: DIR/model.safetensors.index.json and its shards disagree: `extra` in model-00001-of-00002.safetensors is not in the index, `lost` is not in model-00002-of-00002.safetensors, `moved` is in model-00002-of-00002.safetensors, not in model-00001-of-00002.safetensors
            a tensor in both: tensor `b` is both in DIR/model-00001-of-00002.safetensors and in DIR/model-00002-of-00002.safetensors
            a cut shard: tensor `c` in DIR/model-00002-of-00002.safetensors: its bytes end at 4, and the file has 3 of data
            a pointer for a shard: DIR/model-00001-of-00002.safetensors is neither safetensors nor GGUF: it is a pointer of Git LFS; fetch the file itself with `git lfs pull`
            itself for a shard: the header of DIR/model.safetensors.index.json is wrong: it claims 8388068008349082235 bytes, and 100000000 are the most
            a pickle for a shard: DIR/pytorch_model-1.bin is a pickle, which can run any code when it is opened; convert it to safetensors in a sandbox (`from_pretrained(…)`, then `save_pretrained(…)`)
        "#]],
    );
}

#[test]
fn shards_stay_in_their_folder() {
    for name in ["../x", "/x", "a/b", "./x", ".", "..", "", "a\\b", "C:x", "a\u{0}", "x/"] {
        let folder = tempfile::tempdir().unwrap();
        index(folder.path(), &[("a", name)]);
        let text = said(folder.path());
        assert!(text.ends_with("which is no file name"), "{text}");
    }
}

#[test]
fn threads_may_share_a_checkpoint() {
    fn shared<T: Send + Sync>() {}
    shared::<Checkpoint>();
}
