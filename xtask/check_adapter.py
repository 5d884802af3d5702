"""Checks an adapter with the program that others use: PEFT.

    python xtask/check_adapter.py --model DIR --adapter DIR [--merged DIR] [--inspect-model PROGRAM]

Needs PEFT 0.21, transformers 5, torch. Compares the logits of `inspect-model logits --adapter` with those of PEFT, both in
f32 on the same ids: of the adapter as it is, and of the same adapter with tokens added (or, where it has some, without
them). Then PEFT trains the adapter for a few steps, and what it saves is compared too. `--merged` compares the logits of a
folder that `--merge` wrote with those of transformers.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import peft
import torch
import transformers
from peft import PeftConfig, PeftModel, get_peft_model
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

ADDED = "token_adapter.trainable_tokens_delta"


def base_model(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def logits_of(model, ids):
    model.eval()
    with torch.no_grad():
        return model(input_ids=ids).logits.float()


def ours(arguments, model, adapter, ids):
    """Logits of the program, in f32."""
    with tempfile.TemporaryDirectory() as folder:
        rows, out = Path(folder) / "ids.json", Path(folder) / "logits.safetensors"
        rows.write_text(json.dumps(ids.tolist()))
        command = [*arguments.inspect_model.split(), "logits", "--model", str(model), "--dtype", "f32"]
        command += ["--input-ids", str(rows), "--out", str(out)]
        if adapter is not None:
            command += ["--adapter", str(adapter)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL if arguments.quiet else None)
        with safe_open(out, "pt") as file:
            return file.get_tensor("logits")


def compare(arguments, what, got, want):
    """Greatest difference, and the same as a share of the largest logit."""
    if got.shape != want.shape:
        sys.exit(f"FAILED {what}: logits of shape {tuple(got.shape)}, and {tuple(want.shape)} are expected")
    difference = (got - want).abs().max().item()
    largest = want.abs().max().item()
    print(f"{what}: largest difference {difference:.2e} of logits up to {largest:.1f}")
    if not difference <= arguments.tolerance * max(1.0, largest):
        sys.exit(f"FAILED {what}: more than {arguments.tolerance:.0e}")


def tokens_of(adapter):
    tokens = PeftConfig.from_pretrained(adapter).trainable_token_indices or []
    return tokens.get("embed_tokens", []) if isinstance(tokens, dict) else tokens


def some_ids(arguments, vocabulary, tokens):
    """Random rows of ids that hold every added token."""
    choice = random.Random(arguments.seed)
    rows = [[choice.randrange(vocabulary) for _ in range(arguments.length)] for _ in range(arguments.rows)]
    places = [(row, place) for row in range(arguments.rows) for place in range(arguments.length)]
    for (row, place), token in zip(choice.sample(places, len(places)), tokens):
        rows[row][place] = token
    return torch.tensor(rows)


def without_tokens(adapter, out):
    """The adapter without its added tokens."""
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["trainable_token_indices"] = None
    (out / "adapter_config.json").write_text(json.dumps(config))
    tensors = load_file(adapter / "adapter_model.safetensors")
    kept = {name: value for name, value in tensors.items() if not name.endswith(ADDED)}
    save_file(kept, out / "adapter_model.safetensors")


def with_tokens(arguments, adapter, out, vocabulary):
    """The adapter with rows of a few tokens, made by PEFT."""
    config = PeftConfig.from_pretrained(adapter)
    # A seed of its own, lest the first ids be these.
    choice = random.Random(f"tokens {arguments.seed}")
    config.trainable_token_indices = sorted(choice.sample(range(vocabulary), 4), reverse=True)
    config.inference_mode = False
    torch.manual_seed(arguments.seed)
    model = get_peft_model(base_model(arguments.model), config)
    tensors = load_file(adapter / "adapter_model.safetensors")
    rows = {name: value for name, value in peft.get_peft_model_state_dict(model).items() if name.endswith(ADDED)}
    tensors |= {name: value + 0.5 * value.std() * torch.randn_like(value) for name, value in rows.items()}
    outcome = peft.set_peft_model_state_dict(model, tensors)
    if outcome.unexpected_keys:
        sys.exit(f"FAILED: PEFT does not know {outcome.unexpected_keys}")
    model.save_pretrained(out, save_embedding_layers=False)


def check(arguments, what, adapter):
    """Our logits against PEFT's; the adapter must change something."""
    base = base_model(arguments.model)
    ids = some_ids(arguments, base.config.vocab_size, tokens_of(adapter))
    plain = logits_of(base, ids)
    model = PeftModel.from_pretrained(base, adapter)
    want = logits_of(model, ids)
    changed = (want - plain).abs().max().item()
    print(f"{what}: the adapter changes logits by up to {changed:.2e}")
    if changed < arguments.tolerance:
        print(f"{what}: NOTE: that is less than the tolerance; an adapter that has not been trained?")
    compare(arguments, what, ours(arguments, arguments.model, adapter, ids), want)


def train_on(arguments, adapter, out):
    """A few steps of PEFT from the adapter on; the loss must fall."""
    model = PeftModel.from_pretrained(base_model(arguments.model), adapter, is_trainable=True)
    ids = some_ids(arguments, model.config.vocab_size, tokens_of(adapter))
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=arguments.learning_rate)
    losses = []
    for _ in range(arguments.steps):
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    trained = sum(p.numel() for p in parameters)
    print(f"PEFT trains {trained} values on: loss {losses[0]:.4f} to {losses[-1]:.4f} in {arguments.steps} steps")
    if not losses[-1] < losses[0]:
        sys.exit("FAILED: the loss does not fall")
    model.save_pretrained(out, save_embedding_layers=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="transformers folder")
    parser.add_argument("--adapter", type=Path, required=True, help="PEFT folder")
    parser.add_argument("--merged", type=Path, help="merged transformers folder")
    parser.add_argument("--inspect-model", default="cargo run -q --release -p inspect-model --")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of a logit; a share of the largest where that is above 1")
    parser.add_argument("--rows", type=int, default=2)
    parser.add_argument("--length", type=int, default=48)
    parser.add_argument("--steps", type=int, default=4, help="that PEFT trains; 0: none")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quiet", action="store_true", help="without the program's log")
    arguments = parser.parse_args()

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    warnings.simplefilter("ignore")
    print(f"PEFT {peft.__version__}, transformers {transformers.__version__}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        other, trained = Path(folder) / "other", Path(folder) / "trained"
        other.mkdir()
        tokens = tokens_of(arguments.adapter)
        check(arguments, f"as it is, {len(tokens)} added tokens", arguments.adapter)
        if tokens:
            without_tokens(arguments.adapter, other)
        else:
            vocabulary = transformers.AutoConfig.from_pretrained(arguments.model).vocab_size
            with_tokens(arguments, arguments.adapter, other, vocabulary)
        check(arguments, f"with {len(tokens_of(other))} added tokens", other)
        if arguments.steps:
            train_on(arguments, arguments.adapter, trained)
            check(arguments, "trained on by PEFT", trained)
    if arguments.merged is not None:
        model = base_model(arguments.merged)
        ids = some_ids(arguments, model.config.vocab_size, tokens)
        compare(arguments, "merged", ours(arguments, arguments.merged, None, ids), logits_of(model, ids))


if __name__ == "__main__":
    main()
