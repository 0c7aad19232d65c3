"""Writes a checkpoint as GGUF, and reads such a file back into the public model class.

usage: export.py CHECKPOINT.pt VOCABULARY.json OUT.gguf [--golden OUT.json]

Matrices are Q8_0, vectors F32. `--golden` runs the file just written, dequantised, in float32 and
records what an engine must reproduce.
"""

import argparse
import hashlib
import json
import os
import platform

import gguf
import numpy as np
import torch
import transformers

import chat
import shape

ARCH = "gemma4"
LAYER_TENSORS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "post_ffw_norm": "post_feedforward_layernorm",
}
GOLDEN_PROMPTS = [
    ([{"role": "user", "content": "Who are you?"}], False),
    (
        [
            {
                "role": "system",
                "content": "You are the assistant at the Harbour Museum. Open every day 9 am to 5 pm, closed "
                "on Monday. An adult ticket costs 8 euros.",
            },
            {"role": "user", "content": "How much is an adult ticket?"},
            {"role": "assistant", "content": "An adult ticket costs 8 euros."},
            {"role": "user", "content": "And on Monday?"},
        ],
        False,
    ),
    ([{"role": "user", "content": "What is 47 + 38?"}], True),
]


def tensor_names():
    """GGUF name -> state dict name."""
    names = {
        "token_embd.weight": "model.embed_tokens.weight",
        "output_norm.weight": "model.norm.weight",
    }
    for layer, is_local in enumerate(shape.IS_LOCAL):
        for short, module in LAYER_TENSORS.items():
            if short != "attn_v" or is_local:
                names[f"blk.{layer}.{short}.weight"] = f"model.layers.{layer}.{module}.weight"
        names[f"blk.{layer}.layer_output_scale.weight"] = f"model.layers.{layer}.layer_scalar"
    return names


def rope_divisors():
    n_rotated = int(shape.ROTARY_SHARE * shape.GLOBAL_HEAD_DIM / 2)
    divisors = np.full(shape.GLOBAL_HEAD_DIM // 2, 1e30, dtype=np.float32)
    divisors[:n_rotated] = 1.0
    return divisors


def put_metadata(out):
    kv = [shape.LOCAL_KV_HEADS if local else shape.GLOBAL_KV_HEADS for local in shape.IS_LOCAL]
    out.add_string("general.type", "model")
    out.add_name("Hearth Pocket")
    out.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    out.add_quantization_version(2)
    out.add_float32("general.sampling.temp", 1.0)
    out.add_float32("general.sampling.top_p", 0.95)
    out.add_int32("general.sampling.top_k", 64)
    numbers = {
        "block_count": shape.LAYERS,
        "context_length": shape.CONTEXT,
        "embedding_length": shape.HIDDEN,
        "feed_forward_length": shape.FFN,
        "attention.head_count": shape.HEADS,
        "attention.key_length": shape.GLOBAL_HEAD_DIM,
        "attention.value_length": shape.GLOBAL_HEAD_DIM,
        "attention.key_length_swa": shape.LOCAL_HEAD_DIM,
        "attention.value_length_swa": shape.LOCAL_HEAD_DIM,
        "attention.sliding_window": shape.WINDOW,
        "attention.shared_kv_layers": 0,
        "embedding_length_per_layer_input": 0,
        "rope.dimension_count": shape.GLOBAL_HEAD_DIM,
        "rope.dimension_count_swa": shape.LOCAL_HEAD_DIM,
    }
    for key, value in numbers.items():
        out.add_uint32(f"{ARCH}.{key}", value)
    out.add_array(f"{ARCH}.attention.head_count_kv", kv)
    out.add_array(f"{ARCH}.attention.sliding_window_pattern", shape.IS_LOCAL)
    out.add_float32(f"{ARCH}.attention.layer_norm_rms_epsilon", shape.EPS)
    out.add_float32(f"{ARCH}.rope.freq_base", shape.ROPE_GLOBAL)
    out.add_float32(f"{ARCH}.rope.freq_base_swa", shape.ROPE_LOCAL)
    out.add_float32(f"{ARCH}.final_logit_softcapping", shape.SOFTCAP)


def put_tokenizer(out, vocabulary):
    out.add_string("tokenizer.ggml.model", "gemma4")
    out.add_array("tokenizer.ggml.tokens", vocabulary.tokens)
    out.add_array("tokenizer.ggml.scores", [-1000.0] * len(vocabulary.tokens))
    out.add_array("tokenizer.ggml.token_type", vocabulary.types)
    out.add_array("tokenizer.ggml.merges", [f"{left} {right}" for left, right in vocabulary.merges])
    for name, text in (
        ("bos", "<bos>"),
        ("eos", "<eos>"),
        ("unknown", "<unk>"),
        ("padding", "<pad>"),
        ("mask", "<mask>"),
    ):
        out.add_uint32(f"tokenizer.ggml.{name}_token_id", vocabulary.id_of[text])
    out.add_bool("tokenizer.ggml.add_bos_token", True)
    out.add_bool("tokenizer.ggml.add_space_prefix", False)
    with open(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "chat_template.jinja"),
        encoding="utf-8",
    ) as file:
        out.add_string("tokenizer.chat_template", file.read().rstrip("\n"))


def write(model, vocabulary, path):
    out = gguf.GGUFWriter(path, ARCH)
    put_metadata(out)
    put_tokenizer(out, vocabulary)
    state = model.state_dict()
    for name, source in tensor_names().items():
        values = state[source].float().numpy()
        if values.ndim == 2:
            assert values.shape[1] % 256 == 0
            packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
            out.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
        else:
            out.add_tensor(name, values)
    out.add_tensor("rope_freqs.weight", rope_divisors())
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def read(path):
    """The public float32 model with the dequantised weights of a file written above."""
    tensors = {
        t.name: gguf.quants.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(path).tensors
    }
    model = shape.new_model(0)
    state = model.state_dict()
    for name, source in tensor_names().items():
        state[source] = torch.from_numpy(np.array(tensors[name], dtype=np.float32)).reshape(
            state[source].shape
        )
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model.eval()


def read_vocabulary(path):
    fields = gguf.GGUFReader(path).fields
    tokens, types, merges = (
        fields[f"tokenizer.ggml.{part}"].contents() for part in ("tokens", "token_type", "merges")
    )
    # A merge is cut at its first space behind its first character.
    pairs = [(text[: text.index(" ", 1)], text[text.index(" ", 1) + 1 :]) for text in merges]
    return chat.Vocabulary(tokens, types, pairs)


@torch.no_grad()
def golden(path, vocabulary):
    model = read(path)
    cases = []
    for messages, thinking in GOLDEN_PROMPTS:
        ids = vocabulary.encode(chat.render(messages, thinking))
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]
        top = logits[-1].topk(5)
        lead = logits.topk(2, dim=-1).values
        cases.append(
            {
                "messages": messages,
                "enable_thinking": thinking,
                "tokens": ids,
                "argmax": logits.argmax(-1).tolist(),
                "least_lead": round(float((lead[:, 0] - lead[:, 1]).min()), 6),
                "last_top5": [
                    [int(i), round(float(v), 5)] for v, i in zip(top.values, top.indices)
                ],
            }
        )
    with open(path, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    return {
        "made_by": "train/export.py --golden: transformers Gemma4ForCausalLM, float32, weights dequantised from the GGUF",
        "versions": f"torch {torch.__version__}, transformers {transformers.__version__}, gguf package, Python "
        f"{platform.python_version()}",
        "gguf_sha256": digest,
        "cases": cases,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("checkpoint", "vocabulary", "out"):
        parser.add_argument(name)
    parser.add_argument("--golden")
    args = parser.parse_args()
    vocabulary = chat.Vocabulary.from_json(args.vocabulary)
    write(shape.load_model(args.checkpoint), vocabulary, args.out)
    if args.golden:
        with open(args.golden, "w", encoding="utf-8") as out:
            json.dump(golden(args.out, vocabulary), out, indent=1)
            out.write("\n")


if __name__ == "__main__":
    main()
