"""Writes a golden model as GGUF with the public gguf package: an independent writer.

Usage: write_gguf.py CONFIG F32|F16|BF16|Q8_0|... OUT     CONFIG as in shapes.py

Matrices get the type, vectors stay F32. Any type that gguf.quants can encode is accepted, if its
block fits the row lengths.
"""

import sys

import gguf
import numpy as np

import shapes

FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "BF16": 32}  # general.file_type

U32_KEYS = (
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.key_length",
    "attention.key_length_swa",
    "attention.sliding_window",
)


def add_model_keys(writer, config):
    for key in U32_KEYS:
        writer.add_uint32("gemma4." + key, config[key])
    for suffix in ("", "_swa"):
        head_dim = config["attention.key_length" + suffix]
        writer.add_uint32("gemma4.attention.value_length" + suffix, head_dim)
        writer.add_uint32("gemma4.rope.dimension_count" + suffix, head_dim)
        writer.add_float32("gemma4.rope.freq_base" + suffix, config["rope.freq_base" + suffix])
    writer.add_array("gemma4.attention.head_count_kv", config["attention.head_count_kv"])
    pattern = config["attention.sliding_window_pattern"]
    writer.add_array("gemma4.attention.sliding_window_pattern", pattern)
    writer.add_uint32("gemma4.attention.shared_kv_layers", 0)
    writer.add_uint32("gemma4.embedding_length_per_layer_input", 0)
    eps = config["attention.layer_norm_rms_epsilon"]
    writer.add_float32("gemma4.attention.layer_norm_rms_epsilon", eps)
    # Written even when 0 (no cap): some readers assume 30 where the key is absent.
    writer.add_float32("gemma4.final_logit_softcapping", config["final_logit_softcapping"])


def add_vocab(writer, pieces, types, merges):
    writer.add_tokenizer_model("gemma4")
    writer.add_token_list(pieces)
    writer.add_token_scores([-1000.0] * len(pieces))
    writer.add_token_types(types)
    writer.add_token_merges([left + " " + right for left, right in merges])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(1)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_mask_token_id(4)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)


def write_model(config, type_name, path):
    kind = gguf.GGMLQuantizationType[type_name]
    writer = gguf.GGUFWriter(path, "gemma4")
    writer.add_type("model")
    writer.add_name("golden " + config["name"])
    if type_name in FILE_TYPES:
        writer.add_file_type(FILE_TYPES[type_name])
    writer.add_quantization_version(2)
    add_model_keys(writer, config)
    add_vocab(writer, *shapes.tiny_vocab(config["vocab_size"]))
    for tensor in shapes.tensors(config):
        values = shapes.weights(tensor)
        if values.ndim == 1 or kind == gguf.GGMLQuantizationType.F32:
            writer.add_tensor(tensor["name"], values)
        elif kind == gguf.GGMLQuantizationType.F16:
            writer.add_tensor(tensor["name"], values.astype(np.float16))
        else:
            encoded = gguf.quants.quantize(values, kind)
            writer.add_tensor(tensor["name"], encoded, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in shapes.CONFIGS:
        sys.exit(__doc__ + "Configurations: " + " ".join(shapes.CONFIGS))
    write_model(shapes.CONFIGS[sys.argv[1]], sys.argv[2], sys.argv[3])


if __name__ == "__main__":
    main()
