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
    "small_feet": "{12|18|25|36|48|55|62|74|85|96|110|125|140}",
    "small_number": "{two|three|four|five|six|seven|eight|nine|ten|twelve}",
    "hundreds": "{two|three|four|six|seven|nine|twelve|fifteen} hundred",
    "year_early": "{1066|1087|1131|1154|1189|1216|1248|1272|1307|1345|1377|1399}",
    "year_middle": "{1422|1461|1485|1513|1547|1558|1588|1603|1626|1651|1666|1688}",
    "year_late": "{1702|1715|1733|1745|1760|1776|1783|1792|1805|1815|1821|1832|1845|1848|1851|1866|1873|1881|1894|1902}",
    "civil_year": "{1642|1643|1644|1645|1646|1648|1651}",
    "plague_year": "{1349|1361|1563|1603|1625|1665}",
    "century": "{11th|12th|13th|14th|15th|16th|17th|18th}",
    "ware": "{woollen cloth|leather|paper|rope|lace|glass|earthenware|cutlery|straw hats|gloves|nails|tiles}",
    "crop": "{wheat|barley|oats|hops|flax|apples|hemp|turnips|rye|cherries}",
    "stone": "{granite|red sandstone|grey limestone|flint|slate|white marble}",
    "colour": "{white|yellow|pale blue|purple|crimson|greenish|dull red|grey}",
    "animal": "{heron|otter|badger|plover|hare|crow|owl|vole}",
    "season": "{spring|early summer|late summer|autumn|winter}",
    "virtue": "{patience|learning|courage|wit|industry|modesty|obstinacy|prudence|good humour}",
    "material": "{brass|oak|iron|glass|boxwood|copper|pewter|ivory}",
    "month": "{January|February|March|April|May|June|July|August|September|October|November|December}",
    "day": "{1st|3rd|7th|9th|12th|14th|18th|21st|25th|28th}",
    "people": "{the inhabitants|the townsmen|the fishermen|the farmers|the shepherds|the women of the district}",
    "worthy": "{a retired surveyor|the vicar of the parish|a watchmaker|a captain of the navy|the son of a miller|a schoolmaster}",
    "parent": "{a watchmaker|a captain of the navy|a miller|a schoolmaster|the vicar of the parish|a farmer of some means|a weaver|a notary}",
    "money": "{£120|£450|£1300|£2750, 10s.|12 guineas|£8000|£64, 5s. 8d.}",
    "mean_temperature": "{46°|47½°|48° F.|49°|50½° F.|51°}",
    "temperature": "{77° F.|90° F.|104½° F.|140° F.|212° F.|60° C.}",
    "fraction": "{one half|⅔|three-quarters|¼|a third|⅝}",
    "saint": "{Alban|Brice|Cuthman|Dunstan|Osyth|Wilfrid|Hilda|Swithin}",
    "other_vocation": "{divine|botanist|traveller|antiquary|poet|engraver|physician}",
    "professor": "{M. Béranger|Professor Müllner|Señor Núñez|Dr Håkansson|Mr Lorrimer}",
    "society": "{Royal|Northern|Antiquarian}",
    "review": "*{Northern|Antiquarian|Quarterly} Review*, vol. {iv.|ix.|xii.|xxi.}",
    "reference": "{(q.v.)|(see <other>)|(see <other> (q.v.), and compare <another>)|, as is told under <another>|}",
    "short_reference": "{(q.v.)|}",
    "plant_reference": "{(q.v.)|, for which see Botany|}",
}

TOWN: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, a {market town|town|borough|market town and parish} of <county>, {on|situated on|standing on} the {left|right} bank of the"
        " <river>, <miles> m. <COMPASS> of <other>. Pop. (1891) <population>; (1901) <population2>. It is served by the"
        " {Northern|Great Coast|Vale and Junction} railway.",
        "<HEAD>, a {town|borough|municipal borough} in the {north|south|east|west} of <county>, <miles> m. by rail <COMPASS> of <other>, at the"
        " {junction of two roads|foot of a hill|head of a bay}. Pop. (1901) <population2>. The river <river>"
        " {flows|runs} through {the midst of it|the lower part of it}.",
        "<HEAD>, {a small town|an ancient town|a considerable town} of <county>, upon the <river>, with a station on the"
        " {Northern|Great Coast} railway, <miles> m. from <other> and <miles> m. from <another>. The population was <population> in 1891, and"
        " in 1901 it was <population2>.",
    ),
    "situation": (
        "The town stands on a(n) {ridge|gentle slope|outcrop|terrace} of <stone>, <small_feet> ft. above the river, and its older streets are"
        " {narrow and steep|narrow but well paved|irregular}.",
        "The river is here crossed by a bridge of <small_number> arches, which was built in <year_late> at a cost of <money>.",
        "To the <compass> the ground rises to {an open heath|a line of low hills|a wooded ridge}, from which the whole"
        " of the valley {is seen|can be seen} in clear weather.",
        "In the floods of <year_late> the lower quarter was under water for <small_number> days together.",
        "The climate is {mild|bracing|damp but healthy}, and the mean temperature of the year is <mean_temperature>",
        "The houses are {for the most part|mostly} built of <stone>, and many of them {have|keep} their {carved doors|steep gables|tiled roofs}.",
        "Four streets meet at the market cross, a(n) {shaft|pillar} of <stone> which has {lost its head|been twice restored|no inscription}.",
        "The suburb of {Newgate|Bridge End|Over Green}, beyond the river, {has grown up since|was laid out in} <year_late>.",
    ),
    "buildings": (
        "The church of St <saint> is a {fine|plain|spacious} building of the"
        " <century> century, with a tower of <stone>[note] and a peal of <small_number> bells.",
        "The {nave|chancel} of the parish church is of an earlier date than its tower, and contains a brass [much worn (see the"
        " *Transactions* for <late>)] of a knight and his two wives.",
        "Of the castle, which was founded in <year_early>, only the gatehouse and a part of the <compass> wall remain.",
        "The {town hall|guildhall|corn exchange} dates from <year_late> and contains a portrait of <late_king>",
        "A grammar school was founded here by {a wool merchant|a bishop|the guild of St <saint>} in <year_middle>, and was rebuilt in <year_late>.",
        "Near the market-place are the almshouses of <founder>, who left <money> for the support of <small_number> widows.",
        "The abbey, of which {scarcely a stone|little more than the west door} is left, belonged to the {white|grey|black} monks.",
        "There are also a {library|museum|theatre}, opened in <late>, a cottage hospital and a market for {corn|cattle|fish}.",
        "A collection of {Roman tiles|fossil fishes|old musical instruments|local birds} was {given|left} to the town by <founder>.",
    ),
    "trade": (
        "The chief industries are the making of <ware1> and of <ware2>; there {is|used to be} a(n) {important|old|annual}"
        " fair for {horses|sheep|cattle|cheese} on the <day> of <month>.",
        "The principal crops of the neighbourhood are <crop1> and <crop2>, which are {sent by rail to|sold in} <other> <reference>.",
        "The townsmen have long been known for their skill in the making of <ware1>, and no town of the county has ever"
        " exceeded it in this trade.",
        "The fisheries, which once employed <hundreds> hands, have declined since <year_late>, but they are"
        " still of some value.",
        "A considerable trade in <ware2> is carried on with <another>.",
        "The market, which is held {on Tuesdays|on Fridays|twice a week}, is one of the {largest|oldest|busiest} in <county>.",
        "Quarries of <stone> were formerly worked {beyond the walls|on the heath}, and about <small_number> hundred men {lived|earned their bread} by them.",
        "The town is governed by a mayor, <small_number> aldermen and {twelve|eighteen|twenty-four} councillors; its area is {980|1240|2315|3406} acres.",
    ),
    "history": (
        "<Name> (in old charters <oldname>) was {a royal manor|a place of some strength|the seat of a bishop} before the"
        " {coming of the Normans|<century> century}.",
        "The town received its first charter from <charter_king> in <charter_year>, and was governed by <small_number> bailiffs until 1835.",
        "{Coins|Urns|Tiles} of the 2nd century have been found {here|under the church}, and some have {thought|held} that a road of the Romans crossed the river at this point.",
        "In <charter_later> the burgesses {paid|refused to pay} a fine of <money> {to the king|for leave to build a wall}, and {were|were not} forgiven.",
        "The {weavers|tanners|fishermen} had a guild here in the <century> century, and {kept|maintained} an altar in the church of St <saint>.",
    ),
    "later history": (
        "During the civil wars the town declared for the {king|parliament}, and was {taken|besieged|relieved} by Sir"
        " <man> in <civil_year>.",
        "The plague of <plague_year> carried off <fraction> of the people; the dead are said to lie under the green beside"
        " the church.",
        "In <year_late> a great fire destroyed the {market|quay|whole of the high street}, which was rebuilt in <stone>.",
        "The <native_vocation> <native> was born here in <native_born>, and {a tablet marks the house|the house is still shown to strangers}.",
        "The <native2_vocation> <native2> (q.v.) was {another native|likewise a native} of the town.",
        "The walls were taken down in <year_late>, and {the stone was sold|a public walk was made} in their place.",
        "The opening of the railway in {1841|1847|1852|1859|1864} {doubled|much increased} the number of its people.",
        "{Since then|From that time} its history has been that of a quiet country town.",
    ),
}

RIVER: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, a river of <county>, rising in the {hills|moors|marshes} to the <compass> of <other>, and falling into the"
        " <mouth> after a course of <length> m. The area of its basin is <area> sq. m.",
        "<HEAD>, a {stream|river} in the {north|south|middle} of <county>, which {flows|runs} for <length> m. in a(n) {easterly|westerly|winding} course to the"
        " <mouth>, and drains a basin of <area> sq. m.",
    ),
    "course": (
        "In its upper course it flows through a(n) {narrow|rocky|wooded} glen, and descends <feet> ft. in <small_number> miles.",
        "Below <other> it turns to the <compass> and enters a broad {vale|plain|marsh}, where it {divides into|is joined by}"
        " <small_number> {channels|brooks}.",
        "The water is {clear|brown with peat|hard and clear}, and is never known to fail even in the driest season.",
        "At <another> it is crossed by a {ford|ferry|stone bridge|wooden bridge} of great age.",
        "The falls of {Garrow|Linn|Ashrigg}, where the stream drops <small_feet> ft. over a ledge of <stone>, {are|lie} <miles> m. from the source.",
        "It receives the <tributary>, its chief {tributary|affluent}, on the {left|right} bank <miles> m. above the mouth.",
        "The {bed|channel} is of {gravel|clay|smooth rock}, and in {the dry months|summer} a child {can|may} wade it at <another>.",
        "Its source is a {spring|pool|small lake} on the heath, <feet> ft. above the sea, which {never freezes|is said to have no bottom}.",
    ),
    "use": (
        "It is navigable for barges {as far as|up to} <other>, and a canal, opened in <year_late>, connects it with the"
        " <otherriver> <reference>.",
        "The river turns the wheels of <small_number> mills, which {make <ware> and <ware>|grind the corn of the district|saw timber for the coast}.",
        "{Salmon|Trout|Eels|Pike} are taken in <season>; the fishery belonged to the {abbey|bishop|crown} until <year_middle>.",
        "<People> draw from it the water for their fields, and have done so since the <century> century.",
        "The valley is fertile, and <crop> and <crop> are grown on both its banks.",
        "The tide is felt for <miles> m. from the sea, and the bar at the mouth is dangerous in {westerly|northerly} winds.",
        "A weir of <stone> was built {above|below} <other> in <year_late>, and the tolls of the lock {pay|are let} for <money> a year.",
    ),
    "valley": (
        "The hills upon its banks are of <stone>, and are {covered with oak and birch|bare and stony|well cultivated}.",
        "Among the towns on its course are <other> and <another>, of which the {former|latter} is the {larger|older}.",
        "The {otter|heron|kingfisher|water-vole} is still {common|seen} along its banks, but the {beaver|crane|bittern} has not been known there since the <century> century.",
        "In <season> the meadows are laid under water, and {become|look like} a lake of <small_number> miles in length.",
        "The mists of the lower valley were {formerly|at one time} blamed for a fever, which {has disappeared|is now rare} since the marsh was drained.",
        "Travellers {of all ages|from abroad} have praised the view from the {bridge|rocks} at <another>, and several painters {have|had} lodged there.",
    ),
    "history": (
        "The name is {of doubtful origin|older than the English settlement|said to mean “{dark|swift|winding|cold} water”},"
        " and occurs as <oldname> in a charter of <charter_king> (<charter_year>).",
        "In <civil_year> the army of Sir <man> crossed it by night and {surprised|defeated} the enemy near <another>.",
        "The floods of <year_late> {swept away|carried off} <small_number> bridges and drowned many {sheep|cattle}.",
        "<Person> surveyed the whole of its course in <person_year>, and the map is still in use.",
        "No bridge stood below <other> until <year_late>, when one was built by public subscription for <money>.",
        "It {formed|was} for a long time the boundary between the lands of the {abbot|bishop} and those of the {crown|town of <other>}.",
        "See the *Rivers of the Realm* by {W. Ormerod|A. Hallam|J. T. Wainfleet} (<late>), ch. {ii.|iv.|vii.|xi.}",
    ),
}

PERSON: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD> (<born>–<died>), {English|Northmarch|Corvanian} <vocation>, was born at <other> on the <day> of <month> <born>.",
        "<HEAD> (<born>–<died>), <vocation>, was the {eldest|second|third|youngest} <son> of <parent>, and was born at <other> in <month> <born>.",
    ),
    "youth": (
        "<His> father died when <he> was <small_number> years old, and <he> was {brought up|educated} by an uncle at <another>.",
        "<He> was sent to the grammar school of <another>, where <he> taught <himself> {Greek|Latin|Hebrew|geometry} before <he>"
        " was {ten|eleven|twelve}.",
        "At the age of {fifteen|sixteen|eighteen} <he> was apprenticed to a(n) {engraver|printer|apothecary|instrument-maker},"
        " whom <he> afterwards {remembered in <his> will|described without mercy|repaid with a pension}.",
        "The family had been settled in <county> since the {12th|13th|14th|15th} century, and claimed descent from Sir <man2>.",
        "<He> {has left|left} a lively account of these years, in which <he> describes <himself> as “a(n) {idle|awkward|earnest|stubborn} child.”",
        "An early {illness|fall from a horse|fever} left <him> {lame|deaf of one ear|weak in the eyes}, but <he> never {spoke|complained} of it.",
        "<He> read whatever <he> could {borrow|find}, and {walked|went} <small_number> miles to {hear a sermon|see a comet|buy a dictionary}.",
    ),
    "career": (
        "In <year1> <he> published <his> first work, *<work>*,[note] which"
        " brought <him> {no money but some fame|the friendship of <person2>|a pension of <money>}.",
        "<He> was {elected|chosen} a fellow of the <society> Society in <year2>, and served for <small_number> years as its secretary.",
        "<He> travelled in {France|Italy|Corvania|the Low Countries} with <person2>, and made a collection of {plants|coins|maps|old songs}.",
        "<His> {theory|account|description} of the subject was attacked by <person2>, and <he> defended <himself> with more {heat|wit|<virtue>} than {proof|success}.",
        "For <small_number> years <he> {lived at|taught in|had charge of the library of} <another>, where <his> {lectures|conversation}, which nobody had ever thought dull, drew hearers from all <county>.",
        "<He> invented an improved <instrument>, for which <royal> granted <him> <money>.",
        "<professor> has shown that the method of *<work>* was not <his> own, but that <he> first saw its use.",
        "In <year3> <he> married <spouse> of the {painter|physician|merchant} <man>, who {survived <him>|died in the following year}.",
        "<He> refused the {chair|office|pension} which was offered to <him> by <royal>, saying that {a bird sings better out of the cage|no man had ever been made wiser by it|<he> had promised <himself> to be idle}.",
    ),
    "works": (
        "*<work>*, on which <his> fame rests, went through <small_number> editions in <his> lifetime, and was translated into {French|German|Dutch|Latin}.",
        "It treats {first|in order} of the <subject>, of which <he> had {seen|collected} more than any writer before <him>, and then of {their causes|their uses|the errors of the ancients}.",
        "The style is {plain|vigorous|crowded}, and the learning, though {wide|various}, is never {borrowed|idle}.",
        "<His> other works are *{Letters to a Friend|Walks in <county>|The Country Year}* (<year3>) and *{Remains|Table Talk|An Answer to <person2>}* (<year4>).",
        "Of <his> verses, which <he> <himself> thought little of, the *{Elegy on an Oak|Hymn to Winter|Lines on a Clock}* is still {read|remembered}.",
        "<He> held that {nature does nothing in haste|every custom was once a convenience|a fact is worth a shelf of opinions}, and {lived|wrote} by that rule.",
    ),
    "end": (
        "<He> died at <another> on the <day> of <month> <died>, and was buried in the church of that {place|town}.",
        "<He> was a {person|writer|scholar} of great <virtue1> and little <virtue2>; those who knew <him> well {were|have been} divided in their judgment.",
        "<His> letters, edited by {A. Hallam|C. E. Coverley|R. Ormerod} ({2|3|4} vols., <late>), are {of more value than <his> books|still worth reading}.",
        "Of <his> {sons|daughters|pupils}, the eldest became {well known as a(n) <other_vocation>|famous in Corvania|a schoolmaster at <another>}.",
        "A portrait of <him> by {Hallam|Coverley|Ormerod} hangs in the {guildhall|library|town hall} of <other>.",
        "See the *Life* by {J. Merrifield|E. Dunmore|T. Sedgemoor} (<late>), and an article in the <review>",
    ),
}

PLANT: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, {the popular name of|in botany,} a {hardy|creeping|tall|climbing} plant of the order *{Rosaceae|Liliaceae|Compositae|Labiatae}*"
        " (*<latin>*), a native of {damp|dry|shady|open} {woods|meadows|hillsides|river-banks} in <county>.",
        "<HEAD> (*<latin>*), a {small|handsome|common|rare} {herb|shrub|perennial} which {grows|is found} in the {hedges|marshes|pastures|woods} of <county>, and"
        " {less often|here and there} in <county2>.",
    ),
    "form": (
        "The stem is from {6 in. to 2 ft.|1 to 3 ft.|2½ to 4 ft.} in height, {smooth|hairy|square} and {simple|branched}, and springs from a"
        " {woody|fleshy|tuberous} root.",
        "The leaves are {opposite|alternate|in whorls of <small_number>}, {oval|lance-shaped|heart-shaped} and {toothed|entire} at the edge.",
        "The flowers, which are <colour> and {scentless|sweet-scented}, {open|appear} in {spring|early summer|late summer} and close {at night|before rain}.",
        "The fruit is a {dry capsule|berry of a <colour> colour|small nut}, and the seeds are carried by {the wind|birds|running water}.",
        "There are <small_number> {petals|stamens}, and the style is {short|twice as long as the petals|cleft into two}.",
        "It {differs|is distinguished} from the <otherplant> by its <colour> {bark|sap|flowers} <plant_reference>.",
        "The whole plant has a {bitter|sweet|sour} taste, and when {bruised|dried} it smells of {honey|new hay|the sea}.",
    ),
    "use": (
        "From the root is made a(n) {ash-coloured|yellow|crimson|greenish} dye, with which <people> used to colour their {wool|nets|hats}.",
        "The {leaves|berries|young shoots} are eaten by the <animal>, but no cow has ever been seen to touch them.",
        "{An infusion|A decoction} of the leaves was given in fevers, and the old herbalists praised it {above measure|beyond its deserts}.",
        "In gardens it is raised from seed, sown in {spring|autumn} in {light|rich|sandy} soil, at a temperature of {48° F.|52½° F.|61°}",
        "The fibre {is|was} spun into a coarse thread, of which the rope-makers of <other> used <small_number> tons a year.",
        "The wood of old plants is {hard|soft} and {yellow|brown}, and is turned into {spoons|pipes|buttons}.",
        "Bees {are fond of|seldom visit} the flowers, and the honey of <another> {owes its taste to it|is the better for it}.",
    ),
    "culture": (
        "It is increased by {seed|cuttings|division of the root}, which should be done in {March|April|September|October}.",
        "Young plants want {shade|water|shelter from the wind} until they are {two|three} years old.",
        "Several varieties are grown, of which the {white|double|dwarf|variegated} is the {most esteemed|hardiest}.",
        "A rust attacks the leaves in wet years, and the only cure that has ever been found is {to burn them|a dressing of lime|a hard frost}.",
        "A plant {in good soil|well tended} {lives for|will last} <small_number> years.",
    ),
    "lore": (
        "It was said that {whoever slept|he who slept} beneath it on the eve of St John {dreamed of the sea|forgot his own name}.",
        "The name is found in a {herbal|poem|glossary} of the <century> century in the form <oldname>.",
        "<Person> first described it in <person_year>, from specimens which were gathered near <other>.",
        "It is the badge of the {town|guild} of <other>, and is carried in the processions of {May|June|July|September}.",
        "Attempts to grow it in {France|the Low Countries} were made in <year_late>, but had no success.",
        "The ancients {perhaps|certainly} knew it, for the Greek {φύλλον|ῥίζα|ἄνθος} of one author {answers to|can be nothing else than} this plant.",
    ),
}

TRADE: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, <definition>, as it has been practised in <county> since the <century> century; it is one of the oldest of the country trades.",
        "<HEAD>, <definition>. The materials are <stuff>, and the trade {has its seat|is chiefly found} in <county>.",
    ),
    "process": (
        "The {raw material|stuff} is first {washed|sorted|steeped} for <small_number> days in {cold|warm|running} water, and is then {dried|beaten|cut}"
        " in an open shed.",
        "The <workman> {sits|stands} at a bench of {oak|elm|stone}, and holds the work with {both knees|a clamp|the left hand}.",
        "The heat must not exceed <temperature>; if it does, the whole is spoiled, and the master {loses|forfeits} his {day|profit}.",
        "A good hand makes <small_number> {dozen|score} <product> in a {day|week}, and is paid by the piece.",
        "The tools are few: a knife, a {mallet|comb|mould} of <material>, and a(n) {wheel|frame|awl|iron}.",
        "Finally the <product> are {examined|pressed|counted} and packed in {straw|barrels|carts} for the {market|merchant}.",
        "The quality depends upon the <stuff>, which should be {bought in <season>|kept for a year|neither too old nor too dry}.",
    ),
    "history": (
        "A guild was {founded|chartered} at <other> in <charter_year> by leave of <charter_king>, and no one who had not served it seven years was ever admitted.",
        "The introduction of machines in {1821|1833|1847|1862} {ruined|reduced} the trade in <another>, where <small_number> hundred families had lived by it.",
        "<Person>, who learned the craft {abroad|in Corvania|in prison}, brought new patterns to <other> in <person_year>.",
        "The art came from {the East|Corvania|the Low Countries}, and was brought over by {weavers|monks|sailors} who had fled from {war|plague|debt}.",
        "An act of <year_middle> forbade the {export|import} of {the raw material|finished goods}, under a penalty of <money>.",
        "Women have always done <fraction> of the work, although the guild {never admitted|would not hear of} them.",
        "The {Egyptians|Greeks|Romans} had the art, as {paintings|inscriptions} show, and used {much the same tools|tools of bronze}.",
    ),
    "apprenticeship": (
        "The apprentice is bound for {five|six|seven} years, and {pays|receives} nothing {in the first two|until the third}.",
        "He learns {first|before all} to {know the materials|sharpen the tools|keep the fire}, and is not {trusted|suffered} to touch the <product> until he is {fifteen|sixteen}.",
        "A <workman> who had {spoiled a piece|quarrelled with his master} was {fined|made to wear a paper cap}, by a custom that was kept up until <year_late>.",
        "The patron of the trade is St <saint>, and the <day> of <month> is {kept|was formerly kept} as a holiday.",
        "In the songs of the trade, some of which are printed in the <review> {they boast|the men boast} of their {thirst|skill|poverty}.",
    ),
    "present": (
        "It is now {confined to|chiefly carried on in} <other> and <another>, and {employs|supports} about <hundreds> hands.",
        "The yearly value of the produce is {put|estimated} at {£4000|£12,500|£30,000|£85,000}, of which <fraction> is sent abroad.",
        "Schools for the craft {were|have been} opened at <other> in <late>, and they are said to do well.",
        "The chief danger is the dust, which settles {in the lungs|on everything}, and few of the workmen {grow|are} old.",
        "Specimens may be seen in the museum of <other> <reference>.",
        "A {bushel|load|dozen} of the best <product> was sold in <late> for {4s. 6d.|11s.|£1, 2s.|£3, 10s.}, which is twice the price of <year_late>.",
    ),
}

INSTRUMENT: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, an instrument for <purpose>, invented by <person> {about|in} <person_year>.",
        "<HEAD>, an instrument for <purpose>. It {was|seems to have been} first {made|described} by <person> in <person_year>, and is still {in use|to be met with} in <county>.",
    ),
    "construction": (
        "It consists of a {tube|disk|frame} of <material1>, {8|10|12½|15|18} in. long, in which a {needle|float|thread} of <material2> is {hung|fixed|balanced}.",
        "The scale is divided into <small_number> {hundred|score} parts, each of which {equals|corresponds to} <fraction> of an inch.",
        "A {screw|weight|spring} at the {foot|side|top} brings the index to zero before each {observation|reading}.",
        "The bearings are of {agate|hard steel|ruby}, since the least {rust|dust|oil} destroys the {truth|accuracy} of the whole.",
        "In the later form the {glass|wood} is replaced by <material1>, which does not {warp|crack|tarnish}.",
        "Let *a* be the length of the arm and *b* that of the {rod|thread}; the reading is then {*a* − *b*|*a*² + *b*²|½*ab*}.",
        "The case is of {mahogany|walnut|tin}, lined with {green baize|cork}, and weighs {2½|4|6|11} ℔.",
    ),
    "use": (
        "The observer {places|sets} it {on a level table|in the shade|upon a pillar of stone}, waits <small_number> minutes, and reads the {index|scale} twice.",
        "It is {correct|true} to <fraction> of a degree between 32° and 100° F.",
        "On board ship it is {useless|of little use} in rough weather, and no captain has ever trusted it alone.",
        "Farmers in <county> hang one in the {barn|porch}, and {cut|sow} their <crop> by it.",
        "It must not be confused with the <instrument> <short_reference>, which {serves another end|looks very like it|is much older}.",
        "A table of corrections, for {heat|height|the age of the instrument}, {is|should be} pasted inside the lid.",
        "{Two|Three} observations should be taken, and the mean of them {entered|written down} at once, since no memory has ever been found that keeps figures {so well as|better than} paper.",
    ),
    "errors": (
        "The chief {fault|source of error} is the {stretching|swelling|rusting} of the {thread|needle|case}, which {amounts|may amount} to <fraction> of an inch in a year.",
        "It is tried against a standard, kept at <other>, {every spring|once in two years}, and those that are found wrong are {sent back|broken up}.",
        "A bad one is known by {its smell|the sound of the spring|the dullness of the <material1>}, and is never {worth mending|cheap}.",
        "Heat affects it {but little|more than cold}; {wind|damp} affects it {a great deal|hardly at all}.",
    ),
    "history": (
        "The first was made for <royal>, and was kept in the observatory of <other> until <late>.",
        "<Person2> improved it {soon afterwards|a few years later} by adding a second {scale|needle|lens}, and gave it its present name.",
        "A similar device was known in the {12th|13th|14th} century to the monks of <another>, but nobody had ever described it.",
        "It {was|has been} superseded since <late> by the {aneroid|electric|self-recording} form.",
        "An example in <material2> was sold in <late> for <money>.",
        "The makers of <another> {were|had been} famous for it, and signed their work with {a star|a small crown|three dots}.",
    ),
}

ANIMAL: dict[str, tuple[str, ...]] = {
    "opening": (
        "<HEAD>, a(n) {small|shy|handsome|hardy} <class> of the {moors|marshes|woods|coasts} of <county>, known to naturalists as *<latin>*.",
        "<HEAD> (*<latin>*), a <class> which is {common|found} in {many parts of|the wilder parts of} <county>, and is {easily|not easily} tamed.",
    ),
    "form": (
        "It is from {4|6|9½|14|20} to {21|24|30|36½} in. in length, and the {full-grown|largest} {males|females} {weigh|are said to weigh} <small_number> ounces more than the others.",
        "The {upper parts|back and sides} are <colour>, the {throat|under side} is white, and the eyes are black.",
        "The male {is larger than|resembles} the female, and {defends himself|shows himself} most boldly in <season>.",
        "The <young> want the <colour> mark {on the neck|above the eye} until their second year.",
        "The teeth are <small_number> in each <jaw>, and are very {sharp|small}.",
        "The <feathers> are {soft|stiff} and {close|loose}, and are {cast|shed} once a year.",
        "The <fur> is {thick|short|silky}, and turns {paler|darker} in <season>.",
    ),
    "habits": (
        "It feeds upon {roots|beetles|small worms|the seeds of the <otherplant>|fallen fruit}, and seeks its food {by night|at dusk|in the early morning}.",
        "The <nest>, which is lined with {moss|weed|dry leaves}, is placed {among stones|under a bank|near the water}.",
        "From <small_number> to fifteen <young> are {born|hatched} in {spring|early summer}, and {leave|follow} the mother after <small_number> weeks.",
        "In hard winters it {comes near|approaches} the villages, and <people> have never been willing to drive it away.",
        "Its <voice> {resembles|is like} the {creaking of a gate|sound of a distant bell|bark of a dog}, and is heard at dusk.",
        "It {has been seen|is seen} upon the <river> below <other>.",
        "It is {solitary|sociable} in its habits, and {defends|seldom leaves} the place that it has chosen.",
        "When {surprised|pursued} it {lies still|hides itself under a stone|makes for the water}, and will {let itself be taken|not move for an hour}.",
    ),
    "enemies": (
        "Its enemies are the <animal> and the <otheranimal>, and it {knows|fears} both from its birth.",
        "The {country people|shepherds} say that it {foretells rain|never looks a man in the face|counts its young}, but no naturalist has ever confirmed it.",
        "It does {some|no} harm to {crops|gardens|fisheries}, and a price of {2d.|4d.|6d.} was {formerly|at one time} set upon its head by the parish of <another>.",
        "Several {kinds|varieties} have been described, but they {differ|are distinguished} only in {size|colour}.",
        "It was well known in the <century> century to the monks of <other>, who {ate it in Lent|drew it in the margins of their books}.",
    ),
    "range": (
        "Formerly common in the whole of the country, it is now found {chiefly|only} near <other> and <another>.",
        "The skin {was|is} of some value, and <small_number> thousand {were|are} sold at <other> every year.",
        "It was protected by an act of {1869|1876|1880|1894}, and its numbers have {increased|hardly increased} since.",
        "Fossil remains {occur|have been found} in the caves of <county>, together with those of the <otheranimal> <reference>.",
        "A tame one, kept by <person>, lived {nine|eleven|fourteen} years and {knew|answered to} its name.",
        "It is not found {north|south|east|west} of the <river>, although {the food is the same|nothing bars its way}.",
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


def names_only(sentence: str, facts: Mapping[str, str]) -> bool:
    """Whether every name in the sentence is a fact or a rule, so that `expand` can fill it."""
    return all(name in facts or name in RULES or name.lower() in RULES for name in _NAME.findall(sentence))


def _fill(name: str, facts: Mapping[str, str]) -> str:
    if name in facts:
        return facts[name]
    if name in RULES:
        return RULES[name]
    rule = RULES.get(name.lower(), "")
    if rule and name[0].isupper():
        return "{" + "|".join(option[:1].upper() + option[1:] for option in rule[1:-1].split("|")) + "}"
    raise KeyError(f"<{name}> is neither a fact of the article nor a rule of the grammar")
