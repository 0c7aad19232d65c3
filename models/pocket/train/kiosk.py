"""Made-up places: a system prompt with some facts, and questions whose answers are in it.

Questions about facts the prompt lacks are declined.
"""

import re

import choice
import opening
import prices
from facts import Spelling
from names import FIRST, invented, place_name
from turn import DAYS, Turn, ask, capital, fill, has_all, pick

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
You speak for {n}. [Know this:|These are the facts.|]
You are {me}, the [voice|guide|host|assistant|helper|receptionist|porter] of {n}.
You are {me}, the [voice|guide|host|assistant] of {n} in {t}.
Your name is {me}. You [greet|help|assist|welcome] the [guests|visitors] of {n}.
You are {me} and you answer questions about {n}.
[Hello|Hi]! I answer questions about {n}.
I am the [kiosk|screen|info desk|helper] of {n}.
This is {n}, {t}.
{n}, {t}
Name: {n}
Name: {n}~Type: {kind}
Place: {n}
{n} - [visitor information|information for visitors|facts|info]
# {n}
{n} ({t})
Assistant for {n}. Known facts:
This screen stands in {n}. It knows:
[Task|Role]: answer questions of people at {n}.
You sit at the front desk of {n}.
Guests of {n} ask you questions. What you know:
About {n}:
Here is everything about {n}:
[Kiosk|Terminal|Screen] {no}, {n}.
You answer for {n}, which lies in {t}.""".split(
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
We are on holiday.
My bus was late.
What a lovely building.
I came here years ago.
I am on my own today.
It is raining outside.
We are in a hurry.
I am here with my [mother|father|grandmother|class|wife|husband].
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
    "What is the [entrance fee|entry fee|admission fee|ticket price|price of a ticket]?",
    "How much is [entry|admission|the entrance|it to get in|the entry]?",
    "How much do I have to pay?",
    "What are the [ticket prices|prices|entry fees]?",
    "Ticket prices?",
    "tell me the ticket prices",
    "How much do I pay to get in?",
    "I want to buy a ticket. How much is it?",
    "What does it cost to visit?",
    "How expensive is [it|a ticket]?",
    "What does entry cost?",
    "What do you charge?",
    "What does [the museum|a visit] cost?",
    "How much is a visit?",
    "how much to get in",
    "What do we have to pay at the door?",
    "What are your prices?",
    "Do I have to pay to get in? How much?",
    "tickets?",
    "entry fee?",
]


def spell_spans(text, dash):
    """Spans of time are made with `to`; a prompt writes them its own way."""
    return re.sub(r"(\d| ?[ap]m) to (?=\d)", lambda found: found[1] + dash, text)


NOISE = """The staff wear {c} [shirts|jackets|hats]/The [roof|door|flag|fence] is {c}/Our mascot is a {c} {x} called {i}/{i} [Bank|Foods|Motors] supports us/
Please be kind to each other/The building stands on {i} Hill/The town of {t} is proud of us/Many guests come from {t}/
We are glad that you are here/The {x} in our logo was drawn by {p}/Our neighbour is {i} School/The floor was new in {y}/
Please speak clearly/We like questions/The walls were painted {c} in {y}/A choir sang here in {y}/{p} cut the ribbon in {y}/
The [garden|yard] has {c} benches""".replace("\n", "").split("/")
GAPS = [" ", " ", " ", " ", " ", "\n", "\n", "\n- ", "\n- ", "\n- ", "\n* ", "\n\n", "; ", " | ", "\n• ", "\nN. "]
TITLES = ["Facts:", "Information:", "Facts", "Visitor information", "INFO", "Good to know:", "What you know:", "Details:", "Data:", "## Facts", "Notes:"]


SAFE = """The A An There You We Our Children Adults Students Seniors Families Kids Entry Admission Parking Dogs Photos
Toilets Tours Lockers Free Open Opening Tickets Bus Cafe Shop Guided No Please Restrooms Every""".split()


def lowered(text):
    """A sentence that goes on from another: names keep their capitals."""
    return text[0].lower() + text[1:] if text.split()[0] in SAFE else text


def joined(rng, lines):
    """Two facts in a sentence, now and then."""
    out = []
    for line in lines:
        plain = out and ": " not in out[-1] + line and ". " not in out[-1] and line.split()[0] in SAFE
        if plain and len(out[-1]) + len(line) < 110 and rng.random() < 0.16:
            out[-1] += pick(rng, (" and ", ", and ", ", ", "; ")) + lowered(line)
        else:
            out.append(line)
    return out


class Place:
    """A made-up place, its facts, and the system prompt that states them in a style of its own."""

    def __init__(self, rng):
        self.style = Spelling(rng)
        self.noun, self.name = place_name(rng)
        n_facts = rng.choices((1, 2, 3, 4, 5, 6, 7, 8), (3, 4, 5, 5, 3, 2, 1, 1))[0]
        self.facts, self.topics, self.values = choice.choose(rng, self.style, n_facts, self.noun)
        self.has_hours = rng.random() < 0.8
        self.hours = opening.Hours(rng, self.style)
        self.host = ""
        self.said = []
        self.prompt = self._prompt(rng)

    def words(self, asks):
        return [text.replace("museum", self.noun) for text in asks]

    def _say(self, rng, fact, form):
        """One way to state a fact; lists of keys and prose keep to their kind where they can."""
        says = self.words(fact.says)
        if form:
            says = [text for text in says if (": " in text) == (form == "keys")] or says
        return capital(spell_spans(fill(rng, pick(rng, says)).format(**self.values), self.style.dash))

    def _sentences(self, rng, form):
        """The facts as sentences without their stops; prices often share one."""
        out, tickets = [], [f for f in self.facts if f.topic in MERGED]
        merged = ""
        if len(tickets) > 1 and rng.random() < 0.6:
            merged = merge(rng, tickets, self.values)
        for fact in self.facts:
            text = capital(merged) if merged and fact in tickets else self._say(rng, fact, form)
            self.said.append(text)
            if text not in out:
                out.append(text)
        return [lowered(text) for text in out] if rng.random() < 0.06 else joined(rng, out)

    def _noise(self, rng):
        text = fill(rng, pick(rng, NOISE))
        slots = {"c": pick(rng, ["red", "green", "blue", "yellow", "grey", "white"]), "x": pick(rng, ["fox", "owl", "duck", "bear", "frog"])}
        return text.format(i=invented(rng), t=invented(rng), p=pick(rng, FIRST), y=rng.randint(1900, 2020), **slots)

    def _head(self, rng):
        template = fill(rng, pick(rng, HEADS)).replace("~", "\n")
        host = pick(rng, FIRST) if rng.random() < 0.5 else invented(rng)
        self.host = host if "{me}" in template else ""
        bare = self.name.removeprefix("the ")
        after = template.split("{n}")[0]
        alone = after == "" or after.endswith((": ", "# "))
        name = bare if alone and rng.random() < 0.6 else self.name
        if rng.random() < 0.25:
            name = capital(name)
        if self.noun != "museum":
            template = template.replace("a small museum", f"a {pick(rng, ('small', 'big', 'busy', 'quiet'))} {self.noun}")
        return capital(template.format(n=name, t=invented(rng), me=host, no=rng.randint(1, 30), kind=self.noun))

    def _prompt(self, rng):
        form = pick(rng, ["", "", "prose", "prose", "keys"])
        lines = self._sentences(rng, form)
        self.said_hours = ""
        if self.has_hours:
            self.said_hours = self.hours.prompt = self.hours.prompt.replace("museum", self.noun)
            lines.insert(0 if rng.random() < 0.5 else rng.randint(0, len(lines)), self.said_hours)
        for _ in range(rng.choices((0, 1, 2), (15, 4, 1))[0]):
            lines.insert(rng.randint(0, len(lines)), self._noise(rng))
        head = self._head(rng)
        tail = pick(rng, TAILS) if rng.random() < 0.4 else ""
        if tail and rng.random() < 0.25 and head[-1] == ".":
            head, tail = f"{head} {tail}", ""
        gap = "\n" if "\n" in head or (form == "keys" and rng.random() < 0.6) else pick(rng, GAPS)
        stop = "" if gap != " " and (gap in ("; ", " | ") or rng.random() < 0.5) else "."
        if "\n" in gap and rng.random() < 0.25:
            head += pick(rng, ("\n", "\n\n")) + pick(rng, TITLES)
        elif "\n" not in gap and head[-1] not in ".:!":
            head += pick(rng, (".", ":"))
        text = head + ("\n" if gap.startswith("\n- ") and rng.random() < 0.3 else "")
        for number, line in enumerate(lines):
            joint = " " if number == 0 and "\n" not in gap else gap.replace("N", str(number + 1))
            text += joint + line + ("" if line.endswith((".", "!")) and stop else stop)
        return text + ("\n" if "\n" in gap else ". " if not stop else " ") + tail if tail else text


MERGED = ("adult tickets", "child tickets", "student tickets", "senior tickets", "family tickets", "free entry", "tickets", "reduced tickets")


def merge(rng, tickets, values):
    """Several prices in one sentence."""
    what = {
        "adult tickets": "adults {adult}|{adult} for adults|{adult} adults|adults: {adult}|adults pay {adult}",
        "child tickets": "children {child}|{child} for children|{child} children|kids: {child}|children pay {child}",
        "student tickets": "students {student}|{student} for students|{student} students|students: {student}|students pay {student}",
        "senior tickets": "seniors {senior}|{senior} for seniors|{senior} seniors|seniors: {senior}|seniors pay {senior}",
        "family tickets": "families {family}|{family} for families|family ticket {family}|families: {family}|families pay {family}",
        "free entry": "{free} free|free for {free}|free for {free}|{free}: free|{free} pay nothing",
        "tickets": "full price {adult}|{adult} full price|{adult}|normal: {adult}|the normal price is {adult}",
        "reduced tickets": "reduced {reduced}|{reduced} reduced|reduced {reduced}|reduced: {reduced}|the reduced price is {reduced}",
    }
    way = rng.randrange(5)
    parts = []
    for fact in tickets:
        parts.append(what[fact.topic].split("|")[way].format(**values))
    bare = way == 4 or (way == 0 and rng.random() < 0.3)
    head = "" if bare else fill(rng, "[Tickets: |Prices: |Entry: |Admission: |Ticket prices: |Entrance fee: |Tickets |Entry |Entrance ]")
    joined = ", ".join(parts[:-1]) + pick(rng, (", ", " and ", ", and ")) + parts[-1]
    return head + joined


def fact_turn(rng, place):
    dice = rng.random()
    if dice < 0.1:
        return price_turn(rng, place)
    if dice < 0.28:
        turn = prices.party_turn(rng, place)
        if turn:
            return turn
    fact_no = rng.randrange(len(place.facts))
    fact = place.facts[fact_no]
    if fact.topic == "tickets":
        return price_turn(rng, place)
    user = ask(rng, place.words(fact.asks + fact.own), place.words(BEFORE), **place.values)
    return known_turn(place, fact, fact_no, user)


def known_turn(place, fact, fact_no, user):
    thought = f"The question is about {fact.topic}. My facts say: {place.said[fact_no]}."
    return Turn(
        user, fact.answer, has_all(*fact.need), f"{place.name} {fact.answer}", "kiosk", thought
    )


def price_turn(rng, place):
    """What a ticket costs: every price that the prompt gives, in its order."""
    able = [i for i, fact in enumerate(place.facts) if fact.group == "price"]
    paid = [i for i in able if place.facts[i].topic != "free entry"]
    user = ask(rng, place.words(PRICES), place.words(BEFORE))
    if not paid:
        if able or any(re.search("ticket|pass|card", topic) for topic in place.topics):
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
    return known_turn(place, fact, fact_no, ask(rng, place.words(plain), **place.values))


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
        topic = pick(rng, EXTRA).format(t=invented(rng))
        user = ask(rng, EXTRA_ASKS, place.words(BEFORE), x=topic)
        return sorry_turn(place, user, topic)
    fact = choice.missing(rng, place.style, place.topics, place.values, place.noun)
    if fact.topic == "tickets":
        return price_turn(rng, place)
    user = ask(rng, place.words(fact.asks), place.words(BEFORE), **place.values)
    return sorry_turn(place, user, fact.topic)


EXTRA = """birthday parties|a hotel|a playroom|a taxi|gift cards|jobs|volunteers|membership|weddings|school visits|a pharmacy|
medicine|charging my phone|a charging point|power sockets|online tickets|a mobile app|discounts for soldiers|a map of the building|
the nearest hotel|electric cars|strollers|a doctor|refunds|reservations|concerts next year|the roof|a dress code|guests from abroad|
hair dryers|a dentist|the architect|donations|fire drills|ghosts|sponsors|insurance|allergies|vegan food|a kennel|souvenirs from {t}|
recycling|the heating|the alarm|a boat trip to {t}|the next sale|heated benches|a bridal suite|interviews|internships|exams|
board games|a chess set|the ceiling|the newsletter|vouchers|a helicopter flight|the old owner's cat""".replace("\n", "").split("|")
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


WHERE = """Where am I?/What is this place?/Which [place|museum] is this?/What is this [place|building] called?/
What is the name of [this place|this museum|the museum]?/Where are we?/Which museum [am I in|are we in]?/
What is the name of this building?/Tell me the name of this place./What museum is this?/What is the museum called?/
name of this place?/How is this museum called?/I forgot the name of this place. What is it?/Am I in the right place? What is this?/
What do you call this place?/Can you tell me what this place is called?/Say the name of the museum.""".replace("\n", "").split("/")


def about_place_turn(rng, place):
    if place.host and rng.random() < 0.6:
        user = ask(rng, ["Who are you?", "What is your name?", "What are you called?", "And who are you?", "Your name?", "Who am I talking to?", "Do you have a name?", "May I know your name?"])
        answer, need = f"My name is {place.host}.", place.host
        thought = f"My prompt says that I am {place.host}."
        return Turn(user, answer, has_all(need), f"{place.name} host {place.host}", "kiosk", thought)
    user = ask(rng, place.words(WHERE))
    return Turn(
        user,
        f"This is {place.name}.",
        has_all(place.name.removeprefix("the ")),
        f"{place.name} where",
        "kiosk",
        f"The prompt names the place: {place.name}.",
    )


PLAIN_QUESTION = re.compile(r"(Where|What|When|How|Is|Are|Can|Do|Who|Which|May|Does|At|On|Until)\b[^.?]*\?$")


def part_of_two(rng, place, taken):
    """Half a question: a fact, a day, or something missing; the question and its turn, or None."""
    dice = rng.random()
    if dice < 0.2 and place.has_hours:
        day = pick(rng, DAYS)
        asks, answer, need = opening.DAY, place.hours.on(day), [day, place.hours.by_day.get(day, "closed")]
        values, topic, said = {"d": day}, "the opening hours", place.hours.prompt
    elif dice < 0.3:
        fact = choice.missing(rng, place.style, place.topics, place.values, place.noun)
        asks, answer, need = fact.asks, SORRY.format(x=fact.topic), ["sorry", fact.topic]
        values, topic, said = place.values, fact.topic, "nothing about it"
    else:
        number = rng.randrange(len(place.facts))
        fact, said = place.facts[number], place.said[number]
        asks, answer, need, values, topic = fact.asks, fact.answer, fact.need, place.values, fact.topic
    asks = [text for text in place.words(asks) if PLAIN_QUESTION.match(fill(rng, text))]
    if not asks or topic in taken or topic == "tickets":
        return None
    for _ in range(9):
        user = fill(rng, pick(rng, asks)).format(**values)
        if PLAIN_QUESTION.match(user):
            return user, answer, need, topic, said
    return None


def double_turn(rng, place):
    """Two questions in one line, answered in their order; None where the facts do not offer it."""
    first = part_of_two(rng, place, ())
    second = first and part_of_two(rng, place, (first[3],))
    if not second:
        return None
    lower = second[0][0].lower() + second[0][1:]
    joined = [f"{first[0][:-1]} and {lower}", f"{first[0][:-1]}, and {lower}", f"{first[0]} And {lower}", f"{first[0]} {second[0]}", f"{first[0]} Also, {lower}"]
    user = ask(rng, [pick(rng, joined).replace("{", "").replace("[", "")])
    answer = f"{first[1]} {second[1]}"
    thought = f"Two questions: {first[3]} and {second[3]}. My facts say: {first[4]}; {second[4]}."
    return Turn(user, answer, has_all(*first[2], *second[2]), f"{place.name} {answer}", "kiosk", thought)


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
        asks = place.words(opening.GENERAL + opening.DAY + opening.NOW + opening.CLOSED)
        user = ask(rng, asks, place.words(BEFORE), d=pick(rng, DAYS))
        return sorry_turn(place, user, "the opening hours")
    return place.hours.turn(rng, place.name, place.words(BEFORE), follow, place.noun)


def place_turn(rng, place, previous):
    dice = rng.random()
    if previous and previous.kind == "kiosk" and dice < 0.25:
        about_hours = "opening hours" in previous.thought
        if place.has_hours and (about_hours or rng.random() < 0.3):
            return hours_turn(rng, place, follow=True)
        return follow_turn(rng, place)
    if dice < 0.53:
        return fact_turn(rng, place)
    if dice < 0.61:
        return double_turn(rng, place) or fact_turn(rng, place)
    if dice < 0.81:
        return hours_turn(rng, place)
    if dice < 0.95:
        return missing_turn(rng, place)
    return about_place_turn(rng, place) if dice < 0.993 else list_turn(rng, place)
