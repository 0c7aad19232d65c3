"""Short stories of five sentences about a noun the user gives."""

from names import invented
from turn import Turn, article, ask, pick

NOUNS = """dragon robot lighthouse cat dog fox owl rabbit turtle whale dolphin bear wolf mouse horse pony goat sheep cow
duck goose swan frog toad snail bee butterfly spider ant beetle crab octopus shark penguin seal otter beaver badger
hedgehog squirrel deer moose lion tiger elephant giraffe monkey parrot crow raven sparrow robin eagle hawk stork peacock
king queen prince princess knight wizard witch giant dwarf pirate sailor captain baker farmer painter teacher doctor
clown dancer singer drummer tailor gardener miller shepherd fisherman astronaut inventor detective librarian postman
train boat ship bicycle balloon kite rocket bus tractor submarine wagon sled canoe bridge tower castle windmill house
garden forest river lake island mountain valley desert beach cave well fountain harbour village school library museum
book letter map key lamp lantern candle clock watch mirror drum violin piano flute trumpet bell whistle umbrella hat
coat scarf boot glove button needle basket teapot spoon kettle cup plate bottle box chest ladder hammer broom rope
stone pebble shell feather leaf acorn apple pear pumpkin carrot potato onion bean seed flower rose tulip sunflower tree
oak willow mushroom cloud storm rainbow star moon comet planet snowman snowflake icicle puddle shadow dream secret
treasure crown coin ring doll puppet toy ball marble puzzle statue painting cake cookie pancake bread cheese soup honey
ghost monster troll fairy mermaid unicorn phoenix goblin elf vampire zebra camel kangaroo koala panda hamster lizard
snake crocodile dinosaur mammoth volcano glacier telescope microscope computer camera radio printer toaster fridge
pillow blanket sofa carpet window door gate fence chimney attic cellar pencil crayon notebook diary ticket stamp pen ruler
accordion guitar banjo harp saxophone trombone microphone ballet opera circus festival parade picnic holiday birthday
banana orange lemon cherry strawberry grape melon peach plum nut walnut tomato cucumber pepper garlic cabbage lettuce corn
pizza sandwich biscuit muffin chocolate candy lollipop noodle egg sausage pie waffle doughnut milkshake
chicken rooster turkey donkey bull calf lamb kitten puppy pig hippo rhino llama alpaca ostrich flamingo pelican seagull
pigeon woodpecker hummingbird peacock bat mole rat raccoon skunk reindeer walrus jellyfish starfish lobster shrimp squid
goldfish salmon tadpole salamander tortoise gecko iguana chameleon caterpillar dragonfly ladybird grasshopper cricket
mosquito worm scorpion wasp moth gorilla chimpanzee leopard cheetah jaguar hyena sloth anteater armadillo porcupine
nurse pilot driver cook waiter soldier judge lawyer scientist student pupil grandmother grandfather mother father sister
brother baby boy girl child neighbour stranger thief spy hero captain explorer hunter carpenter blacksmith shoemaker
plumber mechanic firefighter policeman cowboy ninja samurai viking emperor mayor gnome angel mummy zombie skeleton
ogre genie alien cyborg scarecrow truck car motorcycle scooter taxi ambulance helicopter airplane spaceship ferry
raft yacht lifeboat tram carriage sleigh skateboard trolley wheel engine anchor sail flag tent backpack suitcase
compass telephone television laptop keyboard screen battery switch cable lightbulb torch vacuum iron oven stove
freezer dishwasher washing_machine sink bathtub shower towel soap toothbrush comb brush razor sponge bucket mop
table chair desk bench bed wardrobe shelf drawer curtain rug vase frame stool cupboard clothes_hanger
fork knife pan pot jar mug glass bowl tray jug cork can bag sack parcel envelope postcard newspaper magazine
poster photo album cartoon film song poem dictionary calendar bookmark crossword chessboard dice card kite yoyo
sock shoe sandal slipper shirt dress skirt sweater jacket belt tie pocket zipper necklace bracelet earring
park street road tunnel station airport hospital factory bakery market restaurant hotel theatre cinema church
temple palace cottage hut barn stable farm greenhouse playground stadium zoo aquarium pond waterfall swamp jungle
meadow hill cliff canyon reef iceberg planet galaxy sunset sunrise thunder lightning breeze fog frost hailstone
spring summer autumn winter night morning river pine birch cactus fern daisy lily violet poppy clover vine bamboo
moss thorn root branch nest web hive footprint echo wish promise smile tear nose ear hand whisker tail wing paw""".replace(
    "\n", " "
).split()
NOUNS = [noun.replace("_", " ") for noun in NOUNS]
LOOKS = """little brave old tiny kind lonely clever golden blue quiet funny red happy sad sleepy magic lost hungry
friendly grumpy curious shy lazy proud green yellow purple wooden broken silver giant talking flying dancing singing
forgotten secret invisible polite nervous wise young big small white black striped rusty shiny cold""".split()
NAMES = [
    "Mira",
    "Tomas",
    "Elsa",
    "Pip",
    "Nora",
    "Otto",
    "Lina",
    "Felix",
    "Rosa",
    "Hugo",
    "Ida",
    "Max",
    "Ada",
    "Finn",
]
LANDS = [
    "by the sea",
    "in a green valley",
    "at the edge of a forest",
    "on a small island",
    "near a quiet river",
    "in a snowy village",
    "high in the mountains",
    "in the middle of a busy town",
]
FRIENDS = [
    "a small bird",
    "an old sailor",
    "a friendly goat",
    "a curious child",
    "a shy mouse",
    "the baker",
]

ASKS = """Tell me a [|short |little |nice |funny |tiny |bedtime |very short |new |brief ][story|tale] [about|of|with] {n}.
[Tell me|Write|Write me] a short story about {n}.
[Can|Could|Would] you [please |][tell|write|invent|make up] [me |]a [|short |little |nice |bedtime ][story|tale] about {n}?
I [want|would like|would love|'d like] [|to hear |to read ]a [|short |little ][story|tale] about {n}.
Make up a [|short ][story|tale] about {n}.
[Story|A story|A short story|Short story|A bedtime story|A tale] about {n}, please.
[story|short story] about {n}
A bedtime story about {n}, please.
Please [tell|write] me a [|short ]story [about|with] {n}.
[Give|Read] me a [|short ]story about {n}.
Invent a [|short ]story about {n}.
Do you know a [story|tale] about {n}?
Can I hear a [|short ]story about {n}?
Write a [few lines|few sentences|short text|fairy tale] about {n}.
[Short story|Story], topic: {x}
Story about: {x}
Tell a story. The topic is {n}.
My [son|daughter|child|grandson] [loves|wants] a story about {n}.
My [son|daughter] wants to hear a story about {n}. Can you tell one?
Tell me a story in which {n} plays a part.
Tell me a story with {n} in it.
Write a story for [children|kids|my son|my daughter] about {n}.
Tell us a story about {n}.
Let me hear a story about {n}.
How about a story about {n}?
I like stories. Tell me one about {n}.""".split(
    "\n"
)
OPENERS = [
    "Once upon a time there was {n} {land}.",
    "Long ago, {n} lived {land}.",
    "{land_cap} there was once {n}.",
]
PLOTS = [
    [
        "Every morning the {x} waited for a friend, but nobody came.",
        "One day {friend} stopped and asked why the {x} looked so sad.",
        "They talked until the sun went down and laughed a lot.",
        "From then on the {x} was never alone again.",
    ],
    [
        "One night a great storm came and all the lights went out.",
        "{name} was lost in the dark and called for help.",
        "The {x} heard the call and showed {name} the way home.",
        "Since that night everyone has loved the {x}.",
    ],
    [
        "{name} found the {x} and took it home without asking.",
        "But the {x} belonged to {friend}, who missed it very much.",
        "So {name} gave it back and said sorry.",
        "They became good friends and shared the {x} every day.",
    ],
    [
        "The {x} wanted to see the world, so it set out at dawn.",
        "On the way it met {friend}, who was hungry and tired.",
        "The {x} shared its bread and they walked on together.",
        "In the evening they sat under the stars and were happy.",
    ],
    [
        "Nobody believed that the {x} could do anything special.",
        "Then the river rose and the old bridge was in danger.",
        "The {x} had a clever plan and saved the bridge just in time.",
        "That evening {name} made a cake for the {x}, and everyone sang.",
    ],
    [
        "{name} told the {x} a secret about a hidden garden.",
        "Together they looked for it for three days.",
        "Behind an old wall they found flowers of every colour.",
        "They kept the secret, and the garden is still there today.",
    ],
]


def story_turn(rng):
    # A noun nobody has heard of now and then: the noun must be read, not guessed.
    noun = pick(rng, NOUNS) if rng.random() < 0.85 else invented(rng).lower()
    last = noun
    if rng.random() < 0.3:
        noun = pick(rng, LOOKS) + " " + noun
    plot_no = rng.randrange(len(PLOTS))
    land = pick(rng, LANDS)
    slots = {
        "n": article(noun),
        "x": last,
        "land": land,
        "land_cap": land[0].upper() + land[1:],
        "friend": pick(rng, FRIENDS),
        "name": pick(rng, NAMES),
    }
    lines = [pick(rng, OPENERS)] + PLOTS[plot_no]
    answer = " ".join(line.format(**slots) for line in lines)
    named = article(noun)
    if noun[-1] not in "sxyhof" and rng.random() < 0.12:
        named = noun + "s"  # asked in the plural, told about one
    user = ask(rng, ASKS, n=named, x=noun)
    rule = {"all": [slots["x"]], "sentences": [4, 6]}
    return Turn(
        user,
        answer,
        rule,
        f"story {noun}",
        "story",
        f"A short story about {article(noun)}. Five sentences.",
    )
