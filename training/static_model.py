"""The static embedding model: a table of token vectors, a learned weight per token, and a saturating term frequency."""
import numpy as np
import torch
from torch import nn
from torch.nn import functional

QUERY, DOCUMENT = 0, 1


def saturate(tf, k):
    """What tf occurrences count for: 1 for one, (k + 1) at the most (the saturation of BM25)."""
    return (k + 1) * tf / (tf + k)


def position_buckets(positions):
    """Bucket of each token position: the first sixteen have their own, then four for every doubling."""
    far = 16 + torch.floor(4 * torch.log2(positions.clamp(min=16) / 16)).long()
    return torch.where(positions < 16, positions, far.clamp(max=BUCKETS - 1))


BUCKETS = 36  # enough for 512 positions


class StaticModel(nn.Module):
    """text -> normalise(sum over unique tokens of exp(weight + place) * saturate(tf) * vector).

    table: [vocabulary, dimension]; log_weight: [2, vocabulary], one row for queries and one for documents; log_place: [2, BUCKETS], by the
    position where the token first is (a chunk begins with its path and symbol); log_k: [2].
    """

    def __init__(self, idf, dimension, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        vocabulary = len(idf)
        self.table = nn.Parameter(torch.randn(vocabulary, dimension, generator=generator) / dimension ** 0.5)
        log_idf = torch.log(torch.as_tensor(idf, dtype=torch.float32).clamp(min=0.1))
        self.log_weight = nn.Parameter(torch.stack([log_idf, log_idf]))
        self.log_place = nn.Parameter(torch.zeros(2, BUCKETS))
        self.log_k = nn.Parameter(torch.tensor([0.5, 0.2]))
        self.log_scale = nn.Parameter(torch.tensor(3.0))

    def embed(self, ids, tf, first, offsets, side, dropout=0.0):
        """Unnormalised [texts, dimension] of flat ids, tf and first positions with the texts' starts (offsets without the end)."""
        place = self.log_place[side][position_buckets(first)]
        weights = (self.log_weight[side][ids] + place).exp() * saturate(tf, self.log_k[side].exp())
        if dropout:
            weights = functional.dropout(weights, dropout)
        return functional.embedding_bag(ids, self.table, offsets, mode="sum", per_sample_weights=weights)

    def forward(self, ids, tf, first, offsets, side, dropout=0.0):
        return functional.normalize(self.embed(ids, tf, first, offsets, side, dropout), dim=1)

    def save(self, path):
        torch.save(self.state_dict(), path)


def load_model(path):
    """The model that `save` wrote."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = StaticModel(np.ones(state["table"].shape[0]), state["table"].shape[1])
    model.load_state_dict(state)
    return model.eval()
