use half::{bf16, f16};

/// A weight that training does not change: `rows` outputs by `cols` inputs, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct FrozenWeight {
    rows: usize,
    cols: usize,
    values: Values,
}

/// The values of a frozen weight, in the form in which they lie in memory.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// bfloat16.
    Bf16(Vec<bf16>),
    /// IEEE half precision.
    F16(Vec<f16>),
}

impl FrozenWeight {
    /// A dense weight of 32-bit floats; `None` where the number of values is not `rows * cols`.
    pub fn f32(rows: usize, cols: usize, values: Vec<f32>) -> Option<Self> {
        (rows.checked_mul(cols) == Some(values.len())).then_some(Self {
            rows,
            cols,
            values: Values::F32(values),
        })
    }

    /// Number of outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The values as they lie in memory.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Row `row` as f32, into `out` of `cols` values. For an embedding look-up, and as the reference of kernels.
    pub fn row(&self, row: usize, out: &mut [f32]) {
        let at = row * self.cols..(row + 1) * self.cols;
        match &self.values {
            Values::F32(v) => out.copy_from_slice(&v[at]),
            Values::Bf16(v) => v[at].iter().zip(out).for_each(|(v, o)| *o = v.to_f32()),
            Values::F16(v) => v[at].iter().zip(out).for_each(|(v, o)| *o = v.to_f32()),
        }
    }
}
