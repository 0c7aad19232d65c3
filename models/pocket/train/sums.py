"""Small arithmetic: plus, minus, times, and the same as word problems.

Sums are worked digit by digit, ones first, because every written step is then a fact that a model of
this size can know.
"""

from turn import Turn, ask, has_all, pick

ASK = {
    "+": [
        "What is {a} + {b}?",
        "What is {a} plus {b}?",
        "{a} + {b} = ?",
        "{a}+{b}",
        "Add {a} and {b}.",
        "Can you add {a} and {b}?",
        "How much is {a} plus {b}?",
        "Calculate {a} + {b}.",
        "Sum of {a} and {b}?",
    ],
    "-": [
        "What is {a} - {b}?",
        "What is {a} minus {b}?",
        "{a} - {b} = ?",
        "{a}-{b}",
        "Subtract {b} from {a}.",
        "How much is {a} minus {b}?",
        "Calculate {a} - {b}.",
        "Take {b} away from {a}.",
    ],
    "x": [
        "What is {a} x {b}?",
        "What is {a} times {b}?",
        "{a} x {b} = ?",
        "{a} * {b}",
        "Multiply {a} by {b}.",
        "How much is {a} times {b}?",
        "Calculate {a} x {b}.",
        "What is {a} multiplied by {b}?",
    ],
}
THINGS = [
    "apples",
    "books",
    "tickets",
    "chairs",
    "cups",
    "stamps",
    "coins",
    "pencils",
    "plates",
    "boxes",
    "bottles",
    "cards",
    "keys",
    "lamps",
    "maps",
    "shells",
    "stones",
    "eggs",
]
NAMES = [
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
    "Nora",
    "Oskar",
    "Paula",
    "Tom",
]
WORDED = {
    "+": [
        "{n} has {a} {t} and gets {b} more. How many {t} does {n} have now?",
        "There are {a} {t} on the table and {b} in the box. How many {t} are there together?",
        "{n} buys {a} {t} today and {b} {t} tomorrow. How many is that?",
    ],
    "-": [
        "{n} has {a} {t} and gives away {b}. How many are left?",
        "There were {a} {t}. {b} were sold. How many {t} are left?",
        "{n} had {a} {t} and lost {b} of them. How many {t} remain?",
    ],
    "x": [
        "{n} has {a} boxes with {b} {t} each. How many {t} is that?",
        "There are {a} shelves and {b} {t} on each shelf. How many {t} are there?",
        "One box holds {b} {t}. How many {t} are in {a} boxes?",
    ],
}


def steps(a, op, b):
    """The written column sums, ones first; only one-digit facts, a carry or a borrow as `1`."""
    if op == "x":
        return [f"{a} x {b} = {a * b}"]
    upper, lower = str(a)[::-1], str(b)[::-1]
    out, carry = [], 0
    for at in range(max(len(upper), len(lower))):
        top = int(upper[at]) if at < len(upper) else 0
        parts = [top] + ([int(lower[at])] if at < len(lower) else []) + ([1] if carry else [])
        if op == "+":
            result = sum(parts)
            carry = result >= 10
        else:
            borrow = top < sum(parts[1:])
            parts[0] = top + 10 if borrow else top
            result = parts[0] - sum(parts[1:])
            carry = borrow
        out.append(f"{op.join(map(str, parts))}={result}" if len(parts) > 1 else str(result))
    return out


def is_easy(a, op, b):
    """One fact to know: a product, or no more than one digit on either side."""
    return op == "x" or (b < 10 and a < (10 if op == "+" else 20))


def numbers(rng, op):
    if op == "x":
        return rng.randint(1, 12), rng.randint(1, 12)
    dice = rng.random()
    top = 9 if dice < 0.2 else 20 if dice < 0.4 else 99 if dice < 0.85 else 999
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
    work = ", ".join(steps(a, op, b))
    answer = final if is_easy(a, op, b) else f"Ones first: {work}, so {final}"
    thought = f"I need {a} {op} {b}. Ones first: {work}." if op != "x" else f"I need {work}."
    short = f"{final} {tail}" if tail else final
    answer = f"{answer} {tail}" if tail else answer
    key = user if is_easy(a, op, b) else f"{a}{op}{b}"  # a fact must have been seen, a sum need not
    return Turn(user, answer, has_all(f"= {result}"), key, "sum", thought, short)


def count_turn(rng):
    first = rng.randint(1, 20)
    last = first + rng.randint(2, 8)
    user = ask(
        rng,
        [
            "Count from {a} to {b}.",
            "Can you count from {a} to {b}?",
            "Please count from {a} up to {b}.",
        ],
        a=first,
        b=last,
    )
    answer = ", ".join(str(n) for n in range(first, last + 1)) + "."
    return Turn(
        user,
        answer,
        has_all(answer),
        f"count {first} {last}",
        "count",
        f"I count from {first} and stop at {last}.",
    )
