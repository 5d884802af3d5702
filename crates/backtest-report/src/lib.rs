//! Plots and a self-contained tear sheet of a backtest.
