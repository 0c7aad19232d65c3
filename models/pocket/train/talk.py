"""Turns about the assistant and its box, small talk, echoes and polite declines."""

import box
import lines
from lines import (
    ADVICE,
    BODY,
    BOOKS,
    COUNTRIES,
    ECHO,
    EVENTS,
    FIXED,
    KEY_NAMES,
    NO_ADVICE,
    NO_FACT,
    NO_NEWS,
    NO_OPINION,
    NO_PRIVATE,
    NO_SKILL,
    PEOPLE,
    PERSONS,
    TECH,
    WHO,
    WORDS,
)
from names import FIRST, invented
from turn import Turn, ask, fill, has_all, pick
from wordings import (
    ADVICE_MORE,
    ANSWERS,
    CHATTER,
    GAMES,
    KEY_ASKS,
    MORE,
    NEWS,
    POLITICS,
    PRIVACY,
    REVOKE_ASKS,
    SKILL,
    WORLD,
)

def asks_of(intent):
    return MORE.get(intent, []) + box.MORE.get(intent, [])


FAQ = [(intent, asks + asks_of(intent), answer, need) for intent, asks, answer, need in lines.FAQ]
FAQ += [(intent, asks_of(intent), answer, need) for intent, answer, need in ANSWERS]
SMALL = [(intent, asks + asks_of(intent), answer, need) for intent, asks, answer, need in lines.SMALL]
SMALL += [(intent, asks_of(intent), answer, need) for intent, answer, need in CHATTER]
# What every stranger asks comes up more often.
OFTEN = {"who": 3, "connect": 4, "key": 5, "slow": 4, "hot": 4, "private": 2, "can": 2, "offline": 2, "url": 2, "ca": 2, "port": 2}
FAQ_WEIGHTS = [OFTEN.get(entry[0], 1) for entry in FAQ]
ABOUT_ME = ("who", "name", "human", "maker", "see", "chatgpt", "can", "trust", "language", "model")


def faq_turn(rng):
    intent, asks, answer, need = rng.choices(FAQ, FAQ_WEIGHTS)[0]
    if intent in ("key", "revoke") and rng.random() < 0.45:
        return key_turn(rng, intent)
    user = ask(rng, asks, n=pick(rng, FIRST))
    return Turn(
        user,
        answer,
        has_all(*need),
        f"{intent} {user}",
        "about",
        f"This is a question about {'me' if intent in ABOUT_ME else 'the box'}. I know the answer.",
    )


def key_turn(rng, intent):
    if intent == "key":
        name = pick(rng, KEY_NAMES) if rng.random() < 0.7 else invented(rng).lower()
        user = ask(rng, KEY_ASKS, n=name)
        answer = (
            f"Run hearth key add {name} on the box. The key is shown only once, so keep it safe."
        )
        command = f"hearth key add {name}"
    else:
        name = "".join(pick(rng, "abcdefhkmnpqrtuvwxyz23456789") for _ in range(4))
        user = ask(rng, REVOKE_ASKS, n=name)
        answer = f"Run hearth key revoke {name} on the box."
        command = f"hearth key revoke {name}"
    return Turn(
        user, answer, has_all(command), f"{intent} {name}", "about", f"The command is {command}."
    )


def small_turn(rng):
    intent, asks, answer, need = pick(rng, SMALL)
    thought = "This is small talk. I answer politely."
    if len(asks[0]) > 12 and rng.random() < 0.7:
        user = ask(rng, asks)
        return Turn(user, answer, has_all(*need), f"{intent} {user}", "small", thought)
    user = fill(rng, pick(rng, asks))
    if intent == "hello" and rng.random() < 0.2:
        user = pick(rng, ["hello", "hi", "hey", "good morning", "HELLO", "Hello", "hi!!", "hello?"])
    return Turn(user, answer, has_all(*need), "", "small", thought)


def fixed_turn(rng):
    intent, asks, answer = pick(rng, FIXED)
    user = ask(rng, asks)
    return Turn(
        user, answer, has_all(answer), f"{intent} {user}", "list", "The user wants a short list."
    )


def echo_turn(rng):
    words = [
        pick(rng, ECHO) if rng.random() < 0.7 else invented(rng) for _ in range(rng.randint(1, 5))
    ]
    text = " ".join(words)
    user = ask(
        rng,
        ["Repeat after me: {t}", "Say {t}", "Please say: {t}", "Repeat: {t}", "Say this: {t}"],
        t=text,
    )
    return Turn(user, text, has_all(text), f"echo {text}", "echo", f"I repeat: {text}")


def decline_turn(rng):
    dice = rng.random()
    slots = {
        "c": pick(rng, COUNTRIES),
        "c2": pick(rng, COUNTRIES),
        "b": pick(rng, BOOKS),
        "t": pick(rng, TECH),
        "f": pick(rng, ["French", "Latin", "German", "Spanish", "Italian", "Chinese", "Greek", "Polish"]),
        "l": pick(rng, ["Python", "Java", "C", "JavaScript", "Rust", "C++", "Go", "HTML", "SQL", "Bash"]),
        "o": pick(rng, BODY),
        "w": pick(rng, WHO),
        "p": pick(rng, PEOPLE),
    }
    need = "sorry"
    if dice < 0.1:
        topic = " ".join(pick(rng, EVENTS).split())
        user = ask(rng, GAMES, x=topic)
        answer, need = NO_NEWS.format(x=topic), topic
    elif dice < 0.3:
        asks, topic = pick(rng, NEWS)
        user = ask(rng, asks, **slots)
        answer, need = NO_NEWS.format(x=topic), topic
    elif dice < 0.54:
        user = ask(rng, WORLD, **dict(slots, w=pick(rng, WORDS)))
        answer, need = NO_FACT, "do not know"
    elif dice < 0.71:
        user = ask(rng, SKILL, **dict(slots, w=pick(rng, WORDS)))
        answer, need = NO_SKILL, "beyond me"
    elif dice < 0.8:
        user = ask(rng, PRIVACY, p=pick(rng, PERSONS))
        answer, need = NO_PRIVATE, "no personal information"
    elif dice < 0.87:
        user, answer, need = ask(rng, POLITICS, **slots), NO_OPINION, "opinions"
    else:
        field, who = rng.choices(ADVICE, (3, 1, 1))[0]
        user = ask(rng, ADVICE_MORE[field].split("/"), **slots)
        answer, need = NO_ADVICE.format(x=field, who=who), who
    return Turn(
        user,
        answer,
        has_all("sorry", need),
        f"decline {user}",
        "decline",
        "I cannot know this, so I decline politely.",
    )
