"""The seeded grammar of the bundled encyclopaedia: for each kind of article, topics, and for each topic its sentences.

A sentence holds alternatives in braces, `{one|another}`, which may nest, and names in angle brackets, `<river>`, which
stand for facts of the article or for rules of `RULES`. `a(n)` becomes "a" or "an" by the word that follows.
"""

import random
import re
from collections.abc import Mapping

RULES: dict[str, str] = {
    "compass": "{north|south|east|west|north-east|north-west|south-east|south-west}",
    "miles": "{2½|3|4|5¼|7|8|9½|11|12|14|16|18|21|24|27|33}",
    "feet": "{240|310|385|460|520|675|790|840|1120|1270|1485|1640|2150}",
    "small_number": "{two|three|four|five|six|seven|eight|nine|ten|twelve}",
    "year_early": "{1066|1087|1131|1154|1189|1216|1248|1272|1307|1345|1377|1399}",
    "year_middle": "{1422|1461|1485|1513|1547|1558|1588|1603|1626|1642|1651|1666|1688}",
    "year_late": "{1702|1715|1733|1745|1760|1776|1783|1792|1805|1815|1821|1832|1845|1848|1851|1866|1873|1881|1894|1902}",
    "century": "{11th|12th|13th|14th|15th|16th|17th|18th}",
    "king": "{Edric II.|Osmund III.|William IV.|Harold I.|Queen Ysolde|Alaric XIV.|Henry VII.}",
    "stone": "{granite|red sandstone|grey limestone|flint|slate|white marble}",
    "ware": "{woollen cloth|leather|paper|rope|lace|glass|earthenware|cutlery|straw hats|gloves|nails|tiles}",
    "crop": "{wheat|barley|oats|hops|flax|apples|hemp|turnips|rye|cherries}",
    "colour": "{white|yellow|pale blue|purple|crimson|greenish|dull red|grey}",
    "animal": "{heron|otter|badger|plover|hare|trout|salmon|crow|owl|vole}",
    "season": "{spring|early summer|late summer|autumn|winter}",
    "virtue": "{patience|learning|courage|wit|industry|modesty|obstinacy|good humour}",
    "material": "{brass|oak|iron|glass|boxwood|copper|pewter|ivory}",
    "month": "{January|March|April|May|June|August|September|October|November}",
    "day": "{1st|3rd|7th|9th|12th|14th|18th|21st|25th|29th}",
    "people": "{the inhabitants|the townsmen|the fishermen|the farmers|the monks|the women of the district}",
    "worthy": "{a retired surveyor|the vicar of the parish|a watchmaker|a captain of the navy|the son of a miller|a schoolmaster}",
    "money": "{£120|£450|£1300|£2750, 10s.|12 guineas|£8000}",
    "temperature": "{14°|32° F.|48° F.|61½°|77° F.|90° F.}",
    "fraction": "{one half|⅔|three-quarters|¼|a third|⅝}",
    "reference": "{(q.v.)|(see <other>)|(see <other> (q.v.), and compare <another>)|}",
}

TOWN: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, a {market town|town|seaport|borough|market town and parish} of <county>, on the {left|right} bank of the"
        " <river>, <miles> m. <COMPASS> of <other>. Pop. (1891) <population>; (1901) <population2>. It is served by the"
        " {Northern|Great Coast|Vale and Junction} railway.",
    ),
    "situation": (
        "The town stands on a(n) {ridge|gentle slope|outcrop|terrace} of <stone>, <feet> ft. above the sea, and its older streets are"
        " {narrow and steep|narrow but well paved|irregular}.",
        "The river is here crossed by a bridge of <small_number> arches, which was built in <year_late> at a cost of <money>.",
        "To the <compass> the ground rises to {an open heath|a line of low hills|a wooded ridge}, from which the whole"
        " of the valley {is seen|can be seen} in clear weather.",
        "In the floods of <year_late> the lower quarter was under water for <small_number> days together.",
        "The climate is {mild|bracing|damp but healthy}; the mean temperature of the year is <temperature>",
    ),
    "buildings": (
        "The church of St {Alban|Brice|Cuthman|Dunstan|Osyth|Wilfrid} is a {fine|plain|spacious} building of the"
        " <century> century, with a tower of <stone>[note] and a peal of <small_number> bells.",
        "Of the castle, which was founded in <year_early>, only the gatehouse and a part of the <compass> wall remain.",
        "The {town hall|guildhall|corn exchange} dates from <year_late> and contains a portrait of <king>",
        "A grammar school was founded here by <person> in <year_middle>, and was rebuilt in <year_late>.",
        "Near the market-place are the almshouses of <person>, who left <money> for the support of <small_number> widows.",
        "The abbey, of which {scarcely a stone|little more than the west door} is left, belonged to the {white|grey|black} monks.",
    ),
    "trade": (
        "The chief industries are the making of <ware> and of <ware2>; there {is|used to be} a(n) {important|old|annual}"
        " fair for {horses|sheep|cattle|cheese} on the <day> of <month>.",
        "{Much|A great deal of} <crop> is grown in the neighbourhood, and {is sent by rail to|is sold in} <other> <reference>.",
        "<People> have long been known for their skill in the making of <ware>, and no town of the county has ever"
        " exceeded it in this trade.",
        "The fisheries, which once employed <small_number> hundred hands, have declined since <year_late>, but they are"
        " still of some value.",
        "A considerable trade in <ware> is carried on with <other>.",
    ),
    "history": (
        "<Name> (in old charters <oldname>) was {a royal manor|a place of some strength|the seat of a bishop} before the"
        " {coming of the Normans|<century> century}.",
        "It received its first charter from <king> in <year_early>, and was governed by a mayor and <small_number> bailiffs until 1835.",
        "During the civil wars the town declared for the {king|parliament}, and was {taken|besieged|relieved} by Sir"
        " <man> in <year_middle>.",
        "The plague of <year_middle> carried off <fraction> of <people>; the dead are said to lie under the green beside"
        " the church.",
        "In <year_late> a great fire destroyed the {market|quay|whole of the high street}, which was rebuilt in <stone>.",
        "<Person2> was born here in <year_late>, and used to say that a town which {keeps|loses} its walls {keeps|loses} its memory.",
        "Since then its history has been that of a quiet country town.",
    ),
}

RIVER: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, a river of <county>, rising in the {hills|moors|marshes} to the <compass> of <other>, and falling into the"
        " {sea|<otherriver>} after a course of <length> m. The area of its basin is <area> sq. m.",
    ),
    "course": (
        "In its upper course it flows through a(n) {narrow|rocky|wooded} glen, and descends <feet> ft. in <small_number> miles.",
        "Below <other> it turns to the <compass> and enters a broad {vale|plain|marsh}, where it {divides into|is joined by}"
        " <small_number> {channels|brooks}.",
        "The water is {clear|brown with peat|hard and clear}, and is never known to fail even in the driest <season>.",
        "At <another> it is crossed by a {ford|ferry|stone bridge|wooden bridge} of great age.",
        "The falls of {Garrow|Linn|Ashrigg}, where the stream drops over a ledge of <stone>, are <feet> ft. above the sea.",
        "Its chief {tributary|affluent} is the <otherriver>, which joins it on the {left|right} bank <miles> m. above the mouth.",
    ),
    "use": (
        "It is navigable for barges {as far as|up to} <other>, and a canal, opened in <year_late>, connects it with the"
        " <otherriver> <reference>.",
        "The river turns the wheels of <small_number> mills, which make <ware> and <ware2>.",
        "{Salmon|Trout|Eels|Pike} are taken in <season>; the fishery belonged to the {abbey|bishop|crown} until <year_middle>.",
        "<People> draw from it the water for their fields, and have done so since the <century> century.",
        "The valley is fertile, and <crop> and <crop2> are grown on both its banks.",
        "The tide is felt for <miles> m. from the sea, and the bar at the mouth is dangerous in {westerly|northerly} winds.",
    ),
    "history": (
        "The name is {of doubtful origin|older than the English settlement|said to mean “{dark|swift|winding|cold} water”},"
        " and occurs as <oldname> in a charter of <king>",
        "The floods of <year_late> {swept away|carried off} <small_number> bridges and drowned many {sheep|cattle}.",
        "In <year_middle> the army of Sir <man> crossed it by night and {surprised|defeated} the enemy near <another>.",
        "<Person> surveyed the whole of its course in <year_late>, and the map is still in use.",
        "No bridge stood below <other> until <year_late>, when one was built by public subscription for <money>.",
    ),
}

PERSON: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD> (<born>–<died>), {English|Northmarch|Corvanian} {<vocation>}, was born at <other> on the <day> of <month> <born>.",
    ),
    "youth": (
        "<His> father, <worthy>, died when <he> was <small_number> years old, and <he> was {brought up|educated} by an uncle at <another>.",
        "<He> was sent to the grammar school of <another>, where <he> taught <himself> {Greek|Latin|Hebrew|geometry} before <he>"
        " was {ten|eleven|twelve}.",
        "At the age of {fifteen|sixteen|eighteen|twenty} <he> was apprenticed to a(n) {engraver|printer|apothecary|instrument-maker},"
        " whose daughter <he> afterwards {married|remembered in <his> will}.",
        "The family had been settled in <county> since the <century> century, and claimed descent from Sir <man2>.",
        "<He> {has left|left} a lively account of these years, in which <he> describes <himself> as “a(n) {idle|awkward|earnest|stubborn} child.”",
    ),
    "career": (
        "In <mid> <he> published <his> first work, {*On the <topic>*|*A Treatise of the <topic>*|*The <topic> Explained*},[note] which"
        " brought <him> {no money but some fame|the friendship of <person2>|a pension of <money>}.",
        "<He> was {elected|chosen} a fellow of the {Royal|Northern} Society in <mid>, and served for <small_number> years as its secretary.",
        "<He> travelled in {France|Italy|Corvania|the Low Countries} with <person2>, and made a collection of {plants|coins|maps|old songs}.",
        "<His> {theory|account|description} of the <topic> was attacked by <person2>, and <he> defended <himself> with more {heat|wit|<virtue>} than {proof|success}.",
        "For <small_number> years <he> held the living of <other>, and <his> sermons, which nobody had ever thought dull, filled the church.",
        "<He> invented an improved <instrument>, for which <king> granted <him> <money>.",
        "{M. Béranger|Professor Müllner|Señor Núñez} has shown that the method was not <his> own, but that <he> first saw its use.",
    ),
    "end": (
        "<He> died at <another> on the <day> of <month> <died>, and was buried in the church of that {place|town}.",
        "<He> was a {person|writer|scholar} of great <virtue> and little <virtue2>; those who knew <him> well {were|have been} divided in their judgment.",
        "<His> letters, edited by <person2> ({2|3|4} vols., <late>), are {of more value than <his> books|still worth reading}.",
        "Of <his> {sons|daughters|pupils}, the eldest became {bishop of <another>|<worthy>}.",
        "A portrait of <him> by {Hallam|Coverley|Ormerod} hangs in the {guildhall|library|town hall} of <other>.",
        "See the *Life* by <person2> (<late>), and an article in the *{Northern|Antiquarian|Quarterly} Review*, vol. {iv.|ix.|xii.|xxi.}",
    ),
}

PLANT: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, {the popular name of|in botany,} a {hardy|creeping|tall|climbing} plant of the order *{Rosaceae|Liliaceae|Compositae|Labiatae}*"
        " (*<latin>*), a native of {damp|dry|shady|open} {woods|meadows|hillsides|river-banks} in <county> and of the coasts of Corvania.",
    ),
    "form": (
        "The stem is from {6 in. to 2 ft.|1 to 3 ft.|2½ to 4 ft.} in height, {smooth|hairy|square} and {simple|branched}, and springs from a"
        " {woody|fleshy|tuberous} root.",
        "The leaves are {opposite|alternate|in whorls of <small_number>}, {oval|lance-shaped|heart-shaped} and {toothed|entire} at the edge.",
        "The flowers, which are <colour> and {scentless|sweet-scented}, {open|appear} in <season> and close {at night|before rain}.",
        "The fruit is a {dry capsule|berry of a <colour> colour|small nut}, and the seeds are carried by {the wind|birds|running water}.",
        "There are <small_number> {petals|stamens}, and the style is {short|twice as long as the petals|cleft into two}.",
        "It {differs|is distinguished} from the <otherplant> by its <colour> {bark|sap|flowers} <reference>.",
    ),
    "use": (
        "From the root is made a <colour> dye, with which <people> used to colour their {wool|nets|hats}.",
        "The {leaves|berries|young shoots} are eaten by the <animal>, but no cow has ever been seen to touch them.",
        "{An infusion|A decoction} of the leaves was given in fevers, and the old herbalists praised it {above measure|beyond its deserts}.",
        "In gardens it is raised from seed, sown in <season> in {light|rich|sandy} soil, at a temperature of <temperature>",
        "The fibre {is|was} spun into a coarse thread, of which the rope-makers of <other> used <small_number> tons a year.",
    ),
    "lore": (
        "It was said that {whoever slept|he who slept} beneath it on the eve of St John {dreamed of the sea|forgot his own name}.",
        "The name is found in a {herbal|poem|glossary} of the <century> century in the form <oldname>.",
        "<Person> first described it in <year_late>, from specimens which were gathered near <other>.",
        "It is the badge of the {town|bishop|guild} of <other>, and is carried in the processions of <month>.",
        "Attempts to grow it in {France|the Low Countries} were made in <year_late>, but {have|had} no success.",
    ),
}

TRADE: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, the art of {preparing|making|working} {goods|objects} {by hand|with few tools}, as it has been practised in <county> since the"
        " <century> century; it is one of the oldest of the country trades.",
    ),
    "process": (
        "The {raw material|stuff} is first {washed|sorted|steeped} for <small_number> days in {cold|warm|running} water, and is then {dried|beaten|cut}"
        " in an open shed.",
        "The workman {sits|stands} at a bench of <material>, and holds the work with {his knees|a clamp|the left hand}.",
        "The heat must not exceed <temperature>; if it does, the whole is spoiled, and the master {loses|forfeits} his {day|profit}.",
        "A good hand makes <small_number> {dozen|score} in a day, and is paid by the piece.",
        "The tools are few: a knife, a {mallet|comb|mould} of <material>, and a(n) {wheel|frame|awl|iron}.",
        "Finally the goods are {polished|pressed|counted} and packed in {straw|barrels|baskets} for the {market|merchant}.",
    ),
    "history": (
        "A guild was {founded|chartered} at <other> in <year_early>, and no one who had not served it seven years was ever admitted.",
        "The introduction of machines in <year_late> {ruined|reduced} the trade in <another>, where <small_number> hundred families had lived by it.",
        "<Person>, who learned the craft {abroad|in Corvania|from his wife}, brought new patterns to <other> in <year_middle>.",
        "The art came from {the East|Corvania|the Low Countries}, and was brought over by {weavers|monks|sailors} who had fled from {war|plague|debt}.",
        "An act of <year_middle> forbade the {export|import} of {the raw material|finished goods}, under a penalty of <money>.",
        "Women have always done <fraction> of the work, although the guild {never admitted|would not hear of} them.",
    ),
    "present": (
        "It is now {confined to|chiefly carried on in} <other> and <another>, and {employs|supports} about <small_number> hundred hands.",
        "The yearly value of the produce is {put|estimated} at <money>, of which <fraction> is sent abroad.",
        "Schools for the craft {were|have been} opened at <other> in <late>, and they are said to do well.",
        "The chief danger is the dust, which settles {in the lungs|on everything}, and few of the workmen {grow|are} old.",
        "Specimens may be seen in the museum of <other> <reference>.",
    ),
}

INSTRUMENT: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, an instrument for {measuring|showing|recording} the {height of the tide|moisture of the air|motion of the stars|weight of grain|force of"
        " the wind}, invented by <person> {about|in} <year_late>.",
    ),
    "construction": (
        "It consists of a {tube|disk|frame} of <material>, {8|10|12½|15|18} in. long, in which a {needle|float|thread} of <material2> is {hung|fixed|balanced}.",
        "The scale is divided into <small_number> {hundred|score} parts, each of which {equals|corresponds to} <fraction> of an inch.",
        "A {screw|weight|spring} at the {foot|side|top} brings the index to zero before each {observation|reading}.",
        "The bearings are of {agate|hard steel|<material>}, since the least {rust|dust|oil} destroys the {truth|accuracy} of the whole.",
        "In the later form the {glass|wood} is replaced by <material>, which does not {warp|crack|tarnish}.",
        "Let *a* be the length of the arm and *b* that of the {rod|thread}; the reading is then {*a* − *b*|*a*² + *b*²|½*ab*}.",
    ),
    "use": (
        "The observer {places|sets} it {on a level table|in the shade|upon a pillar of stone}, waits <small_number> minutes, and reads the {index|scale} twice.",
        "It is {correct|true} to <fraction> of a degree between <temperature> and 100° F.",
        "On board ship it is {useless|of little use} in rough weather, and no captain has ever trusted it alone.",
        "Farmers in <county> hang one in the {barn|porch}, and {cut|sow} their <crop> by it.",
        "It must not be confused with the <instrument>, which {measures|shows} the same thing by other means <reference>.",
    ),
    "history": (
        "The first was made for <king>, and was kept in the observatory of <other> until <late>.",
        "<Person2> improved it in <year_late> by adding a second {scale|needle|lens}, and the name {is|was} given by him.",
        "A similar device was known in the <century> century to the monks of <another>, but nobody had ever described it.",
        "It {was|has been} superseded since <late> by the {aneroid|electric|self-recording} form.",
        "An example in <material> was sold in <late> for <money>.",
    ),
}

ANIMAL: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, a(n) {small|shy|handsome|hardy} animal of the {moors|marshes|woods|coasts} of <county>, known to naturalists as *<latin>*.",
    ),
    "form": (
        "It is from {4|6|9½|14|20} to {21|24|30|36½} in. in length, and {weighs|seldom weighs more than} <small_number> pounds.",
        "The {upper parts|back and sides} are <colour>, the {throat|belly} is white, and the {eyes|feet} are black.",
        "The male {is larger than|resembles} the female, and {defends himself|shows himself} in <season>.",
        "The {young|females} want the <colour> mark {on the neck|above the eye} until their second year.",
        "The teeth are <small_number> in each jaw, and {are|grow} very {sharp|small}.",
    ),
    "habits": (
        "It feeds upon {roots|beetles|small fish|the seeds of the <otherplant>|fallen fruit}, and {hunts|seeks its food} by night.",
        "The {nest|burrow|den}, which is lined with {moss|wool|dry leaves}, is placed {among stones|under a bank|near the water}.",
        "From <small_number> to twelve young are born in <season>, and {leave|follow} the mother after <small_number> weeks.",
        "In hard winters it {comes into|approaches} the villages, and <people> have never been willing to drive it away.",
        "Its {cry|voice} {resembles|is like} the {creaking of a gate|sound of a distant bell|bark of a dog}, and is heard at dusk.",
        "It swims {well|badly}, and has been seen to cross the <river> below <other>.",
    ),
    "range": (
        "Formerly common in the whole of the country, it is now {rare|found only} near <other> and <another>.",
        "The fur {was|is} of some value, and <small_number> thousand skins {were|are} sold at <other> every year.",
        "It was protected by an act of <year_late>, and its numbers have {increased|hardly increased} since.",
        "Fossil remains {occur|have been found} in the caves of <county>, together with those of the <otheranimal> <reference>.",
        "A tame one, kept by <person>, lived {nine|eleven|fourteen} years and {knew|answered to} its name.",
    ),
}

KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "town": TOWN,
    "river": RIVER,
    "person": PERSON,
    "plant": PLANT,
    "trade": TRADE,
    "instrument": INSTRUMENT,
    "animal": ANIMAL,
}

_CHOICE = re.compile(r"\{([^{}]*)\}")
_NAME = re.compile(r"<(\w+)>")


def expand(sentence: str, facts: Mapping[str, str], draw: random.Random) -> str:
    """One sentence of the grammar with every choice made and every name filled in.

    Raises:
        KeyError: the sentence names what is neither a fact of the article nor a rule.
    """
    while "<" in sentence or "{" in sentence:
        sentence = _CHOICE.sub(lambda match: draw.choice(match[1].split("|")), sentence)
        sentence = _NAME.sub(lambda match: _fill(match[1], facts), sentence)
    sentence = re.sub(r"\b([Aa])\(n\) (?=(\W*)([aeiouAEIOU])?)", lambda m: f"{m[1]}{'n' if m[3] else ''} ", sentence)
    sentence = re.sub(r" +([,.;)])", r"\1", sentence).replace("..", ".").strip()
    return sentence if sentence.endswith((".", "”", ".*")) else sentence + "."


def _fill(name: str, facts: Mapping[str, str]) -> str:
    if name in facts:
        return facts[name]
    if name in RULES:
        return RULES[name]
    rule = RULES.get(name.lower(), "")
    if rule and name[0].isupper():
        return "{" + "|".join(option[:1].upper() + option[1:] for option in rule[1:-1].split("|")) + "}"
    raise KeyError(f"<{name}> is neither a fact of the article nor a rule of the grammar")
