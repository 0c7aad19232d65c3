"""The shape of the pocket model and how its weights start."""

import torch
from transformers import Gemma4ForCausalLM, Gemma4TextConfig

HIDDEN, FFN, LAYERS = 256, 512, 6
HEADS, LOCAL_KV_HEADS, GLOBAL_KV_HEADS = 4, 2, 1
LOCAL_HEAD_DIM, GLOBAL_HEAD_DIM = 64, 128
WINDOW, CONTEXT, VOCABULARY = 512, 16384, 2048
ROPE_LOCAL, ROPE_GLOBAL, ROTARY_SHARE = 10000.0, 1000000.0, 0.25
SOFTCAP, EPS = 30.0, 1e-6
IS_LOCAL = [True] * (LAYERS - 1) + [False]
# Fixed, unequal layer scalars: an engine that forgets them, or applies them to a branch alone, is
# visibly wrong.
LAYER_SCALES = [0.90625, 0.9375, 0.875, 0.96875, 0.9375, 0.84375]


def config():
    return Gemma4TextConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        intermediate_size=FFN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=LOCAL_KV_HEADS,
        head_dim=LOCAL_HEAD_DIM,
        global_head_dim=GLOBAL_HEAD_DIM,
        num_global_key_value_heads=GLOBAL_KV_HEADS,
        attention_k_eq_v=True,
        sliding_window=WINDOW,
        max_position_embeddings=CONTEXT,
        final_logit_softcapping=SOFTCAP,
        rms_norm_eps=EPS,
        layer_types=["sliding_attention" if local else "full_attention" for local in IS_LOCAL],
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": ROPE_LOCAL},
            "full_attention": {
                "rope_type": "proportional",
                "partial_rotary_factor": ROTARY_SHARE,
                "rope_theta": ROPE_GLOBAL,
            },
        },
        hidden_size_per_layer_input=0,
        vocab_size_per_layer_input=VOCABULARY,
        num_kv_shared_layers=0,
        tie_word_embeddings=True,
        attn_implementation="sdpa",
        dtype="float32",
    )


def new_model(seed):
    """Unit-variance stream after the embedding scale, small branches, scores of unit variance."""
    torch.manual_seed(seed)
    model = Gemma4ForCausalLM(config())
    with torch.no_grad():
        torch.nn.init.normal_(model.model.embed_tokens.weight, std=HIDDEN**-0.5)
        for layer, scale in zip(model.model.layers, LAYER_SCALES):
            layer.layer_scalar.fill_(scale)
            attention = layer.self_attn
            for norm in (attention.q_norm, attention.k_norm):
                norm.weight.fill_(1.1 * attention.head_dim**-0.25)
            for norm in (layer.post_attention_layernorm, layer.post_feedforward_layernorm):
                norm.weight.fill_(0.3)
            for weight in (p for p in layer.parameters() if p.ndim == 2):
                torch.nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
    return model


def load_model(path):
    model = new_model(0)
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["model"])
    return model.eval()
