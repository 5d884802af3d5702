use half::bf16;

/// Rounds to bf16, to nearest and ties to even, and stays f32.
pub(super) fn round(values: &mut [f32]) {
    for value in values {
        *value = bf16::from_f32(*value).to_f32();
    }
}

/// Words of two values that follow each other; zeros fill up.
pub(super) fn adjacent(values: &[f32], words: &mut [f32]) {
    let mut pairs = values.chunks(2);
    for word in words {
        *word = match pairs.next() {
            Some(&[first, second]) => pair(first, second),
            Some(&[first]) => pair(first, 0.0),
            _ => 0.0,
        };
    }
}

/// Words of the values at the same place of two rows.
pub(super) fn side_by_side((first, second): (&[f32], &[f32]), words: &mut [f32]) {
    for ((word, &first), &second) in words.iter_mut().zip(first).zip(second) {
        *word = pair(first, second);
    }
}

fn pair(first: f32, second: f32) -> f32 {
    let bits = |value| u32::from(bf16::from_f32(value).to_bits());
    f32::from_bits(bits(first) | bits(second) << 16)
}
