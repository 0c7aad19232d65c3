"""Opening hours: how a prompt writes them, how people ask for them, one way to answer."""

from facts import DAYS
from turn import Turn, ask, fill, has_all, pick

GENERAL = [
    "When are you open?",
    "What are [your|the] [opening hours|opening times|hours]?",
    "Opening hours?",
    "When can I [visit|come]?",
    "When [is|are] the [museum] open?".replace("[is|are]", "is"),
    "What time do you [open|close]?",
    "When do you [open|close]?",
    "Are you open [now|today|tomorrow|at the moment]?",
    "How long are you open [today|]?",
    "At what time do you [open|close]?",
    "Until when are you open?",
    "What are the opening hours of the museum?",
    "Which days are you open?",
    "Can I come [today|tomorrow|now]?",
    "When does the museum [open|close]?",
    "What time does the museum [open|close]?",
    "I want to visit the museum. When is it open?",
    "Is the museum open today?",
    "How late are you open?",
]
DAY = [
    "Are you open on {d}?",
    "When are you open on {d}?",
    "What are the [opening |]hours on {d}?",
    "When do you [open|close] on {d}?",
    "Can I [come|visit] on {d}?",
    "How long are you open on {d}?",
    "{d} opening hours?",
    "Opening hours on {d}?",
    "Until when are you open on {d}?",
    "What time do you [open|close] on {d}?",
    "What time does the museum [open|close] on {d}?",
    "Is the museum open on {d}?",
    "Are you open [{d}s|on {d}s|{d}|this {d}|next {d}|on a {d}]?",
    "I want to come on {d}. [Are you open|When are you open|What are the hours|Is that possible]?",
    "When can I [visit|come] on [{d}|a {d}]?",
    "We would like to visit [on {d}|next {d}]. When are you open?",
    "Is the museum [open|closed] on {d}?",
    "Are you closed on {d}?",
    "How late are you open on {d}?",
    "From when to when are you open on {d}?",
    "Can we [come|visit] on {d} [morning|afternoon]?",
    "Is it possible to visit on {d}?",
    "On {d}, when do you [open|close]?",
    "hours {d}",
    "open {d}?",
]
CLOSED = [
    "On which day are you closed?",
    "When are you closed?",
    "Which day is [closed|the museum closed]?",
    "Are you open every day?",
    "Which days are you closed?",
    "Is there a day when you are closed?",
    "What day are you closed?",
    "On what days is the museum closed?",
    "Are you closed on any day?",
    "Do you have a closing day?",
    "Is the museum open every day?",
    "Are you open daily?",
]
WEEKEND = [
    "Are you open [on|at] the weekend?",
    "Are you open on weekends?",
    "What are the hours on the weekend?",
    "Can I come on the weekend?",
    "When are you open on weekends?",
    "Weekend hours?",
    "What about the weekend?",
]
FOLLOW = ["And on {d}?", "What about {d}?", "And {d}?", "How about {d}?", "And on {d}s?", "And what about {d}?", "{d}?", "And when on {d}?"]
WEEK = DAYS[:5]
# Groups of days with one span each (0, 1) or closed (-1).
SHAPES = [
    ([(WEEK, 0), (DAYS[5:], 1)], 5),
    ([(WEEK, 0), (["Saturday"], 1), (["Sunday"], -1)], 5),
    ([(DAYS[1:], 0), (["Monday"], -1)], 6),
    ([(WEEK, 0), (DAYS[5:], -1)], 3),
    ([(DAYS[1:6], 0), (["Sunday", "Monday"], -1)], 3),
    ([(DAYS, 0)], 3),
    ([(DAYS[1:5], 0), (DAYS[5:], 1), (["Monday"], -1)], 5),
    ([(DAYS[2:], 0), (DAYS[:2], -1)], 2),
    ([(WEEK, 0), (["Saturday"], 1), (["Sunday"], 2)], 3),
    ([(DAYS[:4], 0), (["Friday"], 1), (DAYS[5:], 2)], 2),
    ([(DAYS[:6], 0), (["Sunday"], 1)], 3),
    ([(DAYS[:6], 0), (["Sunday"], -1)], 3),
]


def listed(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def run_of(days):
    """How answers name a group of days."""
    if len(days) == 7:
        return "every day"
    return f"{days[0]} to {days[-1]}" if len(days) > 2 else " and ".join(days)


class Hours:
    def __init__(self, rng, style):
        spans = [style.span(rng), style.span(rng), style.span(rng)]
        dice = rng.random()
        if dice < 0.14:
            day = pick(rng, DAYS)
            groups = [([d for d in DAYS if d != day], 0), ([day], -1)]
            self.odd = True
        elif dice < 0.19:
            spans = [style.span(rng) for _ in range(6)]
            off = rng.randrange(7)
            groups = [([d], -1 if i == off else i % 6) for i, d in enumerate(DAYS)]
            self.odd = False
        else:
            groups = rng.choices([s for s, _ in SHAPES], [w for _, w in SHAPES])[0]
            self.odd = False
        self.open = [(days, spans[no]) for days, no in groups if no >= 0]
        self.shut = [d for days, no in groups if no < 0 for d in days]
        self.by_day = {d: span for days, span in self.open for d in days}
        if self.odd:
            self.text = f"every day except {self.shut[0]} from {spans[0]}"
        else:
            self.text = listed([f"{run_of(days)} from {span}" for days, span in self.open])
        self.prompt = self._prompt(rng, style)

    def _days(self, days, way):
        short = (lambda d: d[:3]) if way in (1, 4) else (lambda d: d)
        if len(days) == 7:
            return ("every day", "daily", "daily", "every day", "Mon-Sun", "Monday to Sunday")[way]
        if len(days) > 2:
            dash = ("-" if way == 1 else " - " if way == 4 else " through " if way == 3 else " to ")
            return short(days[0]) + dash + short(days[-1])
        if len(days) == 2 and days[0] == "Saturday":
            if way == 2:
                return "weekends"
            return short(days[0]) + ("-" if way == 1 else " and " if way != 4 else " - ") + short(days[1])
        return (" and " if way != 1 else ", ").join(short(d) + ("s" if way == 3 and len(days) == 1 else "") for d in days)

    def _prompt(self, rng, style):
        way = rng.randrange(6)
        link = pick(rng, [" ", ": ", " from ", " "]) if style.dash in (" to ", " until ") else pick(rng, [" ", ": ", " "])
        colon = ": " in link
        parts = []
        if self.odd:
            parts.append(pick(rng, ("every day", "daily")) + link.replace(": ", " ") + self.open[0][1].replace(" to ", style.dash))
        for days, span in [] if self.odd else self.open:
            parts.append(self._days(days, way) + link + span.replace(" to ", style.dash))
        if rng.random() < 0.12 and not self.odd and len(parts) == 1 and not colon:
            days, span = self._days(self.open[0][0], way), self.open[0][1].replace(" to ", style.dash)
            parts = [f"{'from ' if ' to ' in style.dash else ''}{span}, {days}"]
        text = pick(rng, [", ", ", ", "; ", " and "] if len(parts) == 2 else [", ", "; "]).join(parts)
        if self.shut:
            shut = listed(self.shut)
            said = fill(rng, f"[closed on {shut}|closed {shut}|{shut} closed|{'s and '.join(self.shut)}s closed|closed on {'s and '.join(self.shut)}s|{shut}: closed]")
            hides = len(self.open) >= 1 and not self.odd and rng.random() < 0.15
            if self.odd and rng.random() < 0.25:
                text = text.replace("every day", f"every day except {shut}").replace("daily", f"daily except {shut}")
            elif not hides:
                dot = rng.random() < 0.3
                text += pick(rng, [". ", ". "]) + said[0].upper() + said[1:] if dot else ", " + said
                if dot and rng.random() < 0.5:
                    text = text.replace("Closed", "We are closed")
        return fill(rng, "[Opening hours: |Open |We are open |Hours: |The opening hours are |Opening times: |The museum is open |Open: |It is open |Hours are |Opening hours are ]") + text

    def turn(self, rng, name, before, follow):
        key = f"{name} {self.text} {'-'.join(self.shut)}"
        dice = rng.random()
        if not follow and dice < 0.25:
            return self._made(ask(rng, GENERAL, before), self.whole(), [self.text] + self.shut, key)
        if not follow and dice < 0.35:
            return self._made(ask(rng, CLOSED, before), self.closing(), self.shut or ["every day"], f"{key} shut")
        if dice < 0.4:
            asks = ["And on the weekend?", "What about the weekend?", "And on weekends?"] if follow else WEEKEND
            days = DAYS[5:]
            answer = " ".join(self.on(d) for d in days)
            need = days + [self.by_day.get(d, "closed") for d in days]
            return self._made(ask(rng, asks), answer, need, f"{key} weekend")
        day = pick(rng, self.shut) if self.shut and rng.random() < 0.28 else pick(rng, DAYS)
        user = ask(rng, FOLLOW, d=day) if follow else ask(rng, DAY, before, d=day)
        return self._made(user, self.on(day), [day, self.by_day.get(day, "closed")], f"{key} {day}")

    def on(self, day):
        span = self.by_day.get(day)
        return f"On {day} we are open from {span}." if span else f"We are closed on {day}."

    def closing(self):
        return f"We are closed on {listed(self.shut)}." if self.shut else "We are open every day."

    def whole(self):
        text = f"We are open {self.text}."
        return text if self.odd or not self.shut else f"{text} {self.closing()}"

    def _made(self, user, answer, need, key):
        thought = f"The question is about the opening hours. My facts say: {self.prompt}."
        return Turn(user, answer, has_all(*need), key, "kiosk", thought)
