use serde::{Deserialize, Serialize};
use thesis_core::Action;

/// Which call counts where several stand for one ticker and day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// The latest: by date, then by place in the file.
    #[default]
    Last,
    /// The action nearest to the mean conviction (−2 to 2); a half goes towards HOLD.
    Mean,
    /// The action named most often; among equals the one nearest to HOLD, and HOLD where a buy and
    /// a sell are equally near.
    Majority,
}

impl Conflict {
    /// The one call out of several, `None` where there is none. With [`Self::Mean`] and
    /// [`Self::Majority`] the order of the calls changes nothing but the strength's last digit.
    ///
    /// The strength is that of the call that counts, or the mean of all.
    pub(crate) fn resolve(self, calls: &[(Action, f64)]) -> Option<(Action, f64)> {
        let &last = calls.last()?;
        if calls.len() == 1 {
            return Some(last);
        }
        let count = calls.len() as f64;
        let strength = calls.iter().map(|(_, strength)| strength).sum::<f64>() / count;
        match self {
            Self::Last => Some(last),
            Self::Mean => {
                let sum: i64 = calls.iter().map(|(action, _)| i64::from(action.conviction())).sum();
                let mean = sum as f64 / count;
                let nearest = (mean.abs() - 0.5).ceil().max(0.0).copysign(mean);
                Some((of_conviction(nearest as i8), strength))
            }
            Self::Majority => {
                let votes =
                    |action: Action| calls.iter().filter(|(named, _)| *named == action).count();
                let most = Action::ALL.map(votes).into_iter().max()?;
                let mut leaders: Vec<Action> =
                    Action::ALL.into_iter().filter(|action| votes(*action) == most).collect();
                leaders.sort_by_key(|action| action.conviction().abs());
                let nearest = leaders[0].conviction().abs();
                leaders.retain(|action| action.conviction().abs() == nearest);
                let action = if leaders.len() == 1 { leaders[0] } else { Action::Hold };
                Some((action, strength))
            }
        }
    }
}

fn of_conviction(conviction: i8) -> Action {
    let known = Action::ALL.into_iter().find(|action| action.conviction() == conviction);
    known.unwrap_or(Action::Hold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use thesis_core::Action::{Buy, Hold, Sell, StrongBuy, StrongSell};

    #[track_caller]
    fn check(calls: &[Action], last: Action, mean: Action, majority: Action) {
        let calls: Vec<_> = calls.iter().map(|action| (*action, 1.0)).collect();
        for (rule, want) in
            [(Conflict::Last, last), (Conflict::Mean, mean), (Conflict::Majority, majority)]
        {
            assert_eq!(rule.resolve(&calls), Some((want, 1.0)), "{rule:?}");
        }
    }

    #[test]
    fn one_call_a_day() {
        check(&[Buy], Buy, Buy, Buy);
        check(&[Buy, Buy, Sell], Sell, Hold, Buy);
        check(&[StrongBuy, Sell], Sell, Hold, Sell);
        check(&[Buy, Sell], Sell, Hold, Hold);
        check(&[StrongBuy, Buy], Buy, Buy, Buy);
        check(&[StrongBuy, StrongBuy, Buy], Buy, StrongBuy, StrongBuy);
        check(&[StrongSell, Hold], Hold, Sell, Hold);
        check(&[StrongSell, Sell, StrongSell], StrongSell, StrongSell, StrongSell);
        assert_eq!(Conflict::Mean.resolve(&[]), None);
        assert_eq!(Conflict::Mean.resolve(&[(Buy, 0.5), (Buy, 1.0)]), Some((Buy, 0.75)));
    }
}
