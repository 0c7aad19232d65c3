"""What every part of the generator shares: the turn record, seeded picks, rough spelling.

A turn is one user line and the answer expected for it. `key` names the slot combination; a
combination whose hash falls in the held-out tenth never appears in the training text. Templates hold
`[this|that]` choices, which `fill` makes, and `{slots}`.
"""

import re
import zlib
from dataclasses import dataclass

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
CHOICE = re.compile(r"\[([^\[\]]*)\]")
BEFORE = """Hi, |Hello, |Hey, |Excuse me, |Please tell me: |Hi! |Hello! |Good morning, |Good afternoon. |Quick question: |
One question: |Sorry, |Ok, |Okay. |Hi there, |I have a question. |Hello there. |Hey there, |So, |Thanks. |Great. |
hi |hello |hey |excuse me, |excuse me |please |sorry, |ok |Good day. |Good day, |Sorry, quick question. |Me again. |Oh, and |Ah, good. |
Good evening. |Pardon me, |Please, |Hey! |Hi. |Hello. |Sorry to bother you. |One more thing: |Another question: """.replace(
    "\n", ""
).split(
    "|"
)
AFTER = ["Thanks.", "Thank you!", "Thanks!", "Thank you.", "Please help.", "Many thanks."]
FRAMES = """Could you tell me|Can you tell me|Could you please tell me|Can you please tell me|Please tell me|
I would like to know|I want to know|Do you know|I need to know|Tell me|I was wondering|Would you tell me|
Could you let me know|I'd like to know|May I ask|Do you happen to know|I wonder|
Could you tell us|Can you say|Would you mind telling me|Any idea|We would like to know|Please let me know|Can someone tell me""".replace(
    "\n", ""
).split(
    "|"
)
SHORT = [
    ("What is", "What's"),
    ("Where is", "Where's"),
    ("Who is", "Who's"),
    ("what is", "whats"),
    ("When is", "When's"),
    ("How is", "How's"),
    ("I am", "I'm"),
    ("I would", "I'd"),
    ("does not", "doesn't"),
    ("do not", "don't"),
]


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
    return options[int(rng.random() * len(options))]


def capital(text):
    return text[0].upper() + text[1:]


def article(noun):
    an = noun[0].lower() in "aeiou" and not noun.startswith(("uni", "use", "eu", "one"))
    return ("an " if an or noun.startswith(("hour", "honest")) else "a ") + noun


def fill(rng, template):
    """Make every choice of a template; the inner ones first."""
    while "[" in template:
        if not CHOICE.search(template):
            raise ValueError(f"a bracket without its partner: {template}")
        template = CHOICE.sub(lambda found: pick(rng, found[1].split("|")), template)
    return template


def typo(rng, word):
    at = rng.randrange(1, len(word) - 1)
    how = rng.randrange(4)
    if how == 0:
        return word[:at] + word[at + 1 :]
    if how == 1:
        return word[:at] + word[at] + word[at:]
    if how == 2:
        return word[:at] + pick(rng, "abcdefghiklmnoprstuvw") + word[at + 1 :]
    at = max(at, 2)
    return word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]


def indirect(text):
    """`Where is the lift?` as the end of `Could you tell me where the lift is?`; "" if unsure."""
    body = text.rstrip("?")
    if body == text or re.search(r"[.,]|\band (what|where|when|who|how|is|are|can|do|does|which|may)\b", body):
        return ""
    found = re.match(r"(Where|When|What time|What|How|How do|Which \w+) (can|do) I (.+)$", body)
    if found:
        return f"{found[1].lower()} I {'can ' if found[2] == 'can' else ''}{found[3]}"
    found = re.match(r"(Where|When|What time|Until when|How long|What) (are|is|do) (you|we|there) ?(.*)$", body)
    if found:
        verb = "" if found[2] == "do" else found[2] + " "
        return f"{found[1].lower()} {found[3]} {verb}{found[4]}".rstrip()
    found = re.match(r"(When|What time|Until when) (is|are) (the [\w ]+?) (open|closed|shut)( on .+)?$", body)
    if found:
        return f"{found[1].lower()} {found[3]} {found[2]} {found[4]}{found[5] or ''}"
    found = re.match(r"(Where|Who|How much|How high|What|When) (is|are|was) (the|a|an|your) ([\w' ]+)$", body)
    if found and not re.search(r" (open|closed|shut|called|about|made|built|located|to|for|named)( |$)", body):
        return f"{found[1].lower()} {found[3]} {found[4]} {found[2]}"
    found = re.match(r"(Are|Is|Can|May|Do) (you|I|we|there|dogs|photos|pets) (.+)$", body)
    if found:
        verb = "" if found[1] == "Do" else found[1].lower() + " "
        return f"if {found[2]} {verb}{found[3]}"
    return ""


def ask(rng, templates, context=(), **slots):
    """Choose a question, spell it the way people do, then fill the slots (never misspelt)."""
    text = fill(rng, pick(rng, templates))
    plain = text
    if rng.random() < 0.2:
        ending = indirect(text)
        if ending:
            frame = pick(rng, FRAMES)
            stop = "?" if frame.startswith(("C", "D", "Would", "May", "Any")) else "."
            text = plain = f"{frame} {ending}{stop}"
    elif rng.random() < 0.25:
        for long, short in SHORT:
            if long in text:
                text = plain = text.replace(long, short, 1)
                break
    if rng.random() < 0.1:
        parts = re.split(r"(\{\w+\}|[^\w{]+)", text)
        words = [i for i, part in enumerate(parts) if len(part) > 4 and part.isalpha() and (i == 0 or part.islower())]
        if words:
            at = pick(rng, words)
            parts[at] = typo(rng, parts[at])
            text = "".join(parts)
    if rng.random() < 0.28 and not re.match(r"I\b", text):
        text = text[0].lower() + text[1:]
    dice = rng.random()
    if dice < 0.2:
        text = text.rstrip("?.! ")
        if dice < 0.1:
            text = re.sub(r"[A-Z](?![^{]*\})", lambda found: found[0].lower(), text)
    elif dice < 0.23:
        text += pick(rng, "?!") if text[-1] in "?!" else ""
    elif dice < 0.27 and text[-1] in "?." and "lease" not in text:
        text = text[:-1] + ", please" + text[-1]
    elif dice < 0.3 and text[-1] in "?.!":
        text += " " + pick(rng, AFTER)
    dice = rng.random()
    if dice < 0.13:
        start = pick(rng, BEFORE)
        if start.rstrip()[-1] in ",:" and not re.match(r"(I\b|\{)", text):
            text = text[0].lower() + text[1:]
        if not (start.startswith("Please") and plain.startswith(("Please", "Could", "Can you"))):
            text = start + text
    elif context and dice < 0.18:
        text = fill(rng, pick(rng, context)) + " " + text
    return text.format(**slots)
