"""Made-up places: a system prompt with some facts, and questions whose answers are in it.

Questions about facts the prompt lacks are declined.
"""

import re

import facts
import opening
from facts import DAYS, Spelling, THINGS
from talk import invented
from turn import Turn, ask, capital, fill, has_all, pick

KINDS = """museum museum museum museum museum museum museum museum museum museum museum library pool town_hall zoo gallery
castle theatre garden aquarium archive cinema observatory palace lighthouse planetarium house mill farm""".split()
AREAS = """Harbour,Oak Street,Riverside,City,North,Old Town,Hill,Lake,Forest,Royal,Bridge,Park,Sun,Star,Rose,Mill,Garden,South,
Castle,Silver,National,Grand,Little,Town,Village,Maritime,Railway,Toy,Children's,Natural History,Science,Folk,Open Air""".replace(
    "\n", ""
).split(
    ","
)
SORRY = "I am sorry, I do not have information about {x}. Please ask the staff."
HEADS = """You are the [|friendly |helpful |polite |digital |AI ][assistant|guide|kiosk|information desk|information kiosk|kiosk assistant|visitor assistant|helper] [of|at|for|in] {n}.
You are the assistant at {n}.
You help visitors of {n}.
You work at {n}.
You are a [friendly|helpful|kind] [guide|assistant] [of|at|in] {n}.
You [answer|are answering] [|visitors' ]questions about {n}.
You answer visitors at {n}.
This is the [information desk|kiosk|info point] of {n}.
Welcome to {n}.
You are the kiosk assistant of {n}. Facts:
You are a guide at {n}. Here is what you know:
You are a helpful assistant at {n}. Use these facts to answer:
You are standing in the lobby of {n} and help the guests.
{n}.
{n}. Facts for visitors:
Information about {n}:
You are a kiosk in {n}[|, a small museum in {t}|, in {t}| in the town of {t}].
Act as the [guide|kiosk|assistant] of {n} in {t}.
Facts about {n}:
Your job is to help the visitors of {n}. Here are the facts:
You are Hearth, the assistant of {n}.
You are an offline kiosk assistant in {n}. Answer visitors' questions.
You speak for {n}. [Know this:|These are the facts.|]""".split(
    "\n"
)
TAILS = """Be brief.|Answer politely.|Use only these facts.|Answer in English.|Answer only from these facts.|Keep answers short.|
If you do not know something, say so.|Do not make things up.|Be friendly.|Answer in one sentence.|Be polite and brief.|
If the answer is not here, say that you do not know.|Only use the information above.|Please answer in short sentences.""".replace(
    "\n", ""
).split(
    "|"
)
BEFORE = """We are here with [two|three] children.
This is my first visit.
I am [new|a visitor|a tourist] here.
We came by train.
I am here with my family.
We just arrived.
I am a bit lost.
We are planning a [visit|trip].
My friends and I want to visit.
I have a question about [the museum|my visit|our visit].
It is my first time here.
We want to come next week.
My feet are tired.""".split(
    "\n"
)
PRICES = [
    "How much is a ticket?",
    "How much are [the |]tickets?",
    "What does a ticket cost?",
    "What do tickets cost?",
    "How much does [a ticket|entry|admission|it] cost?",
    "What is the [entrance fee|entry fee|admission fee|ticket price|price of a ticket|price]?",
    "How much is [entry|admission|the entrance|it to get in|the entry]?",
    "How much do I have to pay?",
    "What are the [ticket prices|prices|entry fees]?",
    "Ticket prices?",
    "tell me the ticket prices",
    "How much do I pay to get in?",
    "I want to buy a ticket. How much is it?",
    "What does it cost to visit?",
    "How expensive is [it|a ticket]?",
]


def place_name(rng):
    kind = pick(rng, KINDS).replace("_", " ").title()
    dice = rng.random()
    if dice < 0.2:
        thing = capital(pick(rng, THINGS))
        plural = thing if thing in ("Glass", "Music", "Art", "Bread", "Tea", "Light", "History", "Space", "Water", "Paper", "Salt", "Clay", "Wool", "Wood", "Dance", "Honey", "Cheese", "Silver", "Film", "Chess", "Football", "Radio", "Chocolate", "Pottery", "Wind", "Fish") else thing + "s"
        name = f"Museum of {'Watches' if thing == 'Clock' else 'Boxes' if thing == 'Box' else plural}"
    elif dice < 0.45:
        name = f"{capital(pick(rng, THINGS))} {kind}"
    elif dice < 0.7:
        name = f"{pick(rng, AREAS)} {kind}"
    elif dice < 0.8:
        name = f"{invented(rng)} {capital(pick(rng, THINGS))} {kind}"
    else:
        name = f"{invented(rng)} {kind}"
    return f"the {name}"


def spell_spans(text, dash):
    """Spans of time are made with `to`; a prompt writes them its own way."""
    return re.sub(r"(\d| ?[ap]m) to (?=\d)", lambda found: found[1] + dash, text)


class Place:
    def __init__(self, rng):
        self.style = Spelling(rng)
        self.name = place_name(rng)
        n_facts = rng.choices((1, 2, 3, 4, 5, 6, 7), (1, 2, 4, 4, 4, 3, 1))[0]
        self.facts, self.topics, self.values = facts.choose(rng, self.style, n_facts)
        self.has_hours = rng.random() < 0.8
        self.hours = opening.Hours(rng, self.style)
        self.said = []
        self.prompt = self._prompt(rng)

    def _sentences(self, rng):
        """The facts as sentences without their stops; prices often share one."""
        out, tickets = [], [f for f in self.facts if f.topic in ("adult tickets", "child tickets", "student tickets", "senior tickets", "family tickets", "free entry")]
        merged = ""
        if len(tickets) > 1 and rng.random() < 0.6:
            merged = merge(rng, tickets, self.values)
        for fact in self.facts:
            text = merged if merged and fact in tickets else fill(rng, pick(rng, fact.says)).format(**self.values)
            text = capital(spell_spans(text, self.style.dash))
            self.said.append(text)
            if text not in out:
                out.append(text)
        return out

    def _prompt(self, rng):
        lines = self._sentences(rng)
        self.said_hours = ""
        if self.has_hours:
            self.said_hours = self.hours.prompt
            lines.insert(0 if rng.random() < 0.5 else rng.randint(0, len(lines)), self.said_hours)
        head = fill(rng, pick(rng, HEADS)).format(n=self.name, t=invented(rng))
        if rng.random() < 0.25:
            head = head.replace(self.name, capital(self.name))
        tail = pick(rng, TAILS) if rng.random() < 0.5 else ""
        if tail and rng.random() < 0.25 and head[-1] == ".":
            head, tail = f"{head} {tail}", ""
        gap = pick(rng, [" ", " ", " ", "\n", "\n- ", "\n* ", "\n\n", "\n- "])
        stop = "" if gap in ("\n- ", "\n* ", "\n") and rng.random() < 0.5 else "."
        text = capital(head) + ("\n" if gap.startswith("\n- ") and rng.random() < 0.3 else "")
        ended = [line + ("" if line.endswith((".", "!")) and stop else stop) for line in lines]
        text += gap + gap.join(ended)
        if not stop:
            text = text.rstrip()
        return text + ("\n" if "\n" in gap else " ") + tail if tail else text


def merge(rng, tickets, values):
    """Several prices in one sentence."""
    what = {
        "adult tickets": "[adults {adult}|{adult} for adults]",
        "child tickets": "[children {child}|{child} for children|kids {child}]",
        "student tickets": "[students {student}|{student} for students]",
        "senior tickets": "[seniors {senior}|{senior} for seniors]",
        "family tickets": "[families {family}|{family} for families]",
        "free entry": "[{free} free|free for {free}]",
    }
    way = rng.randrange(2)
    parts = []
    for fact in tickets:
        options = what[fact.topic][1:-1].split("|")
        parts.append((options[0] if way == 0 else options[1]).format(**values))
    head = fill(rng, "[Tickets: |Prices: |Entry: |Admission: |Ticket prices: |Entrance fee: ]") if way or rng.random() < 0.7 else ""
    joined = ", ".join(parts[:-1]) + pick(rng, (", ", " and ", ", and ")) + parts[-1]
    return head + joined


def fact_turn(rng, place):
    if rng.random() < 0.12:
        return price_turn(rng, place)
    fact_no = rng.randrange(len(place.facts))
    fact = place.facts[fact_no]
    if fact.topic == "tickets":
        return price_turn(rng, place)
    return known_turn(place, fact, fact_no, ask(rng, fact.asks + fact.own, BEFORE, **place.values))


def known_turn(place, fact, fact_no, user):
    thought = f"The question is about {fact.topic}. My facts say: {place.said[fact_no]}."
    return Turn(
        user, fact.answer, has_all(*fact.need), f"{place.name} {fact.answer}", "kiosk", thought
    )


def price_turn(rng, place):
    """What a ticket costs: every price that the prompt gives, in its order."""
    able = [i for i, fact in enumerate(place.facts) if fact.group == "price"]
    paid = [i for i in able if place.facts[i].topic != "free entry"]
    user = ask(rng, PRICES, BEFORE)
    if not paid:
        if able:
            return missing_turn(rng, place)
        return sorry_turn(place, user, "ticket prices")
    answer = " ".join(place.facts[i].answer for i in able)
    said = list(dict.fromkeys(place.said[i] for i in able))
    thought = f"The question is about tickets. My facts say: {'. '.join(said)}."
    need = [x for i in paid for x in place.facts[i].need]
    return Turn(user, answer, has_all(*need), f"{place.name} {answer}", "kiosk", thought)


def follow_turn(rng, place):
    fact_no = rng.randrange(len(place.facts))
    fact = place.facts[fact_no]
    plain = [x for x in fact.follow if " it" not in x or x.startswith("And")]
    if not plain:
        return fact_turn(rng, place)
    return known_turn(place, fact, fact_no, ask(rng, plain, **place.values))


def sorry_turn(place, user, topic):
    thought = f"The question is about {topic}. My facts do not say anything about it."
    return Turn(
        user,
        SORRY.format(x=topic),
        has_all("sorry", "do not have information", topic),
        f"{place.name} {user}",
        "missing",
        thought,
    )


def missing_turn(rng, place):
    if rng.random() < 0.2:
        topic = fill(rng, pick(rng, EXTRA))
        user = ask(rng, EXTRA_ASKS, BEFORE, x=topic)
        return sorry_turn(place, user, topic)
    fact = facts.missing(rng, place.style, place.topics, place.values)
    if fact.topic == "tickets":
        return price_turn(rng, place)
    return sorry_turn(place, ask(rng, fact.asks, BEFORE, **place.values), fact.topic)


EXTRA = """birthday parties|umbrellas|a swimming pool|a hotel|a playroom|a taxi|bicycles|the weather in {t}|wheelchairs|
a cash machine|a bank|gift cards|a baby changing room|lost property|jobs|volunteers|membership|weddings|workshops for
children|school visits|a pharmacy|medicine|a prayer room|a smoking area|stamps|newspapers|ice cream|sandwiches|charging
my phone|a charging point|power sockets|credit cards|payment by card|online tickets|a mobile app|discounts for soldiers|
a map of the building|the nearest hotel|the nearest station|the train|electric cars|a lift|strollers|a doctor|refunds|
reservations|yoga classes|concerts next year|a swimming course|the roof|a dress code|guests from abroad|sign language""".replace(
    "\n", " "
).replace(" a lift|", " ").replace("the weather in {t}|", "").split(
    "|"
)
EXTRA = [" ".join(x.split()) for x in EXTRA]
EXTRA_ASKS = [
    "Do you have any information about {x}?",
    "What about {x}?",
    "Can you tell me something about {x}?",
    "Tell me about {x}.",
    "What do you know about {x}?",
    "I have a question about {x}.",
    "I need information about {x}.",
    "Is there anything about {x}?",
    "Do you know anything about {x}?",
    "Who can tell me about {x}?",
]


def about_place_turn(rng, place):
    user = ask(
        rng,
        [
            "Where am I?",
            "What is this place?",
            "Which [place|museum] is this?" if "Museum" in place.name else "Which place is this?",
            "What is [this place|the name of this place|the name of the place] called?".replace(
                "the name of this place", "this building"
            ).replace("the name of the place", "this"),
            "What is the name of [this place|this museum|the museum]?"
            if "Museum" in place.name
            else "What is the name of this place?",
            "Where are we?",
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


def list_turn(rng, place):
    """Two or more facts as a list, in the order of the prompt."""
    user = ask(
        rng,
        [
            "List everything you know about this place.",
            "Give me all facts as a list.",
            "What do you know about [this place|the museum]?",
            "Tell me [everything|all] about this place.",
        ],
    )
    said = list(dict.fromkeys(place.said))[:4]
    answer = "\n".join("- " + line + "." for line in said)
    return Turn(
        user,
        answer,
        has_all(*said),
        f"{place.name} list",
        "kiosk",
        "I list the facts from my prompt.",
    )


def hours_turn(rng, place, follow=False):
    if not place.has_hours:
        user = ask(rng, opening.GENERAL + opening.DAY, BEFORE, d=pick(rng, DAYS))
        return sorry_turn(place, user, "the opening hours")
    return place.hours.turn(rng, place.name, BEFORE, follow)


def place_turn(rng, place, previous):
    dice = rng.random()
    if previous and previous.kind == "kiosk" and dice < 0.25:
        about_hours = "opening hours" in previous.thought
        if place.has_hours and (about_hours or rng.random() < 0.3):
            return hours_turn(rng, place, follow=True)
        return follow_turn(rng, place)
    if dice < 0.57:
        return fact_turn(rng, place)
    if dice < 0.81:
        return hours_turn(rng, place)
    if dice < 0.96:
        return missing_turn(rng, place)
    return about_place_turn(rng, place) if dice < 0.99 else list_turn(rng, place)
