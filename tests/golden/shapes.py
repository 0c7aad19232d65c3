"""Tiny Gemma 4 text models whose weights are a function of the tensor name.

Owns: the golden configurations, the tensor list of each, the weight generator and a small legal
vocabulary for the GGUF form. Used by make_logits.py and write_gguf.py. Needs numpy only.
"""

import hashlib

import numpy as np

MASK64 = (1 << 64) - 1
GOLDEN_GAMMA = 0x9E3779B97F4A7C15
NO_ROTATION = 1e30  # frequency divisor that makes a RoPE angle vanish


def _config(name, **changed):
    """Keys are the GGUF keys without the `gemma4.` prefix, plus what no key holds."""
    config = {
        "name": name,
        "block_count": 6,
        "context_length": 512,
        "embedding_length": 256,
        "feed_forward_length": 512,
        "attention.head_count": 4,
        "attention.head_count_kv": [2, 2, 2, 2, 2, 1],
        "attention.key_length": 128,
        "attention.key_length_swa": 64,
        "attention.sliding_window": 16,
        "attention.sliding_window_pattern": [True, True, True, True, True, False],
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": 1000000.0,
        "rope.freq_base_swa": 10000.0,
        "final_logit_softcapping": 30.0,
        "vocab_size": 512,
        "global_layers_own_v": False,  # attn_v.weight exists on global layers
        "tied_output": True,  # no output.weight
    }
    config.update(changed)
    n_layers = config["block_count"]
    assert len(config["attention.head_count_kv"]) == n_layers
    assert len(config["attention.sliding_window_pattern"]) == n_layers
    return config


LOCAL, GLOBAL = True, False

CONFIGS = {
    c["name"]: c
    for c in (
        _config("t6_small"),
        # The real head sizes and the real 2:1 and 8:1 head groups.
        _config(
            "t6_heads",
            **{
                "context_length": 4096,
                "attention.head_count": 8,
                "attention.head_count_kv": [4, 4, 4, 4, 4, 1],
                "attention.key_length": 512,
                "attention.key_length_swa": 256,
                "attention.sliding_window": 64,
            },
        ),
        # Two pattern groups; 2:1 and 16:1 head groups.
        _config(
            "t12_gqa16",
            **{
                "block_count": 12,
                "feed_forward_length": 768,
                "attention.head_count": 16,
                "attention.head_count_kv": [8, 8, 8, 8, 8, 1] * 2,
                "attention.sliding_window": 24,
                "attention.sliding_window_pattern": [LOCAL] * 5 + [GLOBAL] + [LOCAL] * 5 + [GLOBAL],
            },
        ),
        # No size is a power of two, the pattern is uneven, the window is odd.
        _config(
            "t7_odd",
            **{
                "block_count": 7,
                "context_length": 1000,
                "embedding_length": 160,
                "feed_forward_length": 416,
                "attention.head_count": 6,
                "attention.head_count_kv": [3, 3, 2, 3, 3, 3, 2],
                "attention.key_length": 160,
                "attention.key_length_swa": 96,
                "attention.sliding_window": 7,
                "attention.sliding_window_pattern": [LOCAL] * 2 + [GLOBAL] + [LOCAL] * 3 + [GLOBAL],
                "vocab_size": 611,
            },
        ),
        # Every number that must come from the file differs from the family's value.
        _config(
            "t4_plain",
            **{
                "block_count": 4,
                "embedding_length": 192,
                "feed_forward_length": 320,
                "attention.head_count": 3,
                "attention.head_count_kv": [3, 1, 3, 1],
                "attention.key_length": 96,
                "attention.key_length_swa": 64,
                "attention.sliding_window": 5,
                "attention.sliding_window_pattern": [LOCAL, GLOBAL, LOCAL, GLOBAL],
                "attention.layer_norm_rms_epsilon": 1e-3,
                "rope.freq_base": 50000.0,
                "rope.freq_base_swa": 500.0,
                "final_logit_softcapping": 0.0,  # no cap
                "vocab_size": 640,
                "global_layers_own_v": True,
                "tied_output": False,
            },
        ),
    )
}


def n_rotated_pairs(head_dim):
    """Proportional RoPE with factor 0.25: pairs of a global head that rotate."""
    return int(0.25 * head_dim / 2)


def tensors(config):
    """List of dicts in file order: name, shape [ne0, ne1] and either base/amp or n_ones."""
    hidden, ffn = config["embedding_length"], config["feed_forward_length"]
    n_q, vocab = config["attention.head_count"], config["vocab_size"]
    out = []

    def matrix(name, ne0, ne1, amp=None):
        amp = (3.0 / ne0) ** 0.5 if amp is None else amp
        out.append({"name": name, "shape": [ne0, ne1], "base": 0.0, "amp": amp})

    def vector(name, ne0, base, amp):
        out.append({"name": name, "shape": [ne0], "base": base, "amp": amp})

    half = config["attention.key_length"] // 2
    matrix("token_embd.weight", hidden, vocab, amp=(3.0 / 256) ** 0.5)
    if not config["tied_output"]:
        matrix("output.weight", hidden, vocab)
    vector("output_norm.weight", hidden, 1.0, 0.25)
    n_ones = n_rotated_pairs(config["attention.key_length"])
    out.append({"name": "rope_freqs.weight", "shape": [half], "n_ones": n_ones})
    for i in range(config["block_count"]):
        local = config["attention.sliding_window_pattern"][i]
        head = config["attention.key_length_swa" if local else "attention.key_length"]
        kv = config["attention.head_count_kv"][i] * head
        p = f"blk.{i}."
        vector(p + "attn_norm.weight", hidden, 1.0, 0.25)
        matrix(p + "attn_q.weight", hidden, n_q * head)
        matrix(p + "attn_k.weight", hidden, kv)
        if local or config["global_layers_own_v"]:
            matrix(p + "attn_v.weight", hidden, kv)
        matrix(p + "attn_output.weight", n_q * head, hidden)
        vector(p + "attn_q_norm.weight", head, 0.4, 0.1)
        vector(p + "attn_k_norm.weight", head, 0.4, 0.1)
        vector(p + "post_attention_norm.weight", hidden, 1.0, 0.25)
        vector(p + "ffn_norm.weight", hidden, 1.0, 0.25)
        matrix(p + "ffn_gate.weight", hidden, ffn)
        matrix(p + "ffn_up.weight", hidden, ffn)
        matrix(p + "ffn_down.weight", ffn, hidden)
        vector(p + "post_ffw_norm.weight", hidden, 1.0, 0.25)
        vector(p + "layer_output_scale.weight", 1, 0.75, 0.25)
    return out


def _fnv1a64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode("ascii"):
        h = ((h ^ byte) * 0x100000001B3) & MASK64
    return h


def weights(tensor):
    """float32 array of shape [ne1, ne0] (or [ne0]): rows of ne0 contiguous elements."""
    shape = tensor["shape"][::-1]
    n_elems = int(np.prod(shape))
    if "n_ones" in tensor:
        values = np.full(n_elems, NO_ROTATION, dtype=np.float32)
        values[: tensor["n_ones"]] = 1.0
        return values.reshape(shape)
    with np.errstate(over="ignore"):
        z = np.arange(1, n_elems + 1, dtype=np.uint64) * np.uint64(GOLDEN_GAMMA)
        z += np.uint64(_fnv1a64(tensor["name"]))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    u = (z >> np.uint64(40)).astype(np.float64) / 2.0**24
    return (tensor["base"] + tensor["amp"] * (2.0 * u - 1.0)).astype(np.float32).reshape(shape)


def weights_sha256(config):
    """SHA-256 of all tensors' little-endian float32 bytes in list order."""
    digest = hashlib.sha256()
    for tensor in tensors(config):
        digest.update(weights(tensor).astype("<f4").tobytes())
    return digest.hexdigest()


NORMAL, CONTROL, USER_DEFINED, BYTE = 1, 3, 4, 6

MARKERS = {  # id: (text, token type)
    0: ("<pad>", CONTROL),
    1: ("<eos>", CONTROL),
    2: ("<bos>", CONTROL),
    3: ("<unk>", CONTROL),
    4: ("<mask>", CONTROL),
    46: ("<|tool>", CONTROL),
    47: ("<tool|>", CONTROL),
    48: ("<|tool_call>", USER_DEFINED),
    49: ("<tool_call|>", USER_DEFINED),
    50: ("<|tool_response>", USER_DEFINED),
    51: ("<tool_response|>", USER_DEFINED),
    52: ('<|"|>', USER_DEFINED),
    98: ("<|think|>", CONTROL),
    100: ("<|channel>", USER_DEFINED),
    101: ("<channel|>", USER_DEFINED),
    105: ("<|turn>", CONTROL),
    106: ("<turn|>", CONTROL),
}
SPACE = "\u2581"


def tiny_vocab(vocab_size):
    """(pieces, types, merges): the markers, runs and bytes at the ids of the family, then ASCII."""
    pieces, types = [None] * vocab_size, [NORMAL] * vocab_size
    for token_id, (text, kind) in MARKERS.items():
        pieces[token_id], types[token_id] = text, kind
    for n in range(1, 32):
        pieces[106 + n] = "\n" * n
    for n in range(2, 32):
        pieces[136 + n] = SPACE * n
    for b in range(256):
        pieces[238 + b], types[238 + b] = f"<0x{b:02X}>", BYTE
    merges = [("\n" * n, "\n") for n in range(30, 0, -1)]
    merges += [(SPACE * n, SPACE) for n in range(30, 0, -1)]
    fill = [SPACE, "\t"] + [chr(c) for c in range(0x21, 0x7F)]
    bigrams = [("t", "h"), ("th", "e"), (SPACE, "t"), (SPACE, "a"), ("i", "n"), ("in", "g")]
    merges += bigrams
    fill += [left + right for left, right in bigrams]
    free = [i for i, piece in enumerate(pieces) if piece is None]
    for token_id, text in zip(free, fill):
        pieces[token_id] = text
    for token_id in free[len(fill) :]:
        pieces[token_id] = f"<unused{token_id}>"
    return pieces, types, merges
