use crate::StoredDtype;

/// The types that can be read, with ggml's numbers.
const KNOWN: [(u32, StoredDtype); 16] = [
    (0, StoredDtype::F32),
    (1, StoredDtype::F16),
    (2, StoredDtype::Q4_0),
    (3, StoredDtype::Q4_1),
    (6, StoredDtype::Q5_0),
    (7, StoredDtype::Q5_1),
    (8, StoredDtype::Q8_0),
    (12, StoredDtype::Q4K),
    (13, StoredDtype::Q5K),
    (14, StoredDtype::Q6K),
    (24, StoredDtype::I8),
    (25, StoredDtype::I16),
    (26, StoredDtype::I32),
    (27, StoredDtype::I64),
    (28, StoredDtype::F64),
    (30, StoredDtype::Bf16),
];

/// The names of the others. Source: `GGMLQuantizationType` of the Python package gguf 0.19.
const OTHERS: [(u32, &str); 18] = [
    (9, "Q8_1"),
    (10, "Q2_K"),
    (11, "Q3_K"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (20, "IQ4_NL"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (23, "IQ4_XS"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
    (40, "NVFP4"),
    (41, "Q1_0"),
];

/// The type of that number; otherwise what to call it.
pub(super) fn stored_dtype(number: u32) -> Result<StoredDtype, String> {
    if let Some((_, dtype)) = KNOWN.iter().find(|(known, _)| *known == number) {
        return Ok(*dtype);
    }
    let other = OTHERS.iter().find(|(known, _)| *known == number);
    Err(other.map_or_else(|| format!("type {number}"), |(_, name)| (*name).to_owned()))
}

/// ggml's number of a type; `None` for one that GGUF does not have.
pub(super) fn number_of(dtype: StoredDtype) -> Option<u32> {
    KNOWN.iter().find(|(_, known)| *known == dtype).map(|(number, _)| *number)
}

/// All that can be read, in one line.
pub(super) fn supported() -> String {
    KNOWN.map(|(_, dtype)| dtype.name()).join(", ")
}
