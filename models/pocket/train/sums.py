"""Small arithmetic: plus, minus, times, and the same as word problems.

Numbers are worked place by place, left to right, because that keeps every written step small
enough for a model of this size to get right.
"""

from turn import Turn, ask, has_all, pick

ASK = {
    "+": ["What is {a} + {b}?", "What is {a} plus {b}?", "{a} + {b} = ?", "{a}+{b}", "Add {a} and {b}.",
          "Can you add {a} and {b}?", "How much is {a} plus {b}?", "Calculate {a} + {b}.", "Sum of {a} and {b}?"],
    "-": ["What is {a} - {b}?", "What is {a} minus {b}?", "{a} - {b} = ?", "{a}-{b}", "Subtract {b} from {a}.",
          "How much is {a} minus {b}?", "Calculate {a} - {b}.", "Take {b} away from {a}."],
    "x": ["What is {a} x {b}?", "What is {a} times {b}?", "{a} x {b} = ?", "{a} * {b}", "Multiply {a} by {b}.",
          "How much is {a} times {b}?", "Calculate {a} x {b}.", "What is {a} multiplied by {b}?"],
}
THINGS = ["apples", "books", "tickets", "chairs", "cups", "stamps", "coins", "pencils", "plates", "boxes", "bottles",
          "cards", "keys", "lamps", "maps", "shells", "stones", "eggs"]
NAMES = ["Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Lena", "Max", "Nora",
         "Oskar", "Paula", "Tom"]
WORDED = {
    "+": ["{n} has {a} {t} and gets {b} more. How many {t} does {n} have now?",
          "There are {a} {t} on the table and {b} in the box. How many {t} are there together?",
          "{n} buys {a} {t} today and {b} {t} tomorrow. How many is that?"],
    "-": ["{n} has {a} {t} and gives away {b}. How many are left?",
          "There were {a} {t}. {b} were sold. How many {t} are left?",
          "{n} had {a} {t} and lost {b} of them. How many {t} remain?"],
    "x": ["{n} has {a} boxes with {b} {t} each. How many {t} is that?",
          "There are {a} shelves and {b} {t} on each shelf. How many {t} are there?",
          "One box holds {b} {t}. How many {t} are in {a} boxes?"],
}


def places(number):
    """347 -> [300, 40, 7]; zeros left out."""
    digits = str(number)
    parts = [int(d) * 10 ** (len(digits) - 1 - i) for i, d in enumerate(digits)]
    return [part for part in parts if part]


def steps(a, op, b):
    """The written steps of a sum, one text per place of b."""
    at, out = a, []
    for part in places(b):
        after = at + part if op == "+" else at - part
        out.append(f"{at} {op} {part} = {after}")
        at = after
    return out


def is_easy(a, op, b):
    """No step is needed: one place only, or no digit carries or borrows."""
    if op == "x" or len(places(b)) < 2:
        return True
    pairs = list(zip(str(a)[::-1], str(b)[::-1]))
    if op == "+":
        return len(str(a)) < 3 and all(int(x) + int(y) < 10 for x, y in pairs)
    return len(str(a)) < 3 and all(int(x) >= int(y) for x, y in pairs)


def joined(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def numbers(rng, op):
    if op == "x":
        return rng.randint(1, 12), rng.randint(1, 12)
    dice = rng.random()
    top = 20 if dice < 0.25 else 99 if dice < 0.88 else 999
    a, b = rng.randint(1, top), rng.randint(1, top if rng.random() < 0.7 else min(top, 99))
    if op == "-" and b > a:
        a, b = b, a
    return a, b


def value(a, op, b):
    return a + b if op == "+" else a - b if op == "-" else a * b


def sum_turn(rng):
    op = pick(rng, "+-x") if rng.random() < 0.9 else "+"
    a, b = numbers(rng, op)
    result = value(a, op, b)
    if min(a, b) > 1 and rng.random() < 0.3:
        template = pick(rng, WORDED[op])
        thing = pick(rng, THINGS)
        user = template.format(n=pick(rng, NAMES), a=a, b=b, t=thing)
        tail = f"That makes {result} {thing}."
    else:
        user, tail = ask(rng, ASK[op], a=a, b=b), ""
    final = f"{a} {op} {b} = {result}."
    work = steps(a, op, b) if op != "x" else [f"{a} {op} {b} = {result}"]
    if is_easy(a, op, b):
        answer = final
    else:
        answer = f"{joined(work)}, so {final}"
    answer = f"{answer} {tail}" if tail else answer
    thought = f"I need {a} {op} {b}. Step by step: " + ", ".join(work) + "."
    key = f"{a}{op}{b}" if op != "x" else f"{user}"
    return Turn(user, answer, has_all(f"{result}"), key, "sum", thought, {"spoken": final})


def count_turn(rng):
    first = rng.randint(1, 20)
    last = first + rng.randint(3, 9)
    user = ask(rng, ["Count from {a} to {b}.", "Can you count from {a} to {b}?", "Please count from {a} up to {b}."],
               a=first, b=last)
    answer = ", ".join(str(n) for n in range(first, last + 1)) + "."
    return Turn(user, answer, has_all(answer), f"count {first} {last}", "count",
                f"I count from {first} and stop at {last}.")
