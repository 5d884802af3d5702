//! Orders against orders.
