"""Kills the pipeline at random moments, starts it again until it ends, and compares what it wrote with an undisturbed run.

    python xtask/check_kills.py --rounds 5 -- --profile quickstart --bin-dir target/release

What follows `--` goes to `cargo xtask pipeline`; --out is given here. Left out of the comparison is what holds times:
logs, manifests, event files, checkpoints, and the seconds in metrics.jsonl. Needs Linux, and Python 3.9 or later.
"""

import argparse
import fnmatch
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDERS = {"logs", "tensorboard", "pipeline"}
FILES = {"manifest.json", "timings.json", "index.html"}
TIMED = {"seconds", "tokens_per_second", "memory_mib", "seconds_left", "eval_seconds"}


def without_times(path):
    """The bytes of a file that must be the same in every run."""
    data = path.read_bytes()
    if path.name == "metrics.jsonl":
        lines = (json.loads(line) for line in data.splitlines())
        kept = [{k: v for k, v in line.items() if k not in TIMED} for line in lines]
        return json.dumps(kept).encode()
    if path.suffix == ".json":
        value = json.loads(data)
        if isinstance(value, dict) and "manifest" in value:
            return json.dumps({**value, "manifest": None}).encode()
    return data


def tree(run, left_out):
    digests = {}
    for path in sorted(run.rglob("*")):
        parts = path.relative_to(run).parts
        hidden = any(p in FOLDERS or p.startswith((".", "checkpoint-")) for p in parts)
        if path.is_dir() or hidden or path.name in FILES or path.name.endswith(".manifest.json"):
            continue
        if any(fnmatch.fnmatch("/".join(parts), pattern) for pattern in left_out):
            continue
        digests["/".join(parts)] = hashlib.sha256(without_times(path)).hexdigest()
    return digests


def start(xtask, flags, run, log):
    command = [*xtask, "pipeline", *flags, "--out", str(run)]
    return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)


def calm(xtask, flags, run, log):
    began = time.monotonic()
    if start(xtask, flags, run, log).wait() != 0:
        sys.exit(f"an undisturbed run failed; see {log.name}")
    return time.monotonic() - began


def stage_process(run):
    """The process of the stage that runs, or None."""
    try:
        words = (run / "pipeline" / "lock").read_text().split()
        process = int(words[-1])
        return None if words[0] == "a" else process
    except (OSError, ValueError, IndexError):
        return None


def disturb(process, run, dice):
    """Ends the pipeline, its stage, or both; returns what was done."""
    kind = dice.choice(["both", "both", "pipeline", "stage", "ctrl-c"])
    stage = stage_process(run)
    targets = {"both": [process.pid, stage], "stage": [stage]}.get(kind, [process.pid])
    name = (run / "pipeline" / "lock").read_text().split(",")[0] if stage else "no stage"
    for target in targets:
        try:
            if target:
                os.kill(target, signal.SIGINT if kind == "ctrl-c" else signal.SIGKILL)
        except ProcessLookupError:
            pass
    return f"{kind} in {name}"


def disturbed(xtask, flags, run, log, seconds, dice, most):
    done = []
    for _ in range(most):
        process = start(xtask, flags, run, log)
        try:
            # Most of the time of a run is in few stages; short waits hit the others.
            process.wait(timeout=seconds * dice.random() ** dice.choice([1, 2]))
        except subprocess.TimeoutExpired:
            done.append(disturb(process, run, dice))
            process.wait()
    # What is left of a run may still hold the folder; the last one waits for it.
    calm(xtask, flags, run, log)
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="disturbed runs")
    parser.add_argument("--kills", type=int, default=8, help="kills a run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leave-out", nargs="+", default=[], help="patterns of files that are not compared")
    parser.add_argument("--xtask", nargs="+", default=["cargo", "xtask"])
    parser.add_argument("flags", nargs="*")
    args = parser.parse_args()
    dice = random.Random(args.seed)
    scratch = Path(tempfile.mkdtemp(prefix="check-kills-"))
    # Always the same folder: commands and settings name it.
    run = scratch / "run"
    with open(scratch / "log", "w") as log:
        seconds = calm(args.xtask, args.flags, run, log)
        want = tree(run, args.leave_out)
        print(f"an undisturbed run: {len(want)} files, {seconds:.1f} s")
        for number in range(args.rounds + 1):
            shutil.rmtree(run, args.leave_out)
            if number == 0:
                calm(args.xtask, args.flags, run, log)
                done = ["undisturbed again"]
            else:
                done = disturbed(args.xtask, args.flags, run, log, seconds, dice, args.kills)
            got = tree(run, args.leave_out)
            other = sorted(n for n in want.keys() | got.keys() if want.get(n) != got.get(n))
            print(f"run {number}: {'; '.join(done)}: {'DIFFERENT ' + ', '.join(other) if other else 'the same'}", flush=True)
            if other:
                shutil.copytree(run, scratch / f"different-{number}")
                sys.exit(f"see {scratch}")
    shutil.rmtree(scratch)


main()
