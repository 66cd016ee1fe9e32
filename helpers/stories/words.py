"""The words of the story corpus: names, places, things, events and what people feel.

Lists and tables only; how they become sentences stands in `helpers/stories/grammar.py`. The grammar is fixed:
a change here changes every story, and with it the checksums in the tests.

Words in braces are slots (see `slots` there). Adjectives begin with a consonant, so that the
article before them is always "a". No name is also an English word of the stories.
"""

# ruff: noqa: E501

GIRLS = "Alice Anna Bella Clara Emma Helen Julia Laura Lucy Maria Nina Olivia".split()
BOYS = "Adam Ben Daniel David Felix George Henry Leo Max Oscar Peter Tom".split()

RELATIONS = {
    "girl": "sister cousin friend neighbor classmate".split(),
    "boy": "brother cousin friend neighbor classmate".split(),
}

# one, many
ANIMALS = (
    "dog dogs|cat cats|rabbit rabbits|pony ponies|hen hens|hamster hamsters|turtle turtles|kitten kittens|"
    "puppy puppies|goose geese"
)
DAYTIMES = ("morning", "afternoon")
COLORS = "black white brown gray golden spotted".split()

# The same word is drawn anew in every sentence: nothing else in the story depends on it.
LOCAL = {
    "trait": "kind clever quiet brave curious shy funny friendly polite lively gentle stubborn",
    "years": "six seven eight nine ten eleven twelve",
    "house": "small tall white narrow wooden",
    "near": "church bridge river mill tower square",
    "weekday": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "weather": "sunny rainy windy foggy cloudy warm cold",
    "season": "spring summer autumn winter",
    "went": "went walked hurried cycled",
    "full": "crowded noisy empty silent",
    "watched": "watched helped waited laughed",
    "wear": "hat scarf jacket cap shoes gloves",
    "lost": "pencil ticket key watch umbrella",
    "look": "Look Listen Wait",
    "always": "always often never",
    "food": "water food sleep attention",
    "mood": "late ready thirsty sleepy",
    "pet_mood": "hungry asleep thirsty calm playful",
    "behind": "behind near beside",
    "thing": "tree trees gate gates bench benches door doors",
    "very": "very really quite rather",
}

# Place: two things, as verb, past, one, many, three adjectives; three events, as the feeling that they cause,
# the one that they cause in one case of ten, and two ways of telling them.
SCENES = {
    "library": (
        ("read read book books thick new funny", "study studied map maps faded large secret"),
        ("proud happy", "{s} finished the longest novel in one day .", "{s} read a whole story aloud without a mistake ."),
        ("bored sad", "{s} had to sit still and be quiet for two hours .", "The talk about old dates did not end ."),
        ("surprised scared", "A letter with {her} own name fell out of a book .", "{s} found a hidden door behind the shelves ."),
    ),
    "cottage": (
        ("bake baked cake cakes sweet round large", "boil boiled potato potatoes small round new"),
        ("angry sad", "{friend} ate the last piece without asking .", "Somebody had eaten everything before dinner ."),
        ("proud surprised", "Everybody at the table asked for more .", "The dinner tasted better than in a restaurant ."),
        ("scared angry", "Suddenly the oven was full of smoke .", "A pan on the stove caught fire ."),
    ),
    "park": (
        ("kick kicked ball balls red new soft", "fly flew kite kites red large light"),
        ("scared angry", "A huge dog ran after {obj} and barked .", "A swarm of bees came out of a hole ."),
        ("happy grateful", "All the children let {obj} play with them .", "{s} laughed on the swings for an hour ."),
        ("sad angry", "The wind carried {her} balloon away .", "{her} favorite old oak had been cut down ."),
    ),
    "beach": (
        ("build built castle castles tall lovely strange", "collect collected shell shells white smooth tiny"),
        ("sad angry", "A wave washed everything away .", "The tide took {her} new sandals ."),
        ("surprised happy", "A bottle with a message lay in the sand .", "A dolphin jumped right in front of {obj} ."),
        ("scared surprised", "The fin of a shark came closer .", "The current pulled {obj} far from the shore ."),
    ),
    "farm": (
        ("milk milked cow cows calm brown strong", "ride rode horse horses brown strong fast"),
        ("happy surprised", "A lamb fell asleep in {her} arms .", "A little calf was born in the barn ."),
        ("angry sad", "A goat chewed holes in {her} new jacket .", "The pigs ate {her} lunch and {her} hat ."),
        ("grateful happy", "The farmer gave {obj} a bag of fresh cheese .", "The farmer pulled {obj} out of the deep mud ."),
    ),
    "zoo": (
        ("watch watched lion lions strong sleepy large", "draw drew monkey monkeys clever funny tiny"),
        ("surprised happy", "A monkey took the hat from {her} head .", "A parrot called {obj} by {her} name ."),
        ("bored angry", "All the animals slept behind the rocks .", "The line at the gate did not move for an hour ."),
        ("scared surprised", "The tiger roared right behind {obj} .", "A snake had escaped from its cage ."),
    ),
    "school": (
        ("write wrote poem poems short funny lovely", "solve solved puzzle puzzles difficult new clever"),
        ("proud happy", "The teacher read {her} work to the whole class .", "{s} got the best mark of all ."),
        ("angry sad", "Somebody copied {her} answers and lied about it .", "The teacher blamed {obj} for the noise of others ."),
        ("bored angry", "The lesson about commas lasted the whole day .", "{s} had to copy the same page ten times ."),
    ),
    "garden": (
        ("plant planted tree trees young small strong", "water watered flower flowers red lovely tall"),
        ("proud surprised", "{her} pumpkin won the first prize .", "{her} sunflowers were the tallest in the street ."),
        ("sad angry", "A storm broke all the young plants .", "Frost killed the roses in one night ."),
        ("happy grateful", "The first strawberries were ripe and sweet .", "Butterflies sat down on {her} hands ."),
    ),
    "market": (
        ("buy bought melon melons ripe sweet large", "sell sold basket baskets round large light"),
        ("angry sad", "A man pushed in front of {obj} in the line .", "The seller kept {her} change on purpose ."),
        ("grateful surprised", "A stranger found {her} purse and brought it back .", "An old woman paid the missing coins for {obj} ."),
        ("bored sad", "The adults talked about prices for hours .", "There were only onions and cabbages to look at ."),
    ),
    "station": (
        ("draw drew train trains fast long new", "carry carried suitcase suitcases heavy black large"),
        ("bored angry", "The train was three hours late .", "Nothing came along the tracks for hours ."),
        ("happy surprised", "{her} grandmother stepped off the train with open arms .", "{her} father came home a week early ."),
        ("scared sad", "The doors closed and {s} was alone among strangers .", "{s} got off at the wrong stop far from home ."),
    ),
    "museum": (
        ("photograph photographed statue statues strange famous tall", "copy copied painting paintings famous large lovely"),
        ("surprised scared", "A face in one painting looked exactly like {obj} .", "The guide let {obj} touch a real dinosaur bone ."),
        ("bored sad", "The guide talked about old coins forever .", "Every room looked the same as the one before ."),
        ("proud happy", "{s} answered every question of the guide .", "{her} drawing was hung beside the famous ones ."),
    ),
    "forest": (
        ("gather gathered mushroom mushrooms brown large strange", "climb climbed hill hills steep low green"),
        ("scared sad", "It grew dark and the path was gone .", "A wolf howled somewhere among the trees ."),
        ("surprised happy", "A deer came close and licked {her} hand .", "An owl landed on {her} shoulder ."),
        ("grateful happy", "A ranger showed {obj} the way out .", "A hunter shared bread and tea with {obj} ."),
    ),
    "lake": (
        ("row rowed boat boats wooden heavy green", "throw threw stone stones smooth round heavy"),
        ("proud surprised", "{s} swam to the island without help .", "{s} caught the biggest fish of the year ."),
        ("sad bored", "{her} toy ship sank to the bottom .", "The swans had left and did not return ."),
        ("grateful happy", "{friend} pulled {obj} out of the icy water .", "A fisherman brought {obj} safely to land ."),
    ),
    "mountain": (
        ("carry carried backpack backpacks heavy green new", "roll rolled snowball snowballs large round perfect"),
        ("proud happy", "{s} reached the top before everyone else .", "{s} skied down the slope without a fall ."),
        ("scared surprised", "The ice cracked under {her} boots .", "A snowstorm hid the whole valley ."),
        ("happy grateful", "The sun came out over a sea of clouds .", "There was hot chocolate by the fire ."),
    ),
    "theater": (
        ("learn learned song songs lovely short difficult", "paint painted mask masks strange golden funny"),
        ("proud happy", "The audience clapped for {obj} until the curtain fell .", "{s} remembered every line of {her} part ."),
        ("sad angry", "{her} part was given to another child .", "Nobody came to see the show ."),
        ("bored angry", "The speech before the play went on and on .", "The actors whispered in a foreign language for hours ."),
    ),
    "workshop": (
        ("repair repaired clock clocks broken golden tall", "carve carved spoon spoons wooden smooth long"),
        ("proud surprised", "The old robot moved again after {her} repair .", "The master praised {her} careful work ."),
        ("angry sad", "{friend} broke {her} best tool and hid it .", "Somebody had spilled glue over {her} things ."),
        ("grateful proud", "The carpenter gave {obj} a set of tools .", "{friend} stayed late to clean up for {obj} ."),
    ),
    "harbor": (
        ("count counted ship ships white long heavy", "mend mended net nets long torn green"),
        ("happy proud", "The captain let {obj} steer for a minute .", "{her} father came back from the sea ."),
        ("sad angry", "{her} best friend sailed away to another country .", "The old lighthouse had lost its light ."),
        ("angry surprised", "A gull snatched the sandwich from {her} hand .", "Somebody had cut the ropes of {her} boat ."),
    ),
    "stadium": (
        ("wave waved flag flags large colorful red", "trade traded card cards rare golden new"),
        ("happy proud", "{her} team won in the last minute .", "A famous player signed {her} cap ."),
        ("angry sad", "The referee made a terrible mistake .", "Fans of the other team tore {her} scarf ."),
        ("surprised proud", "A cow ran across the field .", "A loud voice called {her} name over the field ."),
    ),
    "circus": (
        ("toss tossed ring rings light golden heavy", "play played drum drums large loud golden"),
        ("surprised happy", "The magician pulled a coin from {her} ear .", "A clown picked {obj} from the whole crowd ."),
        ("scared sad", "An acrobat nearly fell from the rope .", "All the lights in the tent went out ."),
        ("happy proud", "{s} was allowed to ride on the elephant .", "A seal kissed {obj} on the nose ."),
    ),
    "castle": (
        ("explore explored tower towers dark tall round", "polish polished sword swords long heavy famous"),
        ("scared surprised", "A door slammed and chains rattled in the dark .", "A bat flew into {her} hair ."),
        ("surprised happy", "There was gold behind a loose stone .", "A knight on a real horse greeted {obj} ."),
        ("bored sad", "All the rooms were locked and there was nothing to see .", "The tour of the cellars took half the day ."),
    ),
    "pool": (
        ("borrow borrowed towel towels dry soft striped", "blow blew bubble bubbles tiny perfect round"),
        ("grateful happy", "The lifeguard jumped in and saved {obj} .", "{friend} taught {obj} to float ."),
        ("angry sad", "A boy splashed dirty water over {obj} .", "Somebody took {her} clothes for a joke ."),
        ("bored sad", "The water was icy and nobody swam .", "The slide was closed for repairs ."),
    ),
    "playground": (
        ("push pushed swing swings light wooden broken", "dig dug tunnel tunnels deep dark long"),
        ("sad angry", "The older children did not let {obj} join .", "Nobody wanted to be on {her} team ."),
        ("grateful happy", "{friend} shared the last cookie with {obj} .", "A tall girl put a bandage on {her} knee ."),
        ("angry sad", "{friend} knocked {her} tower over on purpose .", "Two bullies pulled {her} hair and ran away ."),
    ),
    "hospital": (
        ("push pushed wheelchair wheelchairs heavy new light", "hang hung picture pictures lovely colorful large"),
        ("sad scared", "{her} grandfather was too sick to talk .", "The doctor had bad news about {her} grandfather ."),
        ("grateful surprised", "The nurse sat beside {obj} all night .", "The doctor made {her} pain go away ."),
        ("happy grateful", "The doctor said that all was well again .", "{her} baby brother was born at noon ."),
    ),
    "party": (
        ("wrap wrapped present presents large colorful secret", "light lit candle candles tall white thick"),
        ("surprised happy", "All {her} friends jumped out from the dark and shouted .", "Inside the biggest box sat a tiny dragon made of glass ."),
        ("sad angry", "Nobody remembered {her} birthday .", "Nobody wanted to dance with {obj} ."),
        ("grateful happy", "{friend} gave {obj} a ring made by hand .", "Everybody sang a song for {obj} ."),
    ),
}  # fmt: skip

# After a good event things can get worse, after a bad one better: the feeling, the rarer one, two turns.
TURNS = {
    "bad": (
        ("sad angry", "But on the way home {s} lost {her} warm coat .", "But that evening {her} canary flew away ."),
        ("angry sad", "But then {friend} told everyone a lie about {obj} .", "But at home somebody had broken {her} bicycle ."),
        ("scared angry", "But on the way home a shadow followed {obj} .", "But at night there were footsteps under the window ."),
        ("bored sad", "But the rest of the day was long and empty .", "But afterwards there was nothing to do for hours ."),
    ),
    "good": (
        ("happy grateful", "But then {friend} told a joke and everyone laughed .", "But later there was ice cream for everybody ."),
        ("proud happy", "But {s} stayed calm and solved the problem alone .", "But on the way home {s} saved a bird from a cat ."),
        ("surprised happy", "But then a stranger gave {obj} a mysterious box .", "But suddenly music came down from the sky ."),
        ("grateful happy", "But then {friend} came to help and stayed until dark .", "But {friend} noticed it and comforted {obj} ."),
    ),
}  # fmt: skip

GOOD_FEELINGS = ("happy", "proud", "surprised", "grateful")

# Feeling: the words for it (the first is drawn twice as often as each other), then what it makes people do.
FEELINGS = {
    "happy": ("happy glad cheerful", "{s} smiled all evening .", "{s} sang the whole way home ."),
    "proud": ("proud", "{s} held {her} head high .", "{s} told everybody about it twice ."),
    "surprised": ("surprised amazed", "{s} could hardly believe it .", "{her} mouth stayed open for a while ."),
    "grateful": ("grateful thankful", "{s} said thank you again and again .", "{s} wrote a long letter of thanks ."),
    "sad": ("sad unhappy", "{s} cried into {her} pillow .", "A tear ran down {her} cheek ."),
    "angry": ("angry furious", "{s} stamped {her} foot .", "{s} slammed the door of {her} room ."),
    "scared": ("scared afraid frightened", "{her} hands did not stop shaking .", "{s} slept with the lamp on ."),
    "bored": ("bored", "{s} yawned again and again .", "{s} looked at the clock every minute ."),
}  # fmt: skip
