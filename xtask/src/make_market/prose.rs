use super::random::Random;
use super::rule::{Signals, Strength};

/// Reasoning, and the points that support it. They say what the signals are and how they balance,
/// and not what to do.
pub(crate) fn prose(signals: &Signals, random: &mut Random) -> (String, [String; 4]) {
    let [short, long, macd, month] = signals.up;
    let (short, long) = (place(short), place(long));
    let (macd, month) = (sign(macd), sign(month));
    let (strength, balance) = (strength(signals.strength), balance(signals.score()));
    let reasoning = match random.below(4) {
        0 => format!(
            "Price is {short} its short average and {long} its long average. MACD is {macd} and the month \
             is {month}. RSI is {strength}. The balance is {balance}."
        ),
        1 => format!(
            "The short trend is {short} and the long trend is {long} the line. Momentum: MACD {macd}, \
             month {month}. RSI is {strength}, the balance {balance}."
        ),
        2 => format!(
            "The stock trades {short} its short and {long} its long average, with MACD {macd} and the month \
             {month}; RSI is {strength}. That makes the balance {balance}."
        ),
        _ => format!(
            "RSI is {strength}. The close lies {short} the short and {long} the long average, MACD reads \
             {macd} and the month {month}. In balance: {balance}."
        ),
    };
    let support = [
        format!("Trend: short {short}, long {long}"),
        format!("Momentum: MACD {macd}, month {month}"),
        format!("RSI: {strength}"),
        format!("Balance: {balance}"),
    ];
    (reasoning, support)
}

/// What a score comes to, in a word.
const fn balance(score: i32) -> &'static str {
    match score {
        3.. => "strong",
        1..=2 => "good",
        0 => "even",
        -2..=-1 => "weak",
        ..=-3 => "poor",
    }
}

const fn place(up: Option<bool>) -> &'static str {
    match up {
        Some(true) => "above",
        Some(false) => "below",
        None => "unknown",
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
