//! Numbers against numbers.

mod mean_absolute_error;
mod mean_absolute_percentage_error;
mod r_squared;
mod root_mean_square_error;
mod symmetric_mape;

pub use crate::ranking::pearson;
pub use mean_absolute_error::mean_absolute_error;
pub use mean_absolute_percentage_error::mean_absolute_percentage_error;
pub use r_squared::r_squared;
pub use root_mean_square_error::root_mean_square_error;
pub use symmetric_mape::symmetric_mape;
