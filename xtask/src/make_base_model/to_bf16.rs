use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

/// A safetensors file of f32 values as one of bf16, rounded to nearest, ties to even.
pub(super) fn to_bf16(file: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (length, rest) = file.split_first_chunk::<8>().context("it ends in its first bytes")?;
    let length = usize::try_from(u64::from_le_bytes(*length))?;
    let (header, data) = rest.split_at_checked(length).context("it ends in its header")?;
    let mut header: Map<String, Value> = serde_json::from_slice(header)?;
    for (name, tensor) in header.iter_mut().filter(|(name, _)| *name != "__metadata__") {
        if tensor["dtype"] != "F32" {
            bail!("`{name}` is {} instead of F32", tensor["dtype"]);
        }
        tensor["dtype"] = "BF16".into();
        let offsets = tensor["data_offsets"].as_array_mut().context("a tensor without a place")?;
        for offset in offsets {
            *offset = json!(offset.as_u64().context("a place that is no number")? / 2);
        }
    }
    let mut header = serde_json::to_vec(&header)?;
    // Data begins at a multiple of eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let (values, _) = data.as_chunks::<4>();
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend(header);
    out.extend(values.iter().flat_map(|bytes| rounded(f32::from_le_bytes(*bytes)).to_le_bytes()));
    Ok(out)
}

/// The upper half of the bits, rounded. Weights are finite; what is not stays what it is, or
/// becomes infinite.
fn rounded(value: f32) -> u16 {
    let bits = value.to_bits();
    if value.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    (bits.wrapping_add(0x7FFF + ((bits >> 16) & 1)) >> 16) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_the_nearest() {
        let check = |bits: u32, want: u16| assert_eq!(rounded(f32::from_bits(bits)), want);
        check(0x3F80_0000, 0x3F80);
        check(0x3F80_7FFF, 0x3F80);
        // Half-way goes to the even one.
        check(0x3F80_8000, 0x3F80);
        check(0x3F81_8000, 0x3F82);
        check(0xBF80_8001, 0xBF81);
        check(0x7F7F_FFFF, 0x7F80);
        check(0x7FC0_0000, 0x7FC0);
        check(0x0000_0000, 0x0000);
        check(0x8000_0000, 0x8000);
    }

    #[test]
    fn a_file_is_the_same_but_for_its_type() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#;
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend([1.0_f32, -2.5, 0.1].map(f32::to_le_bytes).concat());
        let out = to_bf16(&file).unwrap();
        let length = u64::from_le_bytes(out[..8].try_into().unwrap()) as usize;
        let text = std::str::from_utf8(&out[8..8 + length]).unwrap();
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[4,6]}}"#;
        assert_eq!(text.trim_end(), header);
        assert_eq!(&out[8 + length..], [0x3F80_u16, 0xC020, 0x3DCD].map(u16::to_le_bytes).concat());
        assert!(to_bf16(&file[..20]).is_err());
        assert!(to_bf16(b"").is_err());
    }
}
