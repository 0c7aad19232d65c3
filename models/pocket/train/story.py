"""Short stories of five sentences about a noun the user gives."""

from talk import invented
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
pillow blanket sofa carpet window door gate fence chimney attic cellar pencil crayon notebook diary ticket stamp""".split()
LOOKS = [
    "little",
    "brave",
    "old",
    "tiny",
    "kind",
    "lonely",
    "clever",
    "golden",
    "blue",
    "quiet",
    "funny",
    "red",
]
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

ASKS = [
    "Tell me a story about {n}.",
    "Tell me a short story about {n}.",
    "Write a short story about {n}.",
    "Can you tell me a story about {n}?",
    "I want a story about {n}.",
    "Make up a story about {n}.",
    "Story about {n}, please.",
    "Could you write a story about {n}?",
    "A bedtime story about {n}, please.",
    "Please tell me a story about {n}.",
]
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
    if rng.random() < 0.3:
        noun = pick(rng, LOOKS) + " " + noun
    plot_no = rng.randrange(len(PLOTS))
    land = pick(rng, LANDS)
    slots = {
        "n": article(noun),
        "x": noun.split()[-1],
        "land": land,
        "land_cap": land[0].upper() + land[1:],
        "friend": pick(rng, FRIENDS),
        "name": pick(rng, NAMES),
    }
    lines = [pick(rng, OPENERS)] + PLOTS[plot_no]
    answer = " ".join(line.format(**slots) for line in lines)
    user = ask(rng, ASKS, n=article(noun))
    rule = {"all": [slots["x"]], "sentences": [4, 6]}
    return Turn(
        user,
        answer,
        rule,
        f"story {noun}",
        "story",
        f"A short story about {article(noun)}. Five sentences.",
    )
