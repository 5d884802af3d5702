use crate::canvas::TEXT_PX;
use crate::text_width::text_width;

/// Rows above the plane for labels of marks below; a label that would touch others in every row is
/// left out.
pub(crate) struct Strip {
    rows: Vec<Vec<(f64, f64)>>,
    left: f64,
    right: f64,
}

/// Where a label goes: row 0 is the lowest.
#[derive(Debug, PartialEq)]
pub(crate) struct Placed {
    pub(crate) row: usize,
    pub(crate) middle: f64,
}

impl Strip {
    pub(crate) fn new(rows: usize, left: f64, right: f64) -> Self {
        Self { rows: vec![Vec::new(); rows], left, right }
    }

    /// The lowest row with room for `label`, as near to `x` as its ends allow.
    pub(crate) fn place(&mut self, label: &str, x: f64) -> Option<Placed> {
        const GAP: f64 = 10.0;
        let half = text_width(label, TEXT_PX) / 2.0;
        if 2.0 * half > self.right - self.left {
            return None;
        }
        let middle = x.clamp(self.left + half, self.right - half);
        let (from, to) = (middle - half, middle + half);
        let free =
            |taken: &Vec<(f64, f64)>| taken.iter().all(|(a, b)| to + GAP <= *a || *b + GAP <= from);
        let row = self.rows.iter().position(free)?;
        self.rows[row].push((from, to));
        Some(Placed { row, middle })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_their_distance_and_stay_inside() {
        let mut strip = Strip::new(2, 0.0, 300.0);
        assert_eq!(strip.place("1", 150.0), Some(Placed { row: 0, middle: 150.0 }));
        assert_eq!(strip.place("1", 155.0), Some(Placed { row: 1, middle: 155.0 }));
        assert_eq!(strip.place("1", 145.0), None);
        assert!(strip.place("1", 0.0).is_some_and(|label| label.middle > 0.0));
        assert!(strip.place("1", 900.0).is_some_and(|label| label.middle < 300.0));
        assert_eq!(strip.place(&"wide ".repeat(20), 150.0), None);
    }
}
