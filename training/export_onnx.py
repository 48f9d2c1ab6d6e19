#!/usr/bin/env python3
"""export_onnx.py --data DIR --name NAME --out FOLDER --version V: write the trained model as an int8 ONNX model in Hugging Face's layout.
export_onnx.py --weights-of FOLDER --out FOLDER --version V: the same for an exported model, whose numbers get the present graph.

Every token's vector is kept in 8 bits with one scale per row, and the scale is folded into the token's weight, so that the vectors are never
dequantised: a text's sum is a product of whole numbers. Checks the ONNX model against the PyTorch one, or against the exported one, before it ends.
"""
import argparse
import json
import os
import shutil
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer
from dev_split import embed_all
from encode_pairs import MAX_TOKENS, WordEncoder, encode
from static_model import QUERY as QUERY_SIDE, load_model, position_buckets

PAD, QUERY = 0, 1
QUERY_PREFIX = "[QUERY] "
# The table is stored without signs: products of bytes without and with a sign overflow on processors without VNNI, in ONNX Runtime as elsewhere.
ZERO_POINT = 128
# A token's coefficient is a whole number of 16 bits, multiplied byte by byte. The greatest of a text stays below 2 ** 16 whatever is rounded.
GREATEST = 65_500


def quantise(table):
    """(int8 [vocabulary, dimension], float32 [vocabulary]) with table = int8 x scale, rounded to nearest."""
    scale = np.maximum(np.abs(table).max(axis=1), 1e-12) / 127
    return np.clip(np.rint(table / scale[:, None]), -127, 127).astype(np.int8), scale.astype(np.float32)


def place_weights(log_place):
    """float32 [2, MAX_TOKENS] (query, document) of a position's weight; a query's positions begin after the query token."""
    place = log_place[:, position_buckets(torch.arange(MAX_TOKENS))].exp().detach().numpy()
    place[QUERY_SIDE, 1:] = place[QUERY_SIDE, :-1].copy()
    return place


def build_graph(table, weights, place, k):
    """ModelProto of table int8 [vocabulary, dimension], weights float32 [2, vocabulary] and place float32 [2, MAX_TOKENS] (query,
    document), and k float [2].

    Its inputs are int32 [batch, sequence] and have each token of a text once, in the order of first places: `input_ids`, `token_counts` (how
    often it is in the text; 0 for padding) and `first_positions` (from 0). Whoever tokenises a text counts its tokens in passing; in the graph
    that takes a row of all the vocabulary for each text, and code repeats most of its tokens.

    What is kept of a run is a byte for each dimension of each token. As floats they outgrow the caches from some thousand tokens on, and runs of
    any size after such a one are slower."""
    constants = {
        "table": (table.astype(np.int16) + ZERO_POINT).astype(np.uint8), "table_zero": np.array(ZERO_POINT, np.uint8), "no_zero": np.array(0, np.uint8),
        "greatest": np.array([GREATEST], np.float32), "byte": np.array([256], np.float32), "byte_weights": np.array([[256], [1]], np.float32), "query_weight": weights[0], "document_weight": weights[1],
        "query_place": place[0], "document_place": place[1], "last_place": np.array(MAX_TOKENS - 1, np.int32),
        "query_k": np.array([k[0]], np.float32), "document_k": np.array([k[1]], np.float32), "query_token": np.array([QUERY], np.int32),
        "zero": np.array([0], np.int64), "one": np.array([1], np.int64), "zero_scalar": np.array(0, np.int64),
        "one_float": np.array([1], np.float32), "tiny": np.array([1e-9], np.float32),
    }
    node = helper.make_node
    nodes = [
        # A text that begins with the query token is a query and takes the query side's weights.
        node("Slice", ["input_ids", "zero", "one", "one"], ["first"]),
        node("Equal", ["first", "query_token"], ["first_is_query"]),
        node("Cast", ["first_is_query"], ["first_is_query_int"], to=TensorProto.INT64),
        node("ReduceSum", ["first_is_query_int", "one"], ["query_count"], keepdims=1),
        node("Greater", ["query_count", "zero_scalar"], ["is_query"]),
        # saturate(tf) = tf x (k + 1) / (tf + k): nothing for padding.
        node("Cast", ["token_counts"], ["tf"], to=TensorProto.FLOAT),
        node("Where", ["is_query", "query_k", "document_k"], ["k"]),
        node("Add", ["tf", "k"], ["tf_plus_k"]),
        node("Add", ["k", "one_float"], ["k_plus_one"]),
        node("Mul", ["tf", "k_plus_one"], ["tf_times_k_plus_one"]),
        node("Div", ["tf_times_k_plus_one", "tf_plus_k"], ["saturated"]),
        # A token weighs more or less by the position where it first is.
        node("Min", ["first_positions", "last_place"], ["place"]),
        node("Gather", ["query_place", "place"], ["place_as_query"]),
        node("Gather", ["document_place", "place"], ["place_as_document"]),
        node("Where", ["is_query", "place_as_query", "place_as_document"], ["place_weight"]),
        node("Gather", ["query_weight", "input_ids"], ["weight_as_query"]),
        node("Gather", ["document_weight", "input_ids"], ["weight_as_document"]),
        node("Where", ["is_query", "weight_as_query", "weight_as_document"], ["weight"]),
        node("Mul", ["weight", "saturated"], ["saturated_weight"]),
        node("Mul", ["saturated_weight", "place_weight"], ["coefficient"]),
        # In units of the text's greatest, which the vector's length takes out again: [batch, 2, sequence], the upper bytes and the lower ones.
        node("ReduceMax", ["coefficient"], ["greatest_coefficient"], axes=[1], keepdims=1),
        node("Max", ["greatest_coefficient", "tiny"], ["safe_greatest"]),
        node("Div", ["greatest", "safe_greatest"], ["units"]),
        node("Mul", ["coefficient", "units"], ["in_units"]),
        node("Round", ["in_units"], ["number"]),
        node("Div", ["number", "byte"], ["upper_exact"]),
        node("Floor", ["upper_exact"], ["upper"]),
        node("Mul", ["upper", "byte"], ["upper_part"]),
        node("Sub", ["number", "upper_part"], ["lower"]),
        node("Unsqueeze", ["upper", "one"], ["upper_row"]),
        node("Unsqueeze", ["lower", "one"], ["lower_row"]),
        node("Concat", ["upper_row", "lower_row"], ["bytes_float"], axis=1),
        node("Cast", ["bytes_float"], ["bytes"], to=TensorProto.UINT8),
        node("Gather", ["table", "input_ids"], ["rows"]),
        node("MatMulInteger", ["bytes", "rows", "no_zero", "table_zero"], ["sums_int32"]),
        node("Cast", ["sums_int32"], ["sums"], to=TensorProto.FLOAT),
        node("Mul", ["sums", "byte_weights"], ["weighted_sums"]),
        node("ReduceSum", ["weighted_sums", "one"], ["sum"], keepdims=0),
        node("ReduceL2", ["sum"], ["length"], axes=[1], keepdims=1),
        node("Max", ["length", "tiny"], ["safe_length"]),
        node("Div", ["sum", "safe_length"], ["sentence_embedding"]),
    ]
    shape = ["batch", "sequence"]
    graph = helper.make_graph(
        nodes, "tessera_static",
        [helper.make_tensor_value_info(name, TensorProto.INT32, shape) for name in ("input_ids", "token_counts", "first_positions")],
        [helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", table.shape[1]])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="tessera-training")
    onnx.checker.check_model(model)
    return model


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def count_tokens(ids):
    """(tokens, counts, first positions) of a text, each token once, in the order of first positions."""
    tokens = list(dict.fromkeys(ids))
    return tokens, [ids.count(token) for token in tokens], [ids.index(token) for token in tokens]


def feeds(session, rows):
    """Padded inputs of a batch of texts' ids, for this graph or for those up to 1.0.1, which took every token and a mask."""
    if [port.name for port in session.get_inputs()] == ["input_ids", "attention_mask"]:
        columns, kind = {"input_ids": rows, "attention_mask": [[1] * len(row) for row in rows]}, np.int64
    else:
        columns, kind = dict(zip(("input_ids", "token_counts", "first_positions"), zip(*map(count_tokens, rows)))), np.int32
    width = max(map(len, columns["input_ids"]))
    return {name: np.array([list(row) + [PAD] * (width - len(row)) for row in column], dtype=kind).reshape(len(rows), width) for name, column in columns.items()}


def run_onnx(session, tokenizer, texts):
    """[texts, dimension] of one padded batch."""
    ids = [tokenizer.encode(text, add_special_tokens=False).ids[:MAX_TOKENS] for text in texts]
    return session.run(None, feeds(session, ids))[0]


def open_model(folder):
    """The ONNX session of an exported model."""
    return onnxruntime.InferenceSession(os.path.join(folder, "onnx/model.onnx"), providers=["CPUExecutionProvider"])


def read_weights(folder):
    """(table, weights, place, k) of an exported model, as `build_graph` takes them."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(os.path.join(folder, "onnx/model.onnx")).graph.initializer}
    table = constants["table"]
    if table.dtype == np.uint8:
        table = (table.astype(np.int16) - ZERO_POINT).astype(np.int8)
    both = lambda name: np.stack([constants["query_" + name], constants["document_" + name]])
    return table, both("weight"), both("place"), both("k")[:, 0].tolist()


def verify(folder, tokenizer, reference):
    """Least cosine between the ONNX model's vectors (padded batch) and those of `reference(texts, side)`, for queries and documents."""
    session = open_model(folder)
    texts = ["src/router resolve_path\nRouter.match\ndef match(self, path):\n    return self.routes[path] or path or path",
             "where are retries handled", "HTTPServerError", "parse the config file and the config of the config"]
    documents = run_onnx(session, tokenizer, texts)
    queries = run_onnx(session, tokenizer, [QUERY_PREFIX + text for text in texts])
    alone = np.concatenate([run_onnx(session, tokenizer, [text]) for text in texts])
    print("padding changes a vector by at most", float(np.abs(alone - documents).max()))
    empty = session.run(None, feeds(session, [[]]))[0]
    print("length of the empty text's vector", float(np.abs(empty).sum()))
    return min(float((queries * reference(texts, QUERY_SIDE)).sum(1).min()), float((documents * reference(texts, 1 - QUERY_SIDE)).sum(1).min()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--name", help="DATA/models/NAME.pt")
    parser.add_argument("--weights-of", metavar="FOLDER", help="an exported model, in place of --data and --name")
    parser.add_argument("--out", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--matryoshka", type=int, nargs="+", default=[512, 256])
    options = parser.parse_args()
    if options.weights_of is not None:
        tokenizer_file = os.path.join(options.weights_of, "tokenizer.json")
        tokenizer = Tokenizer.from_file(tokenizer_file)
        table, weights, place, k = read_weights(options.weights_of)
        exported = open_model(options.weights_of)
        prefix = {QUERY_SIDE: QUERY_PREFIX, 1 - QUERY_SIDE: ""}
        reference = lambda texts, side: run_onnx(exported, tokenizer, [prefix[side] + text for text in texts])
    elif options.data is not None and options.name is not None:
        model = load_model(os.path.join(options.data, "models", options.name + ".pt"))
        tokenizer_file = os.path.join(options.data, "tokenizer.json")
        tokenizer = Tokenizer.from_file(tokenizer_file)
        table, scale = quantise(model.table.detach().numpy())
        weights = (model.log_weight.exp().detach().numpy() * scale).astype(np.float32)
        weights[:, [PAD, QUERY]] = 0
        place, k = place_weights(model.log_place), model.log_k.exp().tolist()
        reference = lambda texts, side: embed_all(model, encode(WordEncoder(tokenizer), texts), side)
    else:
        parser.error("Say --data and --name of a trained model, or --weights-of an exported one.")
    graph = build_graph(table, weights, place, k)
    os.makedirs(os.path.join(options.out, "onnx"), exist_ok=True)
    onnx.save(graph, os.path.join(options.out, "onnx/model.onnx"))
    if os.path.abspath(tokenizer_file) != os.path.abspath(os.path.join(options.out, "tokenizer.json")):
        shutil.copy(tokenizer_file, os.path.join(options.out, "tokenizer.json"))
    vocabulary, dimension = table.shape
    write_json(os.path.join(options.out, "config.json"), {
        "model_type": "tessera-static", "architectures": ["TesseraStaticModel"], "hidden_size": dimension, "vocab_size": vocabulary,
        "max_position_embeddings": MAX_TOKENS, "pad_token_id": PAD, "torch_dtype": "int8"})
    write_json(os.path.join(options.out, "tokenizer_config.json"), {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": MAX_TOKENS, "pad_token": "[PAD]", "clean_up_tokenization_spaces": False})
    write_json(os.path.join(options.out, "tessera.json"), {
        "name": os.path.basename(os.path.normpath(options.out)), "version": options.version, "dimension": dimension,
        "matryoshkaDimensions": options.matryoshka, "maxTokens": MAX_TOKENS, "pooling": "none", "normalized": True, "queryPrefix": QUERY_PREFIX,
        "documentPrefix": "", "onnxFile": "onnx/model.onnx", "license": "Apache-2.0"})
    least = verify(options.out, tokenizer, reference)
    print("least cosine to the reference", least)
    if least < 0.999:
        raise SystemExit("The exported model differs from its reference.")


if __name__ == "__main__":
    main()
