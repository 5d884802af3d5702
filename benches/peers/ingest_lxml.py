#!/usr/bin/env python3
"""Thesis XML to JSONL as a straightforward Python script over lxml does it: the peer of `ingest`.

    ingest_lxml.py INPUT_DIR OUT.jsonl [ROUNDS]

Reads every .xml below INPUT_DIR in path order, checks and normalizes each thesis, drops duplicates,
and writes the same records as `ingest` with its default template. Prints one JSON object with the
bytes read, the records written, and the seconds of each round, imports left out.
"""

import datetime
import json
import pathlib
import sys
import time

from lxml import etree

ACTIONS = {
    "strongbuy": "STRONG_BUY", "buy": "BUY", "outperform": "BUY", "overweight": "BUY", "accumulate": "BUY",
    "hold": "HOLD", "neutral": "HOLD", "equalweight": "HOLD", "marketperform": "HOLD",
    "sell": "SELL", "underperform": "SELL", "underweight": "SELL", "reduce": "SELL",
    "strongsell": "STRONG_SELL",
}
DATE_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%Y-%m-%dT%H:%M:%SZ", "%b %d, %Y")
MISSING = {"", "nan", "n/a", "na", "null", "none", "-", "inf", "-inf"}
INSTRUCTION = (
    "Given this market snapshot, write your reasoning, the points that support it, and one action: "
    "STRONG_BUY, BUY, HOLD, SELL or STRONG_SELL."
)


def parse_date(text):
    for fmt in DATE_FORMATS:
        try:
            return datetime.datetime.strptime(text, fmt).date().isoformat()
        except ValueError:
            pass
    raise ValueError(f"no date: {text!r}")


def parse_number(text):
    text = (text or "").strip().strip("\"'")
    return None if text.lower() in MISSING else float(text)


def show(value):
    if value is None:
        return "n/a"
    return int(value) if value.is_integer() else value


def clean(text):
    return " ".join(text.split())


def read_thesis(node, root):
    ticker = (node.findtext("ticker") or node.get("ticker") or root.get("ticker") or "").strip().upper()
    if not ticker:
        raise ValueError("no ticker")
    date = parse_date((node.findtext("as-of-date") or node.get("as-of-date") or "").strip())
    indicators = {i.get("name"): parse_number(i.text) for i in node.iterfind("indicators/indicator")}
    reasoning = clean("".join(node.find("reasoning").itertext()))
    if not reasoning:
        raise ValueError("empty reasoning")
    spelled = "".join(c for c in node.findtext("action").lower() if c.isalnum())
    action = ACTIONS[spelled]
    support = node.find("support")
    if support is None:
        points = []
    else:
        points = [clean(p.text or "") for p in support.iterfind("point")] or [clean(support.text or "")]
    return ticker, date, indicators, reasoning, points, action


def ingest(input_dir, out):
    seen, counts, size, records, rejects = set(), {}, 0, 0, 0
    with open(out, "w", encoding="utf-8") as sink:
        for path in sorted(input_dir.rglob("*.xml")):
            data = path.read_bytes()
            size += len(data)
            root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
            for node in root.iter("thesis"):
                try:
                    ticker, date, indicators, reasoning, points, action = read_thesis(node, root)
                except (ValueError, KeyError, AttributeError, TypeError):
                    rejects += 1
                    continue
                support = " | ".join(points)
                key = (ticker, date, tuple(indicators.items()), reasoning, support, action)
                if key in seen:
                    continue
                seen.add(key)
                index = counts.get((ticker, date), 0)
                counts[(ticker, date)] = index + 1
                lines = [f"Ticker: {ticker}", f"Date: {date}"]
                lines += [f"{k}={show(v)}" for k, v in indicators.items()]
                record = {
                    "uid": f"{ticker}|{date}|{index}",
                    "ticker": ticker,
                    "as_of_date": date,
                    "instruction": INSTRUCTION,
                    "input": "\n".join(lines),
                    "output": f"<reasoning>{reasoning}</reasoning><support>{support}</support>"
                    f"<action>{action}</action>",
                    "action": action,
                    "indicators": indicators,
                    "metadata": {
                        "file": path.relative_to(input_dir).as_posix(),
                        "line": node.sourceline,
                        "generated_by": root.get("generated-by"),
                        "version": root.get("version"),
                    },
                }
                sink.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
                records += 1
    return size, records, rejects


def main():
    input_dir, out = pathlib.Path(sys.argv[1]), sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        size, records, rejects = ingest(input_dir, out)
        seconds.append(round(time.perf_counter() - start, 4))
    print(json.dumps({"bytes": size, "records": records, "rejects": rejects, "seconds": seconds}))


if __name__ == "__main__":
    main()
