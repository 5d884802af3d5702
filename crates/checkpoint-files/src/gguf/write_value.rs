use crate::{MetadataArray, MetadataValue};

/// Appends a string: its length, then its bytes.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    out.extend((text.len() as u64).to_le_bytes());
    out.extend(text.as_bytes());
}

/// Appends the number of a value's type, then the value.
pub(super) fn value(value: &MetadataValue, out: &mut Vec<u8>) {
    use MetadataValue as V;
    out.extend(type_of(value).to_le_bytes());
    match value {
        V::U8(v) => out.extend(v.to_le_bytes()),
        V::I8(v) => out.extend(v.to_le_bytes()),
        V::U16(v) => out.extend(v.to_le_bytes()),
        V::I16(v) => out.extend(v.to_le_bytes()),
        V::U32(v) => out.extend(v.to_le_bytes()),
        V::I32(v) => out.extend(v.to_le_bytes()),
        V::F32(v) => out.extend(v.to_le_bytes()),
        V::Bool(v) => out.push(u8::from(*v)),
        V::String(v) => string(v, out),
        V::Array(v) => array(v, out),
        V::U64(v) => out.extend(v.to_le_bytes()),
        V::I64(v) => out.extend(v.to_le_bytes()),
        V::F64(v) => out.extend(v.to_le_bytes()),
    }
}

fn type_of(value: &MetadataValue) -> u32 {
    use MetadataValue as V;
    match value {
        V::U8(_) => 0,
        V::I8(_) => 1,
        V::U16(_) => 2,
        V::I16(_) => 3,
        V::U32(_) => 4,
        V::I32(_) => 5,
        V::F32(_) => 6,
        V::Bool(_) => 7,
        V::String(_) => 8,
        V::Array(_) => 9,
        V::U64(_) => 10,
        V::I64(_) => 11,
        V::F64(_) => 12,
    }
}

/// The type of the items, their number, the items.
fn array(array: &MetadataArray, out: &mut Vec<u8>) {
    use MetadataArray as A;
    match array {
        A::U8(v) => items(0, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::I8(v) => items(1, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::U16(v) => items(2, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::I16(v) => items(3, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::U32(v) => items(4, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::I32(v) => items(5, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::F32(v) => items(6, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::Bool(v) => items(7, v, out, |v, out| out.push(u8::from(*v))),
        A::String(v) => items(8, v, out, |v, out| string(v, out)),
        A::Array(v) => items(9, v, out, self::array),
        A::U64(v) => items(10, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::I64(v) => items(11, v, out, |v, out| out.extend(v.to_le_bytes())),
        A::F64(v) => items(12, v, out, |v, out| out.extend(v.to_le_bytes())),
    }
}

fn items<T>(item_type: u32, values: &[T], out: &mut Vec<u8>, each: impl Fn(&T, &mut Vec<u8>)) {
    out.extend(item_type.to_le_bytes());
    out.extend((values.len() as u64).to_le_bytes());
    values.iter().for_each(|value| each(value, out));
}
