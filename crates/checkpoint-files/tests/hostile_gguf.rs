//! GGUF files that are wrong, each in its own way, and what is said about them.

use std::path::Path;

use checkpoint_files::gguf;
use expect_test::expect;

/// The parts of a file, each as it will stand there.
#[derive(Clone)]
struct Gguf {
    version: u32,
    n_tensors: Option<u64>,
    n_values: Option<u64>,
    values: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    data: usize,
}

/// No tensors, no metadata.
const EMPTY: Gguf =
    Gguf { version: 3, n_tensors: None, n_values: None, values: vec![], tensors: vec![], data: 0 };

impl Gguf {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        bytes.extend(self.n_tensors.unwrap_or(self.tensors.len() as u64).to_le_bytes());
        bytes.extend(self.n_values.unwrap_or(self.values.len() as u64).to_le_bytes());
        bytes.extend(self.values.concat());
        bytes.extend(self.tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(32) + self.data, 0);
        bytes
    }
}

fn values(values: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    Gguf { values: values.into_iter().collect(), ..EMPTY }.bytes()
}

fn tensors(tensors: impl IntoIterator<Item = Vec<u8>>, data: usize) -> Vec<u8> {
    Gguf { tensors: tensors.into_iter().collect(), data, ..EMPTY }.bytes()
}

fn string(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [&(text.len() as u64).to_le_bytes(), text].concat()
}

/// A key with a value of a type.
fn value(key: impl AsRef<[u8]>, value_type: u32, bytes: &[u8]) -> Vec<u8> {
    [&string(key), &value_type.to_le_bytes()[..], bytes].concat()
}

/// An array of a type that claims a length.
fn array(item_type: u32, n: u64, bytes: &[u8]) -> Vec<u8> {
    value("k", 9, &[&item_type.to_le_bytes(), &n.to_le_bytes()[..], bytes].concat())
}

/// A tensor's entry; dimensions innermost first.
fn tensor(name: impl AsRef<[u8]>, dims: &[u64], ggml_type: u32, offset: u64) -> Vec<u8> {
    let mut bytes = string(name);
    bytes.extend((dims.len() as u32).to_le_bytes());
    bytes.extend(dims.iter().flat_map(|dim| dim.to_le_bytes()));
    bytes.extend(ggml_type.to_le_bytes());
    bytes.extend(offset.to_le_bytes());
    bytes
}

const F32: u32 = 0;
const Q4_0: u32 = 2;
const I8: u32 = 24;
const U32: u32 = 4;
const STRING: u32 = 8;
const ARRAY: u32 = 9;

fn alignment(value_type: u32, bytes: &[u8]) -> Vec<u8> {
    value("general.alignment", value_type, bytes)
}

fn outcome(bytes: &[u8]) -> String {
    match gguf::parse(Path::new("F"), bytes) {
        Ok(_) => "fine".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_fault_is_named() {
    let whole = tensors([tensor("t", &[4], F32, 0)], 16);
    let cut = |n: usize| whole[..whole.len() - n].to_vec();
    let one = |dims: &[u64], ggml_type, offset, data| {
        tensors([tensor("t", dims, ggml_type, offset)], data)
    };
    let deep = (0..1000).fold(1_u64.to_le_bytes().to_vec(), |inner, _| {
        [&1_u64.to_le_bytes()[..], &ARRAY.to_le_bytes(), &inner].concat()
    });
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", vec![]),
        ("magic only", b"GGUF".to_vec()),
        ("other magic", b"GGML\x03\0\0\0".to_vec()),
        ("version 0", Gguf { version: 0, ..EMPTY }.bytes()),
        ("version 1", Gguf { version: 1, ..EMPTY }.bytes()),
        ("version 4", Gguf { version: 4, ..EMPTY }.bytes()),
        ("big-endian", Gguf { version: 3_u32.swap_bytes(), ..EMPTY }.bytes()),
        ("no counts", b"GGUF\x03\0\0\0\0\0".to_vec()),
        ("count of tensors beyond the file", Gguf { n_tensors: Some(1000), ..EMPTY }.bytes()),
        ("count of tensors beyond memory", Gguf { n_tensors: Some(u64::MAX), ..EMPTY }.bytes()),
        ("count of keys beyond the file", Gguf { n_values: Some(1 << 40), ..EMPTY }.bytes()),
        ("key beyond the file", values([u64::MAX.to_le_bytes().to_vec(), vec![0; 32]])),
        ("no value", values([string("a key")])[..24 + 8 + 5].to_vec()),
        ("no name", values([value("", U32, &[1, 0, 0, 0])])),
        ("NUL in a key", values([value("a\0b", U32, &[1, 0, 0, 0])])),
        ("key not UTF-8", values([value(b"a\xFFb", U32, &[1, 0, 0, 0])])),
        ("key twice", values([value("a", U32, &[1, 0, 0, 0]), value("a", U32, &[1, 0, 0, 0])])),
        ("unknown type of value", values([value("a", 13, &[0; 32])])),
        ("neither true nor false", values([value("a", 7, &[2; 16])])),
        ("string beyond the file", values([value("a", STRING, &(1_u64 << 60).to_le_bytes())])),
        ("string not UTF-8", values([value("a", STRING, &string(b"\xC3("))])),
        ("array beyond the file", values([array(U32, 1 << 33, &[0; 64])])),
        ("array beyond memory", values([array(12, u64::MAX, &[0; 64])])),
        ("array of strings beyond the file", values([array(STRING, 100, &[0; 64])])),
        (
            "string of an array beyond the file",
            values([array(STRING, 2, &string("a")), vec![0xFF; 40]]),
        ),
        (
            "string of an array not UTF-8",
            values([array(STRING, 2, &[string("a"), string(b"\xFF")].concat())]),
        ),
        ("array of unknown type", values([array(99, 1, &[0; 64])])),
        ("array neither true nor false", values([array(7, 2, &[1, 3])])),
        ("deep arrays", values([value("k", ARRAY, &[&ARRAY.to_le_bytes()[..], &deep].concat())])),
        ("arrays of arrays beyond the file", values([array(ARRAY, 1 << 40, &[0; 64])])),
        ("alignment 0", values([alignment(U32, &[0; 4])])),
        ("alignment 24", values([alignment(U32, &[24, 0, 0, 0])])),
        ("alignment of text", values([alignment(STRING, &string("32"))])),
        (
            "alignment beyond the file",
            Gguf {
                values: vec![alignment(U32, &(1_u32 << 31).to_le_bytes())],
                tensors: vec![tensor("t", &[1], F32, 0)],
                data: 64,
                ..EMPTY
            }
            .bytes(),
        ),
        ("one part of three", values([value("split.count", 2, &[3, 0])])),
        ("name beyond the file", tensors([(1_u64 << 50).to_le_bytes().to_vec(), vec![0; 32]], 0)),
        ("name not UTF-8", tensors([tensor(b"\xFF", &[1], F32, 0)], 4)),
        ("no name for a tensor", tensors([tensor("", &[1], F32, 0)], 4)),
        ("NUL in a name", tensors([tensor("a\0", &[1], F32, 0)], 4)),
        ("name twice", tensors([tensor("t", &[1], F32, 0), tensor("t", &[1], F32, 32)], 64)),
        ("five dimensions", one(&[1; 5], F32, 0, 4)),
        ("2^32 - 1 dimensions", tensors([string("t"), vec![0xFF; 64]], 0)),
        ("shape overflows", one(&[1 << 32, 1 << 32], F32, 0, 4)),
        ("bytes overflow", one(&[1 << 62, 1], F32, 0, 4)),
        ("dimension of 2^64 - 1", one(&[u64::MAX], F32, 0, 4)),
        ("rows of broken blocks", one(&[48, 2], Q4_0, 0, 1000)),
        (
            "types that cannot be read",
            tensors(
                [
                    tensor("a", &[1], 10, 0),
                    tensor("b", &[1], 23, 0),
                    tensor("c", &[1], 10, 0),
                    tensor("d", &[1], 77, 0),
                ],
                64,
            ),
        ),
        ("types that were removed", one(&[32], 4, 0, 64)),
        ("odd offset", one(&[1], F32, 4, 64)),
        ("offset beyond the file", one(&[1], F32, 1 << 20, 64)),
        ("offset beyond memory", one(&[1], F32, u64::MAX - 31, 64)),
        ("data cut by one byte", cut(1)),
        ("no data", cut(16)),
        ("entry cut", cut(50)),
        ("overlap", tensors([tensor("a", &[9], F32, 0), tensor("b", &[1], F32, 32)], 96)),
        ("the same bytes", tensors([tensor("a", &[1], F32, 0), tensor("b", &[1], F32, 0)], 96)),
        (
            "overlap by a byte",
            Gguf {
                values: vec![alignment(U32, &[1, 0, 0, 0])],
                tensors: vec![tensor("a", &[2], I8, 0), tensor("b", &[1], I8, 1)],
                data: 64,
                ..EMPTY
            }
            .bytes(),
        ),
        ("overlap of many", tensors([tensor("a", &[1], F32, 64), tensor("b", &[20], F32, 0)], 96)),
    ];
    let lines = cases.iter().map(|(name, bytes)| format!("{name}: {}\n", outcome(bytes)));
    expect![[r#"
        empty: F: the magic number needs 4 bytes, and 0 are left
        magic only: F: the version needs 4 bytes, and 0 are left
        other magic: F is neither safetensors nor GGUF: it does not begin with `GGUF`
        version 0: the header of F is wrong: GGUF version 0 is not known; 2 and 3 are
        version 1: the header of F is wrong: GGUF version 1 is too old; convert the original model anew
        version 4: the header of F is wrong: GGUF version 4 is not known; 2 and 3 are
        big-endian: the header of F is wrong: it is big-endian; little-endian files can be read
        no counts: F: the list of tensors needs 8 bytes, and 2 are left
        count of tensors beyond the file: F: the list of tensors, 1000 long, needs 24000 bytes, and 16 are left
        count of tensors beyond memory: F: the list of tensors, 18446744073709551615 long, needs 18446744073709551615 bytes, and 16 are left
        count of keys beyond the file: F: the list of metadata keys, 1099511627776 long, needs 14293651161088 bytes, and 8 are left
        key beyond the file: F: metadata key 0 needs 18446744073709551615 bytes, and 32 are left
        no value: F: metadata key `a key` needs 4 bytes, and 0 are left
        no name: the header of F is wrong: metadata key `` is no name
        NUL in a key: the header of F is wrong: metadata key `a\0b` is no name
        key not UTF-8: the header of F is wrong: metadata key 0: `a�b` is not UTF-8: invalid utf-8 sequence of 1 bytes from index 1
        key twice: the header of F is wrong: metadata key `a` is there twice
        unknown type of value: the header of F is wrong: metadata key `a`: there is no type 13 of values
        neither true nor false: the header of F is wrong: metadata key `a`: a truth value is 2, neither 0 nor 1
        string beyond the file: F: metadata key `a` needs 1152921504606846976 bytes, and 19 are left
        string not UTF-8: the header of F is wrong: metadata key `a`: `�(` is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0
        array beyond the file: F: metadata key `k`, 8589934592 long, needs 34359738368 bytes, and 79 are left
        array beyond memory: F: metadata key `k`, 18446744073709551615 long, needs 18446744073709551615 bytes, and 79 are left
        array of strings beyond the file: F: metadata key `k`, 100 long, needs 800 bytes, and 79 are left
        string of an array beyond the file: F: metadata key `k` needs 18446744073709551615 bytes, and 62 are left
        string of an array not UTF-8: the header of F is wrong: metadata key `k`: `�` is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0
        array of unknown type: the header of F is wrong: metadata key `k`: there is no type 99 of values
        array neither true nor false: the header of F is wrong: metadata key `k`: a truth value is 3, neither 0 nor 1
        deep arrays: the header of F is wrong: metadata key `k`: arrays lie deeper than 4 in each other
        arrays of arrays beyond the file: F: metadata key `k`, 1099511627776 long, needs 13194139533312 bytes, and 79 are left
        alignment 0: the header of F is wrong: its alignment 0 is no power of two
        alignment 24: the header of F is wrong: its alignment 24 is no power of two
        alignment of text: metadata key `general.alignment` of F should be a whole number from 0 to 4294967295, and is the string `32`
        alignment beyond the file: tensor `t` in F: it needs 4 bytes, and the file has 0 there
        one part of three: the header of F is wrong: it is one of 3 parts of a model; put them together with `llama-gguf-split --merge`
        name beyond the file: F: the name of tensor 0 needs 1125899906842624 bytes, and 32 are left
        name not UTF-8: the header of F is wrong: the name of tensor 0: `�` is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0
        no name for a tensor: the header of F is wrong: tensor 0 has the name ``
        NUL in a name: the header of F is wrong: tensor 0 has the name `a\0`
        name twice: tensor `t` in F: it is there twice
        five dimensions: tensor `t` in F: it has 5 dimensions, and 4 are the most
        2^32 - 1 dimensions: tensor `t` in F: it has 4294967295 dimensions, and 4 are the most
        shape overflows: tensor `t` in F: the product of its shape [4294967296, 4294967296] overflows
        bytes overflow: tensor `t` in F: the size of its shape [1, 4611686018427387904] of F32 overflows
        dimension of 2^64 - 1: tensor `t` in F: the size of its shape [18446744073709551615] of F32 overflows
        rows of broken blocks: tensor `t` in F: rows of shape [2, 48] are no whole blocks of 32 values
        types that cannot be read: F has tensors of types that cannot be read: Q2_K (`a` and 1 more), IQ4_XS (`b`), type 77 (`d`); these can: F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K, I8, I16, I32, I64, F64, BF16
        types that were removed: F has tensors of types that cannot be read: type 4 (`t`); these can: F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K, I8, I16, I32, I64, F64, BF16
        odd offset: tensor `t` in F: its offset 4 is no multiple of 32
        offset beyond the file: tensor `t` in F: its offset 1048576 is beyond the end of the file
        offset beyond memory: tensor `t` in F: its offset 18446744073709551584 is beyond the end of the file
        data cut by one byte: tensor `t` in F: it needs 16 bytes, and the file has 15 there
        no data: tensor `t` in F: it needs 16 bytes, and the file has 0 there
        entry cut: F: the list of tensors, 1 long, needs 24 bytes, and 14 are left
        overlap: tensor `b` in F: its bytes overlap those of `a`
        the same bytes: tensor `b` in F: its bytes overlap those of `a`
        overlap by a byte: tensor `b` in F: its bytes overlap those of `a`
        overlap of many: tensor `a` in F: its bytes overlap those of `b`
    "#]]
    .assert_eq(&lines.collect::<String>());
}

#[test]
fn odd_files_are_fine() {
    let aligned = alignment(U32, &[1, 0, 0, 0]);
    let cases = [
        ("nothing at all", EMPTY.bytes()),
        ("version 2", Gguf { version: 2, ..EMPTY }.bytes()),
        ("scalar", tensors([tensor("t", &[], F32, 0)], 4)),
        ("empty tensor", tensors([tensor("t", &[0, 4], F32, 0)], 0)),
        (
            "empty tensors at one place",
            tensors([tensor("a", &[0], F32, 0), tensor("b", &[0], F32, 0)], 0),
        ),
        (
            "tensors in another order",
            tensors([tensor("a", &[1], F32, 32), tensor("b", &[1], F32, 0)], 36),
        ),
        (
            "an empty tensor where another begins",
            tensors([tensor("a", &[1], F32, 0), tensor("b", &[0], F32, 0)], 36),
        ),
        ("a gap", tensors([tensor("a", &[1], F32, 0), tensor("b", &[1], F32, 128)], 132)),
        ("bytes after the last tensor", tensors([tensor("a", &[1], F32, 0)], 500)),
        ("empty arrays", values([array(STRING, 0, &[])])),
        ("NUL in a value", values([value("a", STRING, &string("a\0b"))])),
        ("alignment 1", values([aligned])),
        ("one part of one", values([value("split.count", 2, &[1, 0])])),
    ];
    for (name, bytes) in cases {
        assert_eq!(outcome(&bytes), "fine", "{name}");
    }
}

#[test]
fn any_cut_of_a_file_is_an_error() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gguf/every-type.gguf");
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(outcome(&bytes), "fine");
    // The last tensor ends 20 bytes before the padding does.
    for length in (0..bytes.len() - 64).step_by(7) {
        assert_ne!(outcome(&bytes[..length]), "fine", "{length}");
    }
}
