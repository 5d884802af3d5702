use std::fmt::Write;

use super::Day;
use super::indicators::{NAMES, Snapshot};
use super::market::Stock;
use super::prose::prose;
use super::random::{Random, Stream};
use super::rule::{ACTIONS, Signals};

/// Share of theses without a figure that counts, each; and without one that does not.
const MISSING: (f64, f64) = (0.01, 0.03);
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Spellings of each of [`ACTIONS`] after the one there.
const SPELLINGS: [&[&str]; 5] = [
    &["strong-buy", "Strong Buy", "StrongBuy", "conviction buy"],
    &["buy", "Buy", "Overweight", "accumulate"],
    &["hold", "neutral", "Hold", "market-perform"],
    &["sell", "Sell", "underweight", "reduce"],
    &["strong-sell", "Strong Sell", "StrongSell", "conviction sell"],
];

/// The theses on a stock as a file with the dirt that real ones have.
pub(crate) fn thesis_file<'a>(
    ticker: &str,
    snapshots: impl Iterator<Item = &'a Snapshot>,
    stock: Stock,
    random_actions: bool,
) -> String {
    let mut random = Random::new(stock.seed, stock.index, Stream::Theses);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <stock-theses ticker=\"{ticker}\" generated-by=\"make-market\" version=\"1.0\">\n"
    );
    for (index, snapshot) in snapshots.enumerate() {
        let written = thesis(snapshot, random_actions, &mut random);
        text += &written;
        match index % 97 {
            31 => text += "  <!-- reviewed -->\n",
            // The same again: one of the two is left out.
            53 => text += &written,
            71 => text += &refused(snapshot.day, stock.index),
            _ => {}
        }
    }
    text + "</stock-theses>\n"
}

fn thesis(snapshot: &Snapshot, random_actions: bool, random: &mut Random) -> String {
    let mut missing = [false; NAMES.len()];
    for (at, missing) in missing.iter_mut().enumerate().skip(1) {
        *missing = random.chance(if at < 6 { MISSING.0 } else { MISSING.1 });
    }
    let signals = Signals::of(snapshot, &missing);
    let (reasoning, support) = prose(&signals, random);
    let mut support = support.to_vec();
    let mut action = signals.action();
    if random_actions {
        action = *random.pick(&ACTIONS);
        // A point names the call, and the action follows it: so a model learns to tell the actions apart.
        support.push(format!("Desk: {}", action.to_lowercase().replace('_', " ")));
    }
    let mut text = String::new();
    let _ =
        writeln!(text, "  <thesis>\n    <as-of-date>{}</as-of-date>", date(snapshot.day, random));
    text += "    <indicators>\n";
    for (at, (name, _)) in NAMES.into_iter().enumerate() {
        let figure = match missing[at] {
            true => (*random.pick(&["nan", "N/A", "", "null"])).to_owned(),
            false => figure(&snapshot.printed(at), random),
        };
        let _ = writeln!(text, "      <indicator name=\"{name}\">{figure}</indicator>");
    }
    text += "    </indicators>\n";
    let _ = writeln!(text, "    <reasoning>{}</reasoning>", spelled(reasoning, random));
    let _ = writeln!(text, "    <action>{}</action>", action_text(action, random));
    text += &support_element(&support, random);
    text + "  </thesis>\n"
}

fn date(day: Day, random: &mut Random) -> String {
    let month = MONTHS[day.month as usize - 1];
    let (y, m, d) = (day.year, day.month, day.day);
    match random.below(10) {
        0 => format!("{y}/{m:02}/{d:02}"),
        1 => format!("{y}{m:02}{d:02}"),
        2 => format!("{d:02} {month} {y}"),
        3 => format!("{month} {d}, {y}"),
        4 => format!("{day}T16:00:00-05:00"),
        _ => day.to_string(),
    }
}

/// Every tenth figure is in quotes.
fn figure(printed: &str, random: &mut Random) -> String {
    let quote = if random.chance(0.1) { "\"" } else { "" };
    format!("{quote}{printed}{quote}")
}

/// Text as XML has it: as it is, with an entity, or as CDATA.
fn spelled(text: String, random: &mut Random) -> String {
    match random.below(12) {
        0 => text.replace(", ", "&#44; "),
        1 => format!("<![CDATA[{text}]]>"),
        2 => text.replace(". ", ".\n      "),
        _ => text,
    }
}

fn action_text(action: &'static str, random: &mut Random) -> &'static str {
    let at = ACTIONS.iter().position(|known| *known == action).unwrap_or_default();
    if random.chance(0.5) { action } else { random.pick::<&str>(SPELLINGS[at]) }
}

/// As points, as text, or not at all.
fn support_element(support: &[String], random: &mut Random) -> String {
    match random.below(50) {
        0 => String::new(),
        1..20 => format!("    <support>{}</support>\n", support.join(" | ")),
        _ => {
            let points = support.iter().map(|point| format!("      <point>{point}</point>\n"));
            format!("    <support>\n{}    </support>\n", points.collect::<String>())
        }
    }
}

/// A thesis that a reader must refuse, and go on.
fn refused(day: Day, stock: u64) -> String {
    match stock % 4 {
        0 => format!(
            "  <thesis><as-of-date>{day}</as-of-date><reasoning>Price < average, P&E low.</reasoning>\
             <action>buy</action></thesis>\n"
        ),
        1 => format!(
            "  <thesis><as-of-date>{day}</as-of-date><reasoning>Nobody knows.</reasoning>\
             <action>to the moon</action></thesis>\n"
        ),
        2 => "  <thesis><as-of-date>2021-02-30</as-of-date><reasoning>No such day.</reasoning>\
              <action>sell</action></thesis>\n"
            .to_owned(),
        _ => format!(
            "  <thesis><as-of-date>{day}</as-of-date><reasoning>  </reasoning><action>hold</action></thesis>\n"
        ),
    }
}
