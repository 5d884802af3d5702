use cubecl::prelude::*;

/// Units of a cube that work on one row together.
pub(crate) const UNITS: u32 = 256;

/// The sum of `value` over all units of the cube, for each of them. Its order is fixed.
#[cube]
pub(crate) fn cube_sum(value: f32) -> f32 {
    reduced(value, false)
}

/// The greatest `value` of all units of the cube, for each of them.
#[cube]
pub(crate) fn cube_max(value: f32) -> f32 {
    reduced(value, true)
}

/// Halves that are put together, in shared memory.
#[cube]
fn reduced(value: f32, #[comptime] greatest: bool) -> f32 {
    let mut shared = SharedMemory::<f32>::new(comptime!(UNITS as usize));
    let unit = UNIT_POS as usize;
    shared[unit] = value;
    sync_cube();
    let mut half = CUBE_DIM as usize / 2;
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            if greatest {
                shared[unit] = max(shared[unit], other);
            } else {
                shared[unit] += other;
            }
        }
        sync_cube();
        half /= 2;
    }
    let all = shared[0];
    sync_cube();
    all
}

/// The sum of a vector's elements.
#[cube]
pub(crate) fn vector_sum<N: Size>(vector: Vector<f32, N>) -> f32 {
    let mut sum = vector[0];
    #[unroll]
    for i in 1..N::value() {
        sum += vector[i];
    }
    sum
}
