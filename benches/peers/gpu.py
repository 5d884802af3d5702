"""QLoRA steps of transformers + PEFT on a graphics processor, with random weights made in place: one line of JSON.

Run: python gpu.py SHAPE [--seq 4096] [--batch 2] [--quant nf4|none] [--grad-ckpt] [--longest] [--warmup 2] [--steps 5]
SHAPE is a folder with config.json, such as those of benches/gpu. Versions at the time of writing: transformers 5.23.0,
peft 0.21.2, torch 2.13.0; bitsandbytes 0.50.2 where it is installed, else projections stay in bf16, and the line says so.

A step is forward and backward in bf16 with sdpa attention over packed random tokens, clipping and AdamW; adapters of rank 16
lie on all projections in f32. The rate of bf16 products on the same device is measured first, and the share of it that a step
reaches counts 4 FLOP for each weight and token, plus 2 for what checkpointing computes again. `--longest` doubles the sequence
until memory ends. `--device cpu` is for trying the script out.
"""

import argparse
import gc
import json
import os
import statistics
import time

def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape")
    parser.add_argument("--seq", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--quant", choices=["nf4", "none"], default="nf4")
    parser.add_argument("--grad-ckpt", action="store_true")
    parser.add_argument("--longest", action="store_true", help="the longest sequence that trains, from --seq on")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    args = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    import peft
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.manual_seed(0)
    on_gpu = args.device.startswith("cuda")

    def wait():
        if on_gpu:
            torch.cuda.synchronize()

    def product_rate(size):
        a, b = (torch.randn(size, size, device=args.device, dtype=torch.bfloat16) for _ in range(2))
        seconds = []
        for _ in range(12):
            wait()
            began = time.perf_counter()
            a @ b
            wait()
            seconds.append(time.perf_counter() - began)
        return 2 * size**3 / statistics.median(seconds[2:])

    config = transformers.AutoConfig.from_pretrained(args.shape)
    with torch.device(args.device):
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
    weights = sum(p.numel() for name, p in model.named_parameters() if "embed_tokens" not in name)
    if config.tie_word_embeddings:
        weights += model.get_input_embeddings().weight.numel()
    quant = args.quant
    if quant == "nf4":
        try:
            import bitsandbytes
        except ImportError:
            quant = "none: no bitsandbytes"
    if quant == "nf4":
        for module in list(model.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, torch.nn.Linear) and name != "lm_head":
                    packed = bitsandbytes.nn.Linear4bit(
                        child.in_features, child.out_features, bias=child.bias is not None,
                        compute_dtype=torch.bfloat16, compress_statistics=True, quant_type="nf4",
                    )
                    packed.weight = bitsandbytes.nn.Params4bit(
                        child.weight.data, requires_grad=False, quant_type="nf4", compress_statistics=True
                    )
                    if child.bias is not None:
                        packed.bias = child.bias
                    setattr(module, name, packed.to(args.device))
    gc.collect()
    for parameter in model.parameters():
        parameter.requires_grad = False
    model.config.use_cache = False
    if args.grad_ckpt:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    projections = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = peft.get_peft_model(
        model, peft.LoraConfig(r=16, lora_alpha=32, target_modules=projections, task_type="CAUSAL_LM")
    )
    trained = [p for p in model.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.data = parameter.data.float()
    optimizer = torch.optim.AdamW(trained, lr=2e-4)
    model.train()

    def step(seq):
        ids = torch.randint(0, config.vocab_size, (args.batch, seq), device=args.device)
        wait()
        began = time.perf_counter()
        with torch.autocast(args.device.split(":")[0], dtype=torch.bfloat16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss = loss.item()
        return time.perf_counter() - began, loss

    versions = {module.__name__: module.__version__ for module in (torch, transformers, peft)}
    report = {"peer": "peft", "versions": versions, "shape": args.shape, "weights": weights, "quant": quant}
    report |= {"seq": args.seq, "batch": args.batch, "grad_ckpt": args.grad_ckpt, "trainable_params": sum(p.numel() for p in trained)}
    if args.longest:
        seq, longest = args.seq, None
        try:
            while True:
                step(seq)
                longest, seq = seq, 2 * seq
        except torch.OutOfMemoryError:
            pass
        report["longest_seq"] = longest
    else:
        rate = product_rate(8192 if on_gpu else 512)
        seconds = []
        for at in range(args.warmup + args.steps):
            elapsed, loss = step(args.seq)
            if at >= args.warmup:
                seconds.append(elapsed)
        tokens = args.batch * args.seq
        per_token = (6 if args.grad_ckpt else 4) * weights
        report |= {
            "steps_measured": len(seconds),
            "step_s_median": statistics.median(seconds),
            "tok_s_median": tokens / statistics.median(seconds),
            "tok_s_best": tokens / min(seconds),
            "product_flop_s": rate,
            "share_of_products": per_token * tokens / statistics.median(seconds) / rate,
            "loss_last": loss,
        }
    if on_gpu:
        report["peak_device_mib"] = torch.cuda.max_memory_allocated() // 2**20
        report["device"] = torch.cuda.get_device_name()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
