"""The chat format as text pieces, and the tokenizer as the public `tokenizers` library runs it.

`render` prints a conversation as revision R2 of the Gemma 4 template does for plain messages of a
large model: the empty thought closes the prompt when thinking is off, history carries no thoughts.
"""

import json
import re

from tokenizers import Tokenizer, models, normalizers

from tokenizer import SPACE

BEGIN_TURN, END_TURN = "<|turn>", "<turn|>"
EMPTY_THOUGHT = "<|channel>thought\n<channel|>"


class Vocabulary:
    def __init__(self, tokens, types, merges):
        self.tokens, self.types = tokens, types
        self.merges = [tuple(pair) for pair in merges]
        self.id_of = {token: i for i, token in enumerate(self.tokens)}
        bpe = models.BPE(
            vocab=self.id_of, merges=self.merges, byte_fallback=True, unk_token="<unk>"
        )
        self.library = Tokenizer(bpe)
        self.library.normalizer = normalizers.Replace(" ", SPACE)
        self.markers = [t for t, kind in zip(self.tokens, self.types) if kind in (3, 4)]
        self.marker_split = re.compile("(" + "|".join(re.escape(m) for m in self.markers) + ")")

    @classmethod
    def from_json(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(**json.load(file))

    def encode_text(self, text):
        """Text without marker matching."""
        return self.library.encode(text, add_special_tokens=False).ids if text else []

    def encode(self, text):
        """Trusted text: marker strings become their ids."""
        ids = []
        for part in self.marker_split.split(text):
            ids += [self.id_of[part]] if part in self.markers else self.encode_text(part)
        return ids

    def decode(self, ids):
        out = b""
        for i in ids:
            token, kind = self.tokens[i], self.types[i]
            if kind == 6:
                out += bytes([int(token[3:5], 16)])
            elif kind in (1, 4):
                out += token.replace(SPACE, " ").encode()
        return out.decode("utf-8", "replace")


def render(messages, thinking):
    """The prompt that asks for the next model turn."""
    text, rest = "<bos>", list(messages)
    system = rest.pop(0)["content"] if rest and rest[0]["role"] == "system" else ""
    if thinking or system:
        text += (
            f"{BEGIN_TURN}system\n"
            + ("<|think|>\n" if thinking else "")
            + system.strip()
            + f"{END_TURN}\n"
        )
    for message in rest:
        role = "model" if message["role"] == "assistant" else message["role"]
        text += f"{BEGIN_TURN}{role}\n{message['content'].strip()}{END_TURN}\n"
    return text + f"{BEGIN_TURN}model\n" + ("" if thinking else EMPTY_THOUGHT)


def reply(message, thinking):
    """What the model is to write after that prompt."""
    thought = message.get("reasoning_content", "")
    opened = f"<|channel>thought\n{thought}\n<channel|>" if thinking else ""
    return opened + message["content"] + END_TURN
