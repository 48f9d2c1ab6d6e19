#!/usr/bin/env python3
"""mine_pairs.py --clones DIR --data DIR --never FILE: (kind, query, document) pairs of every clone whose licence allows it.

Writes DATA/pairs/OWNER+NAME.jsonl.gz, one JSON array [kind, query, document] a line, and DATA/pairs/OWNER+NAME.json with commit, licence and
counts. A repository that already has both is left alone, so a killed run goes on where it stopped.
"""
import argparse
import gzip
import json
import os
import random
import sys
import time
from collections import Counter
from mining.code_pairs import mine_file
from mining.commit_pairs import mine_history
from mining.licence import LICENCE_NAME, classify
from mining.prose_pairs import mine_prose
from mining.source import find_clones, git, is_mined, language_of, list_tree, read_blobs

MAX_FILES = 3_000
MAX_PER_KIND = {"doc": 7_000, "comment": 5_000, "symbol": 3_000, "path": 500, "file": 1_000, "test": 2_500, "message": 2_000,
                "commit": 7_000, "heading": 1_000, "example": 1_000}


def licence_of(clone, tree):
    """Licence name of the clone's newest commit, or None; read from the licence files in its root folder."""
    entries = [e for e in tree if "/" not in e[0] and LICENCE_NAME.match(e[0])]
    return classify(dict(read_blobs(clone, entries)))


def mine(repository, clone):
    """(facts, pairs) of a repository; pairs are None where it may not be used."""
    tree = list_tree(clone)
    facts = {"repository": repository, "commit": git(clone, "rev-parse", "HEAD").decode().strip(), "licence": licence_of(clone, tree)}
    if facts["licence"] is None:
        return facts, None
    rng = random.Random(repository)
    files = [entry for entry in tree if is_mined(entry[0])]
    rng.shuffle(files)
    by_kind = {kind: [] for kind in MAX_PER_KIND}
    for path, text in read_blobs(clone, files[:MAX_FILES]):
        language, style = language_of(path)
        for pair in mine_prose(path, text) if language == "prose" else mine_file(path, text, style, rng):
            by_kind[pair[0]].append(pair)
    for pair in mine_history(clone):
        by_kind[pair[0]].append(pair)
    pairs, seen = [], set()
    for kind, found in by_kind.items():
        rng.shuffle(found)
        for pair in found[:MAX_PER_KIND[kind]]:
            key = hash((pair[1], pair[2][-200:]))
            if key not in seen:
                seen.add(key)
                pairs.append(pair)
    rng.shuffle(pairs)
    facts["pairs"] = dict(Counter(kind for kind, _, _ in pairs))
    return facts, pairs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clones", required=True, help="folder of git clones named OWNER+NAME")
    parser.add_argument("--data", required=True, help="folder for everything that is made")
    parser.add_argument("--never", required=True, help="file of owner/name lines that no model may see")
    options = parser.parse_args()
    with open(options.never) as file:
        never = {line.strip().lower() for line in file if line.strip()}
    out = os.path.join(options.data, "pairs")
    os.makedirs(out, exist_ok=True)
    for repository, clone in find_clones(options.clones):
        base = os.path.join(out, repository.replace("/", "+"))
        if repository.lower() in never or os.path.exists(base + ".json"):
            continue
        started = time.time()
        try:
            facts, pairs = mine(repository, clone)
        except Exception as error:  # one broken clone must not stop the other three hundred
            print(f"{repository}: {error!r}", file=sys.stderr, flush=True)
            continue
        if pairs is not None:
            with gzip.open(base + ".jsonl.gz", "wt", compresslevel=1, encoding="utf-8", errors="replace") as file:
                file.writelines(json.dumps(pair) + "\n" for pair in pairs)
        with open(base + ".json", "w") as file:
            json.dump(facts, file)
        print(f"{repository:40} {facts['licence'] or 'licence refused':14} {len(pairs or []):7} pairs  {time.time() - started:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
