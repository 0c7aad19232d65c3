"""Names nobody has met: people, streets, and places of many kinds with two to seven words.

A name that cannot be memory must be copied from the prompt, so the parts are many and rare.
"""

from turn import fill, pick

HEADS = """Vel Mor Tan Bel Kar Lin Sor Dra Fen Gal Hol Jor Nel Pel Ros Ster Wil Bren Cal Ost Quen Zab Ulm Thorn Ash Ivy
Crick Snow Marl Pryd Yar Ebb Hux Obi Ruk Sel""".split()
TAILS = """mora dale ton berg wick field na ria stein ham by lund mere ford haven ley den mond sa vik worth combe gate
shaw hurst ova ini eko ash well bury thorpe nell quist ado""".split()
ONSETS = "b c d f g h j k l m n p r s t v w z br ch cl dr fl gr kl kr pl pr sh sk sl sn st sw th tr qu bl wh".split()
VOWELS = "a e i o u a e i o ai ea ee oo ou y".split()
CODAS = ["", "", "", "n", "r", "l", "s", "m", "t", "ck", "nd", "rt", "x", "sk", "ll", "th", "g", "p", "mp", "ss"]


def invented(rng):
    """A pronounceable name nobody has: copying it cannot be memory."""
    if rng.random() < 0.4:
        return pick(rng, HEADS) + pick(rng, TAILS)
    n_syllables = rng.choices((1, 2, 3), (1, 6, 2))[0]
    syllable = lambda: pick(rng, ONSETS) + pick(rng, VOWELS)
    name = "".join(syllable() for _ in range(n_syllables)) + pick(rng, CODAS)
    if len(name) < 4:
        name += pick(rng, TAILS)
    return name[0].upper() + name[1:]


FIRST = """Anna Ben Clara David Emma Felix Greta Hugo Ida Jonas Lena Max Nora Otto Paula Rita Sam Tom Vera Walter Maria
John Sarah Peter Julia Mark Helen Paul Laura Simon Agnes Boris Chidi Dolores Edgar Fatima Gideon Hanna Ines Jasper Kofi
Leila Magnus Noor Olga Priya Quentin Rafael Sunita Tariq Ursula Viktor Wanda Xenia Yusuf Zoe Amara Bjorn Celeste""".split()


def person(rng):
    dice = rng.random()
    if dice < 0.6:
        return f"{pick(rng, FIRST)} {invented(rng)}"
    if dice < 0.68:
        return f"{pick(rng, FIRST)} {pick(rng, FIRST)} {invented(rng)}"
    title = pick(rng, ["Mr", "Ms", "Mrs", "Dr", "Lady", "Captain", "Sister", "Professor"])
    return f"{title} {invented(rng)}"


ADJECTIVES = """Lost Broken Tiny Useless Ancient Curious Invisible Folded Singing Painted Wooden Peculiar Unfinished Borrowed
Silent Modern Rural Electric Frozen Imaginary Handmade Portable Medieval Tropical Nordic Edible Secret Bent Velvet Rusty
Winged Floating Small Giant Everyday Hidden Stolen Abandoned Magnetic Northern Old Famous Domestic Industrial Wandering
Striped Golden Crooked Whispering Patient Missing Retired Wild Contemporary Applied Applauded Ordinary Paper Iron""".split()
OBJECTS = """Button Kettle Anvil Lantern Typewriter Bottle Zipper Compass Teapot Mitten Ladder Postcard Keyhole Whistle
Thimble Barometer Marble Suitcase Pigeon Beetle Mushroom Turnip Accordion Trombone Bicycle Tractor Canoe Hammock
Pillow Candle Chimney Doorbell Elevator Feather Gargoyle Hinge Inkwell Jigsaw Kaleidoscope Locket Mousetrap Nutcracker
Orchid Pepper Quilt Riddle Sandwich Tapestry Unicycle Violin Waffle Xylophone Yoyo Zeppelin Corkscrew Spoon Signpost
Clockwork Crayon Cradle Dragon Ember Fiddle Glove Hat Insect Jar Knot Letter Map Needle Oar Pencil Robot Sail Tile
Umpire Vase Whale Windmill Carousel Cartoon Saddle Ribbon Pretzel Puzzle Lighthouse Locomotive Meteor Mosaic Bell""".split()
STUFF = """Glass Music Art Bread Tea Light History Space Water Paper Salt Clay Wool Wood Dance Honey Cheese Silver Film
Chess Football Radio Chocolate Pottery Wind Fish Copper Amber Ice Fog Silk Laughter Weather Sleep Mathematics Printing
Fishing Childhood Medicine Perfume Cinema Tin Lace Mustard Vinegar Coffee Sugar Peat Rain""".split()
AREAS = """Harbour,Oak Street,Riverside,City,North,Old Town,Hill,Lake,Forest,Royal,Bridge,Park,Sun,Star,Rose,Mill,Garden,South,
Castle,Silver,National,Grand,Little,Town,Village,Maritime,Railway,Toy,Children's,Natural History,Science,Folk,Open Air,
West End,Market Street,Victoria,Queen's,King's,Crown,Green,Central,East Side,Old Quay,Upper,Lower,County,Lakeside,Cliff,
Station Road,High Street,Abbey,Sailors',Miners',Weavers',Bishop's,Midtown,Northgate,Five Elms,Two Rivers""".replace(
    "\n", ""
).split(
    ","
)
# Kind of place: what questions call it, what names call it, how often.
KINDS = """museum: Museum; 30
museum: Museum and Archive,Heritage Centre,Museum House,Memorial Museum; 3
gallery: Gallery,Art Gallery,Picture Gallery,Gallery and Garden; 5
library: Library,Public Library,Reading Room; 5
pool: Pool,Swimming Pool,Baths,Swim Centre,Lido; 5
zoo: Zoo,Wildlife Park,Animal Park,Bird Park; 4
castle: Castle,Fort,Fortress; 4
palace: Palace,Manor,Summer Palace; 2
ferry: Ferry,Ferry Line,Boat Service; 3
office: & Sons,Ltd,Insurance,Logistics,& Partners,Engineering,Office; 4
theatre: Theatre,Playhouse,Puppet Theatre; 2
garden: Garden,Botanical Garden,Rose Garden; 3
aquarium: Aquarium,Sea Life Centre; 2
cinema: Cinema,Film House; 2
town hall: Town Hall; 2
lighthouse: Lighthouse; 2
planetarium: Planetarium,Observatory; 2
house: House,Villa,Treasury; 3
mill: Mill,Windmill,Watermill; 1
farm: Farm,Petting Farm; 1
centre: Centre,Community Centre,Sports Centre,Visitor Centre; 3
hotel: Hotel,Inn,Guest House; 2
station: Station,Bus Station; 1
tower: Tower,Bell Tower; 1
abbey: Abbey,Chapel,Cathedral; 1"""
KINDS = [
    (noun.strip(), [t.strip() for t in titles.split(",")], int(weight))
    for noun, titles, weight in (line.replace(";", ":").split(":") for line in KINDS.split("\n"))
]
WEIGHTS = [weight for _, _, weight in KINDS]
# i a made-up name, a an adjective, o an object, os objects, s a stuff, r an area, p a first name, k the kind, y a number.
SHAPES = """the {i} {k}
the {i} {k}
the {r} {k}
the {r} {k}
the {o} {k}
the {a} {o} {k}
the {a} {k}
the {i} {o} {k}
the {i} {r} {k}
the {i}-{i2} {k}
the {p} {i} {k}
the {o} and {o2} {k}
the {k} of {i}
the {k} on {i} [Hill|Bridge|Road|Square]
the {a} {k} of {i}
[St|St.|Saint] {p}'s {k}
{i}'s {k}
{p} {i}'s {k}
the {k} at {i} [Bridge|Point|Gate|Park|End]
the {i} {k} for {s}
the {o} {k} {y}
the {s} {k}
the {i} and {i2} {k}
the Old {i} {k}
the {r} {o} {k}""".split(
    "\n"
)
COLLECTIONS = """the {m} of {os}
the {m} of {os}
the {m} of {a} {os}
the {m} of {a} {os}
the {m} of {a} {os}
the {m} of {s}
the {m} of {s} and {s2}
the {m} of {os} and {os2}
the {m} of {o} and {s}
the {m} of {a} {s}
the {m} of {a} {a2} {os}
the {m} of the {a} {o}
the {i} {m} of {os}
the {i} {m} of {a} {os}
the {r} {m} of {s}
the [Little|Grand|First|Royal|New] {m} of {a} {os}
the House of {a} {os}
the {i} Collection of {os}
the {m} of {i} [Life|History|Art|Crafts]
the {m} of {os} from {i}
the {m} of [One|Two|Seven|100|1,000|365] {os}
the {m} of {os} and Other {a} Things
the {s} and {o} {m}""".split(
    "\n"
)


def plural(noun):
    if noun.endswith(("x", "s", "sh", "ch")):
        return noun + "es"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def place_name(rng):
    """What questions call a place, and its name with the article it takes."""
    noun, titles, _ = rng.choices(KINDS, WEIGHTS)[0]
    title = pick(rng, titles)
    first, second = pick(rng, OBJECTS), pick(rng, OBJECTS)
    slots = {
        "i": invented(rng),
        "i2": invented(rng),
        "a": pick(rng, ADJECTIVES),
        "a2": pick(rng, ADJECTIVES),
        "o": first,
        "o2": second,
        "os": plural(first),
        "os2": plural(second),
        "s": pick(rng, STUFF),
        "s2": pick(rng, STUFF),
        "r": pick(rng, AREAS),
        "p": pick(rng, FIRST),
        "k": title,
        "m": title if "and" not in title else "Museum",
        "y": rng.choice([7, 12, 21, 1848, 1900, 2000, rng.randint(2, 99)]),
    }
    if noun == "office":
        shape = pick(rng, ["{i} {k}", "{i} {k}", "{i} & {i2}", "{p} {i} {k}", "{i}-{i2} {k}", "{i} {o} Works", "{a} {s} {k}"])
        if title == "Office":
            shape = "the {r} Office"
    elif noun in ("museum", "gallery") and rng.random() < 0.6:
        shape = pick(rng, COLLECTIONS)
    else:
        shape = pick(rng, SHAPES)
    return noun, fill(rng, shape).format(**slots)
