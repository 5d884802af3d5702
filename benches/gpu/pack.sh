#!/usr/bin/env bash
# Builds with CUDA what a machine with a graphics processor is to run, and packs it into target/gpu.tar.xz: that machine needs
# neither Rust nor a network. There, in a copy of this folder: benches/gpu/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_STRIP=symbols
packages=(-p cube-kernels -p lora-linear -p causal-lm -p lora-train -p inspect-model)
features=cube-kernels/cuda,lora-linear/cuda,causal-lm/cuda,lora-train/cuda,inspect-model/cuda

cargo build --release --locked "${packages[@]}" --features "$features" --bin inspect-model --example step_time
rm -rf "$target/gpu" && mkdir -p "$target/gpu"
cargo test --release --locked --no-run --message-format json "${packages[@]}" --features "$features" \
    --test kernels --test frozen --test reference --test gradients --test sft_reference |
    python3 -c '
import json, shutil, sys
for line in sys.stdin:
    fact = json.loads(line)
    if fact.get("executable") and fact["profile"]["test"]:
        shutil.copy(fact["executable"], sys.argv[1] + "/test-" + fact["target"]["name"])
' "$target/gpu"
cp "$target/release/inspect-model" "$target/release/examples/step_time" "$target/gpu"
# Tests look for fixtures where they were built.
pwd >"$target/gpu/built-in"
tar -C "$target" -cJf "$target/gpu.tar.xz" gpu
ls -l "$target/gpu.tar.xz"
