/// What a stream of random numbers is for. Streams do not share numbers, so that one may grow and
/// the others stay as they are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    /// What the whole market does.
    Market,
    /// What one stock does.
    Stock,
    /// What theses say, and how they are spelled.
    Theses,
    /// Names of stocks.
    Tickers,
}

/// SplitMix64: 64 bits of state, a different sequence for each.
///
/// Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators". Only
/// whole numbers and + − × ÷ follow, which every machine computes alike.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The stream of a seed, a stock and a purpose.
    pub(crate) fn new(seed: u64, stock: u64, stream: Stream) -> Self {
        let mut random = Self(seed);
        for word in [stock, stream as u64] {
            random.0 = random.next().wrapping_add(word);
        }
        Self(random.next())
    }

    /// 0 to 2⁶⁴ − 1.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to below 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Mean 0 and variance 1, almost normal: the sum of twelve uniform numbers.
    pub(crate) fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }

    /// 0 to below `count`.
    pub(crate) fn below(&mut self, count: u64) -> u64 {
        (self.uniform() * count as f64) as u64
    }

    /// True for that share of the answers.
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        self.uniform() < share
    }

    /// One of several.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}
