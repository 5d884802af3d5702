//! GGUF files of the Python package gguf 0.19, and its own dequantized values.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::{Path, PathBuf};

use checkpoint_files::{Checkpoint, CheckpointError, Format, MetadataArray, MetadataValue};
use expect_test::{Expect, expect};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/gguf").join(name)
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn f32s(checkpoint: &Checkpoint, name: &str) -> Vec<f32> {
    let mut values = Vec::new();
    checkpoint.get(name).unwrap().to_f32(&mut values).unwrap();
    values
}

#[test]
fn every_type_is_bit_equal_to_the_package() {
    let gguf = Checkpoint::open(fixture("every-type.gguf")).unwrap();
    let want = Checkpoint::open(fixture("every-type.f32.safetensors")).unwrap();
    assert_eq!((gguf.format(), want.format()), (Format::Gguf, Format::Safetensors));
    let mut types = Vec::new();
    let mut got = vec![7.0; 3];
    for info in gguf.tensors() {
        if !want.contains(&info.name) {
            assert_eq!(info.name, "whole.I32");
            continue;
        }
        let view = gguf.get(&info.name).unwrap();
        view.to_f32(&mut got).unwrap();
        assert_eq!(info.shape, want.get(&info.name).unwrap().shape, "{}", info.name);
        assert_eq!(bits(&got), bits(&f32s(&want, &info.name)), "{}", info.name);
        types.push(info.dtype.name());
        gguf.release(&view);
        let mut again = Vec::new();
        view.to_f32(&mut again).unwrap();
        assert_eq!(bits(&got), bits(&again), "{} after its release", info.name);
    }
    types.sort_unstable();
    types.dedup();
    let all =
        ["BF16", "F16", "F32", "Q4_0", "Q4_1", "Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q6_K", "Q8_0"];
    assert_eq!(types, all);
}

#[test]
fn many_values_are_converted_in_parts() {
    // More than one thread takes at once, so that parts must fit together.
    const ROW: u64 = 70_016;
    let quants = [0x21_u8, 0x43, 0x65, 0x87, 0xA9, 0xCB, 0xED, 0x0F].repeat(2);
    let mut bytes = small_header(ROW, 2);
    let mut want = Vec::new();
    for number in 0..ROW * 2 / 32 {
        let scale = if number % 2 == 0 { 1.0_f32 } else { 2.0 };
        bytes.extend(half::f16::from_f32(scale).to_le_bytes());
        bytes.extend(&quants);
        want.extend(quants.iter().map(|q| scale * f32::from((q & 15) as i8 - 8)));
        want.extend(quants.iter().map(|q| scale * f32::from((q >> 4) as i8 - 8)));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    std::fs::write(&path, bytes).unwrap();
    let checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.tensors()[0].shape, [2, ROW as usize]);
    assert_eq!(f32s(&checkpoint, "t"), want);
    let mut row = Vec::new();
    checkpoint.get("t").unwrap().rows_to_f32(1..2, &mut row).unwrap();
    assert_eq!(row, want[ROW as usize..]);
}

/// The header of a Q4_0 matrix `t`.
fn small_header(row: u64, n_rows: u64) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(1_u64.to_le_bytes());
    bytes.extend(b"t");
    bytes.extend(2_u32.to_le_bytes());
    bytes.extend(row.to_le_bytes());
    bytes.extend(n_rows.to_le_bytes());
    bytes.extend(2_u32.to_le_bytes());
    bytes.extend(0_u64.to_le_bytes());
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes
}

#[test]
fn rows_are_those_of_the_whole() {
    let checkpoint = Checkpoint::open(fixture("every-type.gguf")).unwrap();
    for name in ["random.Q4_K", "random.Q8_0", "normal.F16", "normal.F32"] {
        let view = checkpoint.get(name).unwrap();
        let whole = f32s(&checkpoint, name);
        let (n_rows, row) = (view.shape[0], view.shape[1]);
        let mut part = Vec::new();
        for start in 0..=n_rows {
            for end in start..=n_rows {
                view.rows_to_f32(start..end, &mut part).unwrap();
                assert_eq!(
                    bits(&part),
                    bits(&whole[start * row..end * row]),
                    "{name} {start}..{end}"
                );
            }
        }
        // Rows of rows, and giving them back.
        let last = view.rows(1..n_rows).unwrap().rows(n_rows - 2..n_rows - 1).unwrap();
        checkpoint.release(&last);
        last.to_f32(&mut part).unwrap();
        assert_eq!(bits(&part), bits(&whole[(n_rows - 1) * row..]), "{name}");
        for (start, end) in [(0, n_rows + 1), (2, 1), (usize::MAX, usize::MAX)] {
            assert!(view.rows(start..end).is_err(), "{name} {start}..{end}");
        }
    }
}

#[test]
fn every_type_of_metadata_is_read() {
    let checkpoint = Checkpoint::open(fixture("every-type.gguf")).unwrap();
    let metadata = checkpoint.metadata();
    let lines: Vec<String> =
        metadata.iter().map(|(key, value)| format!("{key} = {value:?}")).collect();
    expect![[r#"
        general.architecture = String("llama")
        general.alignment = U32(64)
        value.u8 = U8(200)
        value.i8 = I8(-100)
        value.u16 = U16(60000)
        value.i16 = I16(-30000)
        value.u32 = U32(4000000000)
        value.i32 = I32(-2000000000)
        value.f32 = F32(1e-5)
        value.bool = Bool(true)
        value.string = String("Müller\n\0 end")
        value.u64 = U64(18446744073709551615)
        value.i64 = I64(-9223372036854775808)
        value.f64 = F64(0.1)
        array.uint8 = Array(U8([1, 2]))
        array.int8 = Array(I8([-1, 2]))
        array.uint16 = Array(U16([1, 65535]))
        array.int16 = Array(I16([-32768]))
        array.uint32 = Array(U32([7, 8, 9]))
        array.int32 = Array(I32([-1, 0, 1]))
        array.float32 = Array(F32([0.5, -0.25]))
        array.bool = Array(Bool([true, false, true]))
        array.string = Array(String(["<s>", "", "Ġthe"]))
        array.uint64 = Array(U64([9223372036854775808]))
        array.int64 = Array(I64([-1]))
        array.float64 = Array(F64([1e300]))
        array.array = Array(Array([I32([1, 2]), I32([3])]))
    "#]]
    .assert_eq(&(lines.join("\n") + "\n"));
}

#[test]
fn getters_say_what_is_wrong() {
    let checkpoint = Checkpoint::open(fixture("every-type.gguf")).unwrap();
    let metadata = checkpoint.metadata();
    assert_eq!(metadata.u32("value.u8").unwrap(), 200);
    assert_eq!(metadata.u32("value.u32").unwrap(), 4_000_000_000);
    assert_eq!(metadata.value::<u64>("value.u64").unwrap(), u64::MAX);
    assert_eq!(metadata.value::<i64>("value.i64").unwrap(), i64::MIN);
    assert_eq!(metadata.f32("value.f32").unwrap(), 1e-5);
    assert_eq!(metadata.f32("value.f64").unwrap(), 0.1);
    assert!(metadata.bool("value.bool").unwrap());
    assert_eq!(metadata.str("value.string").unwrap(), "Müller\n\0 end");
    assert_eq!(metadata.strings("array.string").unwrap(), ["<s>", "", "Ġthe"]);
    assert_eq!(metadata.value::<&[f32]>("array.float32").unwrap(), [0.5, -0.25]);
    assert_eq!(metadata.value::<&[i32]>("array.int32").unwrap(), [-1, 0, 1]);
    assert_eq!(metadata.optional::<u32>("nothing").unwrap(), None);
    let nested =
        MetadataArray::Array(vec![MetadataArray::I32(vec![1, 2]), MetadataArray::I32(vec![3])]);
    assert_eq!(metadata.get("array.array"), Some(&MetadataValue::Array(nested)));

    let errors = [
        metadata.u32("nothing").map(drop),
        metadata.u32("value.u64").map(drop),
        metadata.u32("value.i8").map(drop),
        metadata.u32("value.f32").map(drop),
        metadata.optional::<u32>("value.string").map(drop),
        metadata.f32("value.u8").map(drop),
        metadata.bool("value.u8").map(drop),
        metadata.str("array.string").map(drop),
        metadata.strings("array.array").map(drop),
    ];
    check(
        errors,
        &expect![[r#"
            every-type.gguf has no metadata key `nothing`
            metadata key `value.u64` of every-type.gguf should be a whole number from 0 to 4294967295, and is the whole number 18446744073709551615
            metadata key `value.i8` of every-type.gguf should be a whole number from 0 to 4294967295, and is the whole number -100
            metadata key `value.f32` of every-type.gguf should be a whole number from 0 to 4294967295, and is the f32 0.00001
            metadata key `value.string` of every-type.gguf should be a whole number from 0 to 4294967295, and is the string `Müller\n\0 end`
            metadata key `value.u8` of every-type.gguf should be a floating-point number, and is the whole number 200
            metadata key `value.u8` of every-type.gguf should be a truth value, and is the whole number 200
            metadata key `array.string` of every-type.gguf should be a string, and is an array of 3 strings
            metadata key `array.array` of every-type.gguf should be an array of strings, and is an array of 2 arrays
        "#]],
    );
}

#[test]
fn tensors_say_what_is_wrong() {
    let checkpoint = Checkpoint::open(fixture("every-type.gguf")).unwrap();
    let mut out = Vec::new();
    let errors = [
        checkpoint.get("nothing").map(drop),
        checkpoint.get("whole.I32").unwrap().to_f32(&mut out),
        checkpoint.get("random.Q6_K").unwrap().rows_to_f32(3..4, &mut out),
        Checkpoint::open(fixture("big-endian.gguf")).map(drop),
    ];
    check(
        errors,
        &expect![[r#"
            every-type.gguf has no tensor `nothing`
            tensor `whole.I32` in every-type.gguf holds I32, which is not converted to f32
            tensor `random.Q6_K` in every-type.gguf of shape [3, 512] and type Q6_K has no rows 3..4 of their own
            the header of big-endian.gguf is wrong: it is big-endian; little-endian files can be read
        "#]],
    );
    assert_eq!(checkpoint.get("whole.I32").unwrap().bytes[4..8], (-2_i32).to_le_bytes());
}

fn check<const N: usize>(errors: [Result<(), CheckpointError>; N], want: &Expect) {
    let folder = fixture("").to_string_lossy().into_owned();
    let lines = errors.map(|error| error.unwrap_err().to_string().replace(&folder, "") + "\n");
    want.assert_eq(&lines.concat());
}
