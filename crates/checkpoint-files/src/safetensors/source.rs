use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use crate::StoredDtype;

/// A tensor to be written: what it is, and where its bytes come from when their turn is there.
#[derive(Debug)]
pub struct TensorSource<'a> {
    pub(crate) name: String,
    pub(crate) dtype: StoredDtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Data<'a>,
}

pub(crate) enum Data<'a> {
    Bytes(Cow<'a, [u8]>),
    Written(Box<WriteBytes<'a>>),
}

type WriteBytes<'a> = dyn FnOnce(&mut dyn Write) -> io::Result<()> + 'a;

impl<'a> TensorSource<'a> {
    /// A tensor whose bytes are there: row-major, little-endian.
    pub fn bytes(
        name: impl Into<String>,
        dtype: StoredDtype,
        shape: impl Into<Vec<usize>>,
        bytes: impl Into<Cow<'a, [u8]>>,
    ) -> Self {
        let (name, shape) = (name.into(), shape.into());
        Self { name, dtype, shape, data: Data::Bytes(bytes.into()) }
    }

    /// A tensor that `write` makes when its turn is there, so that no more than one needs to be in memory. It must write exactly
    /// the bytes that type and shape take. Other errors than those of writing go through [`io::Error::other`].
    pub fn written(
        name: impl Into<String>,
        dtype: StoredDtype,
        shape: impl Into<Vec<usize>>,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + 'a,
    ) -> Self {
        let (name, shape) = (name.into(), shape.into());
        Self { name, dtype, shape, data: Data::Written(Box::new(write)) }
    }

    /// A tensor of f32 values.
    pub fn f32(
        name: impl Into<String>,
        shape: impl Into<Vec<usize>>,
        values: impl Into<Cow<'a, [f32]>>,
    ) -> Self {
        let values = values.into();
        Self::written(name, StoredDtype::F32, shape, move |out| {
            values.iter().try_for_each(|value| out.write_all(&value.to_le_bytes()))
        })
    }
}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Written(_) => f.write_str("written later"),
        }
    }
}
