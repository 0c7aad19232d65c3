"""What a made-up place may say about itself, with fresh random values.

A fact knows how the prompt states it, how people ask for it and how the answer repeats it.
"""

from dataclasses import dataclass, field

from talk import invented
from turn import pick

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
THINGS = [
    "ship",
    "clock",
    "train",
    "coin",
    "glass",
    "stone",
    "map",
    "book",
    "toy",
    "music",
    "bird",
    "fish",
    "plant",
    "silver",
    "photo",
    "art",
    "bread",
    "tea",
    "bridge",
    "light",
    "history",
    "space",
    "water",
    "paper",
]
PEOPLE = [
    "Anna",
    "Ben",
    "Clara",
    "David",
    "Emma",
    "Felix",
    "Greta",
    "Hugo",
    "Ida",
    "Jonas",
    "Lena",
    "Max",
]


@dataclass
class Fact:
    says: list  # how the prompt states it
    asks: list  # questions
    answer: str
    need: list  # what the answer must hold
    topic: str  # what to call it when it is missing
    follow: list = field(default_factory=list)  # short follow-up questions after another fact


def clock_span(rng, style):
    opens, closes = rng.randint(7, 11), rng.randint(13, 21)
    if style == "24":
        half = pick(rng, ["00", "00", "30"])
        return f"{opens}:{half} to {closes}:00"
    return f"{opens} am to {closes - 12} pm"


def clock_time(rng, style):
    hour = rng.randint(9, 17)
    if style == "24":
        return f"{hour}:{pick(rng, ['00', '30', '15'])}"
    return f"{hour} am" if hour < 12 else "noon" if hour == 12 else f"{hour - 12} pm"


def opening(rng, style):
    """Returns prompt text and day -> hours ("" = closed)."""
    span, other = clock_span(rng, style), clock_span(rng, style)
    shape = rng.choices(range(8), (5, 5, 5, 4, 4, 2, 3, 2))[0]
    hours = dict.fromkeys(DAYS, span)
    if shape == 0:
        hours.update({"Saturday": other, "Sunday": other})
        text = f"Monday to Friday {span}, Saturday and Sunday {other}"
    elif shape == 1:
        closed = pick(rng, DAYS)
        hours[closed] = ""
        text = f"every day {span}, closed on {closed}"
    elif shape == 2:
        hours.update({"Saturday": other, "Sunday": ""})
        text = f"Monday to Friday {span}, Saturday {other}, closed on Sunday"
    elif shape == 3:
        hours["Monday"] = ""
        text = f"Tuesday to Sunday {span}, closed on Monday"
    elif shape == 4:
        hours.update({"Saturday": "", "Sunday": ""})
        text = f"Monday to Friday {span}, closed on Saturday and Sunday"
    elif shape == 6:
        hours.update({"Sunday": "", "Monday": ""})
        text = f"Tuesday to Saturday {span}, closed on Sunday and Monday"
    elif shape == 7:
        text = f"every day {span}"
    else:
        closed = pick(rng, DAYS)
        hours = {day: "" if day == closed else clock_span(rng, style) for day in DAYS}
        text = ", ".join(f"{day} {hours[day] or 'closed'}" for day in DAYS)
    return text, hours


def room_name(rng):
    return (
        f"{pick(rng, THINGS).capitalize()} Room" if rng.random() < 0.7 else f"{invented(rng)} Room"
    )


def price(rng):
    return rng.randint(2, 20)


def facts_of(rng, style):
    """All facts a place may have, with fresh random values; the caller chooses some."""
    adult, child, family = price(rng), rng.randint(2, 9), rng.randint(15, 40)
    cafe, cafe_floor = clock_span(rng, style), rng.randint(1, 4)
    tour, meet = clock_time(rng, style), pick(
        rng, ["the entrance", "the desk", "the stairs", "the shop", "the fountain"]
    )
    room, shows, room_floor = room_name(rng), pick(rng, THINGS), rng.randint(1, 5)
    wifi, password = invented(rng).lower(), f"{pick(rng, THINGS)}{rng.randint(10, 99)}"
    street = f"{invented(rng)} Street {rng.randint(1, 99)}"
    phone = f"{rng.randint(100, 999)} {rng.randint(1000, 9999)}"
    head = f"{pick(rng, PEOPLE)} {invented(rng)}"
    event, when = f"{pick(rng, THINGS)} evening", f"{pick(rng, DAYS)} at {clock_time(rng, style)}"
    toilet = pick(
        rng,
        [
            "next to the entrance",
            "in the basement",
            "on floor 1",
            "on floor 2",
            "behind the cafe",
            "beside the lift",
            "near the stairs",
            "next to the shop",
        ],
    )
    shop, locker, parking = (
        clock_span(rng, style),
        pick(rng, ["1 euro", "2 euros", "free"]),
        pick(
            rng,
            [
                "behind the building",
                "on the left",
                "across the street",
                "in the yard",
                "under the building",
            ],
        ),
    )
    bus = rng.randint(2, 90)
    dogs = pick(rng, ["are allowed", "are not allowed"])
    photos = pick(rng, ["allowed without flash", "not allowed", "allowed everywhere"])
    free = pick(rng, ["children under 6", "children under 12", "students", "members", "teachers"])
    facts = [
        Fact(
            [
                f"Adult ticket: {adult} euros.",
                f"Adults pay {adult} euros.",
                f"An adult ticket costs {adult} euros.",
                f"Entry for adults is {adult} euros.",
                f"Adults: {adult} euros.",
            ],
            [
                "How much is an adult ticket?",
                "What does a ticket for adults cost?",
                "How much do adults pay?",
                "What is the price for an adult?",
                "How much is a ticket?",
            ],
            f"An adult ticket costs {adult} euros.",
            [f"{adult} euros"],
            "adult tickets",
            ["And for adults?"],
        ),
        Fact(
            [
                f"Child ticket: {child} euros.",
                f"Children pay {child} euros.",
                f"A child ticket costs {child} euros.",
                f"Entry for children is {child} euros.",
                f"Children: {child} euros.",
            ],
            [
                "How much is a child ticket?",
                "What does a ticket for children cost?",
                "How much do children pay?",
                "What is the price for a child?",
                "How much for my daughter?",
            ],
            f"A child ticket costs {child} euros.",
            [f"{child} euros"],
            "child tickets",
            ["And for children?", "And children?", "What about kids?"],
        ),
        Fact(
            [
                f"Family ticket: {family} euros.",
                f"A family ticket costs {family} euros.",
                f"Families pay {family} euros.",
            ],
            [
                "How much is a family ticket?",
                "Is there a family ticket?",
                "What does a family pay?",
            ],
            f"A family ticket costs {family} euros.",
            [f"{family} euros"],
            "family tickets",
            ["And for families?"],
        ),
        Fact(
            [f"Free entry for {free}.", f"Entry is free for {free}.", f"Free for {free}."],
            ["Who gets in for free?", "Is there free entry?", "Who does not have to pay?"],
            f"Entry is free for {free}.",
            [free],
            "free entry",
        ),
        Fact(
            [
                f"Cafe: floor {cafe_floor}, {cafe}.",
                f"The cafe is on floor {cafe_floor} and open from {cafe}.",
                f"There is a cafe on floor {cafe_floor}, open {cafe}.",
            ],
            [
                "Is there a cafe?",
                "Where is the cafe?",
                "When is the cafe open?",
                "Where can I get a coffee?",
                "Where can I eat something?",
            ],
            f"The cafe is on floor {cafe_floor} and open from {cafe}.",
            [f"floor {cafe_floor}", cafe],
            "a cafe",
            ["And the cafe?"],
        ),
        Fact(
            [
                f"Guided tour: {tour}, at {meet}.",
                f"The guided tour starts at {tour} at {meet}.",
                f"A guided tour begins at {tour} at {meet}.",
            ],
            [
                "When is the guided tour?",
                "Is there a tour?",
                "Where does the tour start?",
                "When does the tour start?",
            ],
            f"The guided tour starts at {tour} at {meet}.",
            [tour, meet],
            "guided tours",
            ["And the tour?"],
        ),
        Fact(
            [
                f"{room}: {shows} collection, floor {room_floor}.",
                f"The {room} on floor {room_floor} shows the {shows} collection.",
                f"The {shows} collection is in the {room} on floor {room_floor}.",
            ],
            [
                f"Where is the {room}?",
                f"What is in the {room}?",
                f"Where can I see the {shows} collection?",
                f"How do I find the {room}?",
                f"Which floor is the {room} on?",
            ],
            f"The {room} is on floor {room_floor} and shows the {shows} collection.",
            [room, f"floor {room_floor}", shows],
            f"the {room}",
        ),
        Fact(
            [
                f"WiFi: {wifi}, password {password}.",
                f"The WiFi is called {wifi} and the password is {password}.",
                f"WiFi name {wifi}, WiFi password {password}.",
            ],
            [
                "What is the WiFi password?",
                "Is there WiFi?",
                "How do I use the WiFi?",
                "Do you have WiFi?",
            ],
            f"The WiFi is called {wifi} and the password is {password}.",
            [wifi, password],
            "WiFi",
        ),
        Fact(
            [f"Address: {street}.", f"The address is {street}.", f"We are at {street}."],
            [
                "What is the address?",
                "Where are you?",
                "Where is this place?",
                "What is your address?",
            ],
            f"The address is {street}.",
            [street],
            "the address",
            ["And the address?"],
        ),
        Fact(
            [f"Phone: {phone}.", f"The phone number is {phone}.", f"Call us at {phone}."],
            ["What is the phone number?", "How can I call you?", "What is your number?"],
            f"The phone number is {phone}.",
            [phone],
            "a phone number",
            ["And the phone number?"],
        ),
        Fact(
            [f"Director: {head}.", f"The director is {head}.", f"{head} is the director."],
            [
                "Who is the director?",
                "Who runs this place?",
                "What is the name of the director?",
                "Who is in charge?",
            ],
            f"The director is {head}.",
            [head],
            "the director",
        ),
        Fact(
            [
                f"Next event: {event}, {when}.",
                f"The next event is the {event} on {when}.",
                f"The {event} takes place on {when}.",
            ],
            [
                "What is the next event?",
                "Are there any events?",
                "When is the next event?",
                "What is on this week?",
            ],
            f"The next event is the {event} on {when}.",
            [event, when],
            "events",
        ),
        Fact(
            [f"Toilets: {toilet}.", f"The toilets are {toilet}."],
            [
                "Where are the toilets?",
                "Where is the toilet?",
                "Where is the bathroom?",
                "Is there a toilet?",
            ],
            f"The toilets are {toilet}.",
            [toilet],
            "toilets",
            ["And the toilets?"],
        ),
        Fact(
            [f"Shop: {shop}.", f"The shop is open from {shop}.", f"There is a shop, open {shop}."],
            ["When is the shop open?", "Is there a shop?", "Where can I buy a gift?"],
            f"The shop is open from {shop}.",
            [shop],
            "a shop",
            ["And the shop?"],
        ),
        Fact(
            [f"Lockers: {locker}.", f"A locker is {locker}."],
            ["Are there lockers?", "How much is a locker?", "Where can I leave my bag?"],
            f"Yes, there are lockers. A locker is {locker}.",
            [locker],
            "lockers",
        ),
        Fact(
            [f"Parking: {parking}.", f"You can park {parking}."],
            ["Where can I park?", "Is there parking?", "Where can I leave my car?"],
            f"You can park {parking}.",
            [parking],
            "parking",
            ["And parking?"],
        ),
        Fact(
            [f"Bus: line {bus}.", f"Bus line {bus} stops here."],
            ["Which bus stops here?", "How do I get here by bus?", "Is there a bus?"],
            f"Bus line {bus} stops here.",
            [f"line {bus}"],
            "a bus",
        ),
        Fact(
            [f"Dogs {dogs}.", f"Dogs {dogs} here."],
            ["Can I bring my dog?", "Are dogs allowed?", "May I come in with a dog?"],
            f"Dogs {dogs}.",
            [f"dogs {dogs}"],
            "dogs",
        ),
        Fact(
            [f"Photos: {photos}.", f"Photos are {photos}."],
            ["Can I take photos?", "Are photos allowed?", "May I take pictures?"],
            f"Photos are {photos}.",
            [photos],
            "photos",
        ),
    ]
    money = rng.choices(["euro", "dollar", "pound"], [6, 3, 1])[0]
    for fact in facts:
        fact.says, fact.need = (
            [text.replace("euro", money) for text in texts] for texts in (fact.says, fact.need)
        )
        fact.answer = fact.answer.replace("euro", money)
    return facts
