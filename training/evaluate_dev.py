#!/usr/bin/env python3
"""evaluate_dev.py --data DIR --name NAME --bench DIR [--dimension N] [--float]: the dev split's scores of DATA/models/NAME.pt.

The table is rounded to int8 first, as it is shipped. BENCH_DATA names the benchmark's checkouts.
"""
import argparse
import os
import torch
from tokenizers import Tokenizer
from dev_split import judge, prepare, report
from export_onnx import quantise
from static_model import load_model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--bench", required=True)
    parser.add_argument("--dimension", type=int, help="use only so many of the vectors' first values")
    parser.add_argument("--float", action="store_true", help="leave the table as it was trained")
    options = parser.parse_args()
    model = load_model(os.path.join(options.data, "models", options.name + ".pt"))
    if not options.float:
        table, scale = quantise(model.table.detach().numpy())
        model.table.data = torch.from_numpy(table * scale[:, None])
    tokenizer = Tokenizer.from_file(os.path.join(options.data, "tokenizer.json"))
    jobs = prepare(options.bench, tokenizer, os.path.join(options.data, "dev.pickle"))
    for mode in ("chunk", "file"):
        print(mode)
        print(report(judge(model, jobs, options.bench, options.dimension, mode=mode)))


if __name__ == "__main__":
    main()
