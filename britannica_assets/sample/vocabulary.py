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
TRADES = [
    "Basket-Making", "Bell-Founding", "Bookbinding", "Candle-Making", "Charcoal-Burning", "Clock-Making", "Cooperage",
    "Dyeing", "Felt-Making", "Glass-Blowing", "Glove-Making", "Lace-Making", "Lime-Burning", "Net-Making", "Paper-Making",
    "Rope-Making", "Saddlery", "Salt-Boiling", "Slate-Quarrying", "Tanning", "Thatching", "Tile-Making", "Wheelwrighting",
    "Weaving",
]  # fmt: skip
INSTRUMENTS = [
    "Altiscope", "Barograph, Marine", "Cometarium", "Drainage Level", "Echometer", "Fathom-Glass", "Grain-Gauge", "Hail-Rod",
    "Hygroscope, Hair", "Meridian Ring", "Night-Dial", "Orrery, Water", "Pendulum, Double", "Quadrant, Shepherd’s",
    "Rain-Clock", "Salt-Balance", "Star-Staff", "Tide-Wheel", "Vapour-Gauge", "Wind-Harp",
]  # fmt: skip
ANIMALS = [
    "Bog-Heron", "Brindled Hare", "Cave-Cricket", "Dune-Fox", "Elver-Gull", "Fallow Goat", "Hermit Vole", "Lantern-Fish",
    "Marsh-Otter", "Pied Badger", "Reed-Warden", "Rock-Marten", "Sand-Plover", "Stone-Carp", "Thatch-Owl", "Wether-Crow",
]  # fmt: skip
