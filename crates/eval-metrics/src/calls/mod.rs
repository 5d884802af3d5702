//! What calls were worth against forward returns.

mod action_returns;
mod action_spread;
mod hit_rate;
mod horizon_table;
mod known_returns;

pub use action_returns::{ActionReturns, ReturnsByAction, returns_by_action};
pub use action_spread::{ActionSpread, action_spread};
pub use hit_rate::{HitRate, HoldRule, hit_rate};
pub use horizon_table::{HorizonHits, horizon_table};
