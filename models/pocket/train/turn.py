"""What every part of the generator shares: the turn record, seeded picks, rough spelling.

A turn is one user line and the answer expected for it. `key` names the slot combination; a
combination whose hash falls in the held-out tenth never appears in the training text.
"""

import re
import zlib
from dataclasses import dataclass


@dataclass
class Turn:
    user: str
    answer: str
    rule: dict
    key: str
    kind: str
    thought: str = ""
    after_thought: str = (
        ""  # the answer once the thought has done the work; empty = the same answer
    )


def held_out(key):
    """An empty key marks a line too short to vary: it is always trained, never held out."""
    return bool(key) and zlib.crc32(key.lower().encode()) % 10 == 0


def has_all(*parts):
    return {"all": [str(part).lower() for part in parts]}


def pick(rng, options):
    return options[rng.randrange(len(options))]


def article(noun):
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun


def typo(rng, word):
    at = rng.randrange(1, len(word) - 1)
    how = rng.randrange(3)
    if how == 0:
        return word[:at] + word[at + 1 :]
    if how == 1:
        return word[:at] + word[at] + word[at:]
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]


def ask(rng, templates, **slots):
    """Choose a question, spell it the way people do, then fill the slots (never misspelt)."""
    text = pick(rng, templates)
    dice = rng.random()
    if dice < 0.08:
        parts = re.split(r"(\{\w+\}|\W+)", text)
        words = [i for i, part in enumerate(parts) if len(part) > 5 and part.isalpha()]
        if words:
            at = pick(rng, words)
            parts[at] = typo(rng, parts[at])
            text = "".join(parts)
    dice = rng.random()
    if dice < 0.22:
        text = text[0].lower() + text[1:]
    if rng.random() < 0.2:
        text = text.rstrip("?.! ")
    dice = rng.random()
    if dice < 0.05:
        text = "Please tell me: " + text
    elif dice < 0.09:
        text = "Hi, " + text[0].lower() + text[1:]
    elif dice < 0.13:
        text = "Excuse me, " + text[0].lower() + text[1:]
    elif dice < 0.16:
        text = "Hello! " + text
    return text.format(**slots)
