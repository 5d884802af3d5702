use serde::Serialize;

/// Why an order was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A call of the session before, or of this one where fills are at the close.
    Call,
    /// A call that found no bar on its day and was carried.
    Carried,
    /// The end of the holding period.
    HoldingPeriod,
    /// The drawdown stop.
    DrawdownStop,
    /// A margin call.
    MarginCall,
    /// A delisting; the security is paid out and no order is made.
    Delisting,
}

impl Cause {
    /// Whether the rules want it, rather than a call. Such an order is tried until it is done.
    pub(crate) const fn is_forced(self) -> bool {
        !matches!(self, Self::Call | Self::Carried)
    }

    /// Whether it is filled at the open, whatever the entry price of calls.
    pub(crate) const fn at_open(self) -> bool {
        matches!(self, Self::DrawdownStop | Self::MarginCall)
    }
}

/// What made a fill smaller than its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// The share of the average daily volume.
    Volume,
    /// The largest gross exposure.
    Gross,
    /// Cash.
    Cash,
}

/// An order that was filled, in whole or in part.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fill {
    /// Index of the session in the market.
    pub day: u32,
    /// Index of the security in the market.
    pub asset: u32,
    /// Shares bought; negative for sold.
    pub quantity: f64,
    /// Dollars a share, slippage included.
    pub price: f64,
    /// Dollars paid in fees.
    pub fee: f64,
    /// Why.
    pub cause: Cause,
    /// What made it smaller, if anything.
    pub cut: Option<Cut>,
}

/// Why an order was not filled at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// The security has no bar, or no price in it, on the day of the fill.
    MissingBar,
    /// The bar of that day has no volume: nobody traded.
    ZeroVolume,
    /// No close was known before the fill, so the order could not be sized.
    NoPriceYet,
    /// Sizing needs more history than there is, or returns that are not all the same.
    NoHistory,
    /// The order comes to less than one lot.
    BelowOneLot,
    /// Cash pays for nothing of it.
    Cash,
    /// The gross exposure leaves no room.
    Gross,
    /// The average daily volume leaves nothing.
    Volume,
    /// The drawdown stop is on.
    Stopped,
    /// A margin call came first.
    MarginCall,
    /// The call is of the last session, or later: there is no next open.
    NoNextSession,
    /// The call is dated before the first session.
    BeforeFirstSession,
    /// The market does not have the ticker.
    UnknownTicker,
    /// The call's strength is negative or no number.
    BadStrength,
    /// Equity was gone.
    RunEnded,
}

/// An order that was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dropped {
    /// Index of the session on which it would have been filled, or of the last one of the run.
    pub day: u32,
    /// Index of the security in the market.
    pub asset: u32,
    /// Why.
    pub reason: DropReason,
    /// Whether it is tried again on the next session.
    pub carried: bool,
}
