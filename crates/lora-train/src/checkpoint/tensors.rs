//! Named buffers in safetensors: the state of an optimizer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use checkpoint_files::{Checkpoint, StoredDtype, TensorSource, TensorView, write_safetensors};

use super::CheckpointError;

/// Values of a buffer.
#[derive(Debug, Clone, PartialEq)]
pub enum TensorValues<'a> {
    /// Floats.
    F32(Cow<'a, [f32]>),
    /// Codes of a quantized state.
    U8(Cow<'a, [u8]>),
}

/// A buffer that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTensor {
    /// Outermost dimension first.
    pub shape: Vec<usize>,
    /// In row-major order.
    pub values: TensorValues<'static>,
}

/// Writes named buffers, in row-major order, to a safetensors file.
///
/// # Errors
/// [`CheckpointError::NotFinite`] for a NaN or infinity among them, and nothing is written; [`CheckpointError::Tensors`]
/// for names that are taken, shapes that do not fit, and where the file cannot be written.
pub fn save_tensors<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = (&'a str, &'a [usize], TensorValues<'a>)>,
) -> Result<(), CheckpointError> {
    let mut sources = Vec::new();
    for (name, shape, values) in tensors {
        sources.push(match values {
            TensorValues::F32(values) => {
                check_finite(path, name, &values)?;
                TensorSource::f32(name, shape, values)
            }
            TensorValues::U8(codes) => TensorSource::bytes(name, StoredDtype::U8, shape, codes),
        });
    }
    let metadata = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    Ok(write_safetensors(path, sources, &metadata)?)
}

/// Reads what [`save_tensors`] wrote, bit for bit.
///
/// # Errors
/// [`CheckpointError::Tensors`] where the file cannot be read, [`CheckpointError::TensorType`] for other types.
pub fn load_tensors(path: &Path) -> Result<BTreeMap<String, StoredTensor>, CheckpointError> {
    let file = Checkpoint::open(path)?;
    let mut tensors = BTreeMap::new();
    for info in file.tensors() {
        let view = file.get(&info.name)?;
        let values = values(path, &view)?;
        file.release(&view);
        let shape = view.shape.to_vec();
        tensors.insert(info.name.clone(), StoredTensor { shape, values });
    }
    Ok(tensors)
}

fn values(path: &Path, view: &TensorView<'_>) -> Result<TensorValues<'static>, CheckpointError> {
    match view.dtype {
        StoredDtype::F32 => {
            let mut values = Vec::new();
            view.to_f32(&mut values)?;
            Ok(TensorValues::F32(values.into()))
        }
        StoredDtype::U8 => Ok(TensorValues::U8(view.bytes.to_vec().into())),
        other => Err(CheckpointError::TensorType {
            path: path.to_owned(),
            tensor: view.name.to_owned(),
            dtype: other.name(),
        }),
    }
}

fn check_finite(path: &Path, name: &str, values: &[f32]) -> Result<(), CheckpointError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => Err(CheckpointError::NotFinite {
            path: path.to_owned(),
            tensor: name.to_owned(),
            value: values[index],
            index,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn floats(values: &[f32]) -> TensorValues<'_> {
        TensorValues::F32(values.into())
    }

    #[test]
    fn buffers_come_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("optimizer.safetensors");
        let values = [0.1, -0.0, f32::MIN_POSITIVE / 8.0, f32::MAX, 1.0, -1.0];
        let codes = [0, 255, 7];
        save_tensors(
            &path,
            [
                ("m.a", &[2, 3][..], floats(&values)),
                ("codes.a", &[3][..], TensorValues::U8(codes[..].into())),
                ("empty", &[0][..], floats(&[])),
            ],
        )
        .unwrap();
        let read = load_tensors(&path).unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["codes.a", "empty", "m.a"]);
        assert_eq!(read["m.a"].shape, [2, 3]);
        let TensorValues::F32(back) = &read["m.a"].values else { panic!("not floats") };
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(back), bits(&values));
        assert_eq!(read["codes.a"].values, TensorValues::U8(codes[..].into()));
    }

    #[test]
    fn what_is_not_finite_is_not_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("optimizer.safetensors");
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let (good, bad) = ([1.0], [1.0, bad]);
            let tensors = [("good", &[1][..], floats(&good)), ("v.b", &[2][..], floats(&bad))];
            let error = save_tensors(&path, tensors).unwrap_err().to_string();
            assert!(error.contains("`v.b`") && error.contains("at 1"), "{error}");
            assert!(!path.exists());
        }
    }

    #[test]
    fn other_types_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.safetensors");
        let tensor = TensorSource::bytes("i", StoredDtype::I64, [1], vec![0; 8]);
        write_safetensors(&path, [tensor], &BTreeMap::new()).unwrap();
        let error = load_tensors(&path).unwrap_err().to_string();
        assert!(error.contains("`i`") && error.contains("I64"), "{error}");
    }
}
