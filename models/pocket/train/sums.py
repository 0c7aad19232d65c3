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
        "[The sum of|sum of|What's the sum of] {a} and {b}[|?]",
        "what's {a} [+|plus] {b}",
        "{a} and {b}, what is that together?",
        "How much is {a} and {b} [together|in total]?",
        "{a} [+|plus] {b} [equals|is|makes] what?",
        "Give me the sum of {a} and {b}.",
        "I have to add {a} and {b}. What is it?",
        "please do {a} + {b}",
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
        "what's {a} [-|minus] {b}",
        "{a} less {b}?",
        "{b} from {a}?",
        "[The difference of|Difference between] {a} and {b}?",
        "please do {a} - {b}",
        "{a} [-|minus] {b} [equals|is|makes] what?",
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
        "what's {a} [x|times] {b}",
        "{a} × {b}[|=| =|?]",
        "[The product of|product of] {a} and {b}?",
        "{a} [x|times] {b} [equals|is|makes] what?",
        "please do {a} x {b}",
    ],
    "/": [
        "[What is|How much is] {a} [/|divided by] {b}?",
        "{a} [/|divided by|:] {b}[|=| =|?]",
        "Divide {a} by {b}.",
        "[Calculate|Compute|Work out] {a} [/|divided by] {b}.",
        "How many times does {b} go into {a}?",
        "Can you divide {a} by {b}?",
        "what's {a} [/|divided by|over] {b}",
        "{a} ÷ {b}[|=| =|?]",
        "{a} split [by|into] {b}?",
        "[Share|Split] {a} between {b}.",
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
    if op == "-" and dice < 0.4:  # from round numbers
        a = 100 if rng.random() < 0.5 else 10 * rng.randint(2, 20)
        return a, rng.randint(1, a - 1)
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


PARTS = {
    "x": [("twice", 2), ("double", 2), ("two times", 2), ("three times", 3), ("triple", 3), ("ten times", 10)],
    "/": [("half of", 2), ("half of", 2), ("half of", 2), ("a third of", 3), ("a quarter of", 4), ("a tenth of", 10)],
}
PART_ASKS = "[What is|How much is|what's|Calculate|Tell me|whats|I need] {p} {n}[?||]"
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SMALL = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen""".split()
HARD = """[What is |Calculate |How much is |what's |]{big} [times|x|*|plus|+|minus|-|divided by|/] {big2}[?|]
{big} [x|*|+|-|/] {big2}[|=| = ?]
[What is|Calculate] {mid} [percent|%] of {big}?
[Multiply|Divide] {big} by {mid}.
What is {mid} [times|x] {mid2} [times|x] {big}?
[What is|Calculate] {mid} to the power of {few}?
What is {mid} [squared|cubed]?
[Add|Sum up] {big}, {big2} and {big}.
{big} - {big2}
What is {mid}.{few}7 times {mid2}?
Can you work out {big} [times|divided by|plus] {big2}?
What is the sine of {mid}?
[What is|how much is] {mid}.{few} [x|times|divided by] {few}.3?""".split("\n")


def spelt(n):
    if n < 20:
        return SMALL[n]
    return TENS[n // 10 - 2] + ("-" + SMALL[n % 10] if n % 10 else "")


def part_turn(rng):
    """Half of, twice and their kin."""
    op = pick(rng, "x//")
    name, factor = pick(rng, PARTS[op])
    if op == "x":
        n = rng.randint(1, 25 if factor == 2 else 12)
        final = f"{factor} x {n} = {factor * n}."
    else:
        result = rng.randint(1, 25 if factor == 2 else 12)
        n = result * factor
        if factor == 2 and rng.random() < 0.2:
            n = rng.choice((60, 70, 80, 90, 100, 120, 200, 300, 500, 1000))
        final = f"{n} / {factor} = {n // factor}."
    user = ask(rng, [PART_ASKS, "{p} {n}", "{p} {n}?"], p=name, n=n)
    need = final[final.index("=") : -1]
    return Turn(user, final, has_all(need), f"{name} {n}", "sum", f"I need {final}")


def negative_turn(rng):
    """The result is below zero: the sum the other way round, then its sign."""
    top = 20 if rng.random() < 0.7 else 99
    b = rng.randint(2, top)
    a = rng.randint(0 if top == 20 else 1, b - 1)
    final = f"{a} - {b} = {a - b}."
    user = ask(rng, ASK["-"][:7] + ["what's {a} [-|minus] {b}"], a=a, b=b)
    work = ", ".join(steps(b, "-", a))
    answer = final if is_easy(a, "-", b) else f"{b} is more than {a}. Ones first: {work}, so {final}"
    thought = f"I need {a} - {b}. It is below zero. Ones first: {work}."
    key = user if is_easy(a, "-", b) else f"{a}-{b}"
    return Turn(user, answer, has_all(f"= {a - b}"), key, "sum", thought, final)


def tenths_turn(rng):
    """Sums with one decimal place, as sums of tenths."""
    op = pick(rng, "+-")
    a, b = rng.randint(2, 120), rng.randint(2, 120)
    if a % 10 == 0 and b % 10 == 0:
        b += 5
    if op == "-" and b > a:
        a, b = b, a
    said = lambda n: str(n // 10) if n % 10 == 0 else f"{n // 10}.{n % 10}"
    first, second, result = said(a), said(b), said(value(a, op, b))
    final = f"{first} {op} {second} = {result}."
    work = ", ".join(steps(a, op, b))
    user = ask(rng, ASK[op], a=first, b=second)
    thought = f"I need {first} {op} {second}. Tenths first: {work}."
    return Turn(user, f"Tenths first: {work}, so {final}", has_all(f"= {result}"), f"{first}{op}{second}", "sum", thought, final)


def left_over_turn(rng):
    b, result = rng.randint(2, 10), rng.randint(1, 10)
    left = rng.randint(1, b - 1)
    a = b * result + left
    answer = f"{b} x {result} = {b * result}, so {a} / {b} = {result} with {left} left over."
    user = ask(rng, ASK["/"], a=a, b=b)
    return Turn(user, answer, has_all(f"= {result} with {left}"), user, "sum", f"I need {a} / {b}. {b} x {result} = {b * result}.")


def three_turn(rng):
    a, b, c = (rng.randint(1, 9) for _ in range(3))
    user = ask(rng, ["What is {a} + {b} + {c}?", "{a} + {b} + {c}[|=| = ?|?]", "{a}+{b}+{c}[|=|=?]", "[Add|Sum up] {a}, {b} and {c}.", "[How much is|What is|what's] {a} plus {b} plus {c}[?|]", "What is the sum of {a}, {b} and {c}?"], a=a, b=b, c=c)
    answer = f"{a} + {b} = {a + b}, {a + b} + {c} = {a + b + c}."
    return Turn(user, answer, has_all(f"= {a + b + c}"), f"{a}+{b}+{c}", "sum", f"I need {answer}")


def spelt_turn(rng):
    """Numbers as words; the answer has digits."""
    op = pick(rng, "+-x")
    a, b = (rng.randint(2, 12) for _ in range(2)) if op == "x" else (rng.randint(1, 99 if rng.random() < 0.3 else 20) for _ in range(2))
    if op == "-" and b > a:
        a, b = b, a
    first, second = spelt(a), spelt(b)
    if rng.random() < 0.15:
        second = str(b)
    user = ask(rng, [text for text in ASK[op] if f"{{a}}{op}" not in text], a=first, b=second)
    user = user[0].upper() + user[1:] if rng.random() < 0.5 else user
    final = f"{a} {op} {b} = {value(a, op, b)}."
    work = ", ".join(steps(a, op, b))
    answer = final if is_easy(a, op, b) else f"Ones first: {work}, so {final}"
    return Turn(user, answer, has_all(f"= {value(a, op, b)}"), user, "sum", f"I need {a} {op} {b}. {work}.", final)


def hard_turn(rng):
    slots = {
        "big": rng.randint(1000, 99999),
        "big2": rng.randint(1000, 999999) if rng.random() < 0.5 else rng.randint(150, 9999),
        "mid": rng.randint(21, 99),
        "mid2": rng.randint(21, 99),
        "few": rng.randint(3, 9),
    }
    user = ask(rng, HARD, **slots)
    answer = "I am sorry, that sum is too hard for me. Please use a calculator."
    return Turn(user, answer, has_all("sorry", "too hard"), user, "sum", "These numbers are too hard for me.")


def zero_turn(rng):
    user = ask(rng, ASK["/"], a=rng.randint(1, 99), b=0)
    return Turn(user, "I am sorry, nobody can divide by zero.", has_all("divide by zero"), user, "sum", "Dividing by zero does not work.")


KINDS = [
    (sum_turn, 66),
    (part_turn, 8),
    (negative_turn, 7),
    (tenths_turn, 6),
    (left_over_turn, 3),
    (three_turn, 3),
    (spelt_turn, 5),
    (hard_turn, 6),
    (zero_turn, 1),
]


def any_turn(rng):
    return rng.choices([kind for kind, _ in KINDS], [weight for _, weight in KINDS])[0](rng)


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
