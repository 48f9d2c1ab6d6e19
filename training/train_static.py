#!/usr/bin/env python3
"""train_static.py --data DIR --name NAME [--bench DIR]: train the static model with a contrastive loss and keep DATA/models/NAME.pt.

Symmetric InfoNCE over the batch at several prefix lengths of the vectors (Matryoshka). Stops when the reciprocal rank on held-out
repositories has not risen for --patience checks. Prints the dev split's scores at the checks; they choose nothing.
"""
import argparse
import os
import time
import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from dev_split import judge, prepare, report
from encode_pairs import KINDS
from pair_data import Pairs
from static_model import DOCUMENT, QUERY, StaticModel

HOLDOUT = ("koajs+koa", "urfave+cli", "rbenv+rbenv", "Moya+Moya", "scotty-web+scotty", "typelevel+fs2", "actix+actix-web", "composer+composer",
           "puma+puma", "lewis6991+gitsigns.nvim")

AVERAGE_EVERY = 10  # steps


class Contrast(torch.autograd.Function):
    """Symmetric InfoNCE of unit vectors [batch, dimension]; `same` [batch, batch] marks pairs that are no negatives.

    One exponential serves both directions and the gradient: cosines are at most one, so exp(scale x (cosine - 1)) cannot overflow.
    Products are in bfloat16, four times as fast on the CPUs this ran on.
    """

    @staticmethod
    def forward(context, queries, documents, scale, same):
        queries16, documents16 = queries.bfloat16(), documents.bfloat16()
        cosines = (queries16 @ documents16.T).float()
        powers = ((cosines - 1) * scale).exp_().masked_fill_(same, 0)
        rows, columns = powers.sum(1), powers.sum(0)
        size, diagonal = len(queries), cosines.diagonal()
        loss = (rows.log() + columns.log()).mean() / 2 - ((diagonal - 1) * scale).mean()
        powers.mul_(rows.reciprocal()[:, None] + columns.reciprocal()).mul_(0.5)
        powers.diagonal().sub_(1)
        context.save_for_backward(queries16, documents16, scale)
        context.slope = powers.div_(size)
        context.scale_slope = (context.slope * cosines).sum()
        return loss

    @staticmethod
    def backward(context, upstream):
        queries16, documents16, scale = context.saved_tensors
        slope = (context.slope * (scale * upstream)).bfloat16()
        return (slope @ documents16).float(), (slope.T @ queries16).float(), context.scale_slope * upstream, None


def embed_pairs(model, pairs, which, options, rng):
    """Unit vectors (queries, documents) of the pairs; documents less `centre` x their group's mean, as the index stores them."""
    mated = np.where(rng.random(len(which)) < options.file_mates, pairs.file_mates(which, rng), which)
    queries = model(*pairs.texts(0, which), QUERY, options.dropout)
    documents = model(*pairs.texts(1, mated), DOCUMENT, options.dropout)
    if options.centre:
        groups = documents.view(-1, options.group, documents.shape[1])
        documents = (groups - options.centre * groups.mean(1, keepdim=True)).view(documents.shape)
    return queries, documents


def false_negatives(pairs, which, spare_files):
    """[batch, batch] bool: other pairs whose query has the same tokens or, with spare_files, whose code is in the same file."""
    ids, _, _, starts, lengths = pairs.sides[0]
    keys = np.array([hash(ids[start:start + length].tobytes()) for start, length in zip(starts[which], lengths[which])])
    same = keys[:, None] == keys[None, :]
    if spare_files:
        files = pairs.file[which]
        same |= files[:, None] == files[None, :]
    np.fill_diagonal(same, False)
    return torch.from_numpy(same)


def losses(model, pairs, which, options, rng):
    """Loss at every Matryoshka dimension."""
    queries, documents = embed_pairs(model, pairs, which, options, rng)
    same = false_negatives(pairs, which, options.spare_files)
    scale = model.log_scale.exp().clamp(max=100)
    return [Contrast.apply(functional.normalize(queries[:, :size], dim=1), functional.normalize(documents[:, :size], dim=1), scale, same)
            for size in options.matryoshka]


def validate(model, held, per_repository=1_000):
    """{"commit", "comment", "all": mean reciprocal rank} of held-out pairs' documents among their repository's, queries to documents."""
    ranks, kinds = [], []
    with torch.no_grad():
        for repository in range(len(held.names)):
            members = np.random.default_rng(repository).permutation(np.flatnonzero(held.repository == repository))[:per_repository]
            queries, documents = model(*held.texts(0, members), QUERY), model(*held.texts(1, members), DOCUMENT)
            scores = (queries @ documents.T).masked_fill(false_negatives(held, members, True), -2)
            ranks.append(1 / (1 + (scores > scores.diagonal()[:, None]).sum(1).numpy()))
            kinds.append(held.kind[members])
    ranks, kinds = np.concatenate(ranks), np.concatenate(kinds)
    return {"commit": ranks[kinds == KINDS.index("commit")].mean(), "comment": ranks[kinds <= KINDS.index("comment")].mean(), "all": ranks.mean()}


def add_to_mean(mean, model, count):
    """Make `mean` the mean of `count` models, of which `model` is the last."""
    with torch.no_grad():
        for kept, new in zip(mean.parameters(), model.parameters()):
            kept.lerp_(new, 1 / count)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--bench", help="folder of the benchmark's scripts (BENCH_DATA names its checkouts)")
    parser.add_argument("--matryoshka", type=int, nargs="+", default=[512, 256])
    parser.add_argument("--batch", type=int, default=2_048)
    parser.add_argument("--group", type=int, default=256, help="pairs of one repository put together in a batch")
    parser.add_argument("--centre", type=float, default=0.0, help="share of its group's mean document taken from each document")
    parser.add_argument("--spare-files", action="store_true", help="other code of the same file is no negative")
    parser.add_argument("--file-mates", type=float, default=0.0, help="share of pairs whose document is swapped for another of its file")
    parser.add_argument("--dropout", type=float, default=0.0, help="share of every text's tokens left out")
    parser.add_argument("--fixed-place", action="store_true", help="learn no weights by position")
    parser.add_argument("--rate", type=float, default=5e-3)
    parser.add_argument("--passes", type=float, default=1.0)
    parser.add_argument("--max-pairs", type=int, default=0, help="train on a random part only (quick experiments)")
    parser.add_argument("--skip-kinds", type=int, nargs="*", default=[])
    parser.add_argument("--check", type=int, default=150, help="steps between checks")
    parser.add_argument("--patience", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0, help="of the order and choice of pairs")
    parser.add_argument("--first-seed", type=int, default=0, help="of the first table; only runs with the same one can be averaged")
    parser.add_argument("--average-from", type=float, default=1.0, help="judge and keep the mean of the parameters since this share of the run")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    tokenizer = Tokenizer.from_file(os.path.join(options.data, "tokenizer.json"))
    encoded = os.path.join(options.data, "encoded")
    pairs, held = Pairs(encoded, HOLDOUT), Pairs(encoded, HOLDOUT, only_holdout=True)
    print(options, f"\n{len(pairs)} pairs of {len(pairs.names)} repositories, dropped {pairs.dropped}; {len(held)} held out", flush=True)
    jobs = prepare(options.bench, tokenizer, os.path.join(options.data, "dev.pickle")) if options.bench else []
    model = StaticModel(pairs.inverse_document_frequency(tokenizer.get_vocab_size()), options.matryoshka[0], options.first_seed)
    averaged = StaticModel(model.log_weight.detach()[0].exp(), options.matryoshka[0], options.first_seed)
    model.log_place.requires_grad_(not options.fixed_place)
    optimizer = torch.optim.Adam(model.parameters(), lr=options.rate, eps=1e-10, fused=True)
    keep = rng.random(len(pairs)) < (options.max_pairs / len(pairs) if options.max_pairs else 1)
    keep &= ~np.isin(pairs.kind, options.skip_kinds)
    pairs.repository = np.where(keep, pairs.repository, -1)
    steps = int(options.passes * keep.sum() / options.batch)
    path = os.path.join(options.data, "models", options.name + ".pt")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    best, bad, step, summed, started = 0.0, 0, 0, 0, time.time()
    while step < steps and bad < options.patience:
        for which in pairs.batches(options.batch, options.group, rng):
            for settings in optimizer.param_groups:
                settings["lr"] = options.rate * min(1, (step + 1) / 20) * (1 - 0.9 * step / steps)
            found = losses(model, pairs, which, options, rng)
            optimizer.zero_grad()
            sum(found).backward()
            optimizer.step()
            step += 1
            if step >= options.average_from * steps and step % AVERAGE_EVERY == 0:
                summed += 1
                add_to_mean(averaged, model, summed)
            judged = averaged if summed else model
            if step % options.check == 0 or step == steps:
                values = validate(judged, held)
                value = (values["commit"] + values["comment"]) / 2
                print(f"step {step}/{steps}  loss {found[0].item():.4f}  held out {'  '.join(f'{kind} {rank:.4f}' for kind, rank in values.items())}  scale {model.log_scale.exp().item():.1f}  "
                      f"k {model.log_k.exp().tolist()}  {time.time() - started:.0f} s", flush=True)
                bad = 0 if value > best else bad + 1
                if value > best:
                    best = value
                    judged.save(path)
                if jobs and (step == steps or step % (2 * options.check) == 0):
                    print(report(judge(judged, jobs, options.bench, variants=("raw", "file+centre"))), flush=True)
            if step >= steps or bad >= options.patience:
                break


if __name__ == "__main__":
    main()
