#!/usr/bin/env python3
"""verify_tokenizer.py --model FOLDER --texts FOLDER --node NODE --package DIR: do Python and JavaScript give the same ids?

Encodes at least 5,000 pieces of real files below TEXTS with Python's `tokenizers` and with the npm package in DIR
(@huggingface/tokenizers), compares every id, and prints the JavaScript speed. Exits 1 on any difference.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from tokenizers import Tokenizer
from export_onnx import QUERY_PREFIX

SCRIPT = """
import fs from 'node:fs';
const [, , packageFile, folder, textsFile] = process.argv;
const { Tokenizer } = await import(packageFile);
const read = name => JSON.parse(fs.readFileSync(name, 'utf8'));
const tokenizer = new Tokenizer(read(`${folder}/tokenizer.json`), read(`${folder}/tokenizer_config.json`));
const texts = read(textsFile);
const started = performance.now();
const ids = texts.map(text => tokenizer.encode(text, { add_special_tokens: false }).ids);
const seconds = (performance.now() - started) / 1000;
const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
process.stdout.write(JSON.stringify({ ids, speed: bytes / 1e6 / seconds }));
"""


def pieces(folder, size=1_500, most=12_000):
    """Up to `most` pieces of `size` characters of the files below a folder, every seventh of them as a query."""
    out = []
    for root, _, names in sorted(os.walk(folder)):
        for name in sorted(names)[:12]:
            try:
                with open(os.path.join(root, name), encoding="utf-8") as file:
                    text = file.read(12_000)
            except (UnicodeDecodeError, OSError):
                continue
            out.extend((QUERY_PREFIX if at % 7 == 0 else "") + text[at:at + size] for at in range(0, len(text), size))
    step = max(1, len(out) // most)
    return out[::step]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--texts", required=True)
    parser.add_argument("--node", default="node")
    parser.add_argument("--package", required=True, help="folder of the installed @huggingface/tokenizers")
    options = parser.parse_args()
    texts = pieces(options.texts)
    tokenizer = Tokenizer.from_file(os.path.join(options.model, "tokenizer.json"))
    expected = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    with tempfile.TemporaryDirectory() as folder:
        texts_file, script = os.path.join(folder, "texts.json"), os.path.join(folder, "run.mjs")
        with open(texts_file, "w") as file:
            json.dump(texts, file)
        with open(script, "w") as file:
            file.write(SCRIPT)
        package = os.path.join(os.path.abspath(options.package), "dist", "tokenizers.mjs")
        done = subprocess.run([options.node, script, package, os.path.abspath(options.model), texts_file], check=True, stdout=subprocess.PIPE)
    got = json.loads(done.stdout)
    different = [text for text, mine, theirs in zip(texts, expected, got["ids"]) if mine != theirs]
    print(f"{len(texts)} texts, {len(different)} different, JavaScript {got['speed']:.1f} MB/s")
    for text in different[:3]:
        print(repr(text[:200]))
    sys.exit(bool(different) or len(texts) < 5_000)


if __name__ == "__main__":
    main()
