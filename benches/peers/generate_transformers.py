"""Prefill and decode of transformers, as `inspect-model bench` measures them: one line of JSON.

Run: python generate_transformers.py --model DIR_OR_GGUF [--batch 8] [--dtype bf16] [--device cuda]
Versions at the time of writing: transformers 5.23.0, torch 2.13.0 on a CPU.

Prompts are random ids. Prefill is one forward pass that returns the logits of the last token; decode is greedy, one token a
step over the cache of the prefill, without ever stopping. Rates are tokens a second over the whole batch, medians of the
repeats.
"""

import argparse
import json
import os
import resource
import statistics
import time

import torch
import transformers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--prompt-len", type=int, default=512)
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)

    dtype = dict(f32=torch.float32, bf16=torch.bfloat16)[args.dtype]
    began = time.perf_counter()
    folder, gguf = args.model, {}
    if folder.endswith(".gguf"):
        folder, file = os.path.split(os.path.abspath(folder))
        gguf = dict(gguf_file=file)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **gguf).eval().to(args.device)
    load_seconds = time.perf_counter() - began

    def now():
        if args.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()

    generator = torch.Generator().manual_seed(args.seed)
    prefill, decode = [], []
    with torch.inference_mode():
        for run in range(args.warmup + args.repeats):
            shape = (args.batch, args.prompt_len)
            ids = torch.randint(0, model.config.vocab_size, shape, generator=generator).to(args.device)

            began = now()
            out = model(input_ids=ids, use_cache=True, logits_to_keep=1)
            token = out.logits[:, -1].argmax(-1, keepdim=True)
            prefilled = now() - began

            began = now()
            for _ in range(args.new_tokens - 1):
                out = model(input_ids=token, past_key_values=out.past_key_values, use_cache=True)
                token = out.logits[:, -1].argmax(-1, keepdim=True)
            decoded = now() - began

            if run >= args.warmup:
                prefill.append(args.batch * args.prompt_len / prefilled)
                decode.append(args.batch * (args.new_tokens - 1) / decoded)

    line = dict(
        program=f"transformers {transformers.__version__}, torch {torch.__version__}",
        model=args.model,
        parameters=sum(p.numel() for p in model.parameters()),
        dtype=args.dtype,
        device=args.device,
        batch=args.batch,
        prompt_len=args.prompt_len,
        new_tokens=args.new_tokens,
        threads=torch.get_num_threads(),
        repeats=args.repeats,
        load_seconds=round(load_seconds, 3),
        prefill_tokens_per_second=round(statistics.median(prefill), 2),
        decode_tokens_per_second=round(statistics.median(decode), 2),
        peak_memory_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    )
    print(json.dumps(line))


main()
