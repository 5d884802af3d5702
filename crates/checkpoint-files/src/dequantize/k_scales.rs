/// The scale and the minimum of eight groups of 32 values, six bits each, as `Q4_K` and `Q5_K` pack them into 12 bytes.
///
/// ```text
/// byte  0 to 3   EEAAAAAA   scale 0 to 3 (A), and the upper bits of scale 4 to 7 (E)
/// byte  4 to 7   eeaaaaaa   minimum 0 to 3 (a), and the upper bits of minimum 4 to 7 (e)
/// byte  8 to 11  ffffFFFF   the lower bits of scale 4 to 7 (F) and of minimum 4 to 7 (f)
/// ```
pub(super) fn scale_and_minimum(packed: &[u8], group: usize) -> (u8, u8) {
    if group < 4 {
        (packed[group] & 0x3F, packed[group + 4] & 0x3F)
    } else {
        let low = packed[group + 4];
        (low & 0x0F | packed[group - 4] >> 2 & 0x30, low >> 4 | packed[group] >> 2 & 0x30)
    }
}
