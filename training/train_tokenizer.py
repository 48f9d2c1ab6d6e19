#!/usr/bin/env python3
"""train_tokenizer.py --data DIR [--vocabulary 32000]: learn the pieces and write DATA/tokenizer.json.

Identifiers are cut at case changes, lowercased, and split into runs of letters and runs of digits; everything else becomes no token.
A word counts once per repository and doubling of its uses there, so that no single project's names fill the vocabulary.
"""
import argparse
import gzip
import json
import math
import os
import random
import re
from collections import Counter
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

CASE_CHANGE = r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"
WORD = r"[a-zß-öø-ÿа-яё]+|[0-9]+"  # lower case only: it sees lowercased text
SPECIAL = ["[PAD]", "[QUERY]"]
LONGEST_WORD = 24  # characters; longer runs are data, not names


def empty_tokenizer():
    """A BPE tokenizer with this project's normalisation and splitting, and no vocabulary yet."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(Regex(CASE_CHANGE), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "removed", invert=True)
    return tokenizer


def count_words(folder, pairs_per_repository):
    """Counter word -> sum over repositories of 1 + log2(uses), for the words that two repositories share."""
    rng = random.Random(0)
    case_change, word = re.compile(CASE_CHANGE), re.compile(WORD)
    weights, repositories = Counter(), Counter()
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".jsonl.gz"):
            continue
        with gzip.open(os.path.join(folder, name), "rt", encoding="utf-8") as file:
            lines = [line for at, line in enumerate(file) if at < pairs_per_repository]
        rng.shuffle(lines)
        uses = Counter()
        for line in lines:
            _, query, document = json.loads(line)
            uses.update(word.findall(case_change.sub(" ", query + " " + document).lower()))
        for found, count in uses.items():
            if len(found) <= LONGEST_WORD:
                weights[found] += 1 + math.log2(count)
                repositories[found] += 1
    return {found: round(weight) for found, weight in weights.items() if repositories[found] >= 2}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--vocabulary", type=int, default=32_000)
    parser.add_argument("--pairs", type=int, default=3_000, help="pairs read from each repository")
    options = parser.parse_args()
    words = count_words(os.path.join(options.data, "pairs"), options.pairs)
    print(f"{len(words)} words shared by two repositories or more", flush=True)
    tokenizer = empty_tokenizer()
    trainer = trainers.BpeTrainer(vocab_size=options.vocabulary, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=[chr(c) for c in (*range(0x61, 0x7b), *range(0x30, 0x3a), *range(0xdf, 0xf7),
                                                                     *range(0xf8, 0x100), *range(0x430, 0x450), 0x451)])
    tokenizer.train_from_iterator((" ".join([word] * count) for word, count in words.items()), trainer)
    tokenizer.save(os.path.join(options.data, "tokenizer.json"), pretty=False)
    print(tokenizer.get_vocab_size(), "pieces;", tokenizer.encode("[QUERY] where does the HTTPServer parse_config resolveHTTPPath").tokens)


if __name__ == "__main__":
    main()
