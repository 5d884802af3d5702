"""Steps of QLoRA training by PEFT, as the example `step_time` of lora-train makes them: one line of JSON.

Run: python train_peft.py MODEL [--seq 512] [--batch 1] [--compute f32|bf16] [--grad-ckpt] [--warmup 1] [--steps 5]
MODEL is a transformers folder or a GGUF file. Versions at the time of writing: transformers 5.23.0, peft 0.21.2,
bitsandbytes 0.50.2, torch 2.13.0 on a CPU.

Projections are in double-quantized NF4, adapters of rank 16 on all of them in f32; a step is forward, backward, clipping
and AdamW on random tokens. bf16 is autocast. Peak memory is the process's own, so one run a process.
"""

import argparse
import json
import os
import resource
import statistics
import tempfile
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--seq", type=int, default=512)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--compute", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--grad-ckpt", action="store_true")
    parser.add_argument("--warmup", type=int, default=1)
    parser.add_argument("--steps", type=int, default=5)
    args = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    import peft
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(0)
    folder, scratch = args.model, None
    if folder.endswith(".gguf"):
        scratch = tempfile.TemporaryDirectory()
        where, name = os.path.split(os.path.abspath(folder))
        dense = transformers.AutoModelForCausalLM.from_pretrained(where, gguf_file=name, dtype=torch.float32)
        # transformers 5.23 keeps the note that it came from GGUF, and would not write the plain values.
        dense.hf_quantizer = None
        dense.config.__dict__.pop("quantization_config", None)
        dense.save_pretrained(scratch.name)
        del dense
        folder = scratch.name

    bf16 = args.compute == "bf16"
    quantization = transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if bf16 else torch.float32,
    )
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, quantization_config=quantization, device_map={"": "cpu"}
    )
    model.config.use_cache = False
    model = peft.prepare_model_for_kbit_training(
        model, use_gradient_checkpointing=args.grad_ckpt, gradient_checkpointing_kwargs={"use_reentrant": False}
    )
    model = peft.get_peft_model(
        model, peft.LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    trained = [value for value in model.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=2e-4)
    model.train()
    ids = torch.randint(0, model.config.vocab_size, (args.batch, args.seq))
    seconds = []
    for step in range(args.warmup + args.steps):
        began = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step >= args.warmup:
            seconds.append(time.perf_counter() - began)
    report = {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        "trainable_params": sum(value.numel() for value in trained),
        "tok_s_median": args.batch * args.seq / statistics.median(seconds),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
