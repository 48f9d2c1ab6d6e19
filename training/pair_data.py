"""Encoded pairs of all repositories in memory, and batches of them that put each repository's pairs together."""
import os
import numpy as np
import torch

SYMBOL, PATH = 2, 3  # numbers of these kinds in encode_pairs.KINDS
LEAST_TOKENS = 4  # a document with fewer unique tokens says nothing


class Pairs:
    """Flat arrays over all kept pairs; `repository`, `kind` and `file` [pairs] tell where each comes from.

    Pairs are dropped when they are in the benchmark, or when an earlier repository holds the same query (copied or forked code).
    """

    def __init__(self, folder, holdout=(), only_holdout=False):
        files = sorted(name for name in os.listdir(folder) if name.endswith(".npz") and (name[:-4] in holdout) == only_holdout)
        self.names = [name[:-4] for name in files]
        data = [dict(np.load(os.path.join(folder, name))) for name in files]
        kind, key, header, leaked = (np.concatenate([each[field] for each in data]) for field in ("kind", "key", "header", "leaked"))
        counts = np.array([len(each["kind"]) for each in data])
        owner = np.repeat(np.arange(len(data)), counts)
        _, first, which = np.unique(key, return_index=True, return_inverse=True)
        copied = (owner[first][which] != owner) & ~np.isin(kind, (SYMBOL, PATH))  # symbol and path queries repeat by nature
        lengths = [np.concatenate([np.diff(each[f"{side}_at"]) for each in data]) for side in "qd"]
        keep = ~leaked & ~copied & (lengths[0] > 0) & (lengths[1] >= LEAST_TOKENS)
        self.dropped = {"leaked": int(leaked.sum()), "copied": int(copied.sum())}
        self.kind, self.file, self.repository = kind[keep], header[keep], owner[keep]
        self.by_file = self.sorted_files = None
        kept = np.split(keep, np.cumsum(counts)[:-1])
        self.sides = [self._gather([(each, np.flatnonzero(mine)) for each, mine in zip(data, kept)], side) for side in "qd"]

    @staticmethod
    def _gather(parts, side):
        """(ids, tf, first, starts, lengths) of the kept pairs' queries ('q') or documents ('d')."""
        ids = np.concatenate([data[f"{side}_ids"] for data, _ in parts])
        tf = np.concatenate([data[f"{side}_tf"] for data, _ in parts])
        first = np.concatenate([data[f"{side}_first"] for data, _ in parts])
        base, starts, lengths = 0, [], []
        for data, kept in parts:
            at = data[f"{side}_at"].astype(np.int64)
            starts.append(at[kept] + base)
            lengths.append(np.diff(at)[kept])
            base += len(data[f"{side}_ids"])
        return ids, tf, first, np.concatenate(starts), np.concatenate(lengths)

    def __len__(self):
        return len(self.kind)

    def texts(self, side, which):
        """Tensors (ids, tf, first, offsets) of the pairs `which`, side 0 for queries and 1 for documents."""
        ids, tf, first, starts, lengths = self.sides[side]
        counts = lengths[which]
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
        flat = np.arange(counts.sum()) + np.repeat(starts[which] - offsets, counts)
        return (torch.from_numpy(ids[flat].astype(np.int64)), torch.from_numpy(tf[flat].astype(np.float32)),
                torch.from_numpy(first[flat].astype(np.int64)), torch.from_numpy(offsets))

    def file_mates(self, which, rng):
        """For every pair of `which` another pair, drawn at random, whose document is in the same file (or the pair itself)."""
        if self.by_file is None:
            self.by_file = np.argsort(self.file, kind="stable")
            self.sorted_files = self.file[self.by_file]
        first = np.searchsorted(self.sorted_files, self.file[which], "left")
        last = np.searchsorted(self.sorted_files, self.file[which], "right")
        return self.by_file[rng.integers(first, last)]

    def inverse_document_frequency(self, vocabulary):
        """[vocabulary] ln(1 + (n - df + .5) / (df + .5)) over the documents."""
        ids, _, _, starts, _ = self.sides[1]
        df = np.bincount(ids, minlength=vocabulary)
        n = len(starts)
        return np.log(1 + (np.maximum(n - df, 0) + 0.5) / (df + 0.5))

    def batches(self, size, group, rng):
        """One pass: arrays [size] of pair numbers in which runs of `group` come from one repository each.

        Search happens inside one repository, so the negatives that count are that repository's own code.
        """
        runs = []
        for repository in range(len(self.names)):
            members = rng.permutation(np.flatnonzero(self.repository == repository))
            runs.append(members[:len(members) // group * group].reshape(-1, group))
        runs = rng.permutation(np.concatenate(runs))
        per_batch = size // group
        for start in range(0, len(runs) - per_batch + 1, per_batch):
            yield runs[start:start + per_batch].ravel()
