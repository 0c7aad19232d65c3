"""What a made-up place may say about itself, with fresh random values.

A family knows how a prompt states a fact, how people ask for it and how the answer repeats it. Values
(times, prices, rooms) are copied into the answer the way the prompt spells them.
"""

from dataclasses import dataclass, field

from asks import ASKS
from names import invented
from turn import DAYS, article, capital, fill, pick

THINGS = """ship clock train coin glass stone map book toy music bird fish plant silver photo art bread tea bridge light
history space water paper salt clay wool wood film dance radio shoe hat doll puppet car horse bee honey cheese kite
button pencil key lamp chocolate insect fossil mineral tram boat carpet pottery garden farm school post fire robot
game chess football river sea moon star wind chair spoon mask drum piano violin poster stamp letter bicycle""".split()
PEOPLE = """Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Lena Max Nora Otto Paula Rita Sam Tom Vera Walter Maria
John Sarah Peter Julia Mark Helen Paul Laura Simon""".split()
LOOKS = """giant old golden silver bronze wooden blue red green tiny huge ancient famous glass stone royal painted rare
little broken white black big small first""".split()
OBJECTS = """mask crystal clock statue painting skeleton sword crown coin vase bell map globe ship model engine tractor
piano carpet throne mirror meteorite whale dinosaur mummy lamp telescope helmet shield diary letter chair wagon bicycle
rocket radio drum violin puppet doll necklace ring fossil egg shell stone fountain organ loom press anchor canoe camera
stuffed_bear tapestry chandelier typewriter samovar cradle harp gramophone sundial compass cannon plough lute kimono
altar manuscript totem_pole anvil wheel kayak globe urn goblet kite snow_globe music_box stagecoach barometer""".split()
ROOMS = """aquarium elevator information_desk cinema lecture_hall playground garden bookshop reading_room cloakroom picnic_area
water_fountain first_aid_room ticket_machine emergency_exit terrace tower""".split()
OBJECTS = [name.replace("_", " ") for name in OBJECTS]
ROOMS = [name.replace("_", " ") for name in ROOMS]
NUMBERS = ["first", "second", "third", "fourth", "top", "ground", "lower"]
MONTHS = "January February March April May June July August September October November December".split()
MONEY = """{n} euros|{n} euros|{n} euros|{n} euros|{n} EUR|{n} EUR|${n}|${n}|{n} dollars|{n} dollars|{n} pounds|{n} pounds|€{n}|
£{n}|£{n}|{n} francs|{n} francs|CHF {n}|{n} €|{n} crowns|{n} kronor|EUR {n}|{n} CHF|{n} zloty""".replace("\n", "").split("|")
LETTERS = "abcdefghiklmnoprstuvw"


class Spelling:
    """How one prompt writes times and prices: a place keeps to one way."""

    def __init__(self, rng):
        self.clock = rng.choices(("24", "bare", "12", "12tight", "12full", "padded", "dot"), (8, 4, 6, 4, 3, 2, 2))[0]
        self.dash = pick(rng, [" to ", " to ", " to ", "-", "-", " - ", " until ", "–", " – ", " till "])
        self.money = pick(rng, MONEY)
        self.cents = rng.random() < 0.22

    def hour(self, hour, minute=0):
        half = f"{(hour - 1) % 12 + 1}" + (f":{minute:02}" if minute else "")
        noon = "am" if hour < 12 else "pm"
        if self.clock == "bare":
            return f"{hour}:{minute:02}" if minute else f"{hour}"
        if self.clock == "12":
            return f"{half} {noon}"
        if self.clock == "12tight":
            return half + noon
        if self.clock == "12full":
            return f"{(hour - 1) % 12 + 1}:{minute:02} {noon}"
        if self.clock == "padded":
            return f"{hour:02}:{minute:02}"
        if self.clock == "dot":
            return f"{hour}.{minute:02}"
        return f"{hour}:{minute:02}"

    def span(self, rng, late=False):
        opens, closes = rng.randint(6, 12), rng.randint(20, 22) if late else rng.randint(13, 20)
        minutes = [0, 0] if rng.random() < 0.7 else [pick(rng, (0, 30, 15, 45)), pick(rng, (0, 30, 15, 45))]
        return f"{self.hour(opens, minutes[0])} to {self.hour(closes, minutes[1])}"

    def time(self, rng):
        text = self.hour(rng.randint(9, 18), pick(rng, (0, 0, 30, 15, 45)))
        return text + ":00" if self.clock == "bare" and ":" not in text and rng.random() < 0.6 else text

    def two_times(self, rng):
        hours = rng.randint(8, 12), rng.randint(13, 19)
        return [self.hour(hour, pick(rng, (0, 0, 30, 15, 45))) for hour in hours]

    def price(self, rng, low, high):
        n = rng.randint(low, high)
        text = f"{n}.{pick(rng, ('50', '50', '90', '20'))}" if self.cents and rng.random() < 0.6 else str(n)
        text = self.money.format(n=text)
        return text[:-1] if text in ("1 euros", "1 dollars", "1 pounds", "1 francs", "1 crowns") else text


@dataclass
class Fact:
    says: list  # how the prompt states it
    asks: list  # questions that name the topic
    own: list  # questions that fit only where the fact is known
    answer: str
    need: list  # what the answer must hold
    topic: str  # what to call it when it is missing
    follow: list = field(default_factory=list)  # short follow-up questions after another fact
    group: str = ""  # "price": part of the answer to "how much is a ticket?"


def fresh(rng, style):
    """The random values of one place."""
    times = style.two_times(rng)
    floor = f"on floor {rng.randint(1, 5)}" if rng.random() < 0.5 else f"on the {pick(rng, NUMBERS)} floor"
    return {
        "adult": style.price(rng, 4, 25),
        "child": style.price(rng, 1, 9),
        "family": style.price(rng, 15, 60),
        "student": style.price(rng, 2, 15),
        "senior": style.price(rng, 2, 15),
        "group": style.price(rng, 2, 15),
        "free": fill(
            rng,
            f"[children under {rng.randint(3, 18)}|children under {rng.randint(3, 18)}|kids under {rng.randint(3, 16)}|children|students|members"
            f"|teachers|children up to {rng.randint(3, 15)}|people with a disability|babies|school classes|under-[threes|fours|sixes|sevens|tens]"
            f"|under-{rng.randint(6, 18)}s|toddlers|residents|guests under {rng.randint(4, 20)}|visitors under {rng.randint(4, 26)}|birthday children]",
        ),
        "span": style.span(rng),
        "span2": style.span(rng),
        "at": where(rng),
        "at2": where(rng),
        "floor": floor,
        "time": times[0] if rng.random() < 0.5 else times[1],
        "times": " and ".join(times),
        "meet": "at " + pick(rng, ["the entrance", "the desk", "the stairs", "the shop", "the fountain", "the main gate", "the information desk", "the ticket desk", "the statue", "the tower"]),
        "room": f"{capital(pick(rng, THINGS))} Room" if rng.random() < 0.6 else f"{invented(rng)} [Room|Hall|Wing]",
        "shows": pick(rng, THINGS),
        "wifi": fill(rng, f"[{invented(rng).lower()}|{invented(rng)}|guest|visitor|{invented(rng)}-guest]"),
        "password": f"{pick(rng, THINGS)}{rng.randint(1, 2030)}",
        "street": f"{rng.randint(1, 99)} {invented(rng)} Street" if rng.random() < 0.5 else f"{invented(rng)} [Street|Road|Lane|Square] {rng.randint(1, 99)}",
        "phone": fill(rng, f"[{rng.randint(100, 999)} {rng.randint(1000, 9999)}|0{rng.randint(10, 99)} {rng.randint(1000, 99999)}|555-{rng.randint(1000, 9999)}]"),
        "mail": f"{pick(rng, ('info', 'hello', 'museum', 'desk', 'visit'))}@{invented(rng).lower()}.{pick(rng, ('org', 'com', 'net', 'example'))}",
        "web": f"www.{invented(rng).lower()}.{pick(rng, ('org', 'com', 'net', 'example'))}",
        "head": f"[Dr. |||]{pick(rng, PEOPLE)} {invented(rng)}",
        "person": f"{pick(rng, PEOPLE)} {invented(rng)}",
        "event": f"{pick(rng, THINGS)} {pick(rng, ('evening', 'workshop', 'concert', 'market', 'festival', 'night', 'talk', 'day'))}",
        "when": f"on {pick(rng, DAYS)} at {style.time(rng)}" if rng.random() < 0.7 else f"on {rng.randint(1, 28)} {pick(rng, MONTHS)}",
        "title": fill(rng, f'"{capital(pick(rng, THINGS))} and {capital(pick(rng, THINGS))}"' if rng.random() < 0.5 else f"{pick(rng, ('The', 'The', 'My', ''))} {capital(pick(rng, LOOKS))} {capital(pick(rng, THINGS))}".strip()),
        "until": f"{rng.randint(1, 28)} {pick(rng, MONTHS)}" if rng.random() < 0.5 else f"{pick(rng, MONTHS)} {rng.randint(1, 28)}",
        "park": fill(rng, "[behind the [building|church|museum|station|town hall]|on the left|across the street|in the yard|under the building|in front of the building|in the car park on {i} Street|next to the station|at the north gate]").replace("{i}", invented(rng)),
        "parkfee": fill(rng, f"[free|free|{style.price(rng, 1, 6)} per hour|{style.price(rng, 2, 12)} per day]"),
        "bus": str(rng.randint(2, 90)),
        "stop": invented(rng),
        "minutes": fill(rng, "[about |]") + f"{pick(rng, (20, 30, 40, 45, 60, 75, 90))} minutes" if rng.random() < 0.7 else pick(rng, ("one hour", "two hours", "about an hour", "about two hours")),
        "before": f"{pick(rng, (15, 20, 30, 45, 60))} minutes",
        "locker": style.price(rng, 1, 3),
        "dogs": pick(rng, ["allowed", "not allowed", "not allowed", "allowed in the garden", "allowed on a lead"]),
        "photos": pick(rng, ["allowed without flash", "not allowed", "allowed everywhere", "allowed"]),
        "food": pick(rng, ["allowed in the garden", "not allowed", "allowed in the cafe only", "not allowed in the rooms"]),
        "guide": style.price(rng, 1, 7),
        "tongues": fill(rng, "English[ and German| and German|, French and Spanish| and French| and Italian|, Polish and Dutch]"),
        "year": str(rng.randint(1650, 2020)),
        "things": str(rng.choice([120, 250, 300, 400, 500, 800, 1000, 1200, 2000, 3000, 5000])) + f" {pick(rng, THINGS)} objects",
    }


def where(rng):
    return fill(
        rng,
        "[next to the [entrance|lift|exit|shop|stairs|ticket desk|cloakroom|main hall]|in the [basement|entrance hall|garden|"
        "courtyard|main hall|east wing|west wing|north wing|lobby|tower|cellar]|on floor [0|1|2|3|4]|on the [first|second|third|"
        "ground|top|lower] floor|behind the [cafe|stairs|shop|desk]|beside the lift|near the [stairs|entrance|exit]|in room "
        f"{rng.randint(1, 30)}|in room {rng.randint(1, 30)}|in hall [A|B|C|{rng.randint(1, 9)}]|in the [red|blue|green|white] "
        "[room|hall]|to the left of the entrance|one floor up|two floors down|under the stairs|between the [desk|lift] and the [stairs|exit]|"
        "below the [hall|tower|chapel roof|library]|beside the [pond|aquarium|old piano|big tree|ticket office]|at the [back|front] of "
        "the building|in the yard|on the [roof|terrace|lawn|east side|deck]|at the top of the stairs|past the [shop|gate|desk]|"
        "across the [yard|street|hall]|inside the [gate|main gate]|outside, by the [wall|pump|flagpole]|behind the "
        f"{pick(rng, THINGS)} room|on level {rng.randint(1, 9)}|by the {pick(rng, LOOKS)} {pick(rng, ('door', 'gate', 'bench', 'wall', 'window'))}|"
        f"in the {invented(rng)} [Room|Wing|Hall]|on the corner of {invented(rng)} [Street|Road]|at the [stand|kiosk|stall] on the [square|bridge|quay]|"
        f"in the [north|south|east|west|clock|old] tower|beneath the [stairs|tower|library]|by the old [barn|bridge|oak|pump]|in section {pick(rng, 'ABCDEFGH')}|to the right of the [desk|door|stairs]|opposite the entrance|on the ground floor, next to the exit|at the end of "
        "the corridor|upstairs]",
    )


# topic; says; asks; own asks; answer; need; follow. Alternatives stand between `/`.
TABLE = """
adult tickets; Adult ticket: {adult}/Adults pay {adult}/An adult ticket costs {adult}/[Entry|Admission] for adults [is|costs] {adult}/Adults: {adult}/The entrance fee for adults is {adult}/Ticket price for adults: {adult}; How much is an adult ticket?/What does [a ticket for adults|an adult ticket|an adult] [cost|pay]?/How much do adults pay?/What is the [price|fee|entrance fee|entry fee|ticket price] for [an adult|adults|grown-ups]?/How much does [an adult ticket cost|an adult pay|it cost for an adult]?/Adult ticket price?/I need a ticket for an adult. How much is it?/What do two adults pay each?/Price for adults?; ; An adult ticket costs {adult}.; {adult}; And for adults?/And adults?/What about adults?/How much for [adults|me as an adult]?
tickets; [Entry|Admission|Entry fee|Entrance|Tickets|Ticket]: {adult}/[Entry|Admission|A ticket] costs {adult}/Tickets cost {adult}/The entrance fee is {adult}/Ticket price: {adult}; How much is a ticket?; ; A ticket costs {adult}.; {adult}; And the tickets?/And how much is a ticket?/What about tickets?
child tickets; Child ticket: {child}/Children pay {child}/A child ticket costs {child}/[Entry|Admission] for children [is|costs] {child}/Children: {child}/Kids: {child}/Kids pay {child}/The entrance fee for children is {child}; How much is a [child ticket|ticket for [a child|children|kids|my [son|daughter|kid]]]?/What does a [ticket for children|child ticket|child|kid] [cost|pay]?/How much do [children|kids|my children|my kids] pay?/What is the [price|fee|entrance fee|ticket price] for [a child|children|kids|a kid|my [son|daughter]]?/How much for [my daughter|my son|a child|one child|children|kids]?/What do children pay?/I have [a|one] child with me. How much is that?/Price for children?/How much does a child ticket cost?; ; A child ticket costs {child}.; {child}; And for children?/And children?/What about [kids|children|my daughter|my son|my kids|the kids]?/And for [kids|my son|my daughter|a child]?
family tickets; Family ticket: {family}/A family ticket costs {family}/Families pay {family}/Families: {family}/The family ticket is {family}; [How much is|What does it cost to buy] a family ticket?/Is there a family ticket?/What does a family [pay|ticket cost]?/Do you [have|sell] family tickets?/How much do families pay?/What is the price for a family?/We are a family. What do we pay?; ; A family ticket costs {family}.; {family}; And for families?/And a family ticket?/What about families?
student tickets; Student ticket: {student}/Students pay {student}/Students: {student}/A student ticket costs {student}/[Entry|Admission] for students is {student}/Reduced ticket for students: {student}; How much is a [student ticket|ticket for [students|a student]]?/What do students pay?/How much do students [pay|have to pay]?/Is there a [student discount|student ticket|discount for students]?/I am a student. [How much is it|What do I pay|What is the price]?/What is the price for students?/Student price?; ; A student ticket costs {student}.; {student}; And for students?/And students?/What about students?/And if I am a student?
senior tickets; Senior ticket: {senior}/Seniors pay {senior}/Seniors: {senior}/A senior ticket costs {senior}/[Entry|Admission] for seniors is {senior}; How much is a [senior ticket|ticket for [seniors|a senior|my grandmother]]?/What do seniors pay?/How much do seniors [pay|have to pay]?/Is there a [senior discount|senior ticket|discount for seniors]?/I am [67|70|72|80] years old. Is there a senior ticket?/What is the price for [seniors|pensioners|older people]?; ; A senior ticket costs {senior}.; {senior}; And for seniors?/And seniors?/What about [seniors|pensioners|my grandfather]?
group tickets; Groups pay {group} per person/Group ticket: {group} per person/Groups: {group} per person/A group ticket costs {group} per person; How much is a group ticket?/What do groups pay?/Is there a group [price|discount|ticket]?/We are a group. How much do we pay?/Do you have a group rate?; ; A group ticket costs {group} per person.; {group}; And for groups?/What about groups?
free entry; Free entry for {free}/Entry is free for {free}/Free for {free}/Admission is free for {free}/No ticket needed for {free}/{free} enter for free/{free} get in free/{free} free; Who gets in for free?/Is there free entry?/Who does not have to pay?/Who can enter for free?/Does anyone get in free?/Is entry free for anyone?/Who has free [entry|admission]?/For whom is the entry free?/Can anyone get in without paying?/Is the museum free for anyone?; Is it free for {free}?/Do {free} have to pay?/What do {free} pay?/How much do {free} pay?; Entry is free for {free}.; {free}; Is it free for anyone?/And who gets in free?/Is it free for {free}?
a cafe; Cafe: {at}, {span}/The cafe is {at} and open from {span}/There is a cafe {at}, open {span}/The cafe {at} is open from {span}/Cafe {at}, open {span}; Is there a [cafe|place to eat|coffee shop]?/Where is the cafe?/When is the cafe open?/Where can I [get|buy|have|drink] a [coffee|tea|cup of coffee|cake]?/Where can I [eat something|get something to eat|have lunch]?/Where do I find the cafe?/What are the opening hours of the cafe?/I am hungry. Where can I eat?/How long is the cafe open?/Do you have a cafe?/Can I get a coffee here?/Which floor is the cafe on?; ; The cafe is {at} and open from {span}.; {at}|{span}; And the cafe?/What about the cafe?/And where is the cafe?
a cafe; Cafe: {at}/The cafe is {at}/There is a cafe {at}/You can eat in the cafe {at}/You find the cafe {at}; Is there a [cafe|place to eat|coffee shop]?/Where is the cafe?/Where can I [get|buy|have|drink] a [coffee|tea|cup of coffee|cake]?/Where can I [eat something|get something to eat|have lunch]?/Where do I find the cafe?/I am hungry. Where can I eat?/I would like a coffee. Where do I get one?/How do I get to the cafe?/Which floor is the cafe on?/Do you have a cafe?/Can I get a coffee here?; ; The cafe is {at}.; {at}; And the cafe?/What about the cafe?/And where is the cafe?
a restaurant; Restaurant: {at}, {span}/The restaurant is {at} and open from {span}/The restaurant {at} is open from {span}; Is there a restaurant?/Where is the restaurant?/When is the restaurant open?/Do you have a restaurant?/How long is the restaurant open?; ; The restaurant is {at} and open from {span}.; {at}|{span}; And the restaurant?
guided tours; Guided tour: {time}, {meet}/The guided tour starts at {time} {meet}/A guided tour begins at {time} {meet}/Guided tour at {time} {meet}/Tours start at {time} {meet}/There is a guided tour at {time}, starting {meet}; When is the [guided|next|] tour?/Is there a [tour|guided tour|guide]?/Where does the [tour|guided tour] [start|begin]?/When does the [tour|guided tour] [start|begin]?/What time is the [tour|guided tour]?/Do you [offer|have] guided tours?/I want to join a tour. When does it start?/Where do we meet for the tour?/Can I join a guided tour?/Are there guided tours?; ; The guided tour starts at {time} {meet}.; {time}|{meet}; And the tour?/What about tours?/And when is the tour?
guided tours; Guided tours at {times}/Guided tours start at {times}/Tours: {times}/There are guided tours every day at {times}; When [are|do you have] the [guided|] tours?/Is there a [tour|guided tour]?/When does the [tour|guided tour] [start|begin]?/What time is the [tour|guided tour]?/Do you [offer|have] guided tours?/How many guided tours are there?/Are there guided tours?/When is the next tour?; ; The guided tours start at {times}.; {times}; And the tour?/What about tours?/And when are the tours?
the length of the tour; The tour takes {minutes}/Length of the tour: {minutes}/A guided tour lasts {minutes}; How long does the [tour|guided tour] [take|last]?/How long is the [tour|guided tour]?/How long does a tour take?/How much time does the tour take?; ; The tour takes {minutes}.; {minutes}; How long does [it|the tour] take?
the price of the tour; A tour costs {guide}/Tour price: {guide}/The guided tour costs {guide} per person/Guided tour: {guide} extra; How much is [the|a] [tour|guided tour]?/What does [the|a] [tour|guided tour] cost?/How much does [the|a] [tour|guided tour] cost?/Do I have to pay for the tour?; ; The guided tour costs {guide}.; {guide}; And how much is the tour?
the {room}; {room}: {shows} collection, {floor}/The {room} {floor} shows the {shows} collection/The {shows} collection is in the {room} {floor}/{room} ({floor}): {shows} collection; Where is the {room}?/What is in the {room}?/Where can I [see|find|look at] the {shows} collection?/How do I [find|get to] the {room}?/Which floor is the {room} on?/What can I see in the {room}?/Where is the {shows} collection?/I am looking for the {room}./What does the {room} show?; ; The {room} is {floor} and shows the {shows} collection.; {room}|{floor}|{shows}; And the {room}?/What about the {room}?
WiFi; WiFi: {wifi}, password {password}/The WiFi is called {wifi} and the password is {password}/WiFi name {wifi}, WiFi password {password}/Free WiFi: {wifi} (password: {password})/WiFi network {wifi}, password {password}; What is the WiFi [password|name|code]?/Is there [free|] WiFi?/How do I [use|get into|connect to|log in to] the WiFi?/Do you have WiFi?/Can I use the WiFi?/wifi password?/My phone needs WiFi./Is there a wireless network for guests?/Do you have free wifi?; ; The WiFi is called {wifi} and the password is {password}.; {wifi}|{password}; And the WiFi?/What about WiFi?
the address; Address: {street}/The address is {street}/We are at {street}/You find us at {street}/The museum is located at {street}; What is the [address|exact address|street address]?/What is your address?/Can you give me the address?/What is the address of [this place|the museum]?/I need the address for a taxi./Which street is this?; Where are you?/Where is this place?/Where is the museum?/How do I find you?; The address is {street}.; {street}; And the address?/What about the address?
a phone number; Phone: {phone}/The phone number is {phone}/Call us at {phone}/Tel: {phone}/Telephone: {phone}/You can call {phone}; What is the [phone|telephone] number?/How can I [call|phone|ring] you?/What is your [number|phone number]?/Do you have a phone number?/Which number do I call?/Can I call you?/I want to call the museum. What is the number?; ; The phone number is {phone}.; {phone}; And the phone number?/What about a phone number?
an email address; Email: {mail}/The email address is {mail}/Write to {mail}/E-mail us at {mail}; What is the email address?/What is your email?/How can I [write to you|send you an email|email you]?/Do you have an email address?/Can I email you?; ; The email address is {mail}.; {mail}; And your email?
a website; Website: {web}/Our website is {web}/More at {web}/The website is {web}; Do you have a website?/What is the website?/What is your website?/Where can I [read|find out] more online?/Where can I find you on the web?; ; The website is {web}.; {web}; And the website?
the director; Director: {head}/The director is {head}/{head} is the director/The museum is led by {head}; Who is the director?/Who [runs|leads|manages] [this place|the museum]?/What is the name of the director?/Who is in charge [here|]?/Who is the boss here?; ; The director is {head}.; {head}; And the director?
events; Next event: {event}, {when}/The next event is the {event} {when}/The {event} takes place {when}/Event: {event} {when}/There is a {event} {when}; What is the next event?/Are there any events?/When is the next event?/What events are [planned|there]?/Is there an event coming up?; What is on this week?/Is there anything special on?/What is happening here?/When is the {event}?/When does the {event} take place?/Tell me about the {event}.; The next event is the {event} {when}.; {event}|{when}; Any events?/And are there any events?
an exhibition; Special exhibition: {title}, until {until}/The special exhibition {title} runs until {until}/Now showing: {title}, until {until}/The exhibition {title} is open until {until}; What is the [special|current|new|] exhibition [called|]?/Is there a special exhibition?/Which exhibition is on?/How long does the [special|] exhibition run?/Until when is the special exhibition?/What exhibitions do you have?; How long can I see {title}?/When does {title} end?; The special exhibition is {title} and runs until {until}.; {title}|{until}; And the special exhibition?
toilets; Toilets: {at}/The toilets are {at}/Toilets {at}/Restrooms: {at}/The restrooms are {at}/You find the toilets {at}; Where are the [toilets|restrooms|bathrooms|loos|washrooms]?/Where is the [toilet|bathroom|restroom|loo]?/Is there a [toilet|bathroom|restroom] [here|]?/I need the [toilet|bathroom|restroom]./Which way to the toilets?/Where can I [wash my hands|find a toilet|go to the toilet]?/My [son|daughter] needs the toilet. Where is it?/How do I get to the [toilets|bathroom]?/toilet?/Do you have toilets?; ; The toilets are {at}.; {at}; And the toilets?/What about [toilets|the bathroom]?/And where are the toilets?
a shop; [Shop|Gift shop]: {span}/The [|gift |museum ]shop is open from {span}/There is a [|gift ]shop, open {span}/Shop hours: {span}; When is the [shop|gift shop|museum shop] open?/Is there a [shop|gift shop|souvenir shop]?/What are the opening hours of the shop?/How long is the shop open?/Do you have a [shop|gift shop]?/When does the [shop|gift shop] [open|close]?; ; The shop is open from {span}.; {span}; And the shop?/What about the shop?
a shop; [Shop|Gift shop|Museum shop]: {at2}/The [|gift |museum ]shop is {at2}/You find the shop {at2}/There is a [|gift ]shop {at2}; Where is the [shop|gift shop|museum shop]?/Is there a [shop|gift shop|souvenir shop]?/Where can I buy [a gift|a souvenir|postcards|a postcard|a present|souvenirs|something for my friend]?/Do you sell [souvenirs|postcards|gifts]?/How do I get to the shop?/Do you have a gift shop?; ; The shop is {at2}.; {at2}; And the shop?/What about the shop?
lockers; Lockers: {locker}/A locker costs {locker}/Lockers cost {locker}/Locker fee: {locker}; Are there lockers?/How much is a locker?/Where can I [leave|put|store] my [bag|backpack|coat|suitcase]?/What does a locker cost?/Do you have lockers?/Can I lock up my bag?/Can I leave my bag somewhere?; ; There are lockers. The price is {locker}.; {locker}; And lockers?/What about a locker?
parking; Parking: {park}/You can park {park}/Parking is {park}/There is parking {park}/Cars can park {park}; Where can I [park|park my car|leave my car|leave the car]?/Is there [parking|a car park|a place to park]?/Where do I park [my car|]?/Do you have [parking|a car park|parking spaces]?/Can I park [here|my car somewhere]?/We came by car. Where can we park?/Where is the [car park|parking lot]?; ; You can park {park}.; {park}; And parking?/What about parking?/And where can I park?
the price of parking; Price of parking: {parkfee}/Parking fee: {parkfee}/Parking is {parkfee}/Car park: {parkfee}; How much is parking?/What does parking cost?/How much does it cost to park?/Is parking free?/Do I have to pay for parking?/Parking fee?; ; Parking is {parkfee}.; {parkfee}; And how much is parking?
a bus; Bus: line {bus}/Bus line {bus} stops here/Bus: line {bus} to the door/Take bus line {bus}/The bus line {bus} stops at the door; Which bus stops here?/How do I get here by bus?/Is there a bus?/Which bus [goes|comes] here?/What bus line do I take?/Can I come by bus?/Which bus should I take?/How can I come by public transport?; ; You can take bus line {bus}.; line {bus}; And by bus?/What about a bus?
dogs; Dogs are {dogs}/Dogs: {dogs}/Dogs {dogs}/Dogs are {dogs} here/Pets: dogs are {dogs}; Can I bring my dog [|inside|in]?/Are dogs allowed [here|inside|]?/May I come in with a dog?/Can my dog come [in|with me|too]?/I have a dog with me. Is that ok?/What about dogs?/Do you allow dogs?/Can I take my dog with me?; ; Dogs are {dogs}.; dogs are {dogs}; And dogs?/What about [dogs|my dog]?
photos; Photos: {photos}/Photos are {photos}/Taking photos is {photos}/Photography: {photos}; Can I take [photos|pictures|a photo]?/Are photos allowed?/May I take [pictures|photos]?/Is photography allowed?/Can we take photos here?/Is it ok to take pictures?/Do you allow photos?; ; Photos are {photos}.; photos are {photos}; And photos?/What about [photos|pictures]?
food; Food and drinks are {food}/Eating is {food}/Food: {food}/Food is {food}; Can I [eat|drink|eat and drink] [here|inside]?/Is food allowed?/May I bring [food|my own food|a sandwich|drinks]?/Can I bring [food|drinks|something to eat]?/Are food and drinks allowed?; ; Food is {food}.; food is {food}; And food?
audio guides; Audio guide: {guide}/An audio guide costs {guide}/Audio guides cost {guide}/You can rent an audio guide for {guide}; How much is an audio guide?/Is there an audio guide?/What does an audio guide cost?/Do you have audio guides?/Can I [rent|get] an audio guide?; ; An audio guide costs {guide}.; {guide}; And an audio guide?/What about an audio guide?
the languages of the tour; Tours are in {tongues}/Languages of the tour: {tongues}/The guided tours are in {tongues}/Tours in {tongues}; In which languages are the tours?/Which languages are the tours in?/What language is the tour in?/Is the tour in English?/Do you have tours in [German|French|Spanish|other languages]?; ; The tours are in {tongues}.; {tongues}; And in which language?
the age of this place; [The museum was|We were|This house was] founded in {year}/Founded in {year}/Founded: {year}/[The museum|This house] has existed since {year}; When was [the museum|this place|it] [founded|opened|started]?/How old is [this place|the museum]?/Since when does [this place|the museum] exist?/In what year was [the museum|this place] founded?; ; It was founded in {year}.; {year}; And when was it founded?
the founder; [The museum was|It was] founded by {person}/Founder: {person}/{person} founded the museum/The founder is {person}; Who founded [the museum|this place]?/Who started [the museum|this place]?/Who is the founder?/What is the name of the founder?/Who created this museum?; ; The founder is {person}.; {person}; And who founded it?
the collection; [The museum shows|We have|You can see] {things}/The collection has {things}/Collection: {things}/There are {things} [on display|to see]; How many objects are there?/How big is the collection?/What is in the collection?/How many things do you have?; What can I see [here|]?/What does the museum show?/What do you show here?; You can see {things}.; {things}; And how big is the collection?
the length of a visit; A visit takes {minutes}/Plan {minutes} for your visit/Time for a visit: {minutes}/Most visitors stay {minutes}; How long does a visit take?/How much time do I need?/How long should I plan [for a visit|]?/How long do people stay?/How much time should I bring?; ; A visit takes {minutes}.; {minutes}; And how long does a visit take?
the last entry; Last entry: {before} before closing/The last entry is {before} before closing/Last admission {before} before closing/You can enter until {before} before closing; When is the last [entry|admission]?/Until when can I [come in|enter|get in]?/How late can I come in?/What is the latest time to enter?; ; The last entry is {before} before closing.; {before}; And the last entry?
wheelchair access; [The building|The museum|Everything] is wheelchair accessible/Wheelchair access: yes, there is a lift/There is a lift for wheelchairs/All floors can be reached by wheelchair; Is it wheelchair accessible?/Can I come [in|with] a wheelchair?/Is there wheelchair access?/My [mother|father|friend] uses a wheelchair. Is that possible?/Is the [building|museum] accessible [for wheelchairs|]?; ; Yes, you can come with a wheelchair.; wheelchair; And with a wheelchair?
"""


def parse(line):
    parts = [part.strip() for part in line.split(";")]
    topic, says, asks, own, answer, need, follow = parts
    return topic, says.split("/"), asks.split("/") + ASKS.get(topic, []), [x for x in own.split("/") if x], answer, need.split("|"), follow.split("/")


FAMILIES = [parse(line) for line in TABLE.strip().split("\n")]
PRICED = {"tickets", "adult tickets", "child tickets", "family tickets", "student tickets", "senior tickets", "free entry"}
WEIGHTS = [3 if f[0] in PRICED or f[0] in ("a cafe", "toilets", "parking") else 2 for f in FAMILIES]


def table_fact(family, values):
    topic, says, asks, own, answer, need, follow = family
    say = lambda text: text.format(**values)
    return Fact(
        says,
        asks,
        own,
        say(answer),
        [say(x) for x in need],
        say(topic),
        follow,
        "price" if topic in PRICED else "",
    )


def object_name(rng):
    noun = pick(rng, OBJECTS) if rng.random() < 0.8 else invented(rng).lower()
    return f"{pick(rng, LOOKS)} {noun}" if rng.random() < 0.5 else noun


def object_fact(rng, name=None):
    """A thing to find, say or count: the shapes people write museum facts in."""
    name = name or (pick(rng, ROOMS) if rng.random() < 0.15 else object_name(rng))
    place = where(rng)
    return Fact(
        [f"The {name} is {place}", f"{capital(name)}: {place}", f"You find the {name} {place}", f"The {name} can be seen {place}", f"You can see the {name} {place}", f"The {name} stands {place}"],
        [f"Where is the {name}?", f"Where can I [see|find] the {name}?", f"How do I [find|get to] the {name}?", f"Where do I find the {name}?", f"I am looking for the {name}.", f"I want to see the {name}. Where is it?", f"Where would I find the {name}?", f"Is there a {name}?" if name[0] not in "aeiou" else f"Is there an {name}?", f"Which room is the {name} in?"],
        [],
        f"The {name} is {place}.",
        [name, place],
        f"the {name}",
        [f"And the {name}?", f"What about the {name}?", f"And where is the {name}?"],
    )


def number_fact(rng):
    thing = pick(rng, ["building", "tower", "castle", "house", "mill", "bridge", "garden", "ship", "hall", "lighthouse", "church", object_name(rng)])
    shape = rng.randrange(8)
    n, year, person = rng.randint(3, 400), rng.randint(900, 2019), f"{pick(rng, PEOPLE)} {invented(rng)}"
    if shape == 0:
        unit = pick(rng, ["metres", "meters", "feet"])
        adj, noun = pick(rng, [("high", "height"), ("long", "length"), ("wide", "width"), ("tall", "height")])
        return Fact([f"The {thing} is {n} {unit} {adj}", f"{capital(noun)} of the {thing}: {n} {unit}"], [f"How {adj} is the {thing}?", f"What is the {noun} of the {thing}?"], [], f"The {thing} is {n} {unit} {adj}.", [f"{n} {unit}"], f"the {noun} of the {thing}", [f"How {adj} is it?"])
    if shape == 1:
        part = pick(rng, ["steps", "rooms", "windows", "floors", "doors", "towers", "stairs", "seats", "visitors a year", "bells", "benches"])
        return Fact([f"The {thing} has {n} {part}", f"There are {n} {part} in the {thing}", f"{capital(part)} in the {thing}: {n}"], [f"How many {part} [does the {thing} have|are there|are in the {thing}]?", f"How many {part} has the {thing}?"], [], f"The {thing} has {n} {part}.", [f"{n} {part}"], part, [f"And how many {part}?"])
    if shape in (2, 3):
        verb = pick(rng, ["built", "made", "opened", "painted", "restored", "finished"])
        return Fact([f"The {thing} was {verb} in {year}", f"The {thing}, {verb} in {year}, is our pride", f"{capital(thing)}: {verb} in {year}"], [f"When was the {thing} {verb}?", f"In [what|which] year was the {thing} {verb}?", f"What year was the {thing} {verb}?", f"How old is the {thing}?"], [], f"The {thing} was {verb} in {year}.", [str(year)], f"the age of the {thing}", [f"When was it {verb}?", f"And when was the {thing} {verb}?"])
    if shape in (4, 5):
        verb = pick(rng, ["built", "made", "designed", "painted", "donated", "discovered", "invented"])
        return Fact([f"The {thing} was {verb} by {person}", f"{person} {verb} the {thing}", f"The {thing} was {verb} in {year} by {person}"], [f"Who {verb} the {thing}?", f"Who was the {thing} {verb} by?", f"Which person {verb} the {thing}?"], [], f"The {thing} was {verb} by {person}.", [person], f"who {verb} the {thing}", [f"Who {verb} it?"])
    best = pick(rng, ["oldest", "largest", "smallest", "most famous", "heaviest", "newest", "most valuable", "biggest", "most popular"])
    noun, what = pick(rng, ["object", "piece", "exhibit", "item", pick(rng, THINGS)]), article(object_name(rng))
    return Fact([f"The {best} {noun} is {what}", f"Our {best} {noun} is {what}", f"{capital(best)} {noun}: {what}", f"{capital(what)} is the {best} {noun}"], [f"What is the {best} {noun}?", f"Which is the {best} {noun}?", f"What is your {best} {noun}?", f"Which {noun} is the {best}?"], [], f"The {best} {noun} is {what}.", [what], f"the {best} {noun}", [f"And the {best} {noun}?"])
