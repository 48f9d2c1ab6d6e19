#!/usr/bin/env python3
"""average_models.py --data DIR --out NAME NAME=WEIGHT...: the weighted mean of trained models, DATA/models/OUT.pt.

Only runs that began with the same table (--first-seed of train_static.py) have a meaningful mean. Prints the mean's reciprocal ranks on the
held-out repositories, which is what weights are to be chosen by.
"""
import argparse
import os
import torch
from pair_data import Pairs
from static_model import load_model
from train_static import HOLDOUT, validate


def average(models, weights):
    """A model whose every parameter is the weighted mean of the models'; weights sum to one."""
    mean = models[0]
    with torch.no_grad():
        for parameters in zip(*(model.parameters() for model in models)):
            parameters[0].copy_(sum(weight * parameter for weight, parameter in zip(weights, parameters)))
    return mean


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("parts", nargs="+", metavar="NAME=WEIGHT")
    options = parser.parse_args()
    names, weights = zip(*(part.split("=") for part in options.parts))
    weights = torch.tensor([float(weight) for weight in weights])
    folder = os.path.join(options.data, "models")
    mean = average([load_model(os.path.join(folder, name + ".pt")) for name in names], (weights / weights.sum()).tolist())
    mean.save(os.path.join(folder, options.out + ".pt"))
    held = Pairs(os.path.join(options.data, "encoded"), HOLDOUT, only_holdout=True)
    print({kind: round(float(rank), 4) for kind, rank in validate(mean, held).items()})


if __name__ == "__main__":
    main()
