use chrono::NaiveDate;
use serde::Serialize;

/// The books at a session's close. Amounts are in US dollars.
///
/// Over any session, the change of equity is `profit − fees − slippage − borrow − interest +
/// dividends`, to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Day {
    /// The session.
    pub date: NaiveDate,
    /// Cash plus positions at their last known closes, less what is owed.
    pub equity: f64,
    /// Cash in hand.
    pub cash: f64,
    /// Sum of the absolute values of positions.
    pub gross: f64,
    /// Sum of the values of positions, short ones negative.
    pub net: f64,
    /// Number of positions.
    pub positions: u32,
    /// Value of all fills, at the bars' prices.
    pub traded: f64,
    /// Fees of all fills.
    pub fees: f64,
    /// What fills lost to slippage.
    pub slippage: f64,
    /// Fee on short positions, for the calendar days since the last session.
    pub borrow: f64,
    /// Interest on borrowed cash and on what is owed, for the calendar days since the last session.
    pub interest: f64,
    /// Dividends received, less those owed on short positions.
    pub dividends: f64,
    /// What the prices brought: the change of all holdings' value, of those bought or sold today
    /// since their fill at the bar's price.
    pub profit: f64,
    /// Fees and interest that cash could not pay yet.
    pub owed: f64,
}
