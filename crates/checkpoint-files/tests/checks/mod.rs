//! What must hold of any bytes: no panic, no large allocation, and a header that is accepted is true. The fuzz targets and the
//! tests share it. Each check says whether the bytes are accepted.

use std::path::Path;

use checkpoint_files::{FileHeader, gguf};

/// As a GGUF file.
#[allow(dead_code, reason = "each fuzz target uses one of the two")]
pub(crate) fn check_gguf(bytes: &[u8]) -> bool {
    let path = Path::new("fuzz.gguf");
    let Ok(header) = gguf::parse(path, bytes) else { return false };
    check_tensors(path, &header, bytes);
    true
}

/// As a safetensors file; what is accepted here, the `safetensors` crate accepts, and finds the same in it.
#[allow(dead_code, reason = "each fuzz target uses one of the two")]
pub(crate) fn check_safetensors(bytes: &[u8]) -> bool {
    let path = Path::new("fuzz.safetensors");
    let Ok(header) = checkpoint_files::safetensors::parse(path, bytes) else { return false };
    check_tensors(path, &header, bytes);
    let theirs = safetensors::SafeTensors::deserialize(bytes).expect("the crate accepts it, too");
    assert_eq!(theirs.len(), header.tensors.len());
    for info in &header.tensors {
        let tensor = theirs.tensor(&info.name).expect("the crate has it, too");
        assert_eq!((tensor.shape(), tensor.data()), (info.shape.as_slice(), &bytes[info.range()]));
        assert_eq!(tensor.dtype().to_string(), info.dtype.to_string());
    }
    true
}

fn check_tensors(path: &Path, header: &FileHeader, bytes: &[u8]) {
    let mut ranges = Vec::new();
    let mut out = Vec::new();
    for info in &header.tensors {
        let view = info.view(path, bytes).expect("its bytes are in the file");
        assert_eq!(view.n_values(), info.n_values());
        assert_eq!(view.to_f32(&mut out).is_ok(), info.dtype.is_float());
        if info.dtype.is_float() {
            assert_eq!(out.len(), info.n_values());
        }
        ranges.extend(Some(info.range()).filter(|range| !range.is_empty()));
    }
    ranges.sort_by_key(|range| range.start);
    assert!(ranges.is_sorted_by(|a, b| a.end <= b.start), "tensors overlap");
}
