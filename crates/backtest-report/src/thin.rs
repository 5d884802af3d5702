/// Splits a line at its gaps and keeps, of each pixel column, the lowest and the highest point.
///
/// `points` are x in pixels, ascending, and any y; a y that is not finite is a gap. The first and
/// the last point of each piece stay too, so a piece of one session is one point.
pub(crate) fn thin(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<Vec<(f64, f64)>> {
    let mut pieces = Vec::new();
    let mut piece = Piece::default();
    for (x, y) in points {
        if y.is_finite() {
            piece.push(x, y);
        } else if let Some(line) = std::mem::take(&mut piece).finish() {
            pieces.push(line);
        }
    }
    pieces.extend(piece.finish());
    pieces
}

#[derive(Default)]
struct Piece {
    kept: Vec<(f64, f64)>,
    column: Option<Column>,
}

impl Piece {
    fn push(&mut self, x: f64, y: f64) {
        let point = (x, y);
        match &mut self.column {
            Some(column) if column.x == x.floor() => column.push(point),
            column => {
                if let Some(full) = column.replace(Column::new(point)) {
                    full.keep(&mut self.kept);
                }
                // The first point of a piece stays as it is.
                if self.kept.is_empty() {
                    self.kept.push(point);
                }
            }
        }
    }

    fn finish(mut self) -> Option<Vec<(f64, f64)>> {
        let column = self.column?;
        let last = column.last;
        column.keep(&mut self.kept);
        if self.kept.last() != Some(&last) {
            self.kept.push(last);
        }
        Some(self.kept)
    }
}

struct Column {
    x: f64,
    low: (usize, (f64, f64)),
    high: (usize, (f64, f64)),
    last: (f64, f64),
    len: usize,
}

impl Column {
    fn new(point: (f64, f64)) -> Self {
        Self { x: point.0.floor(), low: (0, point), high: (0, point), last: point, len: 1 }
    }

    fn push(&mut self, point: (f64, f64)) {
        if point.1 < self.low.1.1 {
            self.low = (self.len, point);
        }
        if point.1 > self.high.1.1 {
            self.high = (self.len, point);
        }
        self.last = point;
        self.len += 1;
    }

    /// Both extremes in the order in which they happened.
    fn keep(self, kept: &mut Vec<(f64, f64)>) {
        let (earlier, later) =
            if self.low.0 <= self.high.0 { (self.low, self.high) } else { (self.high, self.low) };
        for (_, point) in [earlier, later] {
            if kept.last() != Some(&point) {
                kept.push(point);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gaps_split_and_columns_keep_their_extremes() {
        let check = |points: &[(f64, f64)], expected: &[&[(f64, f64)]]| {
            assert_eq!(thin(points.iter().copied()), expected);
        };
        let gap = f64::NAN;
        check(&[], &[]);
        check(&[(0.0, gap)], &[]);
        check(&[(0.0, 1.0)], &[&[(0.0, 1.0)]]);
        check(&[(0.0, 1.0), (1.0, gap), (2.0, 3.0)], &[&[(0.0, 1.0)], &[(2.0, 3.0)]]);
        check(
            &[(0.0, 1.0), (0.2, 9.0), (0.4, 2.0), (0.6, -4.0), (0.8, 3.0), (1.0, 5.0)],
            &[&[(0.0, 1.0), (0.2, 9.0), (0.6, -4.0), (1.0, 5.0)]],
        );
        check(&[(0.0, 1.0), (0.5, 1.0)], &[&[(0.0, 1.0), (0.5, 1.0)]]);
    }

    proptest! {
        #[test]
        fn no_extreme_is_lost(values in prop::collection::vec(-1e6..1e6f64, 1..600)) {
            let points = || values.iter().enumerate().map(|(i, y)| (i as f64 / 7.0, *y));
            let lines = thin(points());
            prop_assert_eq!(lines.len(), 1);
            let columns = (values.len() as f64 / 7.0).ceil() as usize;
            prop_assert!(lines[0].len() <= 2 * columns + 2);
            prop_assert_eq!(lines[0].first().copied(), points().next());
            prop_assert_eq!(lines[0].last().copied(), points().next_back());
            for column in 0..columns {
                let of = |line: &mut dyn Iterator<Item = (f64, f64)>| {
                    crate::series::extent(
                        line.filter(|p| p.0.floor() == column as f64).map(|p| p.1),
                    )
                };
                prop_assert_eq!(of(&mut points()), of(&mut lines[0].iter().copied()));
            }
            prop_assert!(lines[0].windows(2).all(|pair| pair[0].0 <= pair[1].0));
        }
    }
}
