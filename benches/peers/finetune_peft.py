"""The recipe of the profile `smollm2` in transformers, PEFT and bitsandbytes: fine-tune, answer the test split, count.

Run: python finetune_peft.py MODEL DATASET --out OUT.json [--epochs 2] [--learning-rate 1e-3] [--rows N] [--test-rows N] …
MODEL is a transformers folder, DATASET a folder of `build-dataset`. Versions at the time of writing:
transformers 5.23.0, peft 0.21.2, bitsandbytes 0.50.2, datasets 5.2.0, torch 2.13.0 on a CPU.

Nothing of Thesisforge runs here: prompts come from the tokenizer's chat template (instruction as system text, input as the
user's), targets are the answer and its end token, the base is in double-quantized NF4 with LoRA on all projections, and
AdamW has a linear warm-up and a cosine. With --adapter nothing is trained: that one answers, whatever program made it, or
with --gradients says what it would learn from the first rows.
Answers are greedy; one counts as valid where its three elements stand once each, in order, with nothing else around, and
as right where its action is the record's.
"""

import argparse
import json
import math
import os
import random
import re
import time

PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
ACTIONS = ["STRONG_BUY", "BUY", "HOLD", "SELL", "STRONG_SELL"]
ANSWER = re.compile(
    r"\s*<reasoning>((?:(?!</?reasoning>|</?support>|</?action>).)*)</reasoning>"
    r"\s*<support>((?:(?!</?reasoning>|</?support>|</?action>).)*)</support>"
    r"\s*<action>\s*(" + "|".join(ACTIONS) + r")\s*</action>\s*",
    re.S,
)


def unpack(model, dtype):
    """Puts plain projections with the values of the 4-bit ones in their place."""
    import bitsandbytes
    import torch

    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, bitsandbytes.nn.Linear4bit):
                weight = bitsandbytes.functional.dequantize_4bit(child.weight.data, child.weight.quant_state).to(dtype)
                plain = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=child.bias is not None, dtype=dtype)
                plain.weight = torch.nn.Parameter(weight, requires_grad=False)
                if child.bias is not None:
                    plain.bias = child.bias
                setattr(module, name, plain)
    model.is_loaded_in_4bit = False
    model.quantization_method = None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("dataset")
    parser.add_argument("--out", required=True)
    parser.add_argument("--rows", type=int, help="train on so many rows, drawn with the seed")
    parser.add_argument("--test-rows", type=int, help="answer so many test rows, spread evenly")
    parser.add_argument("--epochs", type=float, default=2.0)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--warmup-ratio", type=float, default=0.03)
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--alpha", type=float, default=32.0)
    parser.add_argument("--dropout", type=float, default=0.05)
    parser.add_argument("--batch", type=int, default=4, help="rows of an optimizer step; each is a micro-batch of its own")
    parser.add_argument("--compute", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--max-new-tokens", type=int, default=320)
    parser.add_argument("--answer-batch", type=int, default=59)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--adapter", help="answer with this adapter, and train nothing")
    parser.add_argument("--gradients", type=int, metavar="N", help="print loss and norm of the gradient of the first N rows, and end")
    parser.add_argument("--save", help="write the adapter to this folder")
    parser.add_argument("--save-initial", help="write the adapter to this folder before it is trained")
    parser.add_argument("--in-order", action="store_true", help="take the rows as the data set has them")
    parser.add_argument("--baseline", action="store_true", help="also answer with the untuned base")
    args = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")

    import bitsandbytes
    import datasets
    import peft
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.manual_seed(args.seed)
    rng = random.Random(args.seed)

    tokenizer = transformers.AutoTokenizer.from_pretrained(args.model)
    compute = torch.bfloat16 if args.compute == "bf16" else torch.float32
    quantization = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
    )
    model = transformers.AutoModelForCausalLM.from_pretrained(
        args.model, dtype=torch.float32, quantization_config=quantization, device_map={"": "cpu"}, attn_implementation="sdpa"
    )
    model.config.use_cache = False
    model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    unpack(model, compute)
    if args.adapter:
        model = peft.PeftModel.from_pretrained(model, args.adapter, is_trainable=bool(args.gradients))
    else:
        model = peft.get_peft_model(
            model,
            peft.LoraConfig(
                r=args.rank, lora_alpha=args.alpha, lora_dropout=args.dropout, target_modules=PROJECTIONS, task_type="CAUSAL_LM"
            ),
        )

    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    stop = tokenizer.eos_token_id if end in (None, tokenizer.unk_token_id) else end

    def prompt(record):
        messages = [{"role": "system", "content": record["instruction"]}, {"role": "user", "content": record["input"]}]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    def example(record):
        asked = prompt(record)
        answer = tokenizer(record["output"], add_special_tokens=False)["input_ids"] + [stop]
        return asked + answer, [-100] * len(asked) + answer

    def padded(ids):
        # Tokens behind a row change nothing before them; torch prepares its products anew for each length.
        return torch.tensor([ids + [stop] * (-len(ids) % 32)])

    splits = datasets.load_from_disk(args.dataset)
    trained = [p for p in model.parameters() if p.requires_grad]

    def backward(ids, labels, targets):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.compute == "bf16"):
            logits = model(input_ids=padded(ids)).logits[0, : len(ids) - 1]
        loss = torch.nn.functional.cross_entropy(logits.float(), torch.tensor(labels[1:]), reduction="sum") / targets
        loss.backward()
        return loss.item()

    def train():
        examples = [example(record) for record in splits["train"]]
        if args.rows:
            examples = rng.sample(examples, args.rows)
        steps_an_epoch = math.ceil(len(examples) / args.batch)
        steps = max(1, round(args.epochs * steps_an_epoch))
        warmup = math.ceil(args.warmup_ratio * steps)

        def rate(step):
            if step < warmup:
                return (step + 1) / warmup
            return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))

        optimizer = torch.optim.AdamW(trained, lr=args.learning_rate, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        model.train()
        began, tokens, losses, order = time.perf_counter(), 0, [], []
        for step in range(steps):
            if step % steps_an_epoch == 0:
                order = list(range(len(examples)))
                if not args.in_order:
                    rng.shuffle(order)
            at = step % steps_an_epoch * args.batch
            rows = [examples[i] for i in order[at : at + args.batch]]
            targets = sum(sum(label != -100 for label in labels) for _, labels in rows)
            total = 0.0
            for ids, labels in rows:
                total += backward(ids, labels, targets)
                tokens += len(ids)
            torch.nn.utils.clip_grad_norm_(trained, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
            losses.append(total)
            if (step + 1) % 10 == 0:
                seconds = time.perf_counter() - began
                print(f"step {step + 1} of {steps}: loss {total:.4f}, {tokens / seconds:.0f} tokens/s", flush=True)
        return {"seconds": time.perf_counter() - began, "tokens": tokens, "steps": steps, "last_loss": losses[-1], "losses": losses}

    if args.save_initial:
        model.save_pretrained(args.save_initial)
    if args.gradients:
        model.eval()  # no dropout
        for record in splits["train"].select(range(args.gradients)):
            ids, labels = example(record)
            loss = backward(ids, labels, sum(label != -100 for label in labels))
            norm = torch.linalg.vector_norm(torch.stack([p.grad.double().norm() for p in trained])).item()
            print(json.dumps({"uid": record["uid"], "tokens": len(ids), "loss": loss, "grad_norm": norm}), flush=True)
            model.zero_grad(set_to_none=True)
        return
    training = None if args.adapter else train()
    if args.save:
        model.save_pretrained(args.save)

    test = list(splits["test"])
    if args.test_rows and args.test_rows < len(test):
        test = [test[i * len(test) // args.test_rows] for i in range(args.test_rows)]
    model.eval()
    model.config.use_cache = True
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token

    def answers():
        texts = []
        for at in range(0, len(test), args.answer_batch):
            batch = tokenizer.pad({"input_ids": [prompt(record) for record in test[at : at + args.answer_batch]]}, return_tensors="pt")
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.compute == "bf16"):
                ids = model.generate(
                    **batch, do_sample=False, max_new_tokens=args.max_new_tokens, eos_token_id=stop, pad_token_id=tokenizer.pad_token_id
                )
            for row in ids[:, batch["input_ids"].shape[1] :].tolist():
                texts.append(tokenizer.decode(row[: row.index(stop)] if stop in row else row))
            print(f"{len(texts)} of {len(test)} answers", flush=True)
        return texts

    def judge(texts):
        found = [ANSWER.fullmatch(text) for text in texts]
        called = [match and match.group(3) for match in found]
        labels = [record["action"] for record in test]
        labels = [ACTIONS[label] if isinstance(label, int) else label for label in labels]
        return {
            "accuracy": sum(a == b for a, b in zip(called, labels)) / len(test),
            "tag_validity": sum(match is not None for match in found) / len(test),
            "actions": {action: called.count(action) for action in ACTIONS},
        }

    def perplexity():
        loss = count = 0.0
        for record in test:
            ids, labels = example(record)
            with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.compute == "bf16"):
                logits = model(input_ids=padded(ids)).logits[0, : len(ids) - 1].float()
            loss += torch.nn.functional.cross_entropy(logits, torch.tensor(labels[1:]), reduction="sum").item()
            count += sum(label != -100 for label in labels)
        return math.exp(loss / count)

    texts = answers()
    result = {
        "versions": {m.__name__: m.__version__ for m in (torch, transformers, peft, bitsandbytes, datasets)},
        "settings": vars(args),
        "training": training,
        "test_rows": len(test),
        "tuned": judge(texts) | {"perplexity": perplexity()},
        "answers": dict(zip([record["uid"] for record in test], texts)),
    }
    if args.baseline:
        with model.disable_adapter():
            result["base"] = judge(answers()) | {"perplexity": perplexity()}
    with open(args.out, "w") as file:
        json.dump(result, file, indent=1)
    print(json.dumps({key: result[key] for key in result if key not in ("answers", "settings")}))


if __name__ == "__main__":
    main()
