"""Checks the MLflow sink of experiment-log against a real tracking server.

    python xtask/mlflow_check.py

Where `mlflow` cannot be imported, a virtual environment with it is made in a temporary folder, from
the package index that pip knows. Starts `mlflow server` on a free port over an SQLite file, runs the
example `mlflow` of experiment-log against it, and reads everything back with MLflow's own client:
each metric must be what the example wrote to `metrics.jsonl`, step by step.
"""

import importlib.util
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def expect(got, want, what):
    if got != want:
        sys.exit(f"FAILED {what}\n  got  {got!r}\n  want {want!r}")


def reexecute_with_mlflow():
    """Starts this script anew under a Python that has mlflow."""
    with tempfile.TemporaryDirectory() as folder:
        print("installing mlflow into a temporary environment")
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "mlflow"], check=True)
        sys.exit(subprocess.run([python, __file__]).returncode)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, server, log):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"FAILED the server ended\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    sys.exit(f"FAILED the server did not come up\n{log.read_text()}")


def run_example(url, folder):
    command = ["cargo", "run", "--quiet", "--package", "experiment-log", "--features", "mlflow"]
    command += ["--example", "mlflow", "--", str(folder)]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": url}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("FAILED the example")
    return done.stdout.strip()


def server_key(name):
    """A name as MLflow allows it."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "_-. /") else "_" for c in name)


def compare(client, run_id, rows):
    run = client.get_run(run_id)
    expect(run.info.status, "FINISHED", "status")
    expect(run.info.run_name, "never was", "name")
    experiment = client.get_experiment(run.info.experiment_id)
    expect(experiment.name, "mlflow check", "experiment")

    params = {f"param {i}": f"value {i}" for i in range(150)}
    params |= {"long": "x" * 6000, "lora.target_modules_0_": "q_proj", "resumed from": "900"}
    expect(run.data.params, params, "parameters")

    want = {}
    for row in rows:
        step = row.pop("step")
        for name, value in row.items():
            want.setdefault(server_key(name), []).append((step, value))
    expect(set(run.data.metrics), set(want), "names of metrics")
    compared = 0
    for name, points in want.items():
        history = sorted(client.get_metric_history(run_id, name), key=lambda metric: metric.step)
        # JSON lines have null for NaN.
        got = [(m.step, None if math.isnan(m.value) else m.value) for m in history]
        expect(got, points, f"metric {name}")
        compared += len(points)
    return len(params), len(want), compared


def main():
    if importlib.util.find_spec("mlflow") is None:
        reexecute_with_mlflow()
    import mlflow

    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        log = folder / "server.log"
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1"]
        command += ["--port", str(port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
        command += ["--default-artifact-root", str(folder / "artifacts")]
        with log.open("w") as output:
            server = subprocess.Popen(
                command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        try:
            wait_for(url, server, log)
            run_id = run_example(url, folder)
            rows = [json.loads(line) for line in (folder / "metrics.jsonl").open()]
            client = mlflow.MlflowClient(tracking_uri=url)
            params, metrics, values = compare(client, run_id, rows)
        finally:
            os.killpg(server.pid, 15)
            server.wait(timeout=30)
    print(f"mlflow {mlflow.__version__}: {params} parameters, {metrics} metrics with {values} values")
    print("all as they were written, in a run that was ended and continued")


if __name__ == "__main__":
    main()
