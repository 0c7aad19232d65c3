"""More that a place may say: services, sales, tours, rules, shows, people, and what fits only some places."""

from names import invented, person
from turn import DAYS, capital, fill, pick

GOODS = """postcards,honey,tea towels,toys,books,maps,posters,candles,mugs,jam,soap,T-shirts,stickers,pencils,
notebooks,sweets,jewellery,puzzles,stamps,seeds,scarves,key rings,caps,water,sun cream,newspapers,bags,films,
calendars,wooden ducks,tin soldiers,chocolate,wine,salt,bread,flowers,socks,batteries,guidebooks""".replace("\n", "").split(",")
DISHES = """soup,cake,sandwiches,coffee,pasta,salad,ice cream,pancakes,tea,hot chocolate,lemonade,pies,waffles,chips,
pizza,rolls,fish soup,dumplings,fruit,juice,curry,stew,scones,croissants,pretzels,beer,apple pie,omelettes""".replace("\n", "").split(",")
THINGS_LOST = "umbrella,phone,bag,hat,glove,coat,key,ring,wallet,camera,scarf,glasses,teddy,jacket,purse,watch".split(",")
HOLIDAYS = """25 December|Christmas Day|New Year's Day|Good Friday|Easter Sunday|public holidays|1 May|1 January|
24 December|New Year's Eve|Christmas Eve|bank holidays|Independence Day|Easter Monday""".replace("\n", "").split("|")
MONTHS = "January February March April May June July August September October November December".split()
ROLES = """caretaker,head gardener,lifeguard,librarian,captain,cook,curator,owner,manager,ranger,teacher,guide,secretary,
doorkeeper,shop manager,chief engineer,accountant,head keeper,organist,conductor,mayor,night guard,nurse,trainer,vet,
bookseller,stage manager,harbour master,miller,restorer,photographer,coach,chef""".replace("\n", "").split(",")
SHOWS = """puppet show,owl show,organ concert,film,fire show,magic show,swimming lesson,dance class,boat trip,lecture,
reading hour,yoga class,chess club,pottery workshop,feeding of the {z},feeding of the {z},seal show,bell concert,
children's workshop,quiz night,drawing class,night walk,open rehearsal,flea market,science show,story evening,
water aerobics,craft afternoon,light show,treasure hunt,changing of the guard,wine tasting,city walk""".replace("\n", "").split(",")
ANIMALS = "penguins lions otters seals owls elephants goats sharks monkeys bears parrots wolves pelicans snakes rays turtles".split()
HIRE = """boat,bicycle,headset,locker,deck chair,wheelbarrow,kayak,helmet,pushchair,sledge,swimsuit,canoe,tent,
blanket,costume,umbrella,pedal boat,cabin,tennis court,meeting room,projector,cool box,life jacket,fishing rod,scooter,
pair of skates,pair of binoculars,sauna robe,bath towel,photo pass,parking permit,programme,printed map,
cup of tea,hot drink,guidebook,day pass,year card,season ticket,night ticket,bath,copy,
colour print,ten-visit card,monthly pass,evening ticket,bike ticket,dog ticket,car ticket,ski lesson""".replace("\n", "").split(",")
# What must be done: the statement, ways to ask.
DUTIES = """Children under ten must come with an adult;Can children come alone?/May my daughter visit alone?/Can kids come without parents?/Do I have to stay with my child?
Dogs must be on a lead;What about my dog?/How do I bring my dog?/Does my dog need a lead?/Can my dog run free?
Visitors must wear a badge;Do I need a badge?/What do visitors wear?/Must I wear a badge?
Big bags must stay in the lockers;What about my big bag?/Can I keep my big bag?/Where does my suitcase go?
Shoes must be taken off at the door;Can I keep my shoes on?/Do I take off my shoes?/What about shoes?
Swimmers must shower first;Do I have to shower?/Must I shower before I swim?/What do swimmers do first?
Swim caps must be worn;Do I need a swim cap?/Must I wear a swim cap?/What do I wear in the water?
Helmets must be worn in the mine;Do I need a helmet?/Must I wear a helmet?
Tickets must be bought online;Where do I buy tickets?/Can I buy a ticket here?/Where can I get a ticket?
Groups must book a week ahead;Does a group have to book?/When do groups book?/We are a group. Must we book?
Seats must be booked by phone;How do I book a seat?/Can I reserve a seat?/Do I need to book?
Phones must be silent;What about my phone?/Can my phone ring?/Do I switch off my phone?
Bicycles must be locked outside;Where do I put my bike?/What about my bicycle?/Can I bring my bike in?
Passengers must be here ten minutes early;When do I have to be here?/How early must I come?/Do I have to be early?
Guests must leave their keys at the desk;What about my key?/Where do I leave the key?/What do I do with my key?
Parcels must be signed for;Do I sign for a parcel?/What about parcels?/Who can take a parcel?
Coats must be left at the door;Can I keep my coat?/What about coats?/Where do coats go?"""
DUTIES = [(said, asks.split("/")) for said, asks in (line.split(";") for line in DUTIES.split("\n"))]
CARRIED = """bicycles,a bicycle,bike;bikes,a bike,bike;prams,a pram,pram;suitcases,a suitcase,suitcase;surfboards,a surfboard,surfboard;
skis,skis,skis;dogs,a dog,dog;cats,a cat,cat;scooters,a scooter,scooter;wheelchairs,a wheelchair,wheelchair;motorbikes,a motorbike,motorbike;
kayaks,a kayak,kayak;trailers,a trailer,trailer;small cars,a small car,car""".replace("\n", "").split(";")
CARRIED = [tuple(item.split(",")) for item in CARRIED]
# A rule's subject, its verb, ways to ask.
RULES = """Smoking;is;Can I smoke [here|inside]?/Is smoking allowed?/May I smoke?/Where can I smoke?
Flash;is;Can I use flash?/Is flash allowed?/May I use a flash?
Ball games;are;Can we play [ball|football] here?/Are ball games allowed?/May the children play ball?
Diving;is;Can I dive [here|in]?/Is diving allowed?/May we dive from the side?
Drones;are;Can I fly a drone?/Are drones allowed?/May I bring my drone?
Swimming;is;Can we swim here?/Is swimming allowed?/May I go for a swim?
Barbecues;are;Can we have a barbecue?/Are barbecues allowed?/May we grill here?
Camping;is;Can I camp here?/Is camping allowed?/May we put up a tent?
Running;is;Can the kids run around?/Is running allowed?/May my children run here?
Loud music;is;Can I play music?/Is loud music allowed?/May we play our music?
Phone calls;are;Can I make a phone call?/Are phone calls allowed?/May I use my phone?/Can I phone here?
Picnics;are;Can we have a picnic?/Are picnics allowed?/Where can we have our picnic?/May we eat our picnic here?
Prams;are;Can I bring [a pram|my pram|a pushchair]?/Are prams allowed?/May I come in with a pram?/Is there room for my pram?
Large bags;are;Can I bring [a large bag|a big bag|my suitcase]?/Are [large|big] bags allowed?/May I take my big bag in?
Tripods;are;Can I use a tripod?/Are tripods allowed?/May I put up my tripod?
Cats;are;Can I bring my cat?/Are cats allowed?/May my cat come in?
Bicycles;are;Can I bring my [bike|bicycle]?/Are [bikes|bicycles] allowed?/May I take my bike in?/Can I take a bike with me?
Skateboards;are;Can I bring my skateboard?/Are skateboards allowed?/May I skate here?
Food;is;Can I bring [food|my lunch|a sandwich]?/Is food allowed?/May I eat here?/Can we eat our own food?
Drinks;are;Can I bring [drinks|a bottle of water|coffee]?/Are drinks allowed?/May I drink here?
Dogs;are;Can I bring my dog?/Are dogs allowed?/May my dog come in?/can i take my dog with me/I have a small dog. Is that ok?
Filming;is;Can I film [here|inside]?/Is filming allowed?/May I make a video?
Photography;is;Can I take [pictures|photos]?/Is photography allowed?/May we photograph?/Are pictures ok?
Touching the objects;is;Can I touch the objects?/Is touching allowed?/May the children touch things?
High heels;are;Can I wear high heels?/Are high heels allowed?
Laptops;are;Can I use my laptop?/Are laptops allowed?/May I work on a laptop here?"""
RULES = [(a, b, c.split("/")) for a, b, c in (line.split(";") for line in RULES.split("\n"))]
STATES = """allowed|not allowed|not allowed|allowed|allowed {at}|allowed {at} only|not allowed {at}|forbidden|welcome|
allowed on {d}s|allowed outside|not permitted|permitted|allowed before noon|forbidden {at}""".replace("\n", "").split("|")
EQUIPMENT = """first aid room,cash machine,ticket machine,water fountain,baby changing room,nursery,drinking fountain,
information desk,lecture hall,seminar room,playground,reading corner,vending machine,quiet room,photo booth,
defibrillator,coat rack,meeting point,printer,copy machine,post box,phone box,picnic lawn,smoking area,prayer room,sauna,
steam room,diving board,whirlpool,slide,canteen,roof terrace,waiting room,luggage rack,emergency exit,fire alarm,bike rack,
taxi stand,ice cream stand,souvenir stand,viewing platform,aviary,insect house,map room,newspaper rack,study room,
projection room,box office,main stage,dark room,garden gate,goods lift,staff room,mail room,treasury,throne room,kitchen,stables,rose garden,pond,greenhouse,bandstand,organ,crypt,cloister,engine room,
sun deck,bridge,changing room,shower,lift,cloakroom,lost property office,gift shop,bookshop,snack bar""".replace("\n", "").split(",")


def values(rng, style, where):
    """Fresh values for the families below."""
    goods, dishes = rng.sample(GOODS, 5), rng.sample(DISHES, 5)
    listing = lambda items: ", ".join(items[:-1]) + " and " + items[-1]
    day, other_day = rng.sample(DAYS, 2)
    two = style.two_times(rng)
    minutes = pick(rng, ("{n} minutes", "{n} minutes", "about {n} minutes", "{n} min")).format(n=rng.randint(2, 18) * 5)
    return {
        "any": fill(rng, f"[{rng.randint(1, 12)}|{rng.randint(1, 6)} o'clock|{rng.randint(9, 17)}:30|{rng.randint(9, 17)}:00|{rng.randint(1, 11)} pm|{rng.randint(8, 11)} am]"),
        "goods": listing(goods[: rng.randint(2, 4)]),
        "good": goods[0],
        "good2": goods[1],
        "nogood": goods[4],
        "dishes": listing(dishes[: rng.randint(2, 4)]),
        "dish": dishes[0],
        "dish2": dishes[1],
        "tday": day,
        "tday2": other_day,
        "ttime": style.time(rng),
        "tmeet": "at " + pick(rng, ["the gate", "the big oak", "the ticket desk", "the front steps", "the clock", "the bench", "the well", f"door {rng.randint(1, 9)}", "the bookshop", "the bell", "the pump", "the anchor", "the statue of the queen"]),
        "tprice": style.price(rng, 2, 18),
        "ttwo": f"{two[0]} and {two[1]}",
        "tongue": pick(rng, ["English", "German", "French", "Spanish", "Italian", "Dutch", "Polish", "Danish", "Turkish", "Arabic", "Chinese", "sign language"]),
        "coats": where(rng),
        "coatfee": style.price(rng, 1, 4),
        "lift": where(rng),
        "lost": fill(rng, "[at the [front desk|ticket desk|counter|information desk|reception|porter's lodge]|in room {n}|in the office|with the [guard|caretaker|cashier]|in the blue box at the door]").replace("{n}", str(rng.randint(1, 40))),
        "thing": pick(rng, THINGS_LOST),
        "pay": pick(rng, ["in cash only", "by card only", "in cash or by card", "in cash, by card or by phone", "by card or phone", "in cash"]),
        "reduced": style.price(rng, 2, 12),
        "holiday": pick(rng, HOLIDAYS),
        "month": pick(rng, MONTHS[:6]),
        "month2": pick(rng, MONTHS[7:]),
        "line": str(rng.randint(2, 99)),
        "line2": str(rng.randint(100, 399)),
        "halt": fill(rng, f"[at|in front of|opposite|near] [the {pick(rng, ('gate', 'church', 'main door', 'bakery', 'school', 'bank', 'post office', 'market'))}|{invented(rng)} [Square|Street|Bridge|Road]]"),
        "station": invented(rng) + pick(rng, ["", "", " Station", " North", " Central"]),
        "walk": f"{rng.randint(2, 25)} minutes",
        "spot": fill(rng, f"[behind the [school|barn|pool|bank|hall|chapel]|by the [old barn|river|wall|gate|pond]|on the [lawn|square|roof|left side]|next to the [gate|school|station|lake]|in [{invented(rng)} Street|the yard|the garage|front of the gate]|under the [bridge|house|trees]|at the [end of the road|north side|stadium|harbour]]"),
        "spotfee": style.price(rng, 1, 12) + pick(rng, ["", " per day", " per day", " per hour", " a day"]),
        "degrees": f"{rng.randint(16, 38)} degrees",
        "depth": f"{rng.randint(1, 4)}.{rng.randint(1, 9)} metres",
        "pier": f"pier {rng.randint(1, 19)}",
        "crossing": minutes,
        "departures": f"{style.hour(rng.randint(5, 7), pick(rng, (0, 10, 40, 30)))}, {two[0]} and {two[1]}",
        "loan": fill(rng, "[two|three|six|five|four|eight] [weeks|days|months]"),
        "n_books": str(rng.randint(3, 40)),
        "latefee": pick(rng, [f"{rng.randint(5, 90)} cents", style.price(rng, 1, 2)]),
        "network": fill(rng, f"[{invented(rng).lower()}|{invented(rng)}|{invented(rng).lower()}-guest|guest-{rng.randint(1, 99)}|{invented(rng)} Visitors]"),
        "code": fill(rng, f"[{invented(rng).lower()}{rng.randint(1, 999)}|{rng.randint(1000, 99999999)}|{invented(rng)}-{rng.randint(1, 99)}|{invented(rng).lower()}]"),
        "lunch": f"{style.hour(rng.randint(10, 12), pick(rng, (0, 30, 15)))} to {style.hour(rng.randint(13, 16), pick(rng, (0, 30)))}",
        "title2": fill(rng, f"[The|My|] {pick(rng, ('Secret', 'Long', 'Lost', 'Blue', 'Last', 'Invisible', 'Strange', 'Golden'))} [Journey|Life|Summer|Colours|World|Art|Story|Voices] of {invented(rng)}").strip(),
        "enddate": f"{rng.randint(1, 28)} {pick(rng, MONTHS)}" if rng.random() < 0.5 else f"the end of {pick(rng, MONTHS)}",
        "builder": person(rng),
        "builtyear": str(rng.randint(1080, 2015)),
        "animals": str(rng.randint(20, 900)),
        "rooms": str(rng.randint(4, 90)),
        "rain": fill(rng, "[we stay open|the garden closes|tours move indoors|the show is cancelled|boats do not run]"),
        "baby": pick(rng, ANIMALS)[:-1],
        "babyname": invented(rng),
    }


# One family a block: topic and the places it fits (* all); says; asks; own asks; answer; need; follow.
TABLE = """
what the shop sells; *
The [shop|gift shop|museum shop] sells {goods}/Shop: {goods}/In the shop you can buy {goods}/You can buy {goods} in the shop/On sale in the shop: {goods}
What does the shop sell?/What can I buy [here|in the shop]?/Can I buy {good}?/Do you sell {good}?/Does the shop have {good2}?/Can I get {good2} [here|in the shop]?/What is there in the shop?/Do you have {nogood} in the shop?/I want to buy {good}. Is that possible?/Are there {good} in the shop?/Do you sell {nogood}?/I need a present for my [aunt|uncle|friend]. What is there in the shop?

The shop sells {goods}.
{goods}
And what does the shop sell?/And {good}?

what the cafe serves; *
The cafe serves {dishes}/Cafe: {dishes}/In the cafe you get {dishes}/There is a cafe with {dishes}/Our cafe offers {dishes}
What does the cafe [serve|offer|have]?/What can I eat [here|in the cafe]?/Can I get {dish} [here|in the cafe]?/Do you have {dish2}?/Is there {dish}?/What is on the menu?/I am hungry. What is there to eat?/Can we have {dish} [here|]?/What can I drink or eat in the cafe?

The cafe serves {dishes}.
{dishes}
And what can I eat there?/And {dish}?

guided tours; *
Guided tour on {tday}s at {ttime}, it meets {tmeet}/Guided tours: {tday} at {ttime}, meeting point {tmeet}/A guided tour starts every {tday} at {ttime} {tmeet}/Every {tday} at {ttime} there is a guided tour, meet {tmeet}/Tours: {tday}s, {ttime}, {tmeet}
When is the [guided |]tour?/On which day is the [guided |]tour?/What time is the [guided |]tour [on {tday}|]?/Where does the tour [meet|start|begin]?/Where do we meet [for the tour|the guide]?/Is there a [guided |]tour at {any}?/Is there a [guided |]tour on [{tday}|{tday2}]?/Do you do tours?/Can I join a [guided |]tour?/Where is the meeting point for the tour?/When and where does the tour start?/tour?/When can we go on a tour?/I would like a guided tour. When is it?

The guided tour is on {tday} at {ttime} {tmeet}.
{tday}|{ttime}|{tmeet}
And the tour?/And when is the tour?/And where does the tour meet?

guided tours; *
Guided tours: {ttwo}/Guided tours at {ttwo} {tmeet}/Tours start at {ttwo} {tmeet}/Tours leave at {ttwo} {tmeet}/There are guided tours at {ttwo}, they start {tmeet}
When are the [guided |]tours?/What time [is|are] the [tour|tours]?/Is there a tour at {any}?/When does the next tour start?/When do tours start?/How many tours are there a day?/Is there a guided tour?/Can we take a tour?/Do you offer tours?/when is the tour

The guided tours start at {ttwo}.
{ttwo}
And tours?/And when are the tours?

tours in other languages; *
Tours in {tongue}: {tday} at {ttime}/A tour in {tongue} starts on {tday} at {ttime}/On {tday}s at {ttime} the tour is in {tongue}/{tongue} tour: {tday}s, {ttime}
When is the tour in {tongue}?/Is there a tour in {tongue}?/Do you have tours in {tongue}?/Are there tours in {tongue}?/I speak {tongue}. Is there a tour for me?/Which day is the {tongue} tour?

The tour in {tongue} is on {tday} at {ttime}.
{tongue}|{tday}|{ttime}
And in {tongue}?/And a tour in {tongue}?

the price of the tour; *
A guided tour costs {tprice} [extra|per person|]/Tour: {tprice} per person/The tour is {tprice} on top of the ticket/Price of a tour: {tprice}
How much is [the|a] [guided |]tour?/What does [the|a] [guided |]tour cost?/Do I pay extra for the tour?/Is the tour free?/What is the price of a guided tour?/Is the tour included?

The guided tour costs {tprice}.
{tprice}
And what does the tour cost?/How much is the tour?

the cloakroom; *
Cloakroom: {coats}/The cloakroom is {coats}/There is a cloakroom {coats}/You can leave your coat in the cloakroom {coats}/Coats and bags: cloakroom {coats}
Where is the cloakroom?/Is there a cloakroom?/Where can I [leave|put|hang] my [coat|jacket|wet umbrella]?/Where do I leave my coat?/Do you have a cloakroom?/Where can we put our coats?/cloakroom?/I do not want to carry my coat. Where can I leave it?

The cloakroom is {coats}.
{coats}
And the cloakroom?/And where can I leave my coat?

the price of the cloakroom; *
The cloakroom costs {coatfee}/Cloakroom fee: {coatfee}/Cloakroom: {coatfee}
How much is the cloakroom?/What does the cloakroom cost?/Is the cloakroom free?/Do I pay for the cloakroom?

The cloakroom costs {coatfee}.
{coatfee}
And how much is the cloakroom?

a lift; *
Lift: {lift}/The lift is {lift}/There is a lift {lift}/A lift for all floors is {lift}/Elevator: {lift}
Where is the [lift|elevator]?/Is there [a lift|an elevator]?/Do you have [a lift|an elevator]?/I cannot climb stairs. Is there a lift?/Where can I find the [lift|elevator]?/How do I get upstairs without stairs?/We have a pram. Where is the lift?

The lift is {lift}.
{lift}
And the lift?/And a lift?

lost property; *
Lost property: {lost}/Lost property is kept {lost}/Lost and found: {lost}/If you lose something, ask {lost}/Found things are kept {lost}
I lost my {thing}. [Where can I ask?|What can I do?|Who can help?|Did anyone find it?]/Where is [the lost property|lost and found|lost property]?/My {thing} is gone. Where do I ask?/I [forgot|left] my {thing} here [yesterday|last week|]. Where is it?/I found a {thing}. Where do I take it?/Is there a lost and found?/My [son|daughter|wife|husband] lost a {thing}. [Whom|Who] do I ask?/Has someone found my {thing}?

You can ask for lost things {lost}.
{lost}
And lost property?/And if I lose something?

payment; *
You can pay {pay}/Payment {pay}/Please pay {pay}/We take payment {pay}/All prices can be paid {pay}
Can I pay [by|with] [card|credit card|debit card]?/Do you take [cards|cash|credit cards]?/How can I pay?/Is cash ok?/Can I pay [in|with] cash?/Do you accept [cards|cash|credit cards]?/How do I pay?/Can I pay with my phone?/I have no cash. Is that a problem?/cash or card?

You can pay {pay}.
{pay}
And how can I pay?/Can I pay by card?

reduced tickets; *
Reduced: {reduced}/Reduced tickets: {reduced}/Reduced ticket {reduced}/Reduced entry costs {reduced}/Concessions: {reduced}/The reduced price is {reduced}
How much is a reduced ticket?/What is the reduced price?/Is there a [discount|reduced ticket|concession|cheaper ticket]?/I am unemployed. Is there a discount?/Do you have reduced tickets?/What does a reduced ticket cost?/Can I get a reduction?/Are there concessions?

A reduced ticket costs {reduced}.
{reduced}
And reduced?/And a reduced ticket?

public holidays; *
Closed on {holiday}/We are closed on {holiday}/On {holiday} we are closed/No entry on {holiday}
Are you open on {holiday}?/Can I come on {holiday}?/Is the museum open on {holiday}?/Are you closed on {holiday}?/What about {holiday}?/When are you open on {holiday}?

We are closed on {holiday}.
closed|{holiday}
And on {holiday}?

the season; zoo castle garden ferry pool mill farm lighthouse palace tower
The season runs from {month} to {month2}/Season: {month} to {month2}/Our season is from {month} to {month2}
When is the season?/In which months are you open?/Which months do you open?/When does the season [start|end|begin]?/Are you open [all year|in winter|in January]?/How long is the season?

The season runs from {month} to {month2}.
{month} to {month2}
And in winter?

a bus; *
Bus {line} stops {halt}/The bus {line} stops {halt}/Take bus {line}, it stops {halt}/Bus line {line}, stop {halt}/Bus: {line}, stops {halt}
Which bus [stops here|goes here|do I take|comes here|do I need]?/How do I get here by bus?/Is there a bus [stop|] [near here|here|]?/Where does the bus stop?/Where is the bus stop?/Can I come by bus?/I do not have a car. How do I get here?/which bus do i take/How do I come by public transport?/What is the number of the bus?/Where can I catch the bus?

Bus {line} stops {halt}.
bus {line}|{halt}
And by bus?/And the bus?

a bus; *
Buses {line} and {line2} stop {halt}/Buses: {line} and {line2}, stop {halt}/Bus lines {line} and {line2} stop {halt}
Which [bus|buses] [stops here|go here|do I take|can I take]?/How do I get here by bus?/Is there a bus?/Where does the bus stop?/Where is the bus stop?/Which bus lines are there?/We are coming by bus. Which one is it?

Buses {line} and {line2} stop {halt}.
{line}|{line2}|{halt}
And by bus?/And the bus?

parking; *
You can park {spot} for {spotfee}/Parking {spot}, {spotfee}/Car park {spot}: {spotfee}/The car park is {spot} and costs {spotfee}/Parking: {spot}, {spotfee}/Parking {spot} costs {spotfee}
Where can I [park|leave my car]?/Is there [parking|a car park]?/How much is parking?/What does parking cost?/Where do I park and what does it cost?/Can we park here?/Where can we leave the car?/How much do I pay to park?/I came by car. Where do I park?/parking?/Where is the car park?/Is parking free?/What do I pay for parking?

You can park {spot}. Parking costs {spotfee}.
{spot}|{spotfee}
And parking?/And where can I park?/And for the car?

parking; *
Parking is free {spot}/Free parking {spot}/You can park {spot} for free/There is free parking {spot}/Parking {spot} (free)
Where can I [park|leave my car]?/Is there [parking|a car park]?/How much is parking?/What does parking cost?/Is parking free?/Where do I park and what does it cost?/Can we park here?/Where can we leave the car?/I came by car. Where do I park?/parking?/Do I pay for parking?

You can park {spot}. Parking is free.
{spot}|free
And parking?/And where can I park?/And for the car?

the tram; *
Tram {line} stops {halt}/Tram: line {line}, stop {halt}/Take tram {line} to the stop {halt}
Which tram [do I take|goes here|stops here]?/Is there a tram?/How do I get here by tram?/Where does the tram stop?/Can I take the tram?

Tram {line} stops {halt}.
tram {line}|{halt}
And by tram?/And the tram?

the nearest station; *
The nearest station is {station}, {walk} on foot/Nearest station: {station}, {walk} on foot/From {station} it is {walk} on foot/The train station {station} is {walk} away on foot
[Which|What] is the nearest station?/How do I get here by train?/Is there a [train |]station near here?/How far is the station?/I am coming by train. Where do I get off?/How long is the walk from the station?/Can I come by train?

The nearest station is {station}, {walk} on foot.
{station}|{walk}
And by train?/And the station?

WiFi; *
WiFi: {network}, password {code}/The guest network is {network} and the password is {code}/The guest network is called {network}, password {code}/Wi-Fi network {network}, code {code}/Wi-Fi: {network} (password {code})
What is the [WiFi|Wi-Fi|wifi] password?/Is there [WiFi|wifi|internet] here?/How do I get online [here|with my phone]?/What is the guest network?/Can I use the [WiFi|Wi-Fi]?/wifi?/Which network can I use?/Do visitors get WiFi?/I need internet for my laptop. Is there WiFi?/What is the code for the Wi-Fi?/whats the wifi called

The WiFi is {network}. The password is {code}.
{network}|{code}
And the WiFi?/And wifi?

an exhibition; museum gallery library castle palace house abbey
Special exhibition: {title2}, until {enddate}/The special exhibition {title2} runs until {enddate}/Until {enddate} we show {title2}/Now on show: {title2} (until {enddate})/You can see the exhibition {title2} until {enddate}
What is the special exhibition?/Is there a special exhibition?/What is on [show|] [now|at the moment]?/How long [is|does] the [special |]exhibition [on|run]?/Until when can I see the [special |]exhibition?/When does the exhibition end?/What is the exhibition called?/What is the title of the exhibition?/Is there anything new to see?/Which exhibitions are there?

The special exhibition {title2} runs until {enddate}.
{title2}|{enddate}
And the exhibition?/And the special exhibition?

the water temperature; pool
The water is {degrees} warm/Water temperature: {degrees}/Water: {degrees}/The pool has {degrees}/The temperature of the water is {degrees}
How warm is the [water|pool]?/What is the [water temperature|temperature of the water]?/Is the water [cold|warm]?/How cold is the water?/What temperature does the pool have?

The water is {degrees} warm.
{degrees}
And the water?/And how warm is the water?

the depth of the pool; pool aquarium
The pool is {depth} deep/Depth: {depth}/Depth of the pool: {depth}
How deep is the pool?/What is the depth of the pool?/Is the pool deep?/Can my child stand in the pool? How deep is it?

The pool is {depth} deep.
{depth}
And how deep is it?

the pier; ferry
The [boat|ferry] leaves from {pier}/Departures from {pier}/Boats leave from {pier}/We sail from {pier}/Departure: {pier}
Where does the [boat|ferry] leave?/From which pier [do we leave|does it go|does the boat leave]?/Which pier is it?/Where do I get on the [boat|ferry]?/What pier do I go to?/Where do I board?

The ferry leaves from {pier}.
{pier}
And where does it leave?

the departures; ferry station
[The boat|The ferry] leaves [every day |]at {departures}/Departures: {departures}/Departures at {departures}/We sail at {departures}/Daily departures: {departures}
When does the [boat|ferry|next boat|first boat|last boat|next ferry] [leave|go|sail]?/What are the departure times?/When do you leave?/What time is the [first|last|next] [boat|ferry|departure]?/How many trips are there a day?/timetable?/When can I take the ferry?/Is there a [boat|ferry] at {any}?

The departures are at {departures}.
{departures}
And when do you leave?

the crossing; ferry
[The|A] crossing takes {crossing}/Crossing: {crossing}/The trip takes {crossing}/Travel time: {crossing}
How long [is|does] the [crossing|trip|ride] [take|last|]?/How long does it take to get across?/How much time does the crossing take?/how long is the boat trip/How long are we on the boat?

The crossing takes {crossing}.
{crossing}
And how long does it take?

the loan period; library
Books can be kept for {loan}/Loan period: {loan}/You can borrow books for {loan}/We lend books for {loan}/Loans are for {loan}
How long can I keep [a book|my books|the books]?/For how long can I borrow [a book|books]?/What is the loan period?/When do I have to bring [a book|it|the books] back?/How long can I borrow something?/How many weeks can I keep a book?

Books can be kept for {loan}.
{loan}
And how long can I keep it?

the number of books; library
You can borrow up to {n_books} books/Up to {n_books} books a person/Limit: {n_books} books/At most {n_books} books at a time
How many books can I [borrow|take|take home]?/Is there a limit?/What is the limit for books?/How many books may I take?

You can borrow up to {n_books} books.
{n_books}
And how many books?

late books; library
Late books cost {latefee} a day/Late fee: {latefee} a day/The fee for late books is {latefee} a day/If you are late, you pay {latefee} a day
What does it cost [to be late|when a book is late]?/What happens if I am late?/What is the late fee?/How much is the [fine|fee] for late books?/I am late with my book. What do I pay?/My book is overdue. What now?/What if I return a book late?

Late books cost {latefee} a day.
{latefee}
And if I am late?

lunch; office hotel centre station museum library
Lunch is served from {lunch}/Lunch: {lunch}/The canteen serves lunch from {lunch}/You can have lunch from {lunch}/Canteen: lunch from {lunch}
When is lunch?/When can I [get|have|eat] lunch?/What time is lunch served?/Until when is lunch served?/When does the canteen serve lunch?/How late can I have lunch?/is there lunch

Lunch is served from {lunch}.
{lunch}
And lunch?/And when is lunch?

signing in; office
Visitors sign in {lost}/Please sign in {lost}/All visitors must sign in {lost}/Sign-in: {lost}
Where do I sign in?/I am a visitor. What do I do?/Do I have to sign in?/I have an appointment. Where do I sign in?/Where do visitors register?/Where do I get a badge?

Please sign in {lost}.
{lost}
And where do I sign in?

the number of animals; zoo farm aquarium
{animals} animals live here/Animals: {animals}/We have {animals} animals/The zoo is home to {animals} animals/You can see {animals} animals
How many animals [do you have|are there|live here|can I see]?/What is the number of animals?/How many animals are in the zoo?

We have {animals} animals.
{animals}
And how many animals?

the baby; zoo aquarium farm
The baby {baby} is called {babyname}/Our baby {baby}: {babyname}/{babyname} is our baby {baby}/Meet {babyname}, the baby {baby}
What is the [baby {baby}|baby] called?/Who is {babyname}?/What is the name of the baby {baby}?/Do you have [a baby {baby}|baby animals|any babies]?

The baby {baby} is called {babyname}.
{babyname}|{baby}
And the baby?

the number of rooms; hotel castle palace museum house office
The [house|building] has {rooms} rooms/Rooms: {rooms}/There are {rooms} rooms
How many rooms [are there|do you have|does the building have|can I see]?/What is the number of rooms?

There are {rooms} rooms.
{rooms} rooms
And how many rooms?

bad weather; garden zoo ferry castle farm
If it rains, {rain}/In bad weather {rain}/When it rains, {rain}/Rain: {rain}
What happens [if|when] it rains?/What about rain?/And in bad weather?/What do you do in the rain?/What if it rains?/What if the weather is bad?

If it rains, {rain}.
{rain}
And if it rains?
"""


def parse(block):
    lines = block.split("\n")
    topic, kinds = (part.strip() for part in lines[0].split(";"))
    says, asks, own, answer, need, follow = (line.strip() for line in (lines + [""])[1:7])
    parts = (topic, says.split("/"), asks.split("/"), [x for x in own.split("/") if x], answer, need.split("|"), [x for x in follow.split("/") if x])
    return kinds.split(), parts


def blocks():
    """A block's own asks are an empty line, so blocks are cut by their length: seven lines and a gap."""
    lines = TABLE.strip().split("\n")
    return [parse("\n".join(lines[i : i + 7])) for i in range(0, len(lines), 8)]


FAMILIES = blocks()
