"""Which facts a place has, and which it can be asked for in vain."""

import re

import exhibits
import facts
import services
from facts import FAMILIES, PRICED, WEIGHTS, number_fact, object_fact, table_fact
from names import KINDS
from turn import fill, pick

NOUNS = [noun for noun, _, _ in KINDS]
# A question about the left topic is not free of ambiguity where one of the right ones is known.
NEAR = {
    "a lift": {"wheelchair access", "the lift", "the goods lift"},
    "reduced tickets": {"student tickets", "senior tickets", "child tickets", "group tickets"},
    "the cloakroom": {"lockers", "the price of the cloakroom", "the coat rack"},
    "lockers": {"a locker"},
    "what the shop sells": {"a shop", "the gift shop", "the bookshop"},
    "a shop": {"the gift shop", "the bookshop"},
    "what the cafe serves": {"a cafe", "a restaurant", "food", "a cup of tea", "a hot drink", "the snack bar", "lunch"},
    "food": {"drinks", "picnics", "a cafe", "a restaurant"},
    "drinks": {"a cafe", "a hot drink", "a cup of tea"},
    "photos": {"photography", "flash", "filming"},
    "photography": {"flash", "filming", "photos"},
    "a bus": {"the tram", "the nearest station"},
    "lunch": {"a cafe", "a restaurant", "the canteen", "the snack bar"},
    "lost property": {"the lost property office"},
    "payment": {"the cash machine"},
    "the director": {"the manager", "the owner", "the mayor", "the curator"},
    "signing in": {"the information desk"},
    "smoking": {"the smoking area"},
    "picnics": {"the picnic lawn", "the picnic area"},
    "bicycles": {"a bicycle", "the bike rack"},
    "prams": {"a pushchair"},
    "parking": {"the price of parking"},
    "guided tours": {"the length of the tour", "the price of the tour", "the languages of the tour", "tours in other languages"},
    "events": {"an exhibition"},
    "an exhibition": {"events", "the collection"},
    "a cafe": {"a restaurant", "food"},
    "a restaurant": {"a cafe", "food"},
    "the collection": {"an exhibition"},
    "the age of this place": {"the founder", *(f"the age of the {noun}" for noun in NOUNS)},
    "the founder": {f"who {verb} the {noun}" for noun in NOUNS for verb in ("built", "opened", "restored", "designed")},
}

CULTURE = {"museum", "gallery", "castle", "palace", "house", "lighthouse", "abbey", "tower", "mill", "zoo", "garden", "aquarium"}
# Families of `facts` that only some places have.
ONLY = {
    topic: CULTURE
    for topic in """guided tours,the length of the tour,the price of the tour,audio guides,the languages of the tour,an exhibition,
the collection,the {room},the founder,tours in other languages""".replace("\n", "").split(",")
}
UNPAID = {"office", "library", "hotel", "town hall", "station"}


def fits(topic, noun):
    if topic in PRICED | {"reduced tickets", "group tickets"} and noun in UNPAID:
        return False
    return topic not in ONLY or noun in ONLY[topic]


def families_of(noun):
    """Families with their weights: the old ones, and the services that fit the place."""
    out = [(family, weight) for family, weight in zip(FAMILIES, WEIGHTS) if fits(family[0], noun)]
    for kinds, family in services.FAMILIES:
        if kinds == ["*"]:
            if fits(family[0], noun):
                out.append((family, 2))
        elif noun in kinds:
            out.append((family, 8 if len(kinds) < 3 else 4))
    return out


def near(topic):
    if topic in services.GOODS + services.DISHES:
        return {"a shop", "a cafe", "a restaurant", "what the shop sells", "what the cafe serves"}
    if topic.startswith("rules for "):
        return {topic.removeprefix("rules for "), "dogs", "bicycles", "large bags", "phone calls", "the cloakroom", "lockers", "tickets"}
    return NEAR.get(topic, set()) | {other for other, topics in NEAR.items() if topic in topics}


def rubs(topic, topics):
    """A duty or a place of sale that a known fact may contradict, or the other way round."""
    loose = lambda one: one.startswith("rules for ") or one in services.GOODS or one in services.DISHES
    return any(loose(one) and other in near(one) for known in topics for one, other in ((topic, known), (known, topic)))


def clashes(topic, topics, free):
    if topic in topics or (topic == "tickets" and topics & PRICED - {"free entry"}):
        return True
    if "tickets" in topics and topic in PRICED - {"free entry"}:
        return True
    if {topic} | topics >= {"a cafe", "a restaurant"} or {topic} | topics >= {"photos", "photography"}:
        return True
    if {topic} | topics >= {"food", "drinks"}:
        return True
    who = "student tickets" if "student" in free else "child tickets" if free in ("children",) else ""
    return bool(who) and {topic} | topics >= {who, "free entry"}


def draw(rng, style, noun, values):
    """One fact, or the two or three facts of one sentence."""
    dice = rng.random()
    if dice < 0.12:
        return [object_fact(rng)]
    if dice < 0.18:
        return [number_fact(rng)]
    if dice < 0.25:
        return exhibits.several(rng, noun)
    if dice < 0.47:
        return [exhibits.single(rng, style)]
    families = families_of(noun)
    family = rng.choices([f for f, _ in families], [w for _, w in families])[0]
    fact = table_fact(family, values)
    if fact.topic == "free entry" and re.search("under|up to|bab|todd", values["free"]):
        fact.own = fact.own + AGES
    return [fact]


def values_of(rng, style):
    values = {key: fill(rng, text) for key, text in facts.fresh(rng, style).items()}
    age = rng.choice((1, 2, 3, 4, 5, 6, 7, 9, 10, 12))
    values["age"] = str(age) if rng.random() < 0.6 else WORDS[age - 1]
    values.update(services.values(rng, style, facts.where))
    return values


AGES = """My [son|daughter|boy|girl|grandson|niece] is {age}. Does [he|she] need a ticket?/Is it free for a {age} year old?/
Do I have to pay for a {age} year old [child|]?/My [son|daughter] is {age}. Is that free?/Is it free for my {age} year old [son|daughter]?/
Does a {age} year old [need a ticket|get in free]?/Do I need a ticket for my [kid|child|baby]? [He|She] is {age}./
Does my [little one|youngest] pay? [He|She] is {age}./Do small children get in free?/Until what age is it free?""".replace("\n", "").split("/")
WORDS = "one two three four five six seven eight nine ten eleven twelve".split()


def price_list(rng, noun, values):
    """The prices most places have: adults, children, and one or two more."""
    if noun in UNPAID:
        return []
    wanted = ["adult tickets", "child tickets"] + rng.sample(["student tickets", "senior tickets", "family tickets", "free entry"], rng.randint(0, 2))
    if rng.random() < 0.5 and "free entry" not in wanted:
        wanted.append("free entry")
    out, topics = [], set()
    for topic in wanted:
        fact = table_fact(next(family for family in FAMILIES if family[0] == topic), values)
        if topic == "free entry" and re.search("under|up to|bab|todd", values["free"]):
            fact.own = fact.own + AGES
        if not clashes(topic, topics, values["free"]):
            topics.add(topic)
            out.append(fact)
    if rng.random() < 0.4:
        rng.shuffle(out)
    return out


def choose(rng, style, n, noun="museum"):
    """Facts of n different topics or a little more, and the values for their texts."""
    values = values_of(rng, style)
    out = price_list(rng, noun, values) if rng.random() < 0.3 else []
    topics = {fact.topic for fact in out}
    while len(out) < n:
        found = draw(rng, style, noun, values)
        if any(clashes(fact.topic, topics, values["free"]) or rubs(fact.topic, topics) for fact in found):
            continue
        for fact in found:
            topics.add(fact.topic)
            out.append(fact)
    return out, topics, values


def missing(rng, style, topics, values, noun="museum"):
    """A fact that the prompt is silent about and that no known fact comes near."""
    while True:
        fact = pick(rng, draw(rng, style, noun if rng.random() < 0.7 else "museum", values))
        if fact.topic.startswith("rules for "):
            continue  # asked for in vain, it goes by its subject
        if fact.topic in ("what the shop sells", "what the cafe serves"):
            fact.asks = [text for text in fact.asks if "{" not in text]
        if fact.topic == "the " + values["room"]:
            fact.asks = [text for text in fact.asks if "{room}" in text]
        if not near(fact.topic) & topics and not rubs(fact.topic, topics) and not clashes(fact.topic, topics, ""):
            fact.topic = fact.topic.replace("museum", noun)
            return fact
