"""Made-up places: a system prompt with some facts, and questions whose answers are in it.

Questions about facts the prompt lacks are declined.
"""

import re

from facts import DAYS, facts_of, opening
from talk import invented
from turn import Turn, ask, has_all, pick

KINDS = [
    "museum",
    "library",
    "pool",
    "town hall",
    "zoo",
    "gallery",
    "castle",
    "theatre",
    "garden",
    "aquarium",
    "market",
    "archive",
    "cinema",
    "sports hall",
    "visitor centre",
    "school",
    "station",
    "clinic",
    "hotel",
    "observatory",
]
AREAS = [
    "Harbour",
    "Oak Street",
    "Riverside",
    "City",
    "North",
    "Old Town",
    "Hill",
    "Lake",
    "Forest",
    "Royal",
    "Bridge",
    "Park",
    "Sun",
    "Star",
    "Rose",
    "Mill",
    "Garden",
    "South",
    "Castle",
    "Silver",
]
SORRY = "I am sorry, I do not have information about {x}. Please ask the staff."


def dashed(text):
    """Some prompts write 9:00-17:00; answers always say it in words."""
    return re.sub(r"(\d:\d\d) to (\d)", r"\1-\2", text)


class Place:
    def __init__(self, rng):
        self.style = "24" if rng.random() < 0.25 else "12"
        kind = pick(rng, KINDS)
        area = pick(rng, AREAS) if rng.random() < 0.5 else invented(rng)
        self.name = f"the {area} {kind.title()}"
        every = facts_of(rng, self.style)
        rng.shuffle(every)
        n_facts = rng.randint(1, 5)
        self.facts, self.missing = every[:n_facts], every[n_facts:]
        self.open_text, self.hours = opening(rng, self.style)
        self.has_hours = rng.random() < 0.8
        self.said = [pick(rng, fact.says) for fact in self.facts]
        self.said_hours = ""
        self.prompt = self._prompt(rng)
        if rng.random() < 0.5:
            self.prompt = dashed(self.prompt)
            self.said, self.said_hours = [dashed(said) for said in self.said], dashed(
                self.said_hours
            )

    def _prompt(self, rng):
        lines = list(self.said)
        if self.has_hours:
            says = pick(
                rng,
                [
                    "Opening hours: {t}.",
                    "Open {t}.",
                    "We are open {t}.",
                    "Hours: {t}.",
                    "The opening hours are {t}.",
                ],
            )
            shown = self.open_text
            if rng.random() < 0.35:
                shown = shown.replace(", closed on", ". Closed on")
            self.said_hours = says.format(t=shown)
            lines.insert(rng.randint(0, len(lines)), self.said_hours)
        head = pick(
            rng,
            [
                "You are the assistant at {n}.",
                "You help visitors of {n}.",
                "You work at {n}.",
                "You are the friendly guide of {n}.",
                "You answer questions about {n}.",
                "This is the information desk of {n}.",
                "Welcome to {n}.",
                "You are the kiosk assistant of {n}. Facts:",
                "You are a guide at {n}. Here is what you know:",
                "You are a helpful assistant at {n}.",
            ],
        ).format(n=self.name)
        tail = pick(
            rng,
            [
                "",
                "",
                "",
                "Be brief.",
                "Answer politely.",
                "Use only these facts.",
                "Answer in English.",
            ],
        )
        gap = pick(rng, [" ", "\n", "\n- ", " "])
        text = head + gap + gap.join(lines)
        return text + ("\n" if "\n" in gap else " ") + tail if tail else text


def fact_turn(rng, place):
    fact_no = rng.randrange(len(place.facts))
    fact = place.facts[fact_no]
    user = ask(rng, fact.asks)
    return known_turn(place, fact, fact_no, user)


def known_turn(place, fact, fact_no, user):
    thought = f"The question is about {fact.topic}. My facts say: {place.said[fact_no]}"
    return Turn(
        user, fact.answer, has_all(*fact.need), f"{place.name} {fact.answer}", "kiosk", thought
    )


def follow_turn(rng, place):
    able = [(i, fact) for i, fact in enumerate(place.facts) if fact.follow]
    if not able:
        return fact_turn(rng, place)
    fact_no, fact = pick(rng, able)
    return known_turn(place, fact, fact_no, pick(rng, fact.follow))


def missing_turn(rng, place):
    fact = pick(rng, place.missing)
    user = ask(rng, fact.asks)
    if user.lower().startswith(("where are you", "where is this", "how much is a ticket")):
        user = fact.asks[0]
    answer = SORRY.format(x=fact.topic)
    thought = f"The question is about {fact.topic}. My facts do not say anything about it."
    return Turn(
        user,
        answer,
        has_all("sorry", "do not have information", fact.topic),
        f"{place.name} {user}",
        "missing",
        thought,
    )


def hours_turn(rng, place, follow=False):
    if not place.has_hours:
        user = ask(
            rng,
            ["When are you open?", "What are the opening hours?", "Are you open on {d}?"],
            d=pick(rng, DAYS),
        )
        thought = "The question is about the opening hours. My facts do not say anything about it."
        return Turn(
            user,
            SORRY.format(x="the opening hours"),
            has_all("sorry", "opening hours"),
            f"{place.name} {user}",
            "missing",
            thought,
        )
    dice = rng.random()
    closed = [day for day in DAYS if not place.hours[day]]
    thought = f"The question is about the opening hours. My facts say: {place.said_hours}"
    key = f"{place.name} {place.open_text}"
    if not follow and dice < 0.2:
        user = ask(
            rng,
            [
                "When are you open?",
                "What are your opening hours?",
                "What are the opening hours?",
                "Opening hours?",
                "When can I visit?",
            ],
        )
        answer = f"We are open {place.open_text}."
        return Turn(user, answer, has_all(place.open_text), key, "kiosk", thought)
    if not follow and dice < 0.32:
        user = ask(
            rng,
            [
                "On which day are you closed?",
                "When are you closed?",
                "Which day is closed?",
                "Are you open every day?",
            ],
        )
        answer = f"We are closed on {' and '.join(closed)}." if closed else "We are open every day."
        return Turn(user, answer, has_all(answer), key, "kiosk", thought)
    day = pick(rng, closed) if closed and rng.random() < 0.3 else pick(rng, DAYS)
    if follow:
        user = ask(rng, ["And on {d}?", "What about {d}?", "And {d}?", "How about {d}?"], d=day)
    else:
        user = ask(
            rng,
            [
                "Are you open on {d}?",
                "When are you open on {d}?",
                "What are the hours on {d}?",
                "When do you open on {d}?",
                "Can I come on {d}?",
                "How long are you open on {d}?",
                "{d} opening hours?",
                "Until when are you open on {d}?",
            ],
            d=day,
        )
    answer = (
        f"On {day} we are open from {place.hours[day]}."
        if place.hours[day]
        else f"We are closed on {day}."
    )
    rule = has_all(place.hours[day] or "closed", day)
    return Turn(user, answer, rule, f"{key} {day}", "kiosk", thought)


def about_place_turn(rng, place):
    user = ask(
        rng,
        [
            "Where am I?",
            "What is this place?",
            "Which place is this?",
            "What is this place called?",
        ],
    )
    return Turn(
        user,
        f"This is {place.name}.",
        has_all(place.name),
        f"{place.name} where",
        "kiosk",
        f"The prompt names the place: {place.name}.",
    )


def json_turn(rng, place):
    """Two or more facts as a list, in the order of the prompt."""
    user = ask(
        rng,
        [
            "List everything you know about this place.",
            "Give me all facts as a list.",
            "What do you know about this place?",
        ],
    )
    answer = "\n".join("- " + said for said in place.said[:4])
    return Turn(
        user,
        answer,
        has_all(*place.said[:4]),
        f"{place.name} list",
        "kiosk",
        "I list the facts from my prompt.",
    )


def place_turn(rng, place, previous):
    dice = rng.random()
    if previous and previous.kind == "kiosk" and dice < 0.3:
        if place.has_hours and rng.random() < 0.5:
            return hours_turn(rng, place, follow=True)
        return follow_turn(rng, place)
    if dice < 0.57:
        return fact_turn(rng, place)
    if dice < 0.81:
        return hours_turn(rng, place)
    if dice < 0.95:
        return missing_turn(rng, place)
    return about_place_turn(rng, place) if dice < 0.98 else json_turn(rng, place)
