"""Small arithmetic: plus, minus, times, and the same as word problems.

Sums are worked digit by digit, ones first, because every written step is then a fact that a model of
this size can know.
"""

from turn import Turn, ask, fill, has_all, pick

ASK = {
    "+": [
        "[What is|How much is|What does] {a} [+|plus] {b}?",
        "What is {a} + {b}?",
        "What is {a} plus {b}?",
        "{a} + {b} = ?",
        "{a}+{b}[|=|=?| =|?]",
        "{a} + {b}[|=| =|?]",
        "{a} plus {b}[|?]",
        "[Add|Please add|Sum] {a} and {b}.",
        "Can you [add|sum up|work out] {a} and {b}?",
        "[Calculate|Compute|Work out|Solve|What about] {a} [+|plus] {b}[| for me].",
        "Can you [calculate|work out|tell me|add] {a} [+|plus] {b}[| for me]?",
        "[What is the sum|Sum|The sum] of {a} and {b}?",
        "What do [I|you|we] get when [I|you|we] add {a} and {b}?",
        "How much do {a} and {b} make?",
        "What does {a} plus {b} make?",
        "What is {b} more than {a}?",
        "I need {a} + {b}.",
        "Add {b} to {a}.",
    ],
    "-": [
        "[What is|How much is] {a} [-|minus] {b}?",
        "What is {a} - {b}?",
        "What is {a} minus {b}?",
        "{a} - {b} = ?",
        "{a}-{b}[|=|=?| =|?]",
        "{a} - {b}[|=| =|?]",
        "{a} minus {b}[|?]",
        "[Subtract|Please subtract|Take] {b} from {a}.",
        "[Calculate|Compute|Work out|Solve] {a} [-|minus] {b}[| for me].",
        "Can you [calculate|work out|tell me] {a} [-|minus] {b}[| for me]?",
        "Take {b} away from {a}.",
        "What is {a} take away {b}?",
        "What is the difference between {a} and {b}?",
        "What is {b} less than {a}?",
        "What is left when I take {b} from {a}?",
        "How much is left if I subtract {b} from {a}?",
        "I need {a} - {b}.",
    ],
    "x": [
        "[What is|How much is] {a} [x|times|*] {b}?",
        "What is {a} x {b}?",
        "What is {a} times {b}?",
        "{a} x {b} = ?",
        "{a}[*|x]{b}[|=|=?| =|?]",
        "{a} [*|x] {b}[|=| =|?]",
        "{a} times {b}[|?]",
        "[Multiply|Please multiply] {a} [by|and|with] {b}.",
        "[Calculate|Compute|Work out|Solve] {a} [x|*|times] {b}[| for me].",
        "Can you [calculate|work out|tell me] {a} [x|times|*] {b}[| for me]?",
        "What is {a} multiplied by {b}?",
        "What is the product of {a} and {b}?",
        "What do [I|you|we] get when [I|you|we] multiply {a} [and|by] {b}?",
        "I need {a} x {b}.",
    ],
    "/": [
        "[What is|How much is] {a} [/|divided by] {b}?",
        "{a} [/|divided by|:] {b}[|=| =|?]",
        "Divide {a} by {b}.",
        "[Calculate|Compute|Work out] {a} [/|divided by] {b}.",
        "How many times does {b} go into {a}?",
        "Can you divide {a} by {b}?",
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
        "{n} has {a} {t} and [gets|buys|finds|receives] {b} more. How many {t} does {n} have [now|in total|altogether|]?",
        "There are {a} {t} on the table and {b} in the box. How many {t} are there [together|in total|altogether]?",
        "{n} buys {a} {t} today and {b} {t} tomorrow. How many is that?",
        "I have {a} {t} and [get|buy|find] {b} more. How many [{t} |]do I have [now|]?",
        "I have {a} {t} and you give me {b}. How many do I have now?",
        "{n} has {a} {t}. {m} has {b} {t}. How many do they have together?",
        "If I have {a} {t} and buy {b} more, how many {t} do I have?",
        "In the morning {a} {t} were sold, in the afternoon {b}. How many {t} is that?",
    ],
    "-": [
        "{n} has {a} {t} and [gives away|loses|sells|uses] {b}. How many [{t} |]are left?",
        "There were {a} {t}. {b} were [sold|taken|lost]. How many {t} are left?",
        "{n} had {a} {t} and lost {b} of them. How many {t} remain?",
        "I had {a} {t} and [gave away|lost|used|sold] {b}. How many [{t} |]do I have [left|now]?",
        "If I have {a} {t} and give {b} to {n}, how many do I have left?",
        "{n} has {a} euros and spends {b}. How many euros are left?",
        "I have {a} euros and pay {b}. How much is left?",
        "There are {a} {t} in the box. {n} takes {b}. How many are left?",
    ],
    "x": [
        "{n} has {a} boxes with {b} {t} each. How many {t} is that?",
        "There are {a} shelves and {b} {t} on each shelf. How many {t} are there?",
        "One box holds {b} {t}. How many {t} are in {a} boxes?",
        "A ticket costs {b} euros. [What do {a} tickets cost|How much are {a} tickets|How much do {a} tickets cost]?",
        "I buy {a} tickets for {b} euros each. [How much do I pay|What do I pay|How much is that]?",
        "If there are {a} bags with {b} {t} in each, how many {t} are there?",
        "{a} children have {b} {t} each. How many {t} is that [in total|]?",
        "Each box has {b} {t}. I have {a} boxes. How many {t} do I have?",
    ],
    "/": [
        "{n} shares {a} {t} among {b} children. How many does each child get?",
        "{a} {t} are put into {b} boxes. How many are in each box?",
    ],
}


def steps(a, op, b):
    """The written column sums, ones first; only one-digit facts, a carry or a borrow as `1`."""
    if op in "x/":
        return [f"{a} {op} {b} = {value(a, op, b)}"]
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
    """One fact to know: a product, or no more than 20 on either side."""
    return op in "x/" or max(a, b) <= 20


def numbers(rng, op):
    if op == "x":
        return rng.randint(0 if rng.random() < 0.1 else 2, 12), rng.randint(2, 12)
    if op == "/":
        b = rng.randint(2, 12)
        return b * rng.randint(2, 12), b
    dice = rng.random()
    if dice < 0.3:  # the facts the columns are made of
        b = rng.randint(0, 9)
        return (rng.randint(0, 9) if op == "+" else rng.randint(b, 18)), b
    top = 20 if dice < 0.45 else 99 if dice < 0.9 else 999
    a, b = rng.randint(1, top), rng.randint(1, top if rng.random() < 0.7 else min(top, 99))
    if op == "-" and b > a:
        a, b = b, a
    return a, b


def singular(things):
    return "box" if things == "boxes" else things[:-1]


def value(a, op, b):
    return a + b if op == "+" else a - b if op == "-" else a * b if op == "x" else a // b


def sum_turn(rng):
    op = rng.choices("+-x/", (36, 30, 28, 6))[0]
    a, b = numbers(rng, op)
    result = value(a, op, b)
    if min(a, b) > 1 and rng.random() < 0.3:
        template = pick(rng, WORDED[op])
        thing = pick(rng, THINGS)
        name, friend = rng.sample(NAMES, 2)
        user = fill(rng, template).format(n=name, m=friend, a=a, b=b, t=thing)
        if "euros" in user:
            thing = "euros"
        tail = f"That makes {result} {thing if result != 1 else singular(thing)}."
    else:
        user, tail = ask(rng, ASK[op], a=a, b=b), ""
    final = f"{a} {op} {b} = {result}."
    work = ", ".join(steps(a, op, b))
    answer = final if is_easy(a, op, b) else f"Ones first: {work}, so {final}"
    thought = f"I need {a} {op} {b}. Ones first: {work}." if op not in "x/" else f"I need {work}."
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
            "Count [up |]from {a} to {b}[, please|].",
            "[List|Give me|Say|Write] the numbers from {a} to {b}.",
            "Count to {b}, starting at {a}.",
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
