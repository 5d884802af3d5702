//! Headers and files that are wrong, each in its own way, and what is said about them.

use std::path::Path;

use checkpoint_files::safetensors;
use expect_test::expect;

/// A file of this header and so many bytes of data.
fn file(json: &str, data: usize) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

/// One tensor `t` with this entry.
fn tensor(dtype: &str, shape: &str, offsets: &str, data: usize) -> Vec<u8> {
    let entry = format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}"#);
    file(&format!(r#"{{"t":{entry}}}"#), data)
}

/// Two vectors of f32 with these bytes.
fn two(a: (usize, usize), b: (usize, usize), data: usize) -> Vec<u8> {
    let entry = |(start, end): (usize, usize)| {
        let n = end.saturating_sub(start) / 4;
        format!(r#"{{"dtype":"F32","shape":[{n}],"data_offsets":[{start},{end}]}}"#)
    };
    file(&format!(r#"{{"a":{},"b":{}}}"#, entry(a), entry(b)), data)
}

fn claim(length: u64, rest: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes(), rest].concat()
}

/// The error with its causes, or `fine`.
fn outcome(bytes: &[u8]) -> String {
    let error = match safetensors::parse(Path::new("F"), bytes) {
        Ok(_) => return "fine".to_owned(),
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

#[test]
fn every_fault_is_named() {
    let deep = format!(r#"{{"t":{}}}"#, "[".repeat(100_000));
    let deep_unknown = format!(
        r#"{{"t":{{"x":{}1{},"dtype":"U8","shape":[1],"data_offsets":[0,1]}}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let long_name = format!(r#"{{"{}":7}}"#, "n".repeat(5000));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", vec![]),
        ("no length", vec![1, 2, 3]),
        ("length beyond the file", claim(100, b"{}")),
        ("length beyond memory", claim(u64::MAX, b"{}")),
        ("length above the limit", claim(100_000_001, b"{}")),
        ("empty header", claim(0, b"")),
        ("header of spaces", file("  ", 0)),
        ("leading space", file(" {}", 0)),
        ("no JSON", file("{nonsense}", 0)),
        ("cut JSON", file(r#"{"t":{"dtype":"F32""#, 0)),
        ("JSON and more", file("{} {}", 0)),
        ("not UTF-8", claim(4, b"{\"\xFF}")),
        ("half a surrogate", file(r#"{"\ud800":1}"#, 0)),
        ("an array", file("[]", 0)),
        ("deep JSON", file(&deep, 0)),
        ("deep JSON in an unknown field", file(&deep_unknown, 1)),
        ("a long name", file(&long_name, 0)),
        ("a number for an entry", file(r#"{"t":7}"#, 0)),
        ("no type", file(r#"{"t":{"shape":[],"data_offsets":[0,0]}}"#, 0)),
        ("no shape", file(r#"{"t":{"dtype":"U8","data_offsets":[0,0]}}"#, 0)),
        ("no offsets", file(r#"{"t":{"dtype":"U8","shape":[]}}"#, 0)),
        (
            "a type twice",
            file(r#"{"t":{"dtype":"U8","dtype":"I8","shape":[],"data_offsets":[0,1]}}"#, 1),
        ),
        ("unknown type", tensor("F128", "[1]", "[0,16]", 16)),
        ("type of GGUF", tensor("Q4_0", "[32]", "[0,18]", 18)),
        ("negative dimension", tensor("U8", "[-1]", "[0,1]", 1)),
        ("broken dimension", tensor("U8", "[1.5]", "[0,1]", 1)),
        ("dimension beyond 64 bits", tensor("U8", "[18446744073709551616]", "[0,1]", 1)),
        ("shape overflows", tensor("U8", "[4294967296,4294967296]", "[0,1]", 1)),
        ("bytes overflow", tensor("F64", "[4611686018427387904]", "[0,0]", 0)),
        ("one offset", tensor("U8", "[1]", "[0]", 1)),
        ("three offsets", tensor("U8", "[1]", "[0,1,2]", 1)),
        ("negative offset", tensor("U8", "[1]", "[-1,0]", 1)),
        ("offsets the wrong way", tensor("U8", "[1]", "[1,0]", 1)),
        ("end beyond the file", tensor("U8", "[2]", "[0,2]", 1)),
        ("far end", tensor("U8", "[1]", "[0,18446744073709551615]", 1)),
        ("too many bytes", tensor("F32", "[2]", "[0,12]", 12)),
        ("too few bytes", tensor("F32", "[2,2]", "[0,4]", 4)),
        ("broken block", tensor("F4", "[3]", "[0,2]", 2)),
        ("bytes after the last tensor", tensor("U8", "[1]", "[0,1]", 3)),
        ("bytes and no tensor", file("{}", 3)),
        ("gap at the begin", tensor("U8", "[1]", "[1,2]", 2)),
        ("gap", two((0, 4), (8, 12), 12)),
        ("overlap", two((0, 8), (4, 12), 12)),
        ("the same bytes", two((0, 8), (0, 8), 8)),
        (
            "a name twice",
            file(
                r#"{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"t":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#,
                2,
            ),
        ),
        (
            "a name twice, one empty",
            file(
                r#"{"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#,
                1,
            ),
        ),
        ("no name", file(r#"{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1)),
        (
            "NUL in a name",
            file(r#"{"a\u0000b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#, 1),
        ),
        (
            "control characters in a name",
            file(r#"{"\u001b[2J\n":{"dtype":"U8","shape":[1],"data_offsets":[0,9]}}"#, 1),
        ),
        ("metadata twice", file(r#"{"__metadata__":{},"__metadata__":{}}"#, 0)),
        ("a metadata key twice", file(r#"{"__metadata__":{"a":"1","a":"2"}}"#, 0)),
        ("a number in metadata", file(r#"{"__metadata__":{"a":1}}"#, 0)),
        ("metadata of text", file(r#"{"__metadata__":"pt"}"#, 0)),
    ];
    let lines = cases.iter().map(|(name, bytes)| format!("{name}: {}\n", outcome(bytes)));
    expect![[r#"
        empty: F: the length of the header needs 8 bytes, and 0 are left
        no length: F: the length of the header needs 8 bytes, and 3 are left
        length beyond the file: F: the header needs 100 bytes, and 2 are left
        length beyond memory: the header of F is wrong: it claims 18446744073709551615 bytes, and 100000000 are the most
        length above the limit: the header of F is wrong: it claims 100000001 bytes, and 100000000 are the most
        empty header: the header of F is wrong: it does not begin with `{`
        header of spaces: the header of F is wrong: it does not begin with `{`
        leading space: the header of F is wrong: it does not begin with `{`
        no JSON: F: its JSON is wrong: key must be a string at line 1 column 2
        cut JSON: F: its JSON is wrong: `t`: EOF while parsing an object at line 1 column 19
        JSON and more: F: its JSON is wrong: trailing characters at line 1 column 4
        not UTF-8: the header of F is wrong: it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 2
        half a surrogate: F: its JSON is wrong: unexpected end of hex escape at line 1 column 9
        an array: the header of F is wrong: it does not begin with `{`
        deep JSON: F: its JSON is wrong: `t`: invalid type: sequence, expected a string at line 1 column 6
        deep JSON in an unknown field: fine
        a long name: F: its JSON is wrong: `nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…`: invalid type: integer `7`, expected an object of dtype, shape and data_offsets at line 1 column 5005
        a number for an entry: F: its JSON is wrong: `t`: invalid type: integer `7`, expected an object of dtype, shape and data_offsets at line 1 column 6
        no type: F: its JSON is wrong: `t`: missing field `dtype` at line 1 column 38
        no shape: F: its JSON is wrong: `t`: missing field `shape` at line 1 column 40
        no offsets: F: its JSON is wrong: `t`: missing field `data_offsets` at line 1 column 30
        a type twice: F: its JSON is wrong: `t`: duplicate field `dtype` at line 1 column 26
        unknown type: tensor `t` in F: its type `F128` is not known
        type of GGUF: tensor `t` in F: its type `Q4_0` is not known
        negative dimension: F: its JSON is wrong: `t`: invalid value: integer `-1`, expected usize at line 1 column 30
        broken dimension: F: its JSON is wrong: `t`: invalid type: floating point `1.5`, expected usize at line 1 column 31
        dimension beyond 64 bits: F: its JSON is wrong: `t`: invalid type: floating point `1.8446744073709552e+19`, expected usize at line 1 column 48
        shape overflows: tensor `t` in F: the product of its shape [4294967296, 4294967296] overflows
        bytes overflow: tensor `t` in F: the size of its shape [4611686018427387904] of F64 overflows
        one offset: F: its JSON is wrong: `t`: invalid length 1, expected a tuple of size 2 at line 1 column 49
        three offsets: F: its JSON is wrong: `t`: trailing characters at line 1 column 52
        negative offset: F: its JSON is wrong: `t`: invalid value: integer `-1`, expected usize at line 1 column 49
        offsets the wrong way: tensor `t` in F: its bytes end at 0, before they begin at 1
        end beyond the file: tensor `t` in F: its bytes end at 2, and the file has 1 of data
        far end: tensor `t` in F: its bytes end at 18446744073709551615, and the file has 1 of data
        too many bytes: tensor `t` in F: shape [2] of F32 takes 8 bytes, and it has 12
        too few bytes: tensor `t` in F: shape [2, 2] of F32 takes 16 bytes, and it has 4
        broken block: tensor `t` in F: shape [3] of F4 is no whole number of blocks of 2 values
        bytes after the last tensor: the header of F is wrong: the last 2 bytes of the file belong to no tensor
        bytes and no tensor: the header of F is wrong: the last 3 bytes of the file belong to no tensor
        gap at the begin: tensor `t` in F: bytes 0 to 1 before it belong to no tensor
        gap: tensor `b` in F: bytes 4 to 8 before it belong to no tensor
        overlap: tensor `b` in F: its bytes begin at 4, within those of another tensor
        the same bytes: tensor `b` in F: its bytes begin at 0, within those of another tensor
        a name twice: tensor `t` in F: it is there twice
        a name twice, one empty: tensor `t` in F: it is there twice
        no name: the header of F is wrong: tensor 0 has the name ``
        NUL in a name: the header of F is wrong: tensor 0 has the name `a\0b`
        control characters in a name: tensor `\u{1b}[2J\n` in F: its bytes end at 9, and the file has 1 of data
        metadata twice: F: its JSON is wrong: `__metadata__` is there twice at line 1 column 37
        a metadata key twice: F: its JSON is wrong: `__metadata__`: key `a` is there twice at line 1 column 33
        a number in metadata: F: its JSON is wrong: `__metadata__`: invalid type: integer `1`, expected a string at line 1 column 22
        metadata of text: F: its JSON is wrong: `__metadata__`: invalid type: string "pt", expected an object of strings at line 1 column 20
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn odd_files_are_fine() {
    let cases = [
        ("nothing at all", file("{}", 0)),
        ("spaces after the header", file("{}      ", 0)),
        ("metadata only", file(r#"{"__metadata__":{"format":"pt"}}"#, 0)),
        ("no metadata", file(r#"{"__metadata__":null}"#, 0)),
        ("scalar", tensor("F32", "[]", "[0,4]", 4)),
        ("empty tensor", tensor("F32", "[0,18446744073709551615]", "[0,0]", 0)),
        ("tensors in another order", two((4, 8), (0, 4), 8)),
        ("empty tensors at one place", two((0, 0), (0, 0), 0)),
        (
            "an unknown field",
            file(r#"{"t":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":[1]}}"#, 1),
        ),
    ];
    for (name, bytes) in cases {
        assert_eq!(outcome(&bytes), "fine", "{name}");
        let theirs = ::safetensors::SafeTensors::deserialize(&bytes);
        assert!(theirs.is_ok(), "{name}: {theirs:?}");
    }
}
