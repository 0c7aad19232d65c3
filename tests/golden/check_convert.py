"""Checks `hearth convert` against independent readers and the public model class.

Usage: check_convert.py HEARTH WORK_DIR      needs requirements.txt and safetensors; ends with a tally

Writes small safetensors directories of every kind that can be converted: Gemma 4 as the public class
saves it, single and sharded, with vision beside it, NVFP4 in both namings, and the three drafters.
Logits of the converted files are compared with the class in float32; every tensor is read back with
the gguf package and compared bit for bit with a decode in numpy; every other check is of metadata.
"""

import copy
import json
import os
import subprocess
import sys

import gguf
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import Gemma4Config, Gemma4ForConditionalGeneration, Gemma4VisionConfig

import make_logits
import shapes

E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, 0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
LAYER_NAMES = {v: k for k, v in make_logits.MODULE_OF.items()}
TALLY = {"passed": 0, "failed": 0}


def check(name, held, seen=""):
    TALLY["passed" if held else "failed"] += 1
    print(("ok " if held else "not ok ") + name + (f": {seen}" if seen != "" else ""))


class Box:
    """The program under test and the folder it works in."""

    def __init__(self, hearth, work):
        self.hearth, self.work = os.path.abspath(hearth), work

    def path(self, name):
        return os.path.join(self.work, name)

    def run(self, *args):
        done = subprocess.run([self.hearth, *args], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def convert(self, name, *flags):
        out = self.path(name + ".gguf")
        status, _, err = self.run("convert", self.path(name), out, *flags)
        check(f"convert {name} {' '.join(flags)}", status == 0, err.strip())
        return gguf.GGUFReader(out) if status == 0 else None

    def refused(self, name, *words):
        out = self.path(name + ".gguf")
        if os.path.exists(out):
            os.remove(out)
        status, said, err = self.run("convert", self.path(name), out)
        held = status == 1 and said == "" and err.count("\n") == 1 and all(w in err for w in words)
        check(f"{name} is refused", held and not os.path.exists(out), err.strip())


def write_tokenizer(folder, vocab_size, template="preserve_thinking"):
    pieces, types, merges = shapes.tiny_vocab(vocab_size)
    model = models.BPE(vocab={p: i for i, p in enumerate(pieces)}, merges=merges, unk_token="<unk>", byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", shapes.SPACE)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace(shapes.SPACE, " "), decoders.ByteFallback(), decoders.Fuse()])
    special = [p for p, kind in zip(pieces, types) if kind in (shapes.CONTROL, shapes.USER_DEFINED)]
    tokenizer.add_special_tokens([AddedToken(p, special=True) for p in special])
    tokenizer.add_tokens([AddedToken("\n" * n, special=False, normalized=False) for n in range(1, 32)])
    tokenizer.save(os.path.join(folder, "tokenizer.json"))
    with open(os.path.join(folder, "chat_template.jinja"), "w", encoding="utf-8") as out:
        out.write(template)
    return pieces, types, merges


def write_json(folder, name, value):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
        json.dump(value, out)


def read_json(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as text:
        return json.load(text)


def tensors_of(reader):
    return {t.name: t for t in reader.tensors}


def floats(tensor):
    """A tensor of the file as float32, by the gguf package."""
    shape = [int(n) for n in tensor.shape[::-1]]
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape(shape)


def key(reader, name):
    field = reader.fields.get(name)
    return None if field is None else field.contents()


def same_keys(name, reader, want):
    wrong = {k: key(reader, k) for k, v in want.items() if key(reader, k) != v}
    check(name + " has the keys", not wrong, wrong or "")


# ---- Gemma 4 ----


def check_logits(box, name, model, config, limit):
    """Last row of each golden prompt length against the class in float32."""
    worst = 0.0
    for length in make_logits.LENGTHS[config["name"]]:
        tokens = make_logits.spec_prompt(length, config["vocab_size"])
        want = make_logits.logits_of(model, tokens)[-1].numpy()
        out = box.path("last.f32")
        ids = ",".join(map(str, tokens))
        status, _, err = box.run("logits", "-m", box.path(name + ".gguf"), "--tokens", ids, "--out", out)
        got = np.fromfile(out, "<f4") if status == 0 else np.full_like(want, np.inf)
        worst = max(worst, float(np.abs(got - want).max() / (want.max() - want.min())))
        if status:
            print(err)
    check(f"logits of {name} are the class's", worst <= limit, f"{worst:.2g} of the range")


def check_tokenizer(reader, pieces, types, merges):
    check("pieces are taken along", key(reader, "tokenizer.ggml.tokens") == pieces)
    check("types are taken along", key(reader, "tokenizer.ggml.token_type") == types)
    check("merges are taken along", key(reader, "tokenizer.ggml.merges") == [a + " " + b for a, b in merges])
    ids = {"bos": 2, "eos": 1, "unknown": 3, "padding": 0, "mask": 4}
    same_keys("tokenizer", reader, {f"tokenizer.ggml.{k}_token_id": v for k, v in ids.items()})


def gemma4_keys(config):
    copied = ("block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
              "attention.key_length", "attention.key_length_swa", "attention.head_count_kv",
              "attention.sliding_window", "attention.sliding_window_pattern", "rope.freq_base",
              "rope.freq_base_swa", "final_logit_softcapping")  # fmt: skip
    return {"gemma4." + k: config[k] for k in copied}


def rounded_model(config, dtype):
    """The float32 class with weights rounded to dtype; its constants stay as they are."""
    model = make_logits.build(config)
    model.load_state_dict({n: t.to(dtype).float() for n, t in model.state_dict().items()})
    return model


def save(model, dtype, folder, max_shard_size="1GB"):
    copy.deepcopy(model).to(dtype).save_pretrained(folder, max_shard_size=max_shard_size)


def check_gemma4(box, config_name, limit):
    config = shapes.CONFIGS[config_name]
    for name, dtype, shard in ((f"{config_name}_f32", torch.float32, "1GB"), (f"{config_name}_bf16", torch.bfloat16, "1MB")):
        model = rounded_model(config, dtype)
        save(model, dtype, box.path(name), shard)
        kept = write_tokenizer(box.path(name), config["vocab_size"])
        reader = box.convert(name)
        if reader is None:
            return
        same_keys(name, reader, gemma4_keys(config))
        check_tokenizer(reader, *kept)
        state = model.state_dict()
        for tensor in reader.tensors:
            if tensor.name != "rope_freqs.weight":
                want = state[make_logits.state_key(tensor.name)].numpy()
                if not np.array_equal(floats(tensor), want):
                    check(f"{name}: {tensor.name} is the source's", False)
        check_logits(box, name, model, config, limit)
    for kind in ("F16", "F32"):
        reader = box.convert(name, "--type", kind)
        found = {t.tensor_type.name for t in reader.tensors if len(t.shape) == 2}
        check(f"--type {kind} encodes every matrix", found == {kind}, found)


def check_older_config(box):
    """The same directory with sizes of global layers as members of their own."""
    name = "t6_small_f32"
    config = read_json(box.path(name), "config.json")
    layers = config.pop("per_layer_config")
    config["global_head_dim"] = layers["5"]["head_dim"]
    config["num_global_key_value_heads"] = layers["5"]["num_key_value_heads"]
    with open(box.path(name + ".gguf"), "rb") as before:
        want = before.read()
    write_json(box.path(name), "config.json", config)
    box.convert(name)
    with open(box.path(name + ".gguf"), "rb") as after:
        check("both forms of the configuration give the same file", after.read() == want)


def check_conditional(box):
    text = make_logits.text_config(shapes.CONFIGS["t6_small"])
    vision = Gemma4VisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
        head_dim=16, position_embedding_size=64,
    )  # fmt: skip
    config = Gemma4Config(text_config=text, vision_config=vision, audio_config=None)
    model = Gemma4ForConditionalGeneration(config).to(torch.bfloat16)
    model.save_pretrained(box.path("cond"))
    write_tokenizer(box.path("cond"), 512)
    generation = {"temperature": 1.0, "top_p": 0.95, "top_k": 64, "eos_token_id": [1, 106, 50], "suppress_tokens": [7, 9]}
    write_json(box.path("cond"), "generation_config.json", generation)
    reader = box.convert("cond")
    state = load_file(os.path.join(box.path("cond"), "model.safetensors"))
    found = tensors_of(reader)
    same = all(
        np.array_equal(floats(found[f"blk.{i}.{LAYER_NAMES[m]}.weight"]), t.float().numpy())
        for n, t in state.items()
        if n.startswith("model.language_model.layers.") and n.endswith(".weight")
        for i, m in [(n.split(".")[3], ".".join(n.split(".")[4:-1]))]
    )
    check("the text model is taken out of a model with vision", same and not any(n.startswith("v.") for n in found))
    want = {"general.sampling.temp": 1.0, "general.sampling.top_k": 64, "tokenizer.ggml.suppress_tokens": [7, 9]}
    same_keys("generation", reader, want)
    write_json(box.path("cond"), "generation_config.json", {"eos_token_id": [1, 107]})
    box.refused("cond", "generation_config.json", "eos_token_id", "107")


# ---- NVFP4 ----


def e4m3(codes):
    return torch.from_numpy(codes).view(torch.float8_e4m3fn).float().numpy()


def random_nvfp4(draw, n_out, n_in):
    """Packed codes, block scales, tensor scale, and the values they stand for."""
    codes = draw.integers(0, 256, (n_out, n_in // 2), dtype=np.uint8)
    scales = draw.integers(0, 0x7F, (n_out, n_in // 16), dtype=np.uint8)
    tensor_scale = np.float32(draw.uniform(1e-5, 1e-3))
    elements = np.stack([codes & 15, codes >> 4], axis=-1).reshape(n_out, n_in)
    blocks = E2M1[elements] * np.repeat(e4m3(scales), 16, axis=1)
    return codes, scales, tensor_scale, blocks


def pack(state, stem, parts, is_modelopt, input_scale):
    codes, scales, tensor_scale, _ = parts
    state[stem + ".weight_scale"] = torch.from_numpy(scales).view(torch.float8_e4m3fn)
    if is_modelopt:
        state[stem + ".weight"] = torch.from_numpy(codes)
        state[stem + ".weight_scale_2"] = torch.tensor(tensor_scale)
        state[stem + ".input_scale"] = torch.tensor(input_scale)
    else:
        del state[stem + ".weight"]
        state[stem + ".weight_packed"] = torch.from_numpy(codes)
        state[stem + ".weight_global_scale"] = torch.tensor([1.0 / tensor_scale])
        state[stem + ".input_global_scale"] = torch.tensor([1.0 / input_scale])


def check_blocks(box, name, reader, stem, parts, exact):
    """Blocks by the gguf package and by hearth; the scale beside them."""
    found, (_, _, tensor_scale, blocks) = tensors_of(reader), parts
    got = floats(found[stem + ".weight"])
    check(f"{name}: {stem} holds the blocks, read by the gguf package", np.array_equal(got, blocks))
    out = box.path("dump.f32")
    status, _, _ = box.run("inspect", box.path(name + ".gguf"), "--dump", stem + ".weight", out)
    got = np.fromfile(out, "<f4").reshape(blocks.shape)
    check(f"{name}: {stem} is dumped as it was packed", status == 0 and np.array_equal(got, blocks))
    scale = found[stem + ".scale"].data[0]
    check(f"{name}: {stem}.scale", scale == tensor_scale if exact else np.isclose(scale, tensor_scale, rtol=1e-6), scale)


def check_nvfp4_target(box):
    """FFN in NVFP4 as published; logits against the class with the decoded weights."""
    config = shapes.CONFIGS["t6_small"]
    for name, is_modelopt in (("nvfp4_modelopt", True), ("nvfp4_compressed", False)):
        draw = np.random.default_rng(7)
        model = rounded_model(config, torch.bfloat16)
        save(model, torch.bfloat16, box.path(name))
        write_tokenizer(box.path(name), config["vocab_size"])
        file = os.path.join(box.path(name), "model.safetensors")
        state, packed = load_file(file), {}
        for i in range(config["block_count"]):
            for role, short in (("gate", "gate"), ("up", "up"), ("down", "down")):
                stem = f"model.layers.{i}.mlp.{role}_proj"
                n_out, n_in = state[stem + ".weight"].shape
                parts = random_nvfp4(draw, n_out, n_in)
                packed[f"blk.{i}.ffn_{short}"] = parts
                pack(state, stem, parts, is_modelopt, np.float32(0.125 + i))
                weight = model.get_submodule(stem).weight
                weight.data = torch.from_numpy(parts[3] * parts[2])
        for i in range(config["block_count"]):
            if is_modelopt:
                state[f"model.layers.{i}.self_attn.k_proj.k_scale"] = torch.tensor([0.5])
        save_file(state, file)
        about = read_json(box.path(name), "config.json")
        if is_modelopt:
            about["quantization_config"] = {"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ["lm_head"]}
            sidecar = {"quantization": {"quant_algo": "NVFP4", "group_size": 16, "kv_cache_quant_algo": "FP8"}}
            write_json(box.path(name), "hf_quant_config.json", sidecar)
        else:
            about["quantization_config"] = {"quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized"}
        write_json(box.path(name), "config.json", about)
        reader = box.convert(name)
        if reader is None:
            continue
        for stem in ("blk.0.ffn_gate", "blk.5.ffn_down"):
            check_blocks(box, name, reader, stem, packed[stem], is_modelopt)
        check_logits(box, name, model, config, 0.02)


# ---- drafters ----


def random_state(draw, shapes_by_name):
    return {n: torch.from_numpy(draw.normal(0, 0.05, s).astype(np.float32)).to(torch.bfloat16) for n, s in shapes_by_name.items()}


def write_drafter(box, name, config, state):
    os.makedirs(box.path(name), exist_ok=True)
    write_json(box.path(name), "config.json", config)
    save_file(state, os.path.join(box.path(name), "model.safetensors"))


def same_tensors(name, reader, want):
    found = tensors_of(reader)
    check(name + " has exactly its tensors", set(found) == set(want), set(found) ^ set(want) or "")
    wrong = [n for n, v in want.items() if n in found and not np.array_equal(floats(found[n]), v)]
    check(name + " has the values", not wrong, wrong or "")


def mlp_shapes(prefix, hidden, ffn):
    return {f"{prefix}mlp.gate_proj.weight": (ffn, hidden), f"{prefix}mlp.up_proj.weight": (ffn, hidden),
            f"{prefix}mlp.down_proj.weight": (hidden, ffn)}  # fmt: skip


DFLASH = {
    "architectures": ["DFlashDraftModel"], "model_type": "qwen3", "hidden_size": 256, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "intermediate_size": 256, "vocab_size": 512,
    "rope_theta": 1000000.0, "rms_norm_eps": 1e-6, "max_position_embeddings": 4096, "sliding_window": 16,
    "use_sliding_window": True, "layer_types": ["sliding_attention", "full_attention"], "hidden_act": "silu",
    "final_logit_softcapping": 30.0, "tie_word_embeddings": True, "num_target_layers": 6, "block_size": 8,
    "dflash_config": {"target_layer_ids": [1, 2, 3], "mask_token_id": 4},
}  # fmt: skip


def check_dflash(box):
    names = {"fc.weight": (256, 768), "hidden_norm.weight": (256,), "norm.weight": (256,)}
    gguf_names = {"fc.weight": "fc.weight", "hidden_norm.weight": "enc.output_norm.weight", "norm.weight": "output_norm.weight"}
    modules = {
        "input_layernorm": ("attn_norm", (256,)), "self_attn.q_proj": ("attn_q", (128, 256)),
        "self_attn.k_proj": ("attn_k", (64, 256)), "self_attn.v_proj": ("attn_v", (64, 256)),
        "self_attn.o_proj": ("attn_output", (256, 128)), "self_attn.q_norm": ("attn_q_norm", (32,)),
        "self_attn.k_norm": ("attn_k_norm", (32,)), "post_attention_layernorm": ("ffn_norm", (256,)),
        "mlp.gate_proj": ("ffn_gate", (256, 256)), "mlp.up_proj": ("ffn_up", (256, 256)),
        "mlp.down_proj": ("ffn_down", (256, 256)),
    }  # fmt: skip
    for i in range(2):
        for module, (short, shape) in modules.items():
            names[f"layers.{i}.{module}.weight"] = shape
            gguf_names[f"layers.{i}.{module}.weight"] = f"blk.{i}.{short}.weight"
    state = random_state(np.random.default_rng(1), names)
    write_drafter(box, "dflash", DFLASH, state)
    reader = box.convert("dflash")
    same_tensors("dflash", reader, {gguf_names[n]: t.float().numpy() for n, t in state.items()})
    same_keys("dflash", reader, {
        "general.architecture": "dflash", "dflash.target_layers": [2, 3, 4], "dflash.block_size": 8,
        "tokenizer.ggml.mask_token_id": 4, "dflash.attention.sliding_window": 16, "dflash.block_count": 2,
        "dflash.attention.sliding_window_pattern": [True, False], "dflash.attention.head_count_kv": 2,
        "dflash.attention.key_length": 32, "dflash.rope.freq_base": 1e6, "dflash.final_logit_softcapping": 30.0,
    })  # fmt: skip
    box.convert("dflash", "--tokenizer", box.path("t6_small_f32"))
    state["conf_proj.weight"] = torch.zeros(4)
    write_drafter(box, "dflash_other", DFLASH, state)
    box.refused("dflash_other", "model.safetensors", "conf_proj.weight")


EAGLE3 = {
    "architectures": ["Eagle3Speculator"], "speculators_model_type": "eagle3", "draft_vocab_size": 128,
    "norm_before_residual": True, "eagle_aux_hidden_state_layer_ids": [1, 3, 5],
    "speculators_config": {"algorithm": "eagle3"},
    "transformer_layer_config": {
        "model_type": "llama", "hidden_size": 256, "num_hidden_layers": 1, "num_attention_heads": 4,
        "num_key_value_heads": 2, "head_dim": 64, "intermediate_size": 512, "vocab_size": 512, "rms_norm_eps": 1e-6,
        "rope_theta": 10000.0, "max_position_embeddings": 4096, "hidden_act": "silu", "attention_bias": False,
        "mlp_bias": False,
    },
}  # fmt: skip
EAGLE3_LAYER = {
    "input_layernorm": ("attn_norm", (256,)), "hidden_norm": ("attn_norm_2", (256,)),
    "self_attn.q_proj": ("attn_q", (256, 512)), "self_attn.k_proj": ("attn_k", (128, 512)),
    "self_attn.v_proj": ("attn_v", (128, 512)), "self_attn.o_proj": ("attn_output", (256, 256)),
    "post_attention_layernorm": ("ffn_norm", (256,)), "mlp.gate_proj": ("ffn_gate", (512, 256)),
    "mlp.up_proj": ("ffn_up", (512, 256)), "mlp.down_proj": ("ffn_down", (256, 512)),
}  # fmt: skip


def interleaved(rows, head_dim):
    """Per head: row 2i is row i, row 2i + 1 is row i + E/2."""
    halves = rows.reshape(-1, 2, head_dim // 2, rows.shape[-1])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def eagle3_state(with_embedding, layer):
    names = {"fc.weight": (256, 768), "norm.weight": (256,), "lm_head.weight": (128, 256)}
    want = {"fc.weight": "fc.weight", "norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
    if with_embedding:
        names["embed_tokens.weight"], want["embed_tokens.weight"] = (512, 256), "token_embd.weight"
    for module, (short, shape) in EAGLE3_LAYER.items():
        names[f"{layer}{module}.weight"], want[f"{layer}{module}.weight"] = shape, f"blk.0.{short}.weight"
    state = random_state(np.random.default_rng(3), names)
    values = {}
    for name, to in want.items():
        value = state[name].float().numpy()
        values[to] = interleaved(value, 64) if to.endswith(("attn_q.weight", "attn_k.weight")) else value
    targets = 4 * np.arange(128, dtype=np.int64) + 1
    state["d2t"] = torch.from_numpy(targets - np.arange(128))
    state["t2d"] = torch.zeros(512, dtype=torch.bool)
    state["t2d"][targets] = True
    return state, values, targets


def check_eagle3(box):
    for name, with_embedding, layer in (("eagle3", True, "layers.0."), ("eagle3_bare", False, "midlayer.")):
        state, values, targets = eagle3_state(with_embedding, layer)
        write_drafter(box, name, EAGLE3, state)
        reader = box.convert(name)
        d2t = tensors_of(reader)["d2t"]
        check(f"{name}: d2t holds target ids", d2t.tensor_type.name == "I64" and np.array_equal(d2t.data, targets))
        reader.tensors = [t for t in reader.tensors if t.name != "d2t"]
        same_tensors(name, reader, values)
        same_keys(name, reader, {
            "general.architecture": "eagle3", "eagle3.target_layers": [1, 3, 5], "eagle3.target_hidden_size": 256,
            "eagle3.norm_before_residual": True, "eagle3.norm_before_fc": False, "eagle3.block_count": 1,
            "eagle3.attention.head_count_kv": 2, "eagle3.attention.key_length": 64, "eagle3.rope.freq_base": 10000.0,
        })  # fmt: skip
    state["d2t"][5] = 600
    write_drafter(box, "eagle3_far", EAGLE3, state)
    box.refused("eagle3_far", "model.safetensors", "d2t")


def check_eagle3_nvfp4(box):
    state, values, _ = eagle3_state(False, "layers.0.")
    draw, packed = np.random.default_rng(5), {}
    for stem, to in [("fc", "fc")] + [(f"layers.0.{m}", "blk.0." + s) for m, (s, shape) in EAGLE3_LAYER.items() if len(shape) == 2]:
        n_out, n_in = state[stem + ".weight"].shape
        parts = random_nvfp4(draw, n_out, n_in)
        pack(state, stem, parts, True, np.float32(1.0))
        blocks = interleaved(parts[3], 64) if to.endswith(("attn_q", "attn_k")) else parts[3]
        packed[to] = (*parts[:3], blocks)
    config = dict(EAGLE3, quantization_config={"quant_method": "modelopt", "quant_algo": "NVFP4"})
    write_drafter(box, "eagle3_nvfp4", config, state)
    reader = box.convert("eagle3_nvfp4")
    for stem, parts in packed.items():
        check_blocks(box, "eagle3_nvfp4", reader, stem, parts, True)
    found = tensors_of(reader)
    check("an input scale of 1 is left out", not any(n.endswith(".input_scale") for n in found))
    check("what was not packed stays", np.array_equal(floats(found["output.weight"]), values["output.weight"]))


MTP = {
    "architectures": ["Gemma4AssistantForCausalLM"], "model_type": "gemma4_assistant", "backbone_hidden_size": 256,
    "use_ordered_embeddings": False, "tie_word_embeddings": True,
    "text_config": {
        "model_type": "gemma4_text", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "num_global_key_value_heads": 1, "head_dim": 64,
        "global_head_dim": 128, "vocab_size": 512, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
        "sliding_window": 16, "attention_k_eq_v": True, "num_kv_shared_layers": 2, "tie_word_embeddings": True,
        "layer_types": ["sliding_attention", "full_attention"], "hidden_activation": "gelu_pytorch_tanh",
        "rope_parameters": {
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            "full_attention": {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1000000.0},
        },
    },
}  # fmt: skip


def check_mtp(box):
    names = {"model.embed_tokens.weight": (512, 64), "pre_projection.weight": (64, 512),
             "post_projection.weight": (256, 64), "model.norm.weight": (64,)}  # fmt: skip
    want = {"model.embed_tokens.weight": "token_embd.weight", "pre_projection.weight": "nextn.pre_projection.weight",
            "post_projection.weight": "nextn.post_projection.weight", "model.norm.weight": "output_norm.weight"}  # fmt: skip
    for i, head in enumerate((64, 128)):
        p = f"model.layers.{i}."
        own = {"self_attn.q_proj.weight": (4 * head, 64), "self_attn.q_norm.weight": (head,),
               "self_attn.o_proj.weight": (64, 4 * head), "layer_scalar": (1,)}  # fmt: skip
        own |= {f"{n}.weight": (64,) for n in LAYER_NAMES if "layernorm" in n}
        own |= mlp_shapes("", 64, 128)
        for name, shape in own.items():
            names[p + name] = shape
            short = "layer_output_scale" if name == "layer_scalar" else LAYER_NAMES[name.removesuffix(".weight")]
            want[p + name] = f"blk.{i}.{short}.weight"
    state = random_state(np.random.default_rng(9), names)
    write_drafter(box, "mtp", MTP, state)
    reader = box.convert("mtp")
    values = {want[n]: t.float().numpy() for n, t in state.items()}
    values["rope_freqs.weight"] = np.array([1.0] * 16 + [1e30] * 48, np.float32)
    same_tensors("mtp", reader, values)
    same_keys("mtp", reader, {f"gemma4-assistant.{k}": v for k, v in {
        "embedding_length": 64, "embedding_length_out": 256, "nextn_predict_layers": 2, "block_count": 2,
        "attention.shared_kv_layers": 2, "attention.head_count_kv": [2, 1], "attention.key_length": 128,
        "attention.key_length_swa": 64, "attention.sliding_window_pattern": [True, False],
    }.items()})  # fmt: skip
    write_drafter(box, "mtp_ordered", dict(MTP, use_ordered_embeddings=True), state)
    box.refused("mtp_ordered", "config.json", "use_ordered_embeddings")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch.set_num_threads(2)
    os.makedirs(sys.argv[2], exist_ok=True)
    box = Box(*sys.argv[1:])
    for config_name, limit in (("t6_small", 0.001), ("t7_odd", 0.002), ("t4_plain", 0.002)):
        check_gemma4(box, config_name, limit)
    check_older_config(box)
    check_conditional(box)
    check_nvfp4_target(box)
    check_dflash(box)
    check_eagle3(box)
    check_eagle3_nvfp4(box)
    check_mtp(box)
    print(f"{TALLY['passed']} passed, {TALLY['failed']} failed, 0 skipped")
    sys.exit(TALLY["failed"] > 0)


if __name__ == "__main__":
    main()
