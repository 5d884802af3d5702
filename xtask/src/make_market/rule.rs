use super::indicators::{NAMES, Snapshot};

/// What a thesis knows and says of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signals {
    /// Close against its 20-day and its 100-day average, MACD's histogram, the last month: whether
    /// the printed figure is above 0. `None`: the figure is missing.
    pub(crate) up: [Option<bool>; 4],
    pub(crate) strength: Strength,
}

/// What RSI says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strength {
    /// 70 and above.
    Overbought,
    /// 30 to below 70.
    Neutral,
    /// Below 30.
    Oversold,
    /// The figure is missing.
    Unknown,
}

/// A call, strongest buy first.
pub(crate) const ACTIONS: [&str; 5] = ["STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL"];

/// Where the four figures of [`Signals::up`] stand in a snapshot.
const UP: [usize; 4] = [2, 3, 4, 5];
const RSI: usize = 1;

impl Signals {
    /// The signals of the figures as they are printed, `missing` ones left out.
    pub(crate) fn of(snapshot: &Snapshot, missing: &[bool; NAMES.len()]) -> Self {
        let printed =
            |at: usize| (!missing[at]).then(|| snapshot.printed(at).parse().unwrap_or(0.0));
        let strength = match printed(RSI) {
            None => Strength::Unknown,
            Some(rsi) if rsi >= 70.0 => Strength::Overbought,
            Some(rsi) if rsi < 30.0 => Strength::Oversold,
            Some(_) => Strength::Neutral,
        };
        Self { up: UP.map(|at| printed(at).map(|figure| figure > 0.0)), strength }
    }

    /// A point up or down for each of the four, one down for overbought, one up for oversold.
    pub(crate) fn score(&self) -> i32 {
        let points = |up: &Option<bool>| up.map_or(0, |up| if up { 1 } else { -1 });
        let strength = match self.strength {
            Strength::Overbought => -1,
            Strength::Oversold => 1,
            Strength::Neutral | Strength::Unknown => 0,
        };
        self.up.iter().map(points).sum::<i32>() + strength
    }

    /// The call: three points one way and more for a strong one, a balance of 0 to hold.
    pub(crate) fn action(&self) -> &'static str {
        match self.score() {
            3.. => ACTIONS[0],
            1..=2 => ACTIONS[1],
            0 => ACTIONS[2],
            -2..=-1 => ACTIONS[3],
            ..=-3 => ACTIONS[4],
        }
    }
}
