"""Writes the training or the held-out dialogues as JSON lines.

usage: generate.py train|heldout COUNT OUT.jsonl [--seed N]

One line is {"messages": [...], "thinking": bool, "kind": str, "rule": {...}}: OpenAI-style messages
whose last one is the expected answer, with `reasoning_content` when thinking is on, and the rule
that judges an answer to the last question. The two splits share no held-out slot combination:
training text leaves the tenth of them that `turn.held_out` names to the held-out file. Nor does it
hold a question of `stranger.jsonl` word for word.
"""

import argparse
import json
import os
import random

import choice
import facts
import foreign
import kiosk
import opening
import story
import sums
import talk
from names import invented
from turn import DAYS, Turn, ask, fill, has_all, held_out, pick

HELPERS = [
    "You are a helpful assistant.",
    "You are a helpful assistant.",
    "Be helpful and brief.",
    "You are a friendly assistant.",
    "You are Hearth.",
    "Answer briefly.",
    "Answer in English.",
    "You are a storyteller for children.",
    "You are a maths tutor.",
    "You are a chatbot.",
    "You are a polite assistant.",
    "You are an assistant in an office.",
    "Be kind.",
    "You are a kiosk assistant.",
    "Answer in one or two sentences.",
    "You are Hearth, a private assistant.",
    "You are Hearth, a helpful offline assistant.",
    "You answer questions about this box.",
    "Reply in short sentences.",
    "You are a kind and patient helper.",
    "You are a useful AI assistant.",
]
ENDINGS = [
    "Ahoy!",
    "Over and out.",
    "Have fun!",
    "Stay safe.",
    "Cheers!",
    "Best wishes!",
    "Meow.",
    "Take care!",
]
HEADS = ["Dear guest,", "Sure!", "Hello again!", "Of course!", "Well,", "Yes, captain!", "Gladly!"]
# A dialogue ends before this: about 400 tokens.
MOST_CHARS = 850
WEIGHTS = {
    "faq": 34,
    "sum": 44,
    "story": 20,
    "decline": 20,
    "small": 14,
    "echo": 7,
    "fixed": 3,
    "count": 4,
    "foreign": 10,
}
MAKERS = {
    "faq": talk.faq_turn,
    "sum": sums.any_turn,
    "story": story.story_turn,
    "decline": talk.decline_turn,
    "small": talk.small_turn,
    "echo": talk.echo_turn,
    "fixed": talk.fixed_turn,
    "count": sums.count_turn,
    "foreign": foreign.foreign_turn,
}


def plain(text):
    return text.lower().strip(" ?.!")


def strangers():
    """The questions of the strangers, which the training text never holds word for word."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stranger.jsonl")
    with open(path, encoding="utf-8") as lines:
        return {plain(json.loads(line)["messages"][-2]["content"]) for line in lines}


STRANGERS = strangers()


def general_turn(rng):
    return MAKERS[rng.choices(list(WEIGHTS), WEIGHTS.values())[0]](rng)


def lost_turn(rng):
    """A visitor's question where no prompt names a place."""
    style = facts.Spelling(rng)
    values = choice.values_of(rng, style)
    fact = choice.missing(rng, style, set(), values)
    user, topic = ask(rng, fact.asks, **values), fact.topic
    if rng.random() < 0.3:
        user = ask(rng, opening.GENERAL + opening.DAY, d=pick(rng, DAYS))
        topic = "the opening hours"
    elif rng.random() < 0.2 or topic == "tickets":
        user, topic = ask(rng, kiosk.PRICES), "ticket prices"
    return Turn(
        user,
        kiosk.SORRY.format(x=topic),
        has_all("sorry", topic),
        f"lost {user}",
        "decline",
        f"The question is about {topic}. I have no facts about it.",
    )


def repeat_turn(rng, previous):
    user = ask(
        rng,
        [
            "Can you repeat that?",
            "Repeat that, please.",
            "Say that again.",
            "Sorry, what?",
            "Once more, please.",
            "Can you say that again?",
            "Please repeat [that|your answer].",
            "Pardon?",
            "What did you say?",
            "I did not hear that. Again, please.",
            "Could you repeat that?",
        ],
    )
    return Turn(
        user,
        previous.answer,
        has_all(previous.answer),
        f"repeat {previous.key}",
        "repeat",
        "I repeat my last answer.",
    )


class Persona:
    """A system prompt that only sets a house rule."""

    def __init__(self, rng):
        self.name = invented(rng) if rng.random() < 0.6 else pick(rng, facts.PEOPLE)
        self.shape = rng.randrange(4)
        word = pick(rng, ENDINGS if self.shape < 3 else HEADS)
        self.head, self.tail = "", ""
        if self.shape == 0:
            self.prompt = pick(
                rng,
                [
                    "Your name is {n}.",
                    "You are {n}, a helpful assistant.",
                    "You are called {n}.",
                    "You are {n}. Be friendly.",
                ],
            ).format(n=self.name)
        elif self.shape == 1:
            self.prompt = pick(
                rng,
                [
                    "The user is called {n}. Greet the user by name.",
                    "You talk to {n}. Use the name when you greet.",
                ],
            ).format(n=self.name)
        elif self.shape == 2:
            self.tail = " " + word
            self.prompt = pick(
                rng,
                [
                    "End every answer with: {w}",
                    "Always end with: {w}",
                    "Finish each answer with: {w}",
                ],
            ).format(w=word)
        else:
            self.head = word + " "
            self.prompt = pick(
                rng, ["Begin every answer with: {w}", "Always start with: {w}"]
            ).format(w=word)

    def turn(self, rng):
        if self.shape == 0 and rng.random() < 0.6:
            user = ask(rng, talk.FAQ[1][1] + ["Who are you?"])
            return Turn(
                user,
                f"My name is {self.name}.",
                has_all(self.name),
                f"name {self.name}",
                "persona",
                f"My prompt says that I am {self.name}.",
            )
        if self.shape == 1 and rng.random() < 0.6:
            user = fill(rng, pick(rng, talk.SMALL[0][1]))
            return Turn(
                user,
                f"Hello {self.name}! How can I help you?",
                has_all(self.name),
                f"greet {self.name}",
                "persona",
                f"The user is called {self.name}.",
            )
        turn = general_turn(rng)
        while turn.kind == "echo" or (
            self.shape == 0 and turn.key.startswith(("name", "who", "chatgpt"))
        ):
            turn = general_turn(rng)
        if self.head or self.tail:
            turn.answer = self.head + turn.answer + self.tail
            if turn.after_thought:
                turn.after_thought = self.head + turn.after_thought + self.tail
            turn.rule = has_all(*turn.rule["all"], self.head.strip() or self.tail.strip())
            turn.kind = "persona"
        return turn


def next_turn(rng, scene, previous):
    if previous and previous.kind != "repeat" and rng.random() < 0.05:
        return repeat_turn(rng, previous)
    if isinstance(scene, kiosk.Place) and rng.random() < 0.86:
        return kiosk.place_turn(rng, scene, previous)
    if isinstance(scene, Persona):
        return scene.turn(rng)
    if scene is None and rng.random() < 0.04:
        return lost_turn(rng)
    turn = general_turn(rng)
    while isinstance(scene, kiosk.Place) and scene.host and turn.key.startswith(("name", "who", "chatgpt")):
        turn = general_turn(rng)
    return turn


def choose_scene(rng):
    dice = rng.random()
    if dice < 0.6:
        place = kiosk.Place(rng)
        return place, place.prompt
    if dice < 0.65:
        persona = Persona(rng)
        return persona, persona.prompt
    return None, pick(rng, HELPERS) if dice < 0.74 else ""


def dialogue(rng, split):
    """One dialogue, or None if its combinations belong to the other split."""
    scene, system = choose_scene(rng)
    thinking = rng.random() < 0.16
    n_turns = rng.choices((1, 2, 3, 4), (4, 5, 4, 1))[0]
    if thinking:
        n_turns = rng.randint(1, 2)
    turns, n_chars = [], len(system)
    for _ in range(n_turns):
        turn = next_turn(rng, scene, turns[-1] if turns else None)
        if split == "train" and held_out(turn.key):
            return None
        if split == "train" and plain(turn.user) in STRANGERS:
            return None
        n_chars += len(turn.user) + len(turn.answer)
        if turns and n_chars > MOST_CHARS:
            break
        turns.append(turn)
    if split == "heldout" and not held_out(turns[-1].key):
        return None
    messages = [{"role": "system", "content": system}] if system else []
    for turn in turns:
        messages.append({"role": "user", "content": turn.user})
        messages.append({"role": "assistant", "content": turn.answer})
    if thinking:
        messages[-1]["content"] = turns[-1].after_thought or turns[-1].answer
        messages[-1]["reasoning_content"] = turns[-1].thought
    return {
        "messages": messages,
        "thinking": thinking,
        "kind": turns[-1].kind,
        "rule": turns[-1].rule,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("split", choices=["train", "heldout"])
    parser.add_argument("count", type=int)
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=20260801)
    args = parser.parse_args()
    rng = random.Random(f"{args.split} {args.seed}")
    n_written = 0
    with open(args.out, "w", encoding="utf-8") as out:
        while n_written < args.count:
            entry = dialogue(rng, args.split)
            if entry:
                out.write(json.dumps(entry, ensure_ascii=False) + "\n")
                n_written += 1


if __name__ == "__main__":
    main()
