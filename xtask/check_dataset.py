"""Checks token shards with the programs that others use: datasets and transformers.

    python xtask/check_dataset.py --dataset DIR --shards DIR [--rows 20] [--seed 0]

Needs datasets 4 or later and transformers 5. Opens the data set and its shards, loads the saved
tokenizer, and compares random rows with what `apply_chat_template` and the data set itself say.
"""

import argparse
import datetime
import json
import random
import re
import sys
from pathlib import Path

import datasets
import transformers
from transformers.utils import chat_template_utils

IGNORED = -100


def expect(got, want, what):
    if got != want:
        sys.exit(f"FAILED {what}\n  got  {got!r}\n  want {want!r}")


def conversation(record, config, folded):
    """The messages of a prompt, as configs/tokenize.yaml documents them."""
    parts = [record["instruction"], record["input"]]
    if config["system_prompt"] is None:
        system, user = parts
    else:
        system, user = config["system_prompt"], "\n\n".join(filter(None, parts))
    if not system:
        return [{"role": "user", "content": user}]
    if folded:
        return [{"role": "user", "content": "\n\n".join(filter(None, [system, user]))}]
    return [{"role": "system", "content": system}, {"role": "user", "content": user}]


class Clock(datetime.datetime):
    """Tells templates the as-of date of the record at hand."""

    today = None

    @classmethod
    def now(cls, tz=None):
        return cls.today


def prompt_of(tokenizer, record, config, folded, tokenize):
    """The prompt as transformers makes it: token ids, or text."""
    if tokenizer.chat_template is None:
        parts = [config["system_prompt"], record["instruction"], record["input"]]
        text = "\n\n".join(filter(None, parts)) + "\n\n"
        return tokenizer.encode(text) if tokenize else text
    Clock.today = datetime.datetime.fromisoformat(str(record["as_of_date"])[:10])
    return tokenizer.apply_chat_template(
        conversation(record, config, folded),
        add_generation_prompt=True,
        tokenize=tokenize,
        return_dict=False,
        **config["template_variables"],
    )


def beginnings(text):
    """Every way in which an input may have been shortened."""
    ends = {0} | {match.start() for match in re.finditer(r"\s", text)}
    return [text[:end].rstrip() for end in sorted(ends, reverse=True)]


def examples(row, packed):
    """The examples of a row: ids, labels, uid, action and weight of each."""
    used = sum(row["attention_mask"])
    expect(row["attention_mask"], [1] * used + [0] * (len(row["input_ids"]) - used), "attention_mask")
    expect(row["labels"][used:], [IGNORED] * (len(row["input_ids"]) - used), "labels of padding")
    lengths = row["seq_lengths"] if packed else [used]
    expect(sum(lengths), used, "seq_lengths")
    start = 0
    for index, length in enumerate(lengths):
        part = slice(start, start + length)
        if packed:
            expect(row["position_ids"][part], list(range(length)), "position_ids")
        pick = (lambda key: row[key][index]) if packed else (lambda key: row[key])
        weight = pick("weight") if "weight" in row else None
        yield row["input_ids"][part], row["labels"][part], pick("uid"), pick("action"), weight
        start += length


def check_example(example, record, tokenizer, config, report, folded):
    ids, labels, uid, action, weight = example
    expect(action, record["action"], f"action of {uid}")
    if "weight" in record:
        expect(weight, record["weight"], f"weight of {uid}")
    prompt = next((i for i, label in enumerate(labels) if label != IGNORED), len(labels))
    target = labels[prompt:]
    expect(target, ids[prompt:], f"labels of {uid}")
    expect(target[-1:], [report["end_token"]["id"]], f"end token of {uid}")
    want = record["output"]
    if report["structure_tokens"]:
        want = re.sub(r"<action>\w+</action>$", f"<action><{action}></action>", want)
        for token in ["<reasoning>", "</reasoning>", "</action>", f"<{action}>"]:
            expect(target.count(report["structure_tokens"][token]), 1, f"count of {token} in {uid}")
    decoded = tokenizer.decode(target[:-1], clean_up_tokenization_spaces=False)
    expect(decoded, want, f"decoded labels of {uid}")

    def prompt_ids(record):
        return prompt_of(tokenizer, record, config, folded, tokenize=True)

    control = [token for token in tokenizer.get_added_vocab() if len(token.strip()) > 1]
    if any(token in record["instruction"] + record["input"] for token in control):
        # transformers takes the quoted token for the real one, so only the text can be the same.
        if config["on_overflow"] != "truncate-input":
            text = prompt_of(tokenizer, record, config, folded, tokenize=False)
            got = tokenizer.decode(ids[:prompt], clean_up_tokenization_spaces=False)
            # Some control tokens swallow white space, and a bos_token may stand in front.
            got, text = "".join(got.split()), "".join(text.split())
            expect(got[-len(text):], text, f"text of the prompt of {uid}")
        return "prompt quotes a control token"
    if ids[:prompt] == prompt_ids(record):
        return "prompt as it should be"
    if config["on_overflow"] == "truncate-input":
        shortened = (record | {"input": beginning} for beginning in beginnings(record["input"]))
        if any(ids[:prompt] == prompt_ids(record) for record in shortened):
            return "prompt shortened"
    expect(ids[:prompt], prompt_ids(record), f"prompt of {uid}")


def check_split(name, data, shards, tokenizer, config, report, arguments):
    packed = "seq_lengths" in shards.column_names
    expect(packed, config["packing"] == "bfd", "packing")
    split = next(split for split in report["splits"] if split["split"] == name)
    expect(split["records"], len(data), f"records of {name}")
    expect(split["rows"], len(shards), f"rows of {name}")
    if len(shards) == 0:
        return {}
    longest = max(len(ids) for ids in shards["input_ids"])
    expect(longest <= config["max_length"], True, f"rows of {name} within max_length")
    if config["padding"] == "max-length":
        expect({len(ids) for ids in shards["input_ids"]}, {config["max_length"]}, "padded length")
    uids = [uid for row in shards["uid"] for uid in (row if packed else [row])]
    expect(len(uids), split["examples"], f"examples of {name}")
    expect(sorted(set(uids) - set(data["uid"])), [], f"uids of {name}")
    by_uid = {uid: index for index, uid in enumerate(data["uid"])}
    folded = any("takes no system message" in note for note in report["notes"])
    seen = {}
    for index in random.Random(arguments.seed).sample(range(len(shards)), min(arguments.rows, len(shards))):
        for example in examples(shards[index], packed):
            record = data[by_uid[example[2]]]
            outcome = check_example(example, record, tokenizer, config, report, folded)
            seen[outcome] = seen.get(outcome, 0) + 1
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", type=Path, required=True)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=20, help="random rows a split")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    chat_template_utils.datetime = Clock
    config = json.loads((arguments.shards / "manifest.json").read_text())["config"]
    report = json.loads((arguments.shards / "report.json").read_text())
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.shards / "tokenizer")
    expect(len(tokenizer), report["vocabulary"], "vocabulary")
    expect(bool(report["structure_tokens"]), config["structure_tokens"] == "added", "structure tokens")
    for token, token_id in report["structure_tokens"].items():
        expect(tokenizer.encode(token, add_special_tokens=False), [token_id], f"id of {token}")
        expect(tokenizer.decode([token_id], skip_special_tokens=True), token, f"text of {token}")
    end = report["end_token"]
    expect(tokenizer.convert_tokens_to_ids(end["text"]), end["id"], "end token")

    data = datasets.load_from_disk(arguments.dataset)
    shards = datasets.load_from_disk(arguments.shards)
    expect(list(shards), list(data), "splits")
    print(f"datasets {datasets.__version__}, transformers {transformers.__version__}")
    for name in shards:
        seen = check_split(name, data[name], shards[name], tokenizer, config, report, arguments)
        found = ", ".join(f"{count} {outcome}" for outcome, count in sorted(seen.items()))
        print(f"{name}: {len(shards[name])} rows; {found or 'nothing to compare'}")


if __name__ == "__main__":
    main()
