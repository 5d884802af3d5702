use crate::seeds::Indices;

/// All rows, each once, as `seed` shuffles them for `epoch`.
pub(super) fn shuffled(rows: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rows as u32).collect();
    let mut random = Indices::new(seed, "shuffle", &[epoch]);
    // Fisher and Yates, from the end.
    for last in (1..rows).rev() {
        order.swap(last, random.below(last + 1));
    }
    order
}

/// As many rows as there are, drawn with replacement: first a class, each as likely as any other, then a row of it.
///
/// So a row is drawn in inverse proportion to the number of rows of its class.
pub(super) fn balanced(classes: &[Vec<u32>], seed: u64, epoch: u64) -> Vec<u32> {
    let rows: usize = classes.iter().map(Vec::len).sum();
    let mut random = Indices::new(seed, "balanced", &[epoch]);
    let mut draw = |_| {
        let class = &classes[random.below(classes.len())];
        class[random.below(class.len())]
    };
    (0..rows).map(&mut draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_seed_never_changes() {
        assert_eq!(shuffled(0, 7, 0), Vec::<u32>::new());
        assert_eq!(shuffled(1, 7, 0), [0]);
        // By the definitions of the generator and of the shuffle, written again in Python.
        assert_eq!(shuffled(10, 7, 0), [9, 8, 6, 2, 7, 0, 3, 4, 5, 1]);
        assert_ne!(shuffled(10, 7, 0), shuffled(10, 7, 1));
        assert_ne!(shuffled(10, 7, 0), shuffled(10, 8, 0));
    }

    #[test]
    fn every_place_is_as_likely() {
        // 5! orders, 24,000 draws: each place has each row 4,800 times, with a deviation of 62.
        let mut counts = [[0_i32; 5]; 5];
        for epoch in 0..24_000 {
            for (place, row) in shuffled(5, 1, epoch).into_iter().enumerate() {
                counts[place][row as usize] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|count| (count - 4_800).abs() < 310), "{counts:?}");
    }

    #[test]
    fn rare_classes_are_drawn_as_often_as_frequent_ones() {
        let classes = [(0..9_000).collect(), (9_000..9_900).collect(), (9_900..10_000).collect()];
        let drawn = balanced(&classes, 3, 0);
        assert_eq!(drawn.len(), 10_000);
        for class in &classes {
            let of_class = drawn.iter().filter(|row| class.contains(row)).count() as i64;
            assert!((of_class - 3_333).abs() < 240, "{of_class}");
        }
    }
}
