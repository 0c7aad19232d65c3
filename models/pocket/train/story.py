"""Short stories of five to seven sentences about a noun the user gives.

The letters of the noun choose plot, place and people, so that two nouns get two stories.
"""

from names import invented
from turn import Turn, article, ask, capital, pick

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
LANDS = """by the sea|in a green valley|at the edge of a forest|on a small island|near a quiet river|in a snowy village|
high in the mountains|in the middle of a busy town|behind an old castle|under a wide blue sky|next to a windmill|
in a garden full of roses|at the end of a long road""".replace("\n", "").split("|")
FRIENDS = """a small bird|an old sailor|a friendly goat|a curious child|a shy mouse|the baker|a tired postman|a clever fox|
the night guard|a young painter|a lost puppy|an old gardener|a travelling musician""".replace("\n", "").split("|")
SCENES = """It was a cold and windy autumn.|The summer was long and warm that year.|Snow lay on all the roofs.|
It was the day before the big fair.|The old clock had just struck nine.|All the windows were still dark.|
The first flowers were just coming up.""".replace("\n", "").split("|")
CODAS = """People still talk about it today.|And everyone slept well that night.|The moon saw it all and smiled.|
Nobody ever forgot that day.|And if you listen at night, you can still hear them laugh.|
That is how it was, and that is how it will always be.|And every year they meet again on the same day.""".replace("\n", "").split("|")

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
I like stories. Tell me one about {n}.
Do you have a story about {n} for me?
Think of a story about {n}.
Something about {n}, please, as a story.
Can you tell [my kids|my son|us|the children] a story [about|with] {n}?
A [|short |little ]story with {n} [in it|], please.
a story about {n} please
I am bored. Tell me a story about {n}.
My [kids|children] love {x} stories. Tell one, please.
Once upon a time there was {n}. What happened next?
I need a goodnight story about {n}.
Tell me a [|short ]story where {n} is the hero.
Could there be a story about {n}?
What about a story of {n}?
story with {n} please""".split(
    "\n"
)
OPENERS = [
    "Once upon a time there was {n} {land}.",
    "Long ago, {n} lived {land}.",
    "{land_cap} there was once {n}.",
]
EXACT = """Tell me a story about {n} in {k} sentences.
Write a story of {k} sentences about {n}.
A story about {n}, {k} sentences, please.
Tell a story about {n}. Use {k} sentences.
Write exactly {k} sentences about {n}.
I want a {k} sentence story about {n}.
Can you tell a story about {n} in {k} sentences?""".split(
    "\n"
)
# The first letter of a noun is its plot; the common ones have one of their own.
LETTERS = "scbptmdglhfrwaknoivejuqyzx"
PLOTS = """One night a great storm came and all the lights went out. {name} was lost in the dark and called for help. The {x} heard the call and showed {name} the way home. Since that night everyone has loved the {x}.
Nobody believed that the {x} could do anything special. Then the river rose and the old bridge was in danger. The {x} had a clever plan and saved the bridge just in time. That evening {name} made a cake for the {x}, and everyone sang.
Every morning the {x} waited for a friend, but nobody came. One day {friend} stopped and asked why the {x} looked so sad. They talked until the sun went down and laughed a lot. From then on the {x} was never alone again.
{name} told the {x} a secret about a hidden garden. Together they looked for it for three days. Behind an old wall they found flowers of every colour. They kept the secret, and the garden is still there today.
{name} found the {x} and took it home without asking. But the {x} belonged to {friend}, who missed it very much. So {name} gave it back and said sorry. They became good friends and met the {x} every day.
The {x} wanted to see the world, so it set out at dawn. On the way it met {friend}, who was hungry and tired. The {x} shared its bread and they walked on together. In the evening they sat under the stars and were happy.
There was a contest for the best song in the land. The {x} was afraid, because it had never sung before. But {friend} said that a small song from the heart is enough. The {x} sang, the hall became quiet, and {name} gave it the first prize.
A letter arrived with no name on it. The {x} asked {friend} and everyone else, but nobody knew who had sent it. At last {name} laughed and told the truth. It was an invitation to a party, and the {x} was the guest of honour.
One winter the well froze and there was no water. The {x} went up the hill with {friend} to look for a spring. They dug for two days, and on the third day water came out of the ground. {name} built a little fountain there and named it after the {x}.
The {x} was always in a hurry and never looked around. One day it ran past {friend} and fell into a puddle. {name} helped it up and said that slow steps see more. Now the {x} walks slowly and finds something new each day.
{name} lost a golden key in the tall grass. Everybody searched, and {friend} wanted to give up. But the {x} looked where nobody else had looked and saw something shine. The key opened a box full of sweets, and they shared them all.
The {x} dreamed of flying to the moon. {friend} laughed, but {name} brought paper, string and a big basket. They built a balloon and rose above the houses. They did not reach the moon, but they saw the sea shine like silver.
Two neighbours had not spoken for years. The {x} thought about it and baked a pie with {friend}. It put one half at each door and rang both bells. That day the neighbours talked again, and {name} cried for joy.
A thief came to steal the bell of the tower. The {x} was awake and saw a shadow on the stairs. It made so much noise that {name} and {friend} came running. The thief ran away, and the bell rang for the {x}.
The {x} felt too small to be of use. Then {friend} got stuck behind a wall with only a tiny hole. The {x} was the only one who fit through, so it brought help. {name} said that small is sometimes just the right size.
Spring did not come that year, and the snow would not melt. The {x} asked {friend} where spring could be. They found it asleep under a tree and woke it with a song. {name} opened the window, and the whole village smelled of flowers."""
PLOTS = [[line.strip() + "." for line in plot.strip(".").split(". ")] for plot in PLOTS.split("\n")]


def place_of(letter):
    return LETTERS.index(letter) if letter in LETTERS else 0


def tell(noun, called, n_sentences):
    """The story of a noun; `called` has its adjective too. Five sentences, six with an end, seven with a scene."""
    letters = [letter for letter in noun.lower() if letter in LETTERS] or ["s"]
    first, second, last = place_of(letters[0]), place_of(letters[1 % len(letters)]), place_of(letters[-1])
    land = LANDS[second % len(LANDS)]
    slots = {
        "n": article(called),
        "x": noun,
        "land": land,
        "land_cap": capital(land),
        "friend": FRIENDS[last % len(FRIENDS)],
        "name": NAMES[second % len(NAMES)],
    }
    lines = [OPENERS[last % len(OPENERS)]] + PLOTS[first % len(PLOTS)]
    if n_sentences > 5:
        lines.append(CODAS[second % len(CODAS)])
    if n_sentences > 6:
        lines.insert(1, SCENES[last % len(SCENES)])
    return " ".join(capital(line.format(**slots)) for line in lines)


def story_turn(rng):
    # A noun nobody has heard of now and then: the noun must be read, not guessed.
    noun = pick(rng, NOUNS) if rng.random() < 0.8 else invented(rng).lower()
    called = pick(rng, LOOKS) + " " + noun if rng.random() < 0.3 else noun
    exact = rng.random() < 0.15
    n_sentences = rng.randint(5, 7) if exact else 5 + place_of(noun[-1].lower()) % 3
    answer = tell(noun, called, n_sentences)
    named = article(called)
    if noun[-1] not in "sxyhof" and not exact and rng.random() < 0.12:
        named = called + "s"  # asked in the plural, told about one
    number = pick(rng, (str(n_sentences), {5: "five", 6: "six", 7: "seven"}[n_sentences]))
    user = ask(rng, EXACT, n=named, k=number) if exact else ask(rng, ASKS, n=named, x=noun)
    rule = {"all": [noun], "sentences": [n_sentences] * 2 if exact else [4, 8]}
    thought = f"A short story about {article(called)}. {capital({5: 'five', 6: 'six', 7: 'seven'}[n_sentences])} sentences."
    return Turn(user, answer, rule, f"story {called}", "story", thought)
