use super::cursor::Cursor;
use crate::{CheckpointError, MetadataArray, MetadataValue};

/// How deep arrays may lie in arrays; no known writer makes any that do.
const MAX_DEPTH: usize = 4;

/// Reads a value of a type; `what` names the key, for errors.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    value_type: u32,
    what: &str,
) -> Result<MetadataValue, CheckpointError> {
    use MetadataValue as V;
    Ok(match value_type {
        0 => V::U8(u8::from_le_bytes(cursor.array(what)?)),
        1 => V::I8(i8::from_le_bytes(cursor.array(what)?)),
        2 => V::U16(u16::from_le_bytes(cursor.array(what)?)),
        3 => V::I16(i16::from_le_bytes(cursor.array(what)?)),
        4 => V::U32(cursor.u32(what)?),
        5 => V::I32(i32::from_le_bytes(cursor.array(what)?)),
        6 => V::F32(f32::from_le_bytes(cursor.array(what)?)),
        7 => {
            let [byte] = cursor.array(what)?;
            V::Bool(truth(cursor, byte, what)?)
        }
        8 => V::String(cursor.string(what)?.to_owned()),
        9 => V::Array(read_array(cursor, what, 1)?),
        10 => V::U64(cursor.u64(what)?),
        11 => V::I64(i64::from_le_bytes(cursor.array(what)?)),
        12 => V::F64(f64::from_le_bytes(cursor.array(what)?)),
        other => return Err(unknown(cursor, other, what)),
    })
}

fn read_array(
    cursor: &mut Cursor<'_>,
    what: &str,
    depth: usize,
) -> Result<MetadataArray, CheckpointError> {
    use MetadataArray as A;
    let value_type = cursor.u32(what)?;
    Ok(match value_type {
        0 => A::U8(numbers(cursor, what, u8::from_le_bytes)?),
        1 => A::I8(numbers(cursor, what, i8::from_le_bytes)?),
        2 => A::U16(numbers(cursor, what, u16::from_le_bytes)?),
        3 => A::I16(numbers(cursor, what, i16::from_le_bytes)?),
        4 => A::U32(numbers(cursor, what, u32::from_le_bytes)?),
        5 => A::I32(numbers(cursor, what, i32::from_le_bytes)?),
        6 => A::F32(numbers(cursor, what, f32::from_le_bytes)?),
        7 => {
            let bytes = numbers(cursor, what, u8::from_le_bytes)?;
            let truths = bytes.into_iter().map(|byte| truth(cursor, byte, what));
            A::Bool(truths.collect::<Result<_, _>>()?)
        }
        8 => {
            // A string takes its length at least.
            let count = cursor.count(8, what)?;
            let strings = (0..count).map(|_| cursor.string(what).map(str::to_owned));
            A::String(strings.collect::<Result<_, _>>()?)
        }
        9 if depth == MAX_DEPTH => {
            let reason = format!("{what}: arrays lie deeper than {MAX_DEPTH} in each other");
            return Err(CheckpointError::header(cursor.path(), reason));
        }
        9 => {
            // An array takes its type and its count at least.
            let count = cursor.count(12, what)?;
            let arrays = (0..count).map(|_| read_array(cursor, what, depth + 1));
            A::Array(arrays.collect::<Result<_, _>>()?)
        }
        10 => A::U64(numbers(cursor, what, u64::from_le_bytes)?),
        11 => A::I64(numbers(cursor, what, i64::from_le_bytes)?),
        12 => A::F64(numbers(cursor, what, f64::from_le_bytes)?),
        other => return Err(unknown(cursor, other, what)),
    })
}

fn numbers<T, const N: usize>(
    cursor: &mut Cursor<'_>,
    what: &str,
    number: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, CheckpointError> {
    let count = cursor.count(N as u64, what)?;
    let bytes = cursor.take((count * N) as u64, what)?;
    let (chunks, _) = bytes.as_chunks::<N>();
    Ok(chunks.iter().map(|chunk| number(*chunk)).collect())
}

fn truth(cursor: &Cursor<'_>, byte: u8, what: &str) -> Result<bool, CheckpointError> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => {
            let reason = format!("{what}: a truth value is {byte}, neither 0 nor 1");
            Err(CheckpointError::header(cursor.path(), reason))
        }
    }
}

fn unknown(cursor: &Cursor<'_>, value_type: u32, what: &str) -> CheckpointError {
    let reason = format!("{what}: there is no type {value_type} of values");
    CheckpointError::header(cursor.path(), reason)
}
