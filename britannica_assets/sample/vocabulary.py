"""The words of the bundled encyclopaedia: invented names, and the common nouns and verbs of its grammar."""

FIRST_SYLLABLES = (
    "Abel Alder Ash Barrow Bel Birk Bram Cald Carrow Cob Corn Dal Dun Elder Em Fal Fenn Gar Glan Hal Harl Holl Ing"
    " Kel Kirk Lam Lind Lor Mal Mar Mere Nor Oak Or Pen Pol Quin Rav Rother Sal Sed Stan Tam Thorn Ul Vel Wal Wen Yar"
).split()
TOWN_ENDINGS = (
    "bury by combe dale field ford ham hurst ley mere minster mouth ness port stead stow thorpe ton wick worth".split()
)
RIVER_ENDINGS = "a ant ar el en er es in is ona ow ur".split()
COUNTIES = [
    "Harlshire", "Wendland", "the Vale of Orm", "Northmarch", "Saltshire", "the Isle of Garra", "Fennshire", "Upper Tamar",
    "Corvania", "Eastmere", "the Lindes", "Ravenshire",
]  # fmt: skip
SURNAMES = [
    "Abelard", "Ainsworthy", "Bellweather", "Brandreth", "Calloway", "Castlemain", "Coverley", "Dunmore", "Ellacott",
    "Fairbrother", "Garrowby", "Goldsworthy", "Hallam", "Hawtrey", "Inglethorpe", "Kellaway", "Lambourne", "Lorrimer",
    "Marchbanks", "Merrifield", "Northcott", "Ormerod", "Pennington", "Quillan", "Ravensworth", "Salterton", "Sedgemoor",
    "Tamworthy", "Thistlewood", "Ullathorne", "Vellacott", "Wainfleet", "Winterbourne", "Yarrow", "D’Arvel", "O’Hallin",
    "Müllner", "Béranger", "Núñez", "Håkansson",
]  # fmt: skip
MEN = "Ambrose Arthur Bernard Cuthbert Edmund Francis Gilbert Hugh James John Lionel Matthew Nicholas Oliver Ralph Robert Simon Thomas Walter William".split()
WOMEN = (
    "Adelaide Agnes Beatrice Cecily Dorothy Eleanor Frances Harriet Isabel Margaret Philippa Rosamund Winifred".split()
)
PLANTS = [
    "Bellwort", "Candlerush", "Cat’s-Paw", "Dappleleaf", "Dyer’s Thistle", "Emberroot", "Fenlily", "Goosevine", "Greymoss",
    "Hartsbane", "Ironbroom", "Kingswort", "Lanternflower", "Marshbell", "Nightsedge", "Oxplum", "Penny-Vetch", "Quakeberry",
    "Saltgrass", "Silverpod", "Tanner’s Oak", "Velvetweed", "Wanderthorn", "Yellowspur",
]  # fmt: skip
# Trade: (what it is, what it works on, the workman, the product).
TRADES = {
    "Basket-Making": ("the art of plaiting osiers into vessels", "osiers", "basket-maker", "baskets"),
    "Bell-Founding": ("the art of casting bells", "copper and tin", "founder", "bells"),
    "Bookbinding": ("the art of sewing sheets together and covering them", "calf and sheep skins", "binder", "volumes"),
    "Candle-Making": ("the trade of moulding and dipping candles", "tallow and wax", "chandler", "candles"),
    "Charcoal-Burning": ("the slow burning of wood under turf", "alder and oak", "burner", "sacks of charcoal"),
    "Clock-Making": ("the art of constructing clocks", "brass and steel", "clock-maker", "clocks"),
    "Cooperage": ("the art of making casks", "staves of oak", "cooper", "casks"),
    "Dyeing": ("the art of colouring cloth and yarn", "woad and madder", "dyer", "pieces of cloth"),
    "Felt-Making": ("the art of matting wool without weaving it", "wool and hair", "felter", "hats"),
    "Glass-Blowing": ("the art of shaping melted glass by the breath", "sand and ashes", "blower", "bottles"),
    "Glove-Making": ("the trade of cutting and sewing gloves", "kid and lamb skins", "glover", "gloves"),
    "Lace-Making": ("the art of twisting threads into open patterns", "linen thread", "lace-woman", "collars"),
    "Lime-Burning": ("the burning of limestone in kilns", "limestone and coal", "burner", "loads of lime"),
    "Net-Making": ("the art of knotting cord into meshes", "hemp and tar", "net-maker", "nets"),
    "Paper-Making": ("the art of forming sheets from pulp", "rags and straw", "vatman", "sheets"),
    "Rope-Making": ("the art of twisting fibres into ropes", "hemp and flax", "spinner", "ropes"),
    "Saddlery": ("the trade of making saddles and harness", "hides and straw", "saddler", "saddles"),
    "Salt-Boiling": ("the getting of salt from brine by fire", "brine and peat", "boiler", "bushels of salt"),
    "Slate-Quarrying": ("the getting and splitting of slates", "blue and grey slate", "splitter", "slates"),
    "Tanning": ("the art of turning hides into leather", "hides and oak bark", "tanner", "hides"),
    "Thatching": ("the art of covering roofs with straw", "straw and hazel rods", "thatcher", "bundles"),
    "Tile-Making": ("the art of moulding and baking tiles", "clay and sand", "tiler", "tiles"),
    "Weaving": ("the art of crossing threads into cloth", "wool and flax", "weaver", "ells of cloth"),
    "Wheelwrighting": ("the art of making wheels and carts", "elm and ash", "wheelwright", "wheels"),
}
# Instrument: what it is for.
INSTRUMENTS = {
    "Altiscope": "seeing over walls and hedges",
    "Barograph, Marine": "recording the weight of the air on board ship",
    "Cometarium": "showing the paths of comets",
    "Drainage Level": "laying out ditches upon marshy ground",
    "Echometer": "measuring distances by the return of a sound",
    "Fathom-Glass": "measuring the depth of clear water",
    "Grain-Gauge": "finding the weight of grain by its bulk",
    "Hail-Rod": "recording the force of hailstones",
    "Hygroscope, Hair": "showing the moisture of the air",
    "Meridian Ring": "finding the hour of noon",
    "Night-Dial": "telling the hour by the stars",
    "Orrery, Water": "showing the motions of the planets by the fall of water",
    "Pendulum, Double": "comparing the rates of two clocks",
    "Quadrant, Shepherd’s": "measuring the height of the sun",
    "Rain-Clock": "recording at what hour the rain has fallen",
    "Salt-Balance": "finding the strength of brine",
    "Star-Staff": "measuring the distance between two stars",
    "Tide-Wheel": "recording the height of the tide",
    "Vapour-Gauge": "measuring the drying power of the wind",
    "Wind-Harp": "showing the force of the wind by a musical note",
}
# Animal: (beast, bird, fish or insect, the naturalists' name).
ANIMALS = {
    "Bog-Heron": ("bird", "Ardea palustris"),
    "Brindled Hare": ("beast", "Lepus virgatus"),
    "Cave-Cricket": ("insect", "Gryllus cavernarum"),
    "Dune-Fox": ("beast", "Vulpes arenaria"),
    "Elver-Gull": ("bird", "Larus anguillae"),
    "Fallow Goat": ("beast", "Capra pallida"),
    "Hermit Vole": ("beast", "Microtus eremita"),
    "Lantern-Fish": ("fish", "Lucerna maris"),
    "Marsh-Otter": ("beast", "Lutra palustris"),
    "Pied Badger": ("beast", "Meles bicolor"),
    "Reed-Warden": ("bird", "Sylvia arundinis"),
    "Rock-Marten": ("beast", "Mustela rupicola"),
    "Sand-Plover": ("bird", "Charadrius arenae"),
    "Stone-Carp": ("fish", "Cyprinus lapidum"),
    "Thatch-Owl": ("bird", "Strix tectorum"),
    "Wether-Crow": ("bird", "Corvus ovium"),
}
WARES = "woollen cloth|leather|paper|rope|lace|glass|earthenware|cutlery|straw hats|gloves|nails|tiles|candles|buttons|fishing-nets|clocks".split(
    "|"
)
CROPS = "wheat|barley|oats|hops|flax|apples|hemp|turnips|rye|cherries|beans|potatoes".split("|")
STONES = "granite|red sandstone|grey limestone|flint|slate|white marble|brown ironstone".split("|")
VOCATIONS = "divine|botanist|traveller|antiquary|poet|engraver|mathematician|physician|philologist|astronomer|historian|musician".split(
    "|"
)
SUBJECTS = "Tides|Winds|Common Speech|Parish Registers|Mosses|Comets|Old Roads|Bells|Bees|Rivers|Weights and Measures|Proverbs".split(
    "|"
)
PLANT_GENERA = "Carex Mentha Viola Rubus Salix Lathyrus Sedum Stachys".split()
PLANT_SPECIES = "borealis palustris communis montana vulgaris hirsuta odorata campestris".split()
# What the sentences call the parts and ways of an animal; a sentence whose word is missing here does not fit its class.
ANIMAL_CLASSES = {
    "beast": {"young": "young", "fur": "fur", "nest": "den", "voice": "cry", "jaw": "jaw"},
    "bird": {"young": "nestlings", "feathers": "feathers", "nest": "nest", "voice": "note"},
    "fish": {"young": "fry", "nest": "spawning-bed"},
    "insect": {"young": "grubs", "nest": "burrow", "voice": "chirp"},
}
