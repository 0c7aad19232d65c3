"""Judges an answer by its rule.

A rule is {"all": [texts the answer must hold, letter case ignored], "sentences": [least, most]}.
A text counts only where it is not part of a longer word or number.
"""

import re


def holds(answer, text):
    before = r"(?<!\w)" if text[0].isalnum() else ""
    after = r"(?!\w)" if text[-1].isalnum() else ""
    return re.search(before + re.escape(text) + after, answer) is not None


def passes(rule, answer):
    said = answer.lower()
    if not all(holds(said, text) for text in rule.get("all", [])):
        return False
    if "sentences" in rule:
        least, most = rule["sentences"]
        return least <= len(re.findall(r"[.!?](?:\s|$)", answer.strip())) <= most
    return True
