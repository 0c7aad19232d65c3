"""What several tickets cost together: small sums over the prices of a prompt."""

import re

import sums
from turn import Turn, ask, fill, has_all, pick

# Topic; one; many; other words for one and many.
WHO = [
    ("adult tickets", ["adult", "adult", "grown-up"], ["adults", "adults", "grown-ups"]),
    ("child tickets", ["child", "child", "kid"], ["children", "children", "kids"]),
    ("student tickets", ["student"], ["students"]),
    ("senior tickets", ["senior"], ["seniors"]),
    ("tickets", ["ticket"], ["tickets"]),
]
WHO = {topic: (one, many) for topic, one, many in WHO}
WORDS = ["no", "one", "two", "three", "four", "five"]
PARTY = """What do {w} pay?
How much do {w} pay?
How much is it for {w}?
How much for {w}?
What does it cost for {w}?
We are {w}. [What do we pay?|How much is that?|How much do we have to pay?|What does it cost?]
I need tickets for {w}. [How much is that?|What do I pay?]
price for {w}?
{w}, how much?
What is the price for {w}?
How much would {w} cost?
There are {w} of us. How much is that?
What will {w} pay [in total|together|]?
tickets for {w}, please. How much?
What do [tickets|we pay] for {w} cost?
[Please|Can you] work out the price for {w}.
How much money do I need for {w}?
We want to come with {w}. What is the total?
If we are {w}, what do we pay?
total for {w}""".replace(
    "What do [tickets|we pay] for {w} cost?", "What do tickets for {w} cost?"
).replace(
    "[Please|Can you] work out the price for {w}.", "Please work out the price for {w}."
).replace(
    "There are {w} of us. How much is that?", "It is for {w}. How much is that?"
).split(
    "\n"
)
PLAIN = """How much are {w}?
What do {w} cost?
I need {w}. [How much is that?|What do I pay?]
price of {w}?
{w}, how much?
How much do I pay for {w}?
We want to buy {w}. What do we pay?
{w}, please. How much is that?""".split(
    "\n"
)


def whole_price(text):
    """The number in a price; 0 where it has cents."""
    found = re.search(r"\d+(\.\d+)?", text)
    return 0 if found[1] else int(found[0])


def priced(place):
    """Facts of one person's price in whole units."""
    return [f for f in place.facts if f.topic in WHO and whole_price(f.need[0])]


def said(rng, n, topic):
    names = pick(rng, WHO[topic][0 if n == 1 else 1])
    return f"{n if rng.random() < 0.5 else WORDS[n]} {names}"


def money(style, n):
    text = style.money.format(n=n)
    return text[:-1] if n == 1 and text.startswith("1 ") and text.endswith("s") else text


def party_turn(rng, place):
    """Two to five people of one or two kinds; None where the prompt has no such prices."""
    able = priced(place)
    if not able:
        return None
    kinds = rng.sample(able, min(len(able), rng.choice((1, 2, 2))))
    counts = [rng.randint(2, 5) if len(kinds) == 1 else rng.randint(1, 4) for _ in kinds]
    costs = [whole_price(f.need[0]) for f in kinds]
    if max(costs) > 20:
        return None
    people = " and ".join(said(rng, n, f.topic) for n, f in zip(counts, kinds))
    asks = PLAIN if kinds[0].topic == "tickets" else PARTY
    if len(kinds) > 1 and rng.random() < 0.2:
        people = people.replace(" and ", pick(rng, (", ", " + ", " plus ", " with ")))
    user = ask(rng, asks, w=people)
    parts = [n * cost for n, cost in zip(counts, costs)]
    work = ", ".join(f"{n} x {cost} = {part}" for n, cost, part in zip(counts, costs, parts)) + "."
    total = sum(parts)
    if len(parts) > 1:
        a, b = parts
        final = f"{a} + {b} = {total}."
        if not sums.is_easy(a, "+", b):
            final = f"Ones first: {', '.join(sums.steps(a, '+', b))}, so {final}"
        work += " " + final
    amount = money(place.style, total)
    listing = ". ".join(dict.fromkeys(place.said[place.facts.index(f)] for f in kinds))
    thought = f"I need the prices. My facts say: {listing}."
    key = f"{place.name} {people} {amount}"
    return Turn(user, f"{work} That makes {amount}.", has_all(f"= {total}", amount), key, "kiosk", thought)
