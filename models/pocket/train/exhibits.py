"""Facts whose subject is drawn as well: shows, hire, rules, people, and exhibits with several facts in a sentence."""

import services
from facts import Fact, object_fact, object_name, where
from names import invented, person
from turn import DAYS, article, capital, fill, pick


def show_fact(rng, style):
    """Something that takes place at a time: on a day or daily, once or twice, perhaps somewhere."""
    show = pick(rng, services.SHOWS).replace("{z}", pick(rng, services.ANIMALS))
    day, at = pick(rng, DAYS), where(rng) if rng.random() < 0.5 else ""
    first, second = style.two_times(rng)
    first = first if rng.random() < 0.5 else style.time(rng)
    when = pick(rng, [f"every day at {first}", f"every {day} at {first}", f"every {day} at {first}", "two"])
    twice = when == "two"
    if twice:
        first, second = style.two_times(rng)
        when = f"every day at {first} and {second}"
    need = [first] + ([second] if twice else []) + ([day] if day in when else []) + ([at] if at else [])
    short = when.replace("every day", "daily").replace("every ", "")
    gap = " " + at if at else ""
    says = [
        f"The {show} is {when}{gap}",
        f"{capital(show)}: {short}{gap}",
        f"{capital(show)} {short}{gap}",
        f"The {show} takes place {when}{gap}",
        f"The {show} starts {when}{gap}",
    ]
    if day in when:
        says.append(f"On {day}s at {first} there is the {show}{gap}")
    asks = f"""When is the {show}?/What time is the {show}?/When does the {show} [start|begin|take place]?/At what time is the {show}?/Is there {article(show)}?/On which day is the {show}?/{show}?/I would like to see the {show}. When is it?/Do you have {article(show)}?/Tell me about the {show}./Is the {show} at {rng.randint(1, 12)}?/When can we see the {show}?/We do not want to miss the {show}. When does it start?"""
    asks = asks.split("/")
    if at:
        asks += [f"Where is the {show}?", f"Where does the {show} take place?", f"In which place is the {show}?"]
    follow = [f"And the {show}?", f"What about the {show}?", f"And when is the {show}?"]
    return Fact(says, asks, [], f"The {show} is {when}{gap}.", need, f"the {show}", follow)


def hire_fact(rng, style):
    item = pick(rng, services.HIRE)
    if rng.random() < 0.12:
        item = f"{pick(rng, ('adult', 'child', 'family', 'student', 'senior'))} {pick(rng, ('session', 'lesson', 'ride', 'day pass', 'skate', 'round', 'course'))}"
    if rng.random() < 0.15:
        item = f"{invented(rng)} {pick(rng, ('ticket', 'card', 'pass'))}"
    price = style.price(rng, 1, 60) + pick(rng, ["", "", "", " an hour", " a day", " per hour", " each", " per person", " per page"])
    one = article(item)
    says = f"{capital(item)}: {price}/{capital(one)} costs {price}/You can get {one} for {price}/The price for {one} is {price}/{capital(one)} is {price}/We offer {one} for {price}"
    asks = f"How much is {one}?/What does {one} cost?/How much [does {one} cost|do I pay for {one}|for {one}]?/What is the price of {one}?/Can I get {one}?/I need {one}. How much is it?/I forgot to ask: how much is {one}?/price of {one}?/What do I have to pay for {one}?/I would like {one}. What does that cost?/Do you have {one} for me?/what's the price for {one}"
    if " " not in item:
        asks += f"/Can I [rent|hire|borrow] {one}?"
    follow = [f"And {one}?", f"What about {one}?", f"And how much is {one}?"]
    return Fact(says.split("/"), asks.split("/"), [], f"{capital(one)} costs {price}.", [price], one, follow)


def rule_fact(rng):
    subject, verb, asks = pick(rng, services.RULES)
    state = pick(rng, services.STATES).format(at=where(rng), d=pick(rng, DAYS))
    says = [f"{subject} {verb} {state}", f"{subject} {verb} {state}", f"{subject}: {state}", f"{subject} {verb} {state} here"]
    if " " in state and not state.startswith("not"):
        says.pop()
    lower = subject[0].lower() + subject[1:]
    if state in ("not allowed", "forbidden", "not permitted"):
        says += [f"No {lower}", f"Please, no {lower}", f"No {lower} allowed"]
    elif state.startswith(("not allowed ", "forbidden ")):
        says += [f"No {lower} {state.removeprefix('not allowed ').removeprefix('forbidden ')}"] * 2
    asks = asks + [f"What about {lower}?", f"{lower}?"]
    return Fact(says, asks, [], f"{subject} {verb} {state}.", [state], lower, [f"And {lower}?", f"What about {lower}?"])


def duty_fact(rng):
    said, asks = pick(rng, services.DUTIES)
    subject = said.split(" must ")[0]
    lower = subject[0].lower() + subject[1:]
    says = [said, said, f"{subject}: {said[len(subject) + 1 :]}", f"Please note: {said[0].lower() + said[1:]}", f"All {lower} must {said.split(' must ')[1]}"]
    if " " in subject:
        says.pop()
    return Fact(says, asks, [], f"{said}.", [said], f"rules for {lower}", [f"And {lower}?"])


def carried_fact(rng, style):
    """What it costs to take a thing along."""
    many, one, short = pick(rng, services.CARRIED)
    if rng.random() < 0.5:
        says = f"{capital(many)} travel free/{capital(many)} go free/{capital(many)}: free/{capital(many)} are free/You can take {many} for free/There is no charge for {many}"
        answer, need = f"{capital(many)} are free.", "free"
    else:
        need = style.price(rng, 1, 40)
        says = f"{capital(many)} cost {need}/{capital(many)}: {need}/{capital(one)} costs {need}/The price for {one} is {need}/{capital(many)} go for {need}"
        answer = f"{capital(many)} cost {need}."
    asks = f"Do I pay [extra |]for my {short}?/What does my {short} cost?/How much is it for {one}?/Does my {short} [cost extra|go free]?/I have {one} with me. What do I pay?/Do {many} cost extra?/How much [are|do you take for] {many}?/Is my {short} free?/I want to bring my {short}. How much is it?/What about {many}?"
    return Fact(says.split("/"), asks.split("/"), [], answer, [need], many, [f"And {many}?", f"And my {short}?"])


def sold_fact(rng):
    """Where something is sold."""
    what, at = pick(rng, services.GOODS + services.DISHES), where(rng)
    says = f"{capital(what)} is sold {at}/You can buy {what} {at}/You get {what} {at}/{capital(what)}: {at}/We sell {what} {at}"
    says = says.replace(" is sold", " are sold") if what.endswith("s") else says
    asks = f"Where can I [buy|get|find] {what}?/Do you sell {what}?/Is there {what} [here|]?/I would like {what}. Where do I go?/Where do you sell {what}?/Can I [get|buy] {what} [here|]?/I need {what}./Who sells {what}?/Where do we get {what}?"
    if what.endswith("s"):
        asks = asks.replace("Is there", "Are there")
    return Fact(says.split("/"), asks.split("/"), [], f"You can buy {what} {at}.", [what, at], what, [f"And {what}?", f"And where is {what}?".replace("is " + what, "can I get " + what)])


def role_fact(rng):
    role, name = pick(rng, services.ROLES), person(rng)
    says = f"The {role} is {name}/{name} is the {role}/{capital(role)}: {name}/Our {role} is {name}/Our {role}, {name}, is happy to help/Your {role} is {name}"
    asks = f"Who is the {role}?/What is the name of the {role}?/What is the {role} called?/Do you know the name of the {role}?/Who works here as {role}?/I am looking for the {role}. Who is it?/Which person is the {role}?/I want to talk to the {role}. Who is that?"
    return Fact(says.split("/"), asks.split("/"), [], f"The {role} is {name}.", [name], f"the {role}", [f"And the {role}?", f"And who is the {role}?"])


def seat_fact(rng):
    """Where a person is found."""
    name = person(rng)
    at = fill(rng, f"in room [{rng.randint(1, 9)}.{rng.randint(1, 40):02}|{rng.randint(100, 799)}|{rng.randint(1, 60)}]") if rng.random() < 0.6 else where(rng)
    team = fill(rng, "[||| from [sales|accounting|the archive|marketing|personnel|the workshop|support|planning]]")
    says = f"{name}{team} sits {at}/{name}{team} works {at}/The office of {name} is {at}/{name}{team}: {at}/You find {name}{team} {at}"
    asks = f"Where is {name}?/Where do I find {name}?/I have [an appointment|a meeting] with {name}. Where [is it|do I go]?/Where does {name} sit?/Where is the office of {name}?/I want to see {name}./I am here to see {name}. Which room?/How do I get to {name}?/Which room is {name} in?/Where can I meet {name}?/I have a parcel for {name}. Where do I bring it?"
    return Fact(says.split("/"), asks.split("/"), [], f"You find {name} {at}.", [name, at], name, [f"And {name}?", f"And where is {name}?"])


def room_fact(rng):
    kind = pick(rng, ["Meeting room", "Conference room", "Seminar room", "Room", "Hall", "Studio", "Gate", "Lab"])
    name = f"{kind} {pick(rng, (invented(rng), invented(rng), invented(rng), str(rng.randint(1, 40)), pick(rng, 'ABCDEFG')))}"
    at = where(rng)
    while "room" in at or "hall" in at:
        at = where(rng)
    low = name[0].lower() + name[1:]
    says = f"{name} is {at}/{name}: {at}/You find {low} {at}/{name} {at}"
    asks = f"Where is {low}?/Where do I find {low}?/How do I get to {low}?/I am looking for {low}./I have a meeting in {low}. Where is it?/Which way to {low}?/We need to go to {low}./{low}?"
    return Fact(says.split("/"), asks.split("/"), [], f"{name} is {at}.", [at], low, [f"And {low}?", f"And where is {low}?"])


def equipment_fact(rng):
    fact = object_fact(rng, pick(rng, services.EQUIPMENT))
    name = fact.topic[4:]
    fact.asks += [f"Is there {article(name)} here?", f"Do you have {article(name)}?", f"I need {article(name)}.", f"{name}?", f"Which way is the {name}?", f"Can you show me the way to the {name}?"]
    fact.says += [f"There is {article(name)} {fact.need[1]}", f"The {name}: {fact.need[1]}"]
    return fact


def story_of(rng, noun):
    """Where a thing is, when and by whom it was made: one sentence, two or three facts."""
    of_place = noun and rng.random() < 0.4
    thing = noun if of_place else object_name(rng)
    if not of_place and rng.random() < 0.2:
        thing = f"{pick(rng, ('oldest', 'largest', 'smallest', 'heaviest', 'newest', 'finest'))} {thing.split()[-1]}"
    verb = pick(rng, ["built", "opened", "restored"] if of_place else ["made", "painted", "built", "designed", "carved", "found"])
    year, maker, at = str(rng.randint(1050, 2020)), person(rng), "" if of_place else where(rng)
    if of_place:
        said = fill(rng, f"[The {thing} was {verb} in {year} by {maker}|{verb} in {year} by {maker}|{maker} {verb} the {thing} in {year}|The {thing}, {verb} {year} by {maker}|The {thing} was {verb} by {maker} in {year}]")
    else:
        said = fill(
            rng,
            f"[The {thing}, {verb} in {year} by {maker}, is {at}|The {thing} ({maker}, {year}) is {at}|{capital(thing)} ({year}, {verb} by {maker}): {at}"
            f"|The {thing} {at} was {verb} in {year} by {maker}|{maker} {verb} the {thing} in {year}; it is {at}]",
        )
        verb = verb if "(" not in said or verb in said else "made"
    said = capital(said)
    whom = f"Who {verb} the {thing}?/By whom was the {thing} {verb}?/Who was the {thing} {verb} by?/What is the name of the person who {verb} the {thing}?"
    when = f"When was the {thing} {verb}?/In [what|which] year was the {thing} {verb}?/What year was the {thing} {verb}[| in]?/How old is the {thing}?/From which year is the {thing}?"
    out = [
        Fact([said], whom.split("/"), [], f"The {thing} was {verb} by {maker}.", [maker], f"who {verb} the {thing}", [f"Who {verb} it?", f"And who {verb} the {thing}?"]),
        Fact([said], when.split("/"), [], f"The {thing} was {verb} in {year}.", [year], f"the age of the {thing}", [f"When was it {verb}?", f"And when was the {thing} {verb}?"]),
    ]
    if at:
        fact = object_fact(rng, thing)
        fact.says, fact.answer, fact.need = [said], f"The {thing} is {at}.", [thing, at]
        out.append(fact)
    return out


def height_facts(rng, noun):
    """Two measures of one thing in a sentence."""
    thing = noun or pick(rng, ["tower", "building", "hall", "bridge", "ship"])
    high, many = rng.randint(5, 300), rng.randint(3, 900)
    unit, part = pick(rng, ["metres", "meters", "feet"]), pick(rng, ["steps", "windows", "rooms", "seats", "doors", "floors", "benches", "lamps"])
    said = fill(rng, f"[The {thing} is {high} {unit} high and has {many} {part}|Height of the {thing}: {high} {unit}, {part}: {many}|With {many} {part} the {thing} is {high} {unit} high|The {thing} has {many} {part} and is {high} {unit} high|It is {high} {unit} high and has {many} {part}]")
    return [
        Fact([said], [f"How [high|tall] is the {thing}?", f"What is the height of the {thing}?", "How high is it?"], [], f"The {thing} is {high} {unit} high.", [f"{high} {unit}"], f"the height of the {thing}", ["How high is it?"]),
        Fact([said], [f"How many {part} does the {thing} have?", f"How many {part} are there[| in the {thing}]?", f"What is the number of {part}?", f"how many {part}"], [], f"The {thing} has {many} {part}.", [f"{many} {part}"], part, [f"And how many {part}?"]),
    ]


def loan_facts(rng, noun):
    """Two things that go for two times or prices."""
    first, second = rng.sample(["books", "films", "games", "magazines", "records", "maps", "laptops", "toys", "audiobooks", "tablets"], 2)
    n, m = rng.sample(["one week", "two weeks", "three weeks", "five weeks", "six weeks", "ten days", "two months", "three days"], 2)
    said = fill(rng, f"[You can borrow {first} for {n} and {second} for {m}|Loan: {first} {n}, {second} {m}|We lend {first} for {n}, {second} for {m}|{capital(first)} can be kept for {n}, {second} for {m}]")
    out = []
    for thing, time in ((first, n), (second, m)):
        asks = f"How long can I [keep|borrow|have] {thing}?/For how long may I [keep|take] {thing}?/How long do you lend {thing}?/How long can I keep one of the {thing}?/What is the loan time for {thing}?/When do I have to bring {thing} back?"
        out.append(Fact([said], asks.split("/"), [], f"You can keep {thing} for {time}.", [thing, time], f"loans of {thing}", [f"And {thing}?", f"What about {thing}?"]))
    return out


SINGLE = [
    (show_fact, 20),
    (hire_fact, 20),
    (lambda rng, style: rule_fact(rng), 16),
    (lambda rng, style: duty_fact(rng), 5),
    (carried_fact, 6),
    (lambda rng, style: sold_fact(rng), 10),
    (lambda rng, style: role_fact(rng), 8),
    (lambda rng, style: seat_fact(rng), 8),
    (lambda rng, style: room_fact(rng), 6),
    (lambda rng, style: equipment_fact(rng), 20),
]


def single(rng, style):
    return rng.choices([f for f, _ in SINGLE], [w for _, w in SINGLE])[0](rng, style)


def several(rng, noun):
    if noun == "library" and rng.random() < 0.5:
        return loan_facts(rng, noun)
    return height_facts(rng, noun) if rng.random() < 0.25 else story_of(rng, noun)
