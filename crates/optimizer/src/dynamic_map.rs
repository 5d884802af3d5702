use std::sync::LazyLock;

/// The map of the first moment: 256 values from -0.993 to 1.
pub static SIGNED_MAP: LazyLock<DynamicMap> = LazyLock::new(|| DynamicMap::new(true));
/// The map of the second moment: 256 values from 0 to 1.
pub static UNSIGNED_MAP: LazyLock<DynamicMap> = LazyLock::new(|| DynamicMap::new(false));

/// Mantissa bits that tell cells apart: with 7, no cell has two borders between codes in it.
const MANTISSA_BITS: u32 = 7;
const SHIFT: u32 = f32::MANTISSA_DIGITS - 1 - MANTISSA_BITS;
/// Magnitudes below 2⁻²² share the first cell.
const FIRST_CELL: u32 = (127 - 22) << MANTISSA_BITS;
/// Cells of one sign: 22 powers of two, and 1 itself.
const CELLS: usize = (22 << MANTISSA_BITS) + 1;

/// The dynamic (tree) data type of 8 bits: seven decades, each with twice the values of the one
/// below it, then 0 and 1.
///
/// Source: Dettmers (2016), 8-Bit Approximations for Parallelism in Deep Learning; the values are
/// those of `create_dynamic_map` in bitsandbytes.
#[derive(Debug)]
pub struct DynamicMap {
    values: [f32; 256],
    /// Halfway from each value to the next; the last one is never passed.
    borders: [f32; 256],
    /// The code of the lowest number of each cell, positive cells first. A cell is all numbers with
    /// one sign, exponent and beginning of the mantissa, so that finding it is a shift.
    cells: Box<[u8; 2 * CELLS]>,
}

impl DynamicMap {
    fn new(signed: bool) -> Self {
        let values = dynamic_values(signed);
        let mut borders = [f32::INFINITY; 256];
        for (border, pair) in borders.iter_mut().zip(values.windows(2)) {
            // Rounded down: a number above the rounded border is above the true one.
            *border = rounded_down((f64::from(pair[0]) + f64::from(pair[1])) / 2.0);
        }
        let nearest = |x: f32| borders.partition_point(|&border| border < x).min(255) as u8;
        let mut cells = Box::new([0; 2 * CELLS]);
        for cell in 0..CELLS {
            let bits = |cell: usize| (FIRST_CELL + cell as u32) << SHIFT;
            let low = if cell == 0 { 0.0 } else { f32::from_bits(bits(cell)) };
            cells[cell] = nearest(low);
            // Of negative numbers the lowest is the one with the largest magnitude.
            cells[CELLS + cell] = nearest(-f32::from_bits(bits(cell + 1) - 1));
        }
        Self { values, borders, cells }
    }

    /// The 256 values, in ascending order.
    pub fn values(&self) -> &[f32; 256] {
        &self.values
    }

    /// The value of a code.
    pub fn decode(&self, code: u8) -> f32 {
        self.values[usize::from(code)]
    }

    /// The code of the nearest value to a number from -1 to 1; of two equally near ones the lower.
    ///
    /// Numbers beyond have the code of the last value; NaN has some code.
    pub fn encode(&self, x: f32) -> u8 {
        let bits = x.to_bits();
        let magnitude = (bits & 0x7fff_ffff) >> SHIFT;
        let cell = (magnitude.saturating_sub(FIRST_CELL) as usize).min(CELLS - 1);
        let code = self.cells[cell + (bits >> 31) as usize * CELLS];
        code + u8::from(x > self.borders[usize::from(code)])
    }
}

fn dynamic_values(signed: bool) -> [f32; 256] {
    let mut values = vec![0.0, 1.0];
    for decade in 0..7 {
        let steps = if signed { 1 << decade } else { 2 << decade };
        let scale = libm::pow(10.0, f64::from(decade - 6)) as f32;
        let boundaries = linspace(steps + 1);
        for pair in boundaries.windows(2) {
            let value = scale * ((pair[0] + pair[1]) / 2.0);
            values.push(value);
            if signed {
                values.push(-value);
            }
        }
    }
    values.sort_by(f32::total_cmp);
    let mut sorted = [0.0; 256];
    sorted.copy_from_slice(&values);
    sorted
}

/// `count` numbers from 0.1 to 1 as `torch.linspace` makes them: from both ends to the middle, with
/// an f32 step and one rounding of the sum.
fn linspace(count: usize) -> Vec<f32> {
    let (start, end) = (0.1_f32, 1.0_f32);
    let step = f64::from((end - start) / (count - 1) as f32);
    let at = |i: usize| {
        let exact = if i < count / 2 {
            f64::from(start) + step * i as f64
        } else {
            f64::from(end) - step * (count - 1 - i) as f64
        };
        exact as f32
    };
    (0..count).map(at).collect()
}

fn rounded_down(x: f64) -> f32 {
    let rounded = x as f32;
    if f64::from(rounded) > x { rounded.next_down() } else { rounded }
}
