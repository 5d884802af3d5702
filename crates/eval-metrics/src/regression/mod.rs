//! Numbers against numbers.
