use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use thesis_core::Bar;

use crate::bar_row::{Judgement, judge};
use crate::{Adjustment, Calendar, CorporateAction};

/// What to do about a bar that a check finds fault with. In any case there is a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Leave the bar as it is.
    Keep,
    /// Leave the bar out.
    Drop,
    /// Refuse the series.
    Fail,
}

/// What to check a series for, and what follows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckConfig {
    /// A price that is not above 0, a high below the low, a close outside of low to high. Default:
    /// drop.
    pub impossible: Policy,
    /// A second bar of a date. The first one is kept; since a date stands once in a series, `Keep`
    /// is as `Drop`. Default: drop.
    pub duplicate: Policy,
    /// A close that moved by more than `max_jump` without a corporate action. Dropped is only a
    /// spike, after which the price is back; where the level has moved, leaving a bar out mends
    /// nothing. Default: keep.
    pub jump: Policy,
    /// The largest move from close to close, as a share: 0.4 for 40 %.
    pub max_jump: f64,
    /// A bar on a day on which the calendar has no session. Default: keep.
    pub no_session: Policy,
    /// Sessions without a bar between two bars; nothing can be dropped, so `Drop` is as `Keep`.
    /// Default: keep.
    pub missing_session: Policy,
}

/// The checks, as [`CheckConfig`] describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Prices that no session can have.
    Impossible,
    /// A second bar of a date.
    Duplicate,
    /// A move that nothing explains.
    Jump,
    /// A bar without a session.
    NoSession,
    /// Sessions without a bar.
    MissingSession,
}

/// A fault that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The bar's day; of missing sessions that of the bar after them.
    pub date: NaiveDate,
    /// Which check.
    pub check: Check,
    /// What its policy is.
    pub policy: Policy,
    /// Whether the bar was left out.
    pub dropped: bool,
    /// What is wrong, in words.
    pub message: String,
}

impl Default for CheckConfig {
    fn default() -> Self {
        Self {
            impossible: Policy::Drop,
            duplicate: Policy::Drop,
            jump: Policy::Keep,
            max_jump: 0.4,
            no_session: Policy::Keep,
            missing_session: Policy::Keep,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, message, dropped, .. } = self;
        write!(f, "{date}: {message}{}", if *dropped { " (dropped)" } else { "" })
    }
}

/// Checks a series, and gives the bars that may stay, ascending by date, with what was found.
///
/// A move from close to close is no jump where `actions` between the two bars explain it (under the
/// series' `adjustment`: a split moves raw prices only, a dividend all but those adjusted for it),
/// or where the adjusted closes of both bars moved by less than the limit. Without a calendar, and
/// outside of the days it knows, sessions are not checked.
///
/// A finding whose policy is [`Policy::Fail`] means that the caller should refuse the series.
pub fn check_bars(
    mut bars: Vec<Bar>,
    actions: &[CorporateAction],
    adjustment: Adjustment,
    calendar: Option<&Calendar>,
    config: &CheckConfig,
) -> (Vec<Bar>, Vec<Finding>) {
    let CheckConfig { impossible, duplicate, jump, max_jump, no_session, missing_session } =
        *config;
    bars.sort_by_key(|bar| bar.date);
    let mut findings = Findings::default();

    bars.retain(|bar| match fault_of(bar) {
        None => true,
        Some(message) => findings.keep(bar.date, Check::Impossible, impossible, message),
    });
    let mut previous: Option<Bar> = None;
    bars.retain(|bar| {
        let repeats = previous.filter(|previous| previous.date == bar.date);
        let Some(first) = repeats else {
            previous = Some(*bar);
            return true;
        };
        let how = if first == *bar { "the same" } else { "other" };
        let message = format!("a second bar of this day, with {how} values");
        let policy = if duplicate == Policy::Keep { Policy::Drop } else { duplicate };
        findings.keep(bar.date, Check::Duplicate, policy, message)
    });
    bars.retain(|bar| match calendar.and_then(|calendar| calendar.is_session(bar.date)) {
        Some(false) => {
            let message = format!("no session, {} says", calendar.map_or("", Calendar::name));
            findings.keep(bar.date, Check::NoSession, no_session, message)
        }
        _ => true,
    });

    let mut kept: Vec<Bar> = Vec::with_capacity(bars.len());
    for (index, bar) in bars.iter().enumerate() {
        let Some(previous) = kept.last() else {
            kept.push(*bar);
            continue;
        };
        let moved = unexplained_move(previous, bar, actions, adjustment, max_jump);
        if let Some(change) = moved {
            let back = bars.get(index + 1).is_some_and(|next| {
                unexplained_move(previous, next, actions, adjustment, max_jump).is_none()
            });
            let policy = if back || jump != Policy::Drop { jump } else { Policy::Keep };
            let (from, to) = (previous.close, bar.close);
            let message = format!(
                "the close moved by {:+.1} % from {from} to {to}, with no corporate action",
                100.0 * change
            );
            if !findings.keep(bar.date, Check::Jump, policy, message) {
                continue;
            }
        }
        if let Some((first, last, count)) = missing(previous, bar, calendar) {
            let policy = match missing_session {
                Policy::Drop => Policy::Keep,
                other => other,
            };
            let message = match count {
                1 => format!("no bar for the session before it, {first}"),
                _ => format!("no bar for {count} sessions before it, {first} to {last}"),
            };
            findings.keep(bar.date, Check::MissingSession, policy, message);
        }
        kept.push(*bar);
    }
    let Findings(mut findings) = findings;
    findings.sort_by_key(|finding| finding.date);
    (kept, findings)
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// Notes a finding; whether its bar stays.
    fn keep(&mut self, date: NaiveDate, check: Check, policy: Policy, message: String) -> bool {
        let dropped = policy == Policy::Drop;
        self.0.push(Finding { date, check, policy, dropped, message });
        !dropped
    }
}

/// Why no session can have these prices.
fn fault_of(bar: &Bar) -> Option<String> {
    let Bar { date: _, open, high, low, close, adj_close, volume } = *bar;
    let prices = [("open", open), ("high", high), ("low", low), ("close", close)];
    let adjusted = adj_close.map(|adj_close| ("adjusted close", adj_close));
    let sound = |value: f64| value > 0.0 && value.is_finite();
    if let Some((name, value)) = prices.into_iter().chain(adjusted).find(|(_, v)| !sound(*v)) {
        return Some(format!("the {name} {value} is not above 0"));
    }
    if !(volume >= 0.0 && volume.is_finite()) {
        return Some(format!("the volume {volume} cannot be"));
    }
    match judge(open, high, low, close) {
        Judgement::Impossible(_, message) => Some(message),
        Judgement::Sound | Judgement::Odd(..) => None,
    }
}

/// The change from close to close where it is above the limit and nothing explains it.
fn unexplained_move(
    previous: &Bar,
    bar: &Bar,
    actions: &[CorporateAction],
    adjustment: Adjustment,
    max_jump: f64,
) -> Option<f64> {
    let within = |change: f64| change.is_nan() || change.abs() <= max_jump;
    let change = bar.close / previous.close - 1.0;
    let prices = previous.close > 0.0 && bar.close > 0.0;
    if within(change) || !prices {
        return None;
    }
    if let (Some(from), Some(to)) = (previous.adj_close, bar.adj_close)
        && within(to / from - 1.0)
    {
        return None;
    }
    let since =
        |action: &&CorporateAction| previous.date < action.date() && action.date() <= bar.date;
    // What a share of the earlier bar is worth at the later one.
    let worth =
        actions.iter().filter(since).fold(bar.close, |worth, action| match (action, adjustment) {
            (CorporateAction::Split { ratio, .. }, Adjustment::Raw) => worth * ratio,
            (CorporateAction::Dividend { amount, .. }, Adjustment::Raw | Adjustment::Splits) => {
                worth + amount
            }
            _ => worth,
        });
    (!within(worth / previous.close - 1.0)).then_some(change)
}

/// The sessions between two bars: first, last and how many.
fn missing(
    previous: &Bar,
    bar: &Bar,
    calendar: Option<&Calendar>,
) -> Option<(NaiveDate, NaiveDate, usize)> {
    let calendar = calendar?;
    let mut sessions =
        calendar.sessions_between(previous.date.succ_opt()?, bar.date.pred_opt()?)?;
    let count = sessions.len();
    let first = sessions.next()?;
    Some((first, calendar.previous_session(bar.date)?, count))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::compact_day::day;

    fn bar(number: u32, close: f64) -> Bar {
        Bar {
            date: day(number),
            open: close,
            high: close,
            low: close,
            close,
            adj_close: None,
            volume: 1.0,
        }
    }

    fn check(
        bars: &[Bar],
        actions: &[CorporateAction],
        adjustment: Adjustment,
        config: CheckConfig,
        want: &Expect,
    ) {
        let xnys = Calendar::xnys();
        let (kept, findings) = check_bars(bars.to_vec(), actions, adjustment, Some(&xnys), &config);
        let kept: Vec<String> =
            kept.iter().map(|b| format!("{}={}", b.date.format("%d"), b.close)).collect();
        let lines = std::iter::once(kept.join(" "));
        let lines: Vec<String> = lines.chain(findings.iter().map(Finding::to_string)).collect();
        want.assert_eq(&lines.join("\n"));
    }

    const UNKNOWN: Adjustment = Adjustment::Unknown;

    #[test]
    fn bars_that_cannot_be() {
        let mut bars = [
            bar(20250106, 10.0),
            bar(20250107, -1.0),
            bar(20250108, f64::NAN),
            bar(20250110, 10.0),
            bar(20250113, 10.0),
            bar(20250114, 10.0),
        ];
        (bars[3].low, bars[4].high, bars[5].adj_close) = (11.0, f64::INFINITY, Some(0.0));
        check(
            &bars,
            &[],
            UNKNOWN,
            CheckConfig::default(),
            &expect![[r#"
            06=10
            2025-01-07: the open -1 is not above 0 (dropped)
            2025-01-08: the open NaN is not above 0 (dropped)
            2025-01-10: the high 10 is below the low 11 (dropped)
            2025-01-13: the high inf is not above 0 (dropped)
            2025-01-14: the adjusted close 0 is not above 0 (dropped)"#]],
        );
        let keep = CheckConfig { impossible: Policy::Keep, ..CheckConfig::default() };
        check(
            &bars,
            &[],
            UNKNOWN,
            keep,
            &expect![[r#"
                06=10 07=-1 08=NaN 10=10 13=10 14=10
                2025-01-07: the open -1 is not above 0
                2025-01-08: the open NaN is not above 0
                2025-01-10: the high 10 is below the low 11
                2025-01-13: the high inf is not above 0
                2025-01-14: the adjusted close 0 is not above 0"#]],
        );
    }

    #[test]
    fn second_bars_sundays_and_gaps() {
        let bars = [
            bar(20250108, 10.0),
            bar(20250106, 10.0),
            bar(20250108, 10.5),
            bar(20250109, 10.0),
            bar(20250112, 10.0),
            bar(20250115, 10.0),
        ];
        check(
            &bars,
            &[],
            UNKNOWN,
            CheckConfig::default(),
            &expect![[r#"
                06=10 08=10 09=10 12=10 15=10
                2025-01-08: a second bar of this day, with other values (dropped)
                2025-01-08: no bar for the session before it, 2025-01-07
                2025-01-09: no session, XNYS says
                2025-01-12: no session, XNYS says
                2025-01-12: no bar for the session before it, 2025-01-10
                2025-01-15: no bar for 2 sessions before it, 2025-01-13 to 2025-01-14"#]],
        );
        let strict = CheckConfig {
            duplicate: Policy::Fail,
            no_session: Policy::Drop,
            missing_session: Policy::Fail,
            ..CheckConfig::default()
        };
        check(
            &bars,
            &[],
            UNKNOWN,
            strict,
            &expect![[r#"
                06=10 08=10 08=10.5 15=10
                2025-01-08: a second bar of this day, with other values
                2025-01-08: no bar for the session before it, 2025-01-07
                2025-01-09: no session, XNYS says (dropped)
                2025-01-12: no session, XNYS says (dropped)
                2025-01-15: no bar for 3 sessions before it, 2025-01-10 to 2025-01-14"#]],
        );
        let (_, findings) = check_bars(bars.to_vec(), &[], UNKNOWN, None, &strict);
        let failed: Vec<Check> =
            findings.iter().filter(|f| f.policy == Policy::Fail).map(|f| f.check).collect();
        assert_eq!(failed, [Check::Duplicate]);
    }

    #[test]
    fn jumps_and_what_explains_them() {
        let drop = CheckConfig { jump: Policy::Drop, ..CheckConfig::default() };
        let week = |closes: [f64; 5]| {
            let days = [20250113, 20250114, 20250115, 20250116, 20250117];
            let bars: Vec<Bar> =
                days.iter().zip(closes).map(|(day, close)| bar(*day, close)).collect();
            bars
        };
        // A spike, and a move to another level.
        let bars = week([10.0, 100.0, 10.0, 30.0, 30.0]);
        check(
            &bars,
            &[],
            UNKNOWN,
            drop,
            &expect![[r#"
                13=10 15=10 16=30 17=30
                2025-01-14: the close moved by +900.0 % from 10 to 100, with no corporate action (dropped)
                2025-01-15: no bar for the session before it, 2025-01-14
                2025-01-16: the close moved by +200.0 % from 10 to 30, with no corporate action"#]],
        );
        check(
            &bars,
            &[],
            UNKNOWN,
            CheckConfig::default(),
            &expect![[r#"
            13=10 14=100 15=10 16=30 17=30
            2025-01-14: the close moved by +900.0 % from 10 to 100, with no corporate action
            2025-01-15: the close moved by -90.0 % from 100 to 10, with no corporate action
            2025-01-16: the close moved by +200.0 % from 10 to 30, with no corporate action"#]],
        );
        // Just at the limit.
        check(
            &week([10.0, 14.0, 8.4, 8.4, 8.4]),
            &[],
            UNKNOWN,
            drop,
            &expect!["13=10 14=14 15=8.4 16=8.4 17=8.4"],
        );
        // A split moves raw prices, and no others.
        let halved = week([10.0, 10.0, 5.0, 5.0, 5.0]);
        let split = [CorporateAction::Split { date: day(20250115), ratio: 2.0 }];
        check(&halved, &split, Adjustment::Raw, drop, &expect!["13=10 14=10 15=5 16=5 17=5"]);
        check(
            &halved,
            &split,
            Adjustment::Splits,
            drop,
            &expect![[r#"
            13=10 14=10 15=5 16=5 17=5
            2025-01-15: the close moved by -50.0 % from 10 to 5, with no corporate action"#]],
        );
        // A small dividend does not explain a large fall; a large one does.
        let paid = |amount| [CorporateAction::Dividend { date: day(20250115), amount }];
        check(
            &halved,
            &paid(0.2),
            Adjustment::Splits,
            drop,
            &expect![[r#"
            13=10 14=10 15=5 16=5 17=5
            2025-01-15: the close moved by -50.0 % from 10 to 5, with no corporate action"#]],
        );
        check(
            &halved,
            &paid(4.0),
            Adjustment::Splits,
            drop,
            &expect!["13=10 14=10 15=5 16=5 17=5"],
        );
        // The adjusted close stays where it was.
        let mut adjusted = halved;
        for bar in &mut adjusted {
            bar.adj_close = Some(5.0);
        }
        check(&adjusted, &[], Adjustment::Raw, drop, &expect!["13=10 14=10 15=5 16=5 17=5"]);
    }

    proptest! {
        #[test]
        fn what_passed_once_passes_again(
            days in prop::collection::vec((0..40_u64, -1.0..3.0_f64), 0..30), drop in any::<bool>(),
        ) {
            let bars: Vec<Bar> = days
                .iter()
                .map(|(n, close)| Bar { date: day(20250101) + chrono::Days::new(*n), ..bar(20250101, *close) })
                .collect();
            let policy = if drop { Policy::Drop } else { Policy::Keep };
            let config = CheckConfig { jump: policy, no_session: policy, ..CheckConfig::default() };
            let xnys = Calendar::xnys();
            let check = |bars| check_bars(bars, &[], UNKNOWN, Some(&xnys), &config);
            let (kept, findings) = check(bars.clone());
            prop_assert!(kept.is_sorted_by(|a, b| a.date < b.date));
            prop_assert!(kept.iter().all(|bar| bar.close > 0.0 && bars.contains(bar)));
            prop_assert_eq!(findings.iter().filter(|f| f.dropped).count(), bars.len() - kept.len());
            // A spike that is gone may make another one visible, never what is kept impossible.
            let (again, findings) = check(kept.clone());
            let gone: Vec<Check> = findings.iter().filter(|f| f.dropped).map(|f| f.check).collect();
            prop_assert!(gone.iter().all(|check| *check == Check::Jump) && again.len() <= kept.len());
        }
    }
}
