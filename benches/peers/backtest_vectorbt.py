"""Trades the arrays of `throughput TICKERS SESSIONS FOLDER` with vectorbt and prints JSON.

python3 backtest_vectorbt.py FOLDER TICKERS SESSIONS
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd
import vectorbt as vbt

folder, width, days = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ROUNDS = 3


def run(open_, close, weight, sells_first):
    last = np.vstack([np.full((1, close.shape[1]), np.nan), close[:-1]])
    # A call of one day fills on the next.
    size = np.vstack([np.full((1, close.shape[1]), np.nan), weight[:-1]])
    frames = [pd.DataFrame(values) for values in (close, size, open_, last)]
    began = time.process_time()
    portfolio = vbt.Portfolio.from_orders(
        frames[0], size=frames[1], size_type="targetpercent", price=frames[2], val_price=frames[3],
        fees=0.0005, slippage=0.001, init_cash=1e6, cash_sharing=True, group_by=True,
        call_seq="auto" if sells_first else None, direction="longonly", freq="1D")
    equity = portfolio.value()
    return time.process_time() - began, float(equity.iloc[-1]), len(portfolio.orders.records)


def load(name):
    return np.fromfile(f"{folder}/{name}.f64").reshape(days, width)


def measure(arrays, sells_first):
    runs = [run(*arrays, sells_first) for _ in range(ROUNDS)]
    return {"seconds": sorted(r[0] for r in runs)[ROUNDS // 2], "equity": runs[0][1], "fills": runs[0][2]}


arrays = [load(name) for name in ("open", "close", "weight")]
# The first call of each kind compiles.
for order in (True, False):
    run(*[a[:5, :3] for a in arrays], order)
print(json.dumps({
    "version": vbt.__version__, "bars": width * days,
    "rust": vbt._engine.is_rust_available() if hasattr(vbt, "_engine") else False,
    "sells_first": measure(arrays, True), "in_order": measure(arrays, False),
}))
