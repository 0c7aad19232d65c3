"""Opening hours: how a prompt writes them, how people ask for them, one way to answer."""

from turn import DAYS, Turn, ask, capital, fill, has_all, pick

GENERAL = [
    "When are you open?",
    "What are [your|the] [opening hours|opening times|hours]?",
    "Opening hours?",
    "When can I [visit|come]?",
    "When [is|are] the [museum] open?".replace("[is|are]", "is"),
    "What time do you [open|close]?",
    "When do you [open|close]?",
    "How long are you open?",
    "What days [are you open|can we come]?",
    "[On which|On what|Which|What] days [can I come|can we visit|is the museum open]?",
    "What are your times?",
    "From when to when are you open?",
    "When is the best time to come? I mean, when are you open?",
    "Do you have the opening hours?",
    "Tell me your opening hours.",
    "opening times",
    "hours",
    "When do you [start|open up|shut|close up]?",
    "How early do you open?",
    "What time do you shut?",
    "At what hour does the museum [open|close]?",
    "When can [we|people|visitors|guests] [come in|visit|come by]?",
    "How late can I stay?",
    "when does this place [open|close]",
    "What are the business hours?",
    "At what time do you [open|close]?",
    "Until when are you open?",
    "What are the opening hours of the museum?",
    "Which days are you open?",
    "When does the museum [open|close]?",
    "What time does the museum [open|close]?",
    "I want to visit the museum. When is it open?",
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
    "How late are you open {d}s?",
    "[What time|When] do you [shut|close|lock up] on {d}[s|]?",
    "[What time|When] do you open on [{d}|a {d}|{d}s|{d} mornings]?",
    "Could I [come|visit|drop in|stop by] on a {d}?",
    "Could [I|we] come by on {d} [morning|afternoon|evening]?",
    "Is {d} [ok|fine|possible|a good day] for a visit?",
    "We are thinking of [{d}|coming on {d}]. Is the museum open [then|that day]?",
    "Does the museum open on {d}[s|]?",
    "Do you open on {d}[s|]?",
    "What are your {d} hours?",
    "{d} hours?",
    "[closing|opening] time on {d}[s|]?",
    "When does the museum [open|close|shut] on [{d}s|a {d}]?",
    "Are you closed [{d}s|on {d}s]?",
    "I only have time on {d}. Are you open?",
    "Is anyone there on {d}?",
    "Which hours do you have on {d}?",
    "when can we come in on {d}",
    "If I come on {d}, when do I have to leave?",
    "Until what time can I stay on {d}?",
    "[I am|We are] free on {d}. Can [I|we] visit?",
    "is {d} open or closed",
]
# A box does not know the day.
NOW = [
    "Are you open [now|right now|today|tomorrow|at the moment|this afternoon|tonight|yet]?",
    "Is the museum open [now|today|right now|tomorrow|at the moment]?",
    "Can [I|we] come [today|tomorrow|now|in now|tonight]?",
    "How long are you open [today|tonight|tomorrow]?",
    "When do you [open|close] [today|tomorrow]?",
    "What time do you [close|open|shut] [today|tomorrow]?",
    "Until when are you open today?",
    "Are you still open?",
    "Are you closed [now|today]?",
    "open now?",
    "open today?",
    "Is it open today?",
    "How late are you open [tonight|today]?",
    "What are the hours today?",
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
    "When is the museum [closed|shut]?",
    "[Which|What] day [of the week |]are you [closed|shut|not open]?",
    "Which days should I avoid?",
    "Are you open all week?",
    "Is there a day off?",
    "What is your closing day?",
    "On which days can I not come?",
    "When are you not open?",
]
WEEKEND = [
    "Are you open [on|at] the weekend?",
    "Are you open on weekends?",
    "What are the hours on the weekend?",
    "Can I come on the weekend?",
    "When are you open on weekends?",
    "Weekend hours?",
    "What about the weekend?",
    "Is the museum open at the weekend?",
    "We only have time at the weekend. Are you open?",
    "When do you open on Saturday and Sunday?",
    "Are you open on Saturday and Sunday?",
    "Saturday and Sunday hours?",
    "Do you open on weekends?",
    "Can we come on Saturday or Sunday?",
]
FOLLOW = [
    "And on {d}?",
    "What about {d}?",
    "And {d}?",
    "How about {d}?",
    "And on {d}s?",
    "And what about {d}?",
    "{d}?",
    "And when on {d}?",
    "and {d}s",
    "And on a {d}?",
    "Ok, and {d}?",
    "Is it the same on {d}?",
    "Also on {d}?",
    "What if I come on {d}?",
    "And can I come on {d}?",
]
WEEK = DAYS[:5]
# Groups of days with one span each (0, 1) or closed (-1), and how often.
SHAPES = [
    ([(WEEK, 0), (DAYS[5:], 1)], 5),
    ([(WEEK, 0), (["Saturday"], 1), (["Sunday"], -1)], 5),
    ([(DAYS[1:], 0), (["Monday"], -1)], 7),
    ([(WEEK, 0), (DAYS[5:], -1)], 3),
    ([(DAYS[1:6], 0), (["Sunday", "Monday"], -1)], 3),
    ([(DAYS, 0)], 5),
    ([(DAYS[1:5], 0), (DAYS[5:], 1), (["Monday"], -1)], 5),
    ([(DAYS[2:], 0), (DAYS[:2], -1)], 2),
    ([(WEEK, 0), (["Saturday"], 1), (["Sunday"], 2)], 3),
    ([(DAYS[:4], 0), (["Friday"], 1), (DAYS[5:], 2)], 2),
    ([(DAYS[:6], 0), (["Sunday"], 1)], 3),
    ([(DAYS[:6], 0), (["Sunday"], -1)], 4),
    ([(DAYS[5:], 0), (WEEK, -1)], 2),
    ([(DAYS[4:], 0), (DAYS[:4], -1)], 1),
    ([(DAYS[3:6], 0), (["Sunday"], 1), (DAYS[:3], -1)], 1),
    ([(DAYS[:3], 0), (DAYS[3:5], 1), (DAYS[5:], -1)], 1),
]


def listed(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def run_of(days):
    """How answers name a group of days."""
    if len(days) == 7:
        return "every day"
    if len(days) > 2 and DAYS.index(days[-1]) - DAYS.index(days[0]) == len(days) - 1:
        return f"{days[0]} to {days[-1]}"
    return listed(days)


class Hours:
    """What a place keeps: spans by day. `text` is how answers say them, `prompt` how the prompt does."""

    def __init__(self, rng, style):
        spans = [style.span(rng) for _ in range(3)]
        dice = rng.random()
        self.odd = self.late = ""
        if dice < 0.1:
            self.odd = pick(rng, DAYS)
            groups = [([d for d in DAYS if d != self.odd], 0), ([self.odd], -1)]
        elif dice < 0.14:
            spans = [style.span(rng) for _ in range(6)]
            off = rng.randrange(7)
            groups = [([d], -1 if i == off else i % 6) for i, d in enumerate(DAYS)]
        elif dice < 0.2:
            chosen = sorted(rng.sample(range(7), rng.randint(1, 3)))
            groups = [([DAYS[i] for i in chosen], 0), ([d for i, d in enumerate(DAYS) if i not in chosen], -1)]
        else:
            groups = rng.choices([s for s, _ in SHAPES], [w for _, w in SHAPES])[0]
        self.open = [(days, spans[no]) for days, no in groups if no >= 0]
        self.shut = [d for days, no in groups if no < 0 for d in days]
        self.by_day = {d: span for days, span in self.open for d in days}
        self.text = listed([f"{run_of(days)} from {span}" for days, span in self.open])
        if self.odd:
            self.text = f"every day except {self.odd} from {spans[0]}"
        if len(self.open) == 1 and not self.odd and rng.random() < 0.22:
            self._stay_late(rng, style)
        self.prompt = self._prompt(rng, style)

    def _stay_late(self, rng, style):
        """One day of the run closes later than the others."""
        days, span = self.open[0]
        self.late = pick(rng, days)
        opens, self.late_end = span.split(" to ")[0], style.hour(rng.randint(21, 22))
        if len(days) > 1:
            self.by_day[self.late] = f"{opens} to {self.late_end}"
            self.text += f" and {self.late} from {self.by_day[self.late]}"
        else:
            self.late = ""

    def _days(self, days, way):
        short = (lambda d: d[:3]) if way in (1, 4, 6) else (lambda d: d)
        if len(days) == 7:
            return ("every day", "daily", "daily", "seven days a week", "Mon-Sun", "Monday to Sunday", "Mon–Sun", "each day")[way]
        if days == WEEK and way in (2, 7):
            return ("weekdays", "on weekdays")[way == 7]
        if days == DAYS[5:] and way in (2, 7):
            return ("weekends", "at weekends")[way == 7]
        if run_of(days) != listed(days):
            dash = ("-" if way == 1 else " - " if way == 4 else " through " if way == 3 else "–" if way == 6 else " to ")
            return short(days[0]) + dash + short(days[-1])
        plural = way in (3, 7)
        names = [short(d) + ("s" if plural else "") for d in days]
        joint = {1: ", ", 4: " - " if days == DAYS[5:] else ", ", 6: "+"}.get(way, " and ")
        text = joint.join(names) if len(days) == 2 else listed(names)
        return "on " + text if way == 7 else text

    def _prompt(self, rng, style):
        way = rng.randrange(8)
        words = style.dash.strip() in ("to", "until", "till")
        link = pick(rng, [" ", ": ", " from ", " from "] if words else [" ", ": ", " ", ", "])
        said = lambda span: span.replace(" to ", style.dash)
        parts = []
        if self.odd:
            parts.append(pick(rng, ("every day", "daily")) + link.replace(": ", " ").replace(", ", " ") + said(self.open[0][1]))
        for days, span in [] if self.odd else self.open:
            parts.append(self._days(days, way) + link + said(span))
        if not self.odd and len(parts) == 1 and ":" not in link and rng.random() < 0.35:
            days, span = self._days(self.open[0][0], way), said(self.open[0][1])
            parts = [fill(rng, f"{'from ' if words and rng.random() < 0.7 else ''}{span}[, | ]{days}")]
        text = pick(rng, [", ", ", ", "; ", " and "] if len(parts) == 2 else [", ", "; "]).join(parts)
        if self.late:
            text += fill(rng, "[, on {d}s|, {d}s|, on {d}|, {d}| and on {d}s|, late opening on {d}|; {d} late,] until {t}").format(d=self.late, t=self.late_end)
        few = 0 < len(self.by_day) <= 3
        if self.shut and not (few and rng.random() < 0.7):
            text = self._shut(rng, text)
        elif few and ":" not in link and rng.random() < 0.7:
            text = "only " + text
        plain = len(parts) == 1 and not (self.odd or self.late)
        if plain and rng.random() < 0.14:
            return self._from_to(rng, way, text)
        return self._headed(rng, text)

    def _from_to(self, rng, way, text):
        """`open at ten and close at five`; what the text says of closed days stays."""
        days, span = self.open[0]
        opens, closes = span.split(" to ")
        shut = self._shut(rng, "") if self.shut and len(self.by_day) > 3 else ""
        days = self._days(days, way)
        said = f"[{days} we open at {opens} and close at {closes}|We open at {opens} and close at {closes}[, |, ]{days}|We open at {opens} and close at {closes} {days}|Opening at {opens}, closing at {closes}, {days}]"
        return capital(fill(rng, said)) + shut

    def _headed(self, rng, text):
        heads = "[Opening hours: |Hours: |Opening times: |Open: |Opening hours: |Hours: ]"
        if ": " not in text.split(",")[0] or rng.random() < 0.3:
            heads = (
                "[Open |We are open |The opening hours are |The museum is open |It is open |Hours are |Opening hours are |"
                "Visitors are welcome |You can visit us |Our doors are open |We open |Opening hours: |Hours: |Hours |Times: ]"
            )
        return fill(rng, heads) + text

    def _shut(self, rng, text):
        shut = listed(self.shut) if rng.random() < 0.5 or len(self.shut) < 3 else run_of(self.shut)
        plural = shut if " to " in shut else listed([d + "s" for d in self.shut])
        said = fill(
            rng,
            f"[closed on {shut}|closed {shut}|{shut} closed|{plural} closed|closed on {plural}|{shut}: closed|not on {plural}"
            f"|we are closed on {plural}|it is closed on {plural}|the museum is closed on {plural}|shut on {plural}|no entry on {plural}|{plural} we are closed|{shut} off]",
        )
        if self.odd and rng.random() < 0.3:
            return text.replace("every day", f"every day except {shut}").replace("daily", f"daily except {shut}")
        if not self.odd and rng.random() < 0.15:
            return text  # the days that are named are the open ones
        if rng.random() < 0.35:
            return f"{text}. {capital(said)}"
        mark = pick(rng, (", ", ", ", "; ", " ("))
        return text + mark + said + (")" if "(" in mark else "")

    def turn(self, rng, name, before, follow, noun="museum"):
        words = lambda asks: [text.replace("museum", noun) for text in asks]
        key = f"{name} {self.text} {'-'.join(self.shut)}"
        dice = rng.random()
        if not follow and dice < 0.22:
            user = ask(rng, words(GENERAL), before)
            return self._made(user, self.whole(), self.need(), key)
        if not follow and dice < 0.32:
            user = ask(rng, words(CLOSED), before)
            return self._made(user, self.closing(), [self.closing()[7:-1]], f"{key} shut")
        if not follow and dice < 0.38:
            answer = f"I do not know which day and time it is. {self.whole()}"
            user = ask(rng, words(NOW), before)
            return self._made(user, answer, ["do not know"] + self.need(), f"{key} now")
        if dice < 0.44:
            asks = ["And on the weekend?", "What about the weekend?", "And on weekends?", "And at the weekend?", "weekends?"]
            days = DAYS[5:]
            answer = " ".join(self.on(d) for d in days)
            need = days + [self.by_day.get(d, "closed") for d in days]
            return self._made(ask(rng, asks if follow else words(WEEKEND)), answer, need, f"{key} weekend")
        day = pick(rng, self.shut) if self.shut and rng.random() < 0.3 else pick(rng, DAYS)
        if self.late and rng.random() < 0.4:
            day = self.late
        user = ask(rng, FOLLOW, d=day) if follow else ask(rng, words(DAY), before, d=day)
        return self._made(user, self.on(day), [day, self.by_day.get(day, "closed")], f"{key} {day}")

    def on(self, day):
        span = self.by_day.get(day)
        return f"On {day} we are open from {span}." if span else f"We are closed on {day}."

    def closing(self):
        if not self.shut:
            return "We are open every day."
        shut = run_of(self.shut)
        return f"We are closed {'from' if ' to ' in shut else 'on'} {shut}."

    def whole(self):
        text = f"We are open {self.text}."
        return text if self.odd or not self.shut else f"{text} {self.closing()}"

    def need(self):
        return [self.text] if self.odd or not self.shut else [self.text, self.closing()[7:-1]]

    def _made(self, user, answer, need, key):
        thought = f"The question is about the opening hours. My facts say: {self.prompt}."
        return Turn(user, answer, has_all(*need), key, "kiosk", thought)
