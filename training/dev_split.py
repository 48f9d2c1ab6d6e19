"""The benchmark's dev split, cut into chunks and encoded once per tokenizer: a quick judge of a model, not the product's chunker."""
import os
import pickle
import sys
import numpy as np
import torch
from encode_pairs import WordEncoder, encode
from mining.code_pairs import definitions, enclosing_path, indent_of
from mining.source import document_header, language_of

CHUNK = 1_500  # characters
FILE_SHARE = 0.4  # how much of its file's mean vector a chunk is given


def chunks_of(text):
    """[(first line, last line)] from 0, inclusive: runs of blank-line-separated blocks up to CHUNK characters."""
    lines, out, start, size, blank = text.split("\n"), [], 0, 0, 0
    for at, line in enumerate(lines):
        if size + len(line) + 1 > CHUNK and at > start:
            cut = blank if blank > start and blank > start + (at - start) // 3 else at
            out.append((start, cut - 1))
            start, size = cut, sum(len(each) + 1 for each in lines[cut:at])
        size += len(line) + 1
        if not line.strip():
            blank = at + 1
    if start < len(lines):
        out.append((start, len(lines) - 1))
    return out


def read_folder(folder):
    """([(path, first line, last line)], [chunk text with its header]) of the code files below a folder; lines from 1."""
    spans, texts = [], []
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            full = os.path.join(root, name)
            path = os.path.relpath(full, folder)
            language = language_of(path)
            if language is None or language[0] == "prose" or os.path.islink(full) or os.path.getsize(full) > 400_000:
                continue
            with open(full, encoding="utf-8", errors="replace") as file:
                text = file.read()
            lines, defs = text.split("\n"), definitions(text.split("\n"))
            for first, last in chunks_of(text):
                body = "\n".join(lines[first:last + 1])
                if body.strip():
                    top = next(at for at in range(first, last + 1) if lines[at].strip())
                    spans.append((path, first + 1, last + 1))
                    texts.append(document_header(path, enclosing_path(defs, top, indent_of(lines[top]))) + body)
    return spans, texts


def prepare(bench, tokenizer, cache, sets=("annotations", "commits")):
    """Encoded jobs [{set, repo, root, tasks, spans, queries, documents}], kept in the file `cache`."""
    if os.path.exists(cache):
        with open(cache, "rb") as file:
            return pickle.load(file)
    sys.path.insert(0, bench)
    import benchlib
    encoder, jobs = WordEncoder(tokenizer), []
    for which in sets:
        for repo, folder, root, tasks in benchlib.jobs(which):
            spans, texts = read_folder(folder)
            jobs.append({"set": which, "repo": repo["name"], "root": root, "tasks": tasks, "spans": spans,
                         "queries": encode(encoder, [task["query"] for task in tasks]), "documents": encode(encoder, texts)})
    with open(cache, "wb") as file:
        pickle.dump(jobs, file)
    return jobs


def embed_all(model, encoded, side):
    """[texts, dimension] float32 unit vectors of what `encode` gives."""
    ids, tf, positions, at = encoded
    parts = []
    with torch.no_grad():
        for first in range(0, len(at) - 1, 4_096):
            last = min(first + 4_096, len(at) - 1)
            part = slice(at[first], at[last])
            parts.append(model(torch.from_numpy(ids[part].astype(np.int64)), torch.from_numpy(tf[part].astype(np.float32)),
                               torch.from_numpy(positions[part].astype(np.int64)),
                               torch.from_numpy((at[first:last] - at[first]).astype(np.int64)), side))
    return torch.cat(parts).numpy()


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def with_file_mean(vectors, spans):
    """Chunks plus a share of their file's mean vector, normalised again."""
    _, files = np.unique([path for path, _, _ in spans], return_inverse=True)
    sums = np.zeros((files.max() + 1, vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, files, vectors)
    return unit(vectors + FILE_SHARE * (sums / np.bincount(files)[:, None])[files])


def centred(vectors):
    """Vectors less the repository's mean vector, normalised again."""
    return unit(vectors - vectors.mean(axis=0))


VARIANTS = {
    "raw": lambda vectors, spans: vectors,
    "file": with_file_mean,
    "centre": lambda vectors, spans: centred(vectors),
    "file+centre": lambda vectors, spans: centred(with_file_mean(vectors, spans)),
}


def judge(model, jobs, bench, dimension=None, variants=tuple(VARIANTS), mode="chunk"):
    """{variant: {set or category: NDCG@10}}, means over repositories for sets and over queries for commit-unnamed."""
    sys.path.insert(0, bench)
    from benchlib import mean, score
    rows = []
    for job in jobs:
        queries = unit(embed_all(model, job["queries"], 0)[:, :dimension])
        vectors = unit(embed_all(model, job["documents"], 1)[:, :dimension])
        for variant in variants:
            scores = queries @ VARIANTS[variant](vectors, job["spans"]).T
            for task, line in zip(job["tasks"], scores):
                best = np.argpartition(-line, min(60, len(line) - 1))[:60]
                best = best[np.argsort(-line[best])]
                results = [{"path": job["spans"][at][0], "startLine": job["spans"][at][1], "endLine": job["spans"][at][2]} for at in best]
                rows.append((variant, job["set"], job["repo"], task["category"], score(task, results, job["root"], mode)))
    out = {}
    for variant in variants:
        mine = [row for row in rows if row[0] == variant]
        out[variant] = {which: mean(mean(r[4] for r in mine if r[1] == which and r[2] == repo) for repo in sorted({r[2] for r in mine if r[1] == which}))
                        for which in sorted({r[1] for r in mine})}
        out[variant]["commit-unnamed"] = mean(r[4] for r in mine if r[3] == "commit-unnamed")
    return out


def report(scores):
    """One line per variant."""
    return "\n".join(f"  {variant:12}" + "  ".join(f"{name} {value:.4f}" for name, value in values.items()) for variant, values in scores.items())
