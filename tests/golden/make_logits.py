"""Golden logits of tiny Gemma 4 text models, from the public transformers classes in float32.

Usage: make_logits.py OUT_DIR [CONFIG[.f16|.bf16]...]      writes OUT_DIR/CONFIG.json; see README.md for the form.
The suffix rounds the matrices to that type first, as a file of that type would.
"""

import json
import os
import sys

import torch
import transformers
from transformers import Gemma4ForCausalLM, Gemma4TextConfig

import shapes

N_PICKED = 16
MIN_LEAD = 0.05  # the top logit leads by this much on every row of a drawn prompt

# Prompt lengths: beyond the window, 1 to 3 tokens, in between.
LENGTHS = {
    "t6_small": (48, 1, 17),
    "t6_heads": (130, 2, 33),
    "t12_gqa16": (70, 3, 25),
    "t7_odd": (53, 1, 8),
    "t4_plain": (61, 2, 19),
}

FILES = tuple(shapes.CONFIGS) + ("t6_small.f16", "t7_odd.bf16")
ROUND_TO = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}

MODULE_OF = {
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


def state_key(gguf_name):
    """Name of a GGUF tensor in the transformers state dict."""
    if gguf_name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if gguf_name == "output.weight":
        return "lm_head.weight"
    if gguf_name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, kind, suffix = gguf_name.split(".")
    if kind == "layer_output_scale":
        return f"model.layers.{layer}.layer_scalar"
    return f"model.layers.{layer}.{MODULE_OF[kind]}.{suffix}"


def text_config(config):
    """The transformers configuration of the same model."""
    local = config["attention.sliding_window_pattern"]
    per_layer = {
        i: {
            "head_dim": config["attention.key_length_swa" if local[i] else "attention.key_length"],
            "num_key_value_heads": config["attention.head_count_kv"][i],
        }
        for i in range(config["block_count"])
    }
    return Gemma4TextConfig(
        vocab_size=config["vocab_size"],
        hidden_size=config["embedding_length"],
        intermediate_size=config["feed_forward_length"],
        num_hidden_layers=config["block_count"],
        num_attention_heads=config["attention.head_count"],
        num_key_value_heads=config["attention.head_count_kv"][0],
        head_dim=config["attention.key_length_swa"],
        global_head_dim=config["attention.key_length"],
        per_layer_config=per_layer,
        max_position_embeddings=config["context_length"],
        rms_norm_eps=config["attention.layer_norm_rms_epsilon"],
        sliding_window=config["attention.sliding_window"],
        layer_types=["sliding_attention" if is_local else "full_attention" for is_local in local],
        rope_parameters={
            "sliding_attention": {
                "rope_type": "default",
                "rope_theta": config["rope.freq_base_swa"],
            },
            "full_attention": {
                "rope_type": "proportional",
                "partial_rotary_factor": 0.25,
                "rope_theta": config["rope.freq_base"],
            },
        },
        final_logit_softcapping=config["final_logit_softcapping"] or None,
        attention_k_eq_v=not config["global_layers_own_v"],
        tie_word_embeddings=config["tied_output"],
        hidden_size_per_layer_input=0,
        vocab_size_per_layer_input=config["vocab_size"],
        num_kv_shared_layers=0,
        use_double_wide_mlp=False,
        enable_moe_block=False,
        attn_implementation="eager",
    )


def build(config, dtype=torch.float32, weight_type="f32"):
    """The model with generated weights; every parameter and no other is set."""
    model = Gemma4ForCausalLM(text_config(config)).to(dtype).eval()
    state = {}
    for tensor in shapes.tensors(config):
        if tensor["name"] == "rope_freqs.weight":  # transformers derives these from its configuration
            continue
        values = torch.from_numpy(shapes.weights(tensor))
        if values.ndim == 2:
            values = values.to(ROUND_TO[weight_type]).float()
        state[state_key(tensor["name"])] = values.to(dtype)
    if config["tied_output"]:
        state["lm_head.weight"] = state["model.embed_tokens.weight"]
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    return model


def logits_of(model, tokens):
    """[T, V] of one prompt, in one pass without a cache."""
    with torch.no_grad():
        return model(torch.tensor([tokens]), use_cache=False).logits[0]


def spec_prompt(length, vocab_size):
    """Token 2, then (7 m^2 + 13 m + 5) mod V."""
    return [2] + [(7 * m * m + 13 * m + 5) % vocab_size for m in range(length - 1)]


def drawn_prompt(model, config, length, stream):
    """Token 2, then drawn ids, redrawn until each row's best token leads by MIN_LEAD."""
    draw = torch.Generator().manual_seed(stream)
    vocab_size = config["vocab_size"]
    tokens = [2] + torch.randint(0, vocab_size, (length - 1,), generator=draw).tolist()
    while True:
        top = logits_of(model, tokens).topk(2, dim=-1).values
        close = [n for n, lead in enumerate((top[:, 0] - top[:, 1]).tolist()) if lead < MIN_LEAD]
        close = [n for n in close if n > 0]  # position 0 is always <bos>
        if not close:
            return tokens
        tokens[close[0]] = torch.randint(0, vocab_size, (1,), generator=draw).item()


def rounded(values):
    return [round(float(v), 6) for v in values]


def golden_prompt(name, model, model_f64, tokens, picked_ids):
    logits = logits_of(model, tokens)
    top = logits.topk(2, dim=-1)
    worst = (logits.double() - logits_of(model_f64, tokens)).abs().max().item()
    return {
        "name": name,
        "tokens": tokens,
        "argmax": top.indices[:, 0].tolist(),
        "lead": rounded(top.values[:, 0] - top.values[:, 1]),
        "max": rounded(logits.max(dim=-1).values),
        "min": rounded(logits.min(dim=-1).values),
        "picked": [rounded(row[picked_ids]) for row in logits],
        "last": rounded(logits[-1]),
        "f32_f64_max_abs": float(f"{worst:.3g}"),
    }


def golden(config, weight_type):
    model = build(config, weight_type=weight_type)
    model_f64 = build(config, torch.float64, weight_type)
    vocab_size = config["vocab_size"]
    picked_ids = [(i * vocab_size) // N_PICKED + i for i in range(N_PICKED)]
    prompts = []
    for stream, (name, length) in enumerate(zip(("long", "short", "medium"), LENGTHS[config["name"]])):
        if config["name"] == "t6_small" and name == "long":
            tokens = spec_prompt(length, vocab_size)
        else:
            tokens = drawn_prompt(model, config, length, stream)
        prompts.append(golden_prompt(name, model, model_f64, tokens, picked_ids))
    return {
        "format": "hearth-golden-logits-1",
        "made_by": f"transformers {transformers.__version__}, torch {torch.__version__}, float32, eager",
        "config": config,
        "weight_type": weight_type,
        "tensors": shapes.tensors(config),
        "weights_sha256": shapes.weights_sha256(config),
        "picked_ids": picked_ids,
        "prompts": prompts,
    }


def write_json(path, value):
    """One line per tensor, per row and per short list, so that differences can be read."""
    compact = lambda v: json.dumps(v, separators=(",", ":"))
    with open(path, "w", encoding="ascii") as out:
        out.write("{\n")
        for key, item in value.items():
            last = key == "prompts"
            if key == "tensors":
                out.write('"tensors":[\n' + ",\n".join(map(compact, item)) + "\n],\n")
            elif last:
                out.write('"prompts":[\n')
                for i, prompt in enumerate(item):
                    fields = []
                    for name, field in prompt.items():
                        rows = name == "picked"
                        text = "[\n" + ",\n".join(map(compact, field)) + "]" if rows else compact(field)
                        fields.append(f'"{name}":{text}')
                    out.write("{" + ",\n".join(fields) + "}" + (",\n" if i + 1 < len(item) else "\n]}\n"))
            else:
                out.write(f'"{key}":{compact(item)},\n')
    with open(path, encoding="ascii") as check:
        assert json.load(check) == value


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    torch.set_num_threads(2)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in sys.argv[2:] or FILES:
        config_name, _, weight_type = name.partition(".")
        value = golden(shapes.CONFIGS[config_name], weight_type or "f32")
        write_json(os.path.join(sys.argv[1], name + ".json"), value)
        for prompt in value["prompts"]:
            print(
                f"{name} {prompt['name']}: {len(prompt['tokens'])} tokens, "
                f"least lead {min(prompt['lead']):.4f}, "
                f"range {max(prompt['max']) - min(prompt['min']):.2f}, "
                f"float64 differs by {prompt['f32_f64_max_abs']:.2g}"
            )


if __name__ == "__main__":
    main()
