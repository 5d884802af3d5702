#!/usr/bin/env bash
# Checks and times everything on the first graphics processor; what is found goes to the folder $OUT (gpu-results by default):
# a log of each test, and a line of JSON for each measurement.
#
# Usage: benches/gpu/run.sh [tests] [train] [context] [decode]      (all four by default)
# Needs target/gpu.tar.xz of pack.sh, the driver, and CUDA's NVRTC and headers (CUDA_PATH); PYTHON (python3) with torch,
# transformers and peft for the peers, which are left out without.
set -uo pipefail
cd "$(dirname "$0")/../.."
out="${OUT:-gpu-results}"
python="${PYTHON:-python3}"
work="${WORK:-$(mktemp -d)}"
mkdir -p "$out"
tar -C "$work" -xJf "${CARGO_TARGET_DIR:-target}/gpu.tar.xz" || exit 1
bin="$work/gpu"
export XDG_CACHE_HOME="$work/cache"

built="$(cat "$bin/built-in")"
if [ ! -e "$built" ]; then
    mkdir -p "$(dirname "$built")" && ln -s "$PWD" "$built" || echo "tests find no fixtures: $built cannot be made"
fi
if [ -z "${CUDA_PATH:-}" ] && [ ! -d /usr/local/cuda ]; then
    # What pip installs beside torch.
    for folder in $("$python" -c 'import site; print(*site.getsitepackages())' 2>/dev/null); do
        [ -f "$folder/nvidia/cu13/include/cuda_fp16.h" ] && export CUDA_PATH="$folder/nvidia/cu13"
    done
fi
[ -n "${CUDA_PATH:-}" ] && export LD_LIBRARY_PATH="$CUDA_PATH/lib:$CUDA_PATH/lib64:${LD_LIBRARY_PATH:-}"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee "$out/device.txt"

failed=0
say() { echo "== $*"; }
line() { # line NAME COMMAND...: a measurement
    local name="$1"
    shift
    say "$name"
    if timeout 600 "$@" >>"$out/$name.jsonl" 2>"$out/$name.log"; then tail -n 1 "$out/$name.jsonl"; else
        tail -n 5 "$out/$name.log"
        failed=1
    fi
}
model() { # model SHAPE: random weights in bf16
    [ -f "$work/$1/config.json" ] || "$bin/inspect-model" init --model "benches/gpu/$1" --out "$work/$1"
}
peer() { "$python" -c 'import torch, transformers, peft' 2>/dev/null; }

for part in ${*:-tests train context decode}; do
    case "$part" in
    tests)
        for test in kernels frozen reference gradients sft_reference; do
            say "$test"
            filter=gpu
            [ "$test" = kernels ] && filter=
            "$bin/test-$test" --test-threads 1 $filter >"$out/test-$test.log" 2>&1 || failed=1
            grep '^test result' "$out/test-$test.log"
        done
        ;;
    train)
        for shape in llama-1b llama-8b qwen-4b; do
            model "$shape"
            line "train-$shape" "$bin/step_time" "$work/$shape" --device cuda --compute bf16 --seq 4096 --batch 2 --grad-ckpt --warmup 3
            if peer; then
                line "train-$shape-peft" "$python" benches/peers/gpu.py "benches/gpu/$shape" --grad-ckpt
                line "train-$shape-peft-bf16" "$python" benches/peers/gpu.py "benches/gpu/$shape" --grad-ckpt --quant none
            fi
        done
        ;;
    context)
        model llama-8b
        # The longest row that trains: twice as long each time, until memory ends.
        for seq in 16384 32768 65536 131072 262144; do
            say "context $seq"
            timeout 600 "$bin/step_time" "$work/llama-8b" --device cuda --compute bf16 --seq "$seq" --grad-ckpt --warmup 0 --steps 1 \
                >>"$out/context.jsonl" 2>"$out/context-$seq.log" || break
            tail -n 1 "$out/context.jsonl"
        done
        peer && line context-peft "$python" benches/peers/gpu.py benches/gpu/llama-8b --grad-ckpt --batch 1 --seq 16384 --longest
        ;;
    decode)
        model llama-1b
        for batch in 1 64; do
            line "decode-$batch" "$bin/inspect-model" bench --model "$work/llama-1b" --device cuda --quantization nf4 --compute-dtype bf16 \
                --kv-cache bf16 --batch "$batch"
            peer && line "decode-$batch-transformers" "$python" benches/peers/generate_transformers.py --model "$work/llama-1b" \
                --device cuda --dtype bf16 --batch "$batch"
        done
        ;;
    *)
        echo "there is no part $part: tests, train, context, decode"
        exit 2
        ;;
    esac
done
exit "$failed"
