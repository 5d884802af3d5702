//! Statistics of a series of simple returns.
