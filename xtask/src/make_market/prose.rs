use super::indicators::Snapshot;
use super::random::Random;
use super::rule::{Signals, Strength};

/// Reasoning, and the points that support it. They say what the signals are, and not what to do.
pub(crate) fn prose(
    snapshot: &Snapshot,
    signals: &Signals,
    random: &mut Random,
) -> (String, [String; 3]) {
    let [short, long, macd, month] = signals.up;
    let (short, long) = (place(short), place(long));
    let (macd, month) = (sign(macd), sign(month));
    let rsi = match signals.strength {
        Strength::Unknown => String::new(),
        // A record holds the number without zeros at its end.
        _ => format!(" at {}", tenths(snapshot.figures[1])),
    };
    let strength = strength(signals.strength);
    let reasoning = match random.below(4) {
        0 => format!(
            "Price is {short} its 20-day average and {long} its 100-day average. MACD is {macd} and the last \
             month is {month}. RSI(14){rsi} is {strength}."
        ),
        1 => format!(
            "The short trend is {short} and the long trend is {long} the average. Momentum: MACD {macd}, last \
             month {month}. RSI(14){rsi} is {strength}."
        ),
        2 => format!(
            "With MACD {macd} and the last month {month}, the stock trades {short} its 20-day and {long} its \
             100-day average; RSI(14){rsi} is {strength}."
        ),
        _ => format!(
            "RSI(14){rsi} is {strength}. The close lies {short} the 20-day and {long} the 100-day average, MACD \
             reads {macd} and the last month {month}."
        ),
    };
    let support = [
        format!("Trend: 20-day {short}, 100-day {long}"),
        format!("Momentum: MACD {macd}, month {month}"),
        format!("RSI(14): {strength}"),
    ];
    (reasoning, support)
}

const fn place(up: Option<bool>) -> &'static str {
    match up {
        Some(true) => "above",
        Some(false) => "below",
        None => "unknown against",
    }
}

const fn sign(up: Option<bool>) -> &'static str {
    match up {
        Some(true) => "positive",
        Some(false) => "negative",
        None => "unknown",
    }
}

const fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::Overbought => "overbought",
        Strength::Neutral => "neutral",
        Strength::Oversold => "oversold",
        Strength::Unknown => "unknown",
    }
}

fn tenths(figure: f64) -> String {
    let text = format!("{figure:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}
