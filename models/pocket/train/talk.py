"""Turns about the assistant and its box, small talk, echoes and polite declines."""

from lines import (
    ADVICE,
    BODY,
    BOOKS,
    COUNTRIES,
    ECHO,
    EVENTS,
    FACTS,
    FAQ,
    FIXED,
    KEY_NAMES,
    LIVE,
    NO_ADVICE,
    NO_FACT,
    NO_NEWS,
    NO_PRIVATE,
    NO_SKILL,
    PEOPLE,
    PERSONS,
    PRIVATE,
    SKILLS,
    SMALL,
    TECH,
    WHO,
)
from turn import Turn, ask, has_all, pick


def faq_turn(rng):
    intent, asks, answer, need = pick(rng, FAQ)
    dice = rng.random()
    if intent in ("key", "revoke") and dice < 0.6:
        return key_turn(rng, intent)
    user = ask(rng, asks)
    return Turn(
        user,
        answer,
        has_all(*need),
        f"{intent} {user}",
        "about",
        f"This is a question about {'me' if intent in ('who', 'name', 'human') else 'the box'}. I know the answer.",
    )


def key_turn(rng, intent):
    if intent == "key":
        name = pick(rng, KEY_NAMES) if rng.random() < 0.7 else invented(rng).lower()
        user = ask(
            rng,
            [
                "Create a key for {n}.",
                "How do I create a key for {n}?",
                "I need a key named {n}.",
                "How do I add a key called {n}?",
                "Make an API key for {n}, please.",
            ],
            n=name,
        )
        answer = (
            f"Run hearth key add {name} on the box. The key is shown only once, so keep it safe."
        )
        command = f"hearth key add {name}"
    else:
        name = "".join(pick(rng, "abcdefhkmnpqrtuvwxyz23456789") for _ in range(4))
        user = ask(
            rng,
            [
                "Revoke key {n}.",
                "How do I revoke the key {n}?",
                "Please delete the key {n}.",
                "How do I remove key {n}?",
            ],
            n=name,
        )
        answer = f"Run hearth key revoke {name} on the box."
        command = f"hearth key revoke {name}"
    return Turn(
        user, answer, has_all(command), f"{intent} {name}", "about", f"The command is {command}."
    )


def invented(rng):
    """A pronounceable name nobody has: copying it cannot be memory."""
    heads = [
        "Vel",
        "Mor",
        "Tan",
        "Bel",
        "Kar",
        "Lin",
        "Sor",
        "Dra",
        "Fen",
        "Gal",
        "Hol",
        "Jor",
        "Nel",
        "Pel",
        "Ros",
        "Ster",
        "Wil",
        "Bren",
        "Cal",
        "Ost",
    ]
    tails = [
        "mora",
        "dale",
        "ton",
        "berg",
        "wick",
        "field",
        "na",
        "ria",
        "stein",
        "ham",
        "by",
        "lund",
        "mere",
        "ford",
        "haven",
        "ley",
        "den",
        "mond",
        "sa",
        "vik",
    ]
    return pick(rng, heads) + pick(rng, tails)


def small_turn(rng):
    intent, asks, answer, need = pick(rng, SMALL)
    thought = "This is small talk. I answer politely."
    if len(asks[0]) > 12 and rng.random() < 0.5:
        user = ask(rng, asks)
        return Turn(user, answer, has_all(*need), f"{intent} {user}", "small", thought)
    user = pick(rng, asks)
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
    fill = {
        "c": pick(rng, COUNTRIES),
        "b": pick(rng, BOOKS),
        "t": pick(rng, TECH),
        "f": pick(rng, ["French", "Latin"]),
        "l": pick(rng, ["Python", "Java", "C"]),
        "o": pick(rng, BODY),
        "w": pick(rng, WHO),
    }
    need = "sorry"
    if dice < 0.15:
        topic = " ".join(pick(rng, EVENTS).split())
        user = ask(
            rng,
            [
                "Who won {x}?",
                "Who will win {x}?",
                "What was the result of {x}?",
                "How did {x} end?",
            ],
            x=topic,
        )
        answer, need = NO_NEWS.format(x=topic), topic
    elif dice < 0.35:
        topic = " ".join(pick(rng, LIVE).split())
        user = ask(
            rng,
            [
                "What about {x}?",
                "Tell me {x}.",
                "What is {x} right now?",
                "How is {x} today?",
                "What is {x}?",
                "Can you check {x}?",
                "Do you know {x}?",
            ],
            x=topic,
        )
        answer, need = NO_NEWS.format(x=topic), topic
    elif dice < 0.55:
        user = ask(rng, [" ".join(pick(rng, FACTS).split())], p=pick(rng, PEOPLE), **fill)
        answer, need = NO_FACT, "do not know"
    elif dice < 0.7:
        user, answer, need = ask(rng, SKILLS, **fill), NO_SKILL, "beyond me"
    elif dice < 0.82:
        user, answer, need = (
            ask(rng, PRIVATE, p=pick(rng, PERSONS)),
            NO_PRIVATE,
            "no personal information",
        )
    else:
        field, who, asks = pick(rng, ADVICE)
        user, answer, need = ask(rng, asks, **fill), NO_ADVICE.format(x=field, who=who), who
    return Turn(
        user,
        answer,
        has_all("sorry", need),
        f"decline {user}",
        "decline",
        "I cannot know this, so I decline politely.",
    )
