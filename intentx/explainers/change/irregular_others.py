"""Words of other languages than English whose forms no rule of endings joins: *gehen*, *ging*.

Regular forms of each word have its stem, so that one form for each stem is enough. Accents count for
nothing where words are compared. One family between two commas.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["FAMILIES", "PREFIXES"]

# What stands before a verb whose own forms are those of the verb.
PREFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "de": ("ver", "be", "ent", "er", "zer", "ge", "an", "auf", "aus", "ab", "ein", "vor", "zu", "um",
               "mit", "nach", "unter", "über", "uber", "durch", "hin", "her", "zurück", "wieder"),
        "nl": ("ver", "be", "ont", "her", "aan", "op", "uit", "af", "in", "voor", "toe", "mee", "na",
               "onder", "over", "door"),
    }
)  # fmt: skip

_GERMAN = """
sein bin bist ist sind war waren gewesen, haben hat hatte gehabt, werden wird wurde geworden, gehen
geht ging gegangen gang, kommen kam gekommen kunft, sprechen spricht sprach gesprochen sprache
spruch, sehen sieht sah gesehen sicht, geben gibt gab gegeben gabe, nehmen nimmt nahm genommen
nahme, lesen liest las gelesen lektuere, essen isst ass gegessen, fahren faehrt fährt fuhr gefahren
fahrt, finden fand gefunden fund, schreiben schrieb geschrieben schrift, trinken trank getrunken
trunk getränk, singen sang gesungen gesang, springen sprang gesprungen sprung, schwimmen schwamm
geschwommen, bleiben blieb geblieben, schlafen schläft schlief geschlafen, laufen läuft lief
gelaufen lauf, tragen trägt trug getragen tracht, schlagen schlägt schlug geschlagen schlag, halten
hält hielt gehalten, fallen fällt fiel gefallen fall, lassen lässt liess gelassen, rufen rief
gerufen ruf, stehen steht stand gestanden, verstehen versteht verstand verstanden verständnis,
liegen lag gelegen lage, sitzen sass gesessen sitz, ziehen zog gezogen zug, fliegen flog geflogen
flug, bieten bot geboten gebot, verlieren verlor verloren verlust, schliessen schloss geschlossen
schluss, geniessen genoss genossen genuss, helfen hilft half geholfen hilfe, sterben stirbt starb
gestorben tod tot tote töten, werfen wirft warf geworfen wurf, treffen trifft traf getroffen,
brechen bricht brach gebrochen bruch, stehlen stiehlt stahl gestohlen diebstahl dieb, wachsen wächst
wuchs gewachsen wachstum wuchs, waschen wäscht wusch gewaschen wäsche, graben gräbt grub gegraben,
denken dachte gedacht gedanke, bringen brachte gebracht, kennen kannte gekannt kenntnis, wissen
weiss wusste gewusst, nennen nannte genannt name, brennen brannte gebrannt brand, können kann konnte
gekonnt, müssen muss musste, dürfen darf durfte, mögen mag mochte, wollen will wollte, heissen hiess
geheissen, beginnen begann begonnen beginn, gewinnen gewann gewonnen gewinn, schneiden schnitt
geschnitten schnitt, leiden litt gelitten leid, reiten ritt geritten ritt, beissen biss gebissen
biss, steigen stieg gestiegen, treiben trieb getrieben trieb, binden band gebunden bund, zwingen
zwang gezwungen, heben hob gehoben hub, lügen log gelogen lüge, messen misst mass gemessen mass,
treten tritt trat getreten tritt, tun tat getan, bitten bat gebeten bitte, leihen lieh geliehen,
scheinen schien geschienen schein, gut besser beste, viel mehr meiste, hoch hohe höher höhe, nah
nahe näher nächste, gern lieber, gross grösse, wahl wählen, kauf käufer, stadt städte, land länder,
mann männer, maus mäuse, haus häuser, buch bücher, kuh kühe, kraft kräfte, macht mächte, nacht
nächte, hand hände, wand wände, sohn söhne, tochter töchter, mutter mütter, vater väter, bruder
brüder, wort wörter, dorf dörfer, volk völker, baum bäume, zahn zähne, museum museen, thema themen,
firma firmen, konto konten, zentrum zentren, virus viren, datum daten
"""
_FRENCH = """
être suis es est sommes êtes sont était fut été soit sera, avoir ai as a avons avez ont avait eut eu
aura, aller vais vas va allons vont allait ira irait, faire fais fait faisons font faisait fera fit,
pouvoir peux peut pouvons peuvent pouvait pourra pu puisse puissance, vouloir veux veut voulons
veulent voudra voulu, devoir dois doit devons doivent devait devra dû, savoir sais sait savons
savait saura su, venir viens vient venons viennent venait viendra venu venue, tenir tiens tient
tenons tiennent tiendra tenu, voir vois voit voyons voient voyait verra vu vue vision, prendre
prends prend prenons prennent prit pris prise, mettre mets met mit mis mise, dire dis dit disent
disait, lire lis lit lisons lu lecture lecteur, écrire écris écrit écrivons écriture, boire bois
boit buvons boivent bu boisson, croire crois croit croyons cru croyance, connaître connais connaît
connu connaissance, naître né née naissance, mourir meurt mort morte morts, vivre vis vit vivons
vécu vie, courir court couru course, ouvrir ouvre ouvert ouverture, offrir offre offert, suivre suit
suivi suite, recevoir reçoit reçu réception, perdre perd perdu perte, vendre vend vendu vente,
rendre rend rendu, répondre répond répondu réponse, conduire conduit conduite, construire construit
construction, produire produit production, plaire plaît plu plaisir, rire rit, falloir faut faudra,
valoir vaut valu valeur, oeil œil yeux, cheval chevaux, travail travaux travailler, animal animaux,
journal journaux, hôpital hôpitaux, oral oraux, mal maux, ciel cieux, beau bel belle beauté, nouveau
nouvel nouvelle, vieux vieil vieille, fou folle folie, bon meilleur bien mieux, mauvais pire, blanc
blanche, sec sèche, frais fraîche, long longue longueur, roi reine royal, mer maritime, jeu jouer
joueur, fleur floral, coeur cœur cardiaque, main manuel, eau eaux aquatique, feu feux, loi légal,
nuit nocturne, ville urbain, finir finit finissons finissait fin, acheter achète achat acheteur,
choisir choix, payer paie paiement, envoyer envoie enverra envoi, appeler appelle appel
"""
_SPANISH = """
ser soy eres es somos son era fue fueron sido sea será, estar estoy está estuvo estado, haber he ha
han había hubo habrá, ir voy vas va vamos van iba ido, tener tengo tiene tuvo tenido tendrá, poder
puedo puede pudo podrá, querer quiero quiere quiso querido, hacer hago hace hizo hecho hará, decir
digo dice dijo dicho dirá, venir vengo viene vino venido vendrá, ver veo ve vio visto vista visión,
saber sé sabe supo sabrá, poner pongo pone puso puesto pondrá, salir salgo sale saldrá, dar doy da
dio dado, traer traigo trae trajo traído, oír oigo oye oyó, caer caigo cae cayó caída, leer lee leyó
lectura lector, dormir duermo duerme durmió sueño, morir muere murió muerto muerte, pedir pide
pidió, seguir sigue siguió, servir sirve sirvió servicio, sentir siente sintió sentimiento, pensar
piensa pensamiento, empezar empieza, cerrar cierra cierre, perder pierde pérdida, entender entiende,
volver vuelve vuelto vuelta, contar cuenta cuento, encontrar encuentra encuentro, mostrar muestra,
probar prueba, jugar juega juego jugador, mover mueve movimiento, llover llueve lluvia, abrir
abierto apertura, escribir escrito escritura, romper roto rotura, conducir conduce condujo
conducción, producir produce produjo producción, traducir tradujo traducción, construir construye
construyó construcción, elegir elige elección, nacer nace nacido nacimiento, conocer conozco
conocimiento, bueno buen bien mejor, malo mal peor, grande gran mayor, pequeño menor, luz luces, pez
peces pescado, voz voces, vez veces, lápiz lápices, raíz raíces, ley leyes legal, rey reyes reina
real, fuego fuegos, pueblo popular, agua aguas acuático, gobierno gobernar gobierna, comenzar
comienza comienzo, sembrar siembra, despertar despierta, negar niega, soñar sueña
"""
_ITALIAN = """
essere sono sei è siamo siete era fu stato sarà, avere ho hai ha abbiamo hanno aveva ebbe avrà,
andare vado va andiamo vanno andò, fare faccio fa facciamo fanno fece fatto, dire dico dice dicono
disse detto, potere posso può possono, volere voglio vuole vogliono volle, dovere devo deve devono,
venire vengo viene venne venuto, tenere tengo tiene tenne, vedere vede vide visto vista, sapere so
sa sanno seppe, bere beve bevve bevanda, leggere legge letto lettura, scrivere scrive scrisse
scritto scrittura, prendere prende prese preso, mettere mette mise messo, chiudere chiude chiuse
chiuso, aprire apre aperto apertura, rompere rompe ruppe rotto, vivere vive visse vissuto vita,
morire muore morì morto morte, nascere nasce nacque nato nascita, perdere perde perse perso perdita,
vincere vince vinse vinto vittoria, correre corre corse corso, uscire esce, uomo uomini, dio dei,
uovo uova, braccio braccia, dito dita, mano mani, buono bene migliore meglio, cattivo male peggiore,
amico amici, acqua acque, re regina reale, legge legale, bello bel begli
"""
_PORTUGUESE = """
ser sou é somos são era foi sido será, estar está esteve, ter tenho tem têm tinha teve terá, haver
há houve, ir vou vai vamos vão ia, fazer faço faz fez feito fará, dizer digo diz disse dito dirá,
poder posso pode pôde, querer quero quer quis, ver vejo vê viu visto visão, vir venho vem veio
vindo, pôr põe pôs posto, saber sei sabe soube, trazer traz trouxe, dar dou dá deu, ler leio lê leu
leitura, perder perde perda, dormir durmo dorme sono, morrer morreu morto morte, abrir aberto
abertura, escrever escreveu escrito escrita, bom boa bem melhor, mau má mal pior, grande maior,
pequeno menor, animal animais, papel papéis, mão mãos, pão pães, cão cães, nação nações, luz luzes,
lei legal, rei rainha real
"""
_DUTCH = """
zijn ben is was waren geweest, hebben heeft had gehad, gaan gaat ging gegaan gang, komen kwam
gekomen komst, doen deed gedaan daad, zien zag gezien zicht, geven gaf gegeven gift, nemen nam
genomen, spreken sprak gesproken spraak, schrijven schreef geschreven schrift, lezen las gelezen,
eten at gegeten, drinken dronk gedronken, lopen liep gelopen, rijden reed gereden rit, vinden vond
gevonden vondst, zingen zong gezongen, denken dacht gedacht gedachte, brengen bracht gebracht, kopen
kocht gekocht koop, zoeken zocht gezocht, kiezen koos gekozen keuze, verliezen verloor verloren
verlies, vliegen vloog gevlogen vlucht, sterven stierf gestorven, helpen hielp geholpen hulp, werpen
wierp geworpen, goed beter best, veel meer meest, stad steden, kind kinderen, ei eieren, schip
schepen, lid leden, weg wegen, dag dagen, huis huizen
"""
_SWEDISH = """
vara är var varit, ha har hade haft, gå går gick gått gång, komma kom, få fick fått, ge gav givit
gåva, se såg sett syn, ta tog tagit, skriva skrev skrivit skrift, dricka drack druckit dryck, äta åt
ätit, finna fann funnit, sjunga sjöng sjungit sång, springa sprang, flyga flög flugit, bita bet
bitit, dö dog död, stå stod stått, veta vet visste, göra gjorde gjort, säga sade sagt, sälja sålde
sålt, bok böcker, fot fötter, hand händer, man män, stad städer, natt nätter, son söner, dotter
döttrar, bra bättre bäst god, dålig sämre, stor större, liten mindre små, gammal äldre
"""
_RUSSIAN = """
быть есть был была было были будет будут, идти идет идёт шел шёл шла шли пойти пошел пошла ход
ходить, ехать едет ехал поехать поездка, человек люди людей людям людьми людях, ребенок ребёнок дети
детей детям детский, друг друзья друзей дружба, брат братья, сын сыновья, мать матери, дочь дочери,
время времени времена, имя имени имена, хороший хорошо лучше лучший, плохой плохо хуже худший,
большой больше больший, маленький меньше мало, много больше, год лет годы, писать пишет пишу письмо
написать, читать читает чтение, брать берет берёт взять возьмет, давать дает дать дал дам, есть ест
ел еда, пить пьет пил питье, жить живет жил жизнь, умереть умирать умер смерть, спать спит сон сна,
видеть видит вид зрение, говорить сказать скажет речь, искать ищет поиск, хотеть хочет, мочь может
могут мог, знать знает знание, везти везет, вести ведет вел, лечь лежать, сесть сидеть сядет, класть
положить, ловить поймать, стол стола, день дня дни, отец отца, лев льва, рот рта, лоб лба, окно окна
окон, сестра сестер, книга книги книжный, наблюдать наблюдает наблюдение, продать продажа, купить
покупать покупка, бежать бежит бег, лететь летит полет, рука руки ручной, нога ноги ножной, ухо уши,
глаз глаза, дерево деревья, цветок цветы, сосед соседи, город города городской, болеть болезнь
больной боль, бежать бегут бег, ждать ждет ожидание, звать зовет зов, нести несет нес
"""
_FINNISH = """
olla on ovat oli olivat ollut, vesi veden vettä vedet vesiä, käsi käden kättä kädet käsiä, uusi
uuden uutta, kuusi kuuden kuusen, mies miehen miestä miehet, lapsi lapsen lasta lapset, poika pojan
pojat, aika ajan ajat, yö öisin, työ töissä töitä, tie teitä, kenkä kengän kengät, lehti lehden
lehdet, nimi nimen nimet, kivi kiven kivet, sota sodan sodat, pöytä pöydän, mäki mäen, joki joen
joet, reikä reiän, ikä iän, puku puvun, luku luvun luvut, leipä leivän, apu avun auttaa auttoi,
halpa halvan, tapa tavan tavat, kaupunki kaupungin kaupungit, pankki pankin pankit, katu kadun
kadut, pelto pellon, silta sillan, ranta rannan rannat, kulta kullan, parta parran, valvonta
valvonnan valvoa valvoi, tehdä tekee teki tehnyt teko, nähdä näkee näki nähnyt näkö, mennä menee
meni, tulla tulee tuli, juosta juoksee juoksi juoksu, hyvä parempi paras, paljon enemmän eniten,
kirjoittaa kirjoitus, lukea lukee luki, myydä myynti, ostaa osto, elää elämä, kuolla kuolema
"""
_POLISH = """
być jest są był była było byli będzie będą, iść idzie szedł szła szli pójść poszedł, jechać jedzie
jazda, mieć ma mają miał, móc może mogą mógł, chcieć chce, wiedzieć wie wiedza, jeść je jadł jedzenie,
dać daje dawać, brać bierze wziąć weźmie, pisać pisze pismo, mówić powiedzieć mowa, widzieć widok,
robić zrobić, człowiek ludzie ludzi ludziom, rok lata lat, dziecko dzieci, brat bracia, przyjaciel
przyjaciele przyjaźń, ksiądz księża, pies psa psy psów psem, kot koty, ojciec ojca ojcowie, dzień dnia
dni, sen snu sny, kupiec kupca kupić kupno, ręka ręce rąk, oko oczy oczu, ucho uszy, dom domu domy,
stół stołu stoły, wóz wozu, lód lodu, miód miodu, nóż noża noże, ząb zęba zęby, mąż męża, miasto
mieście, świat świecie, las lesie, kwiat kwiecie, gwiazda gwieździe, dobry lepszy dobrze lepiej, zły
gorszy źle gorzej, duży większy, mały mniejszy, praca pracownik pracy, cena ceny cenny, woda wody
wodny, droga drodze, noga nodze, książka książek, sąd sędzia, chory choroba, śmierć umrzeć umarł
zmarł, koń konia konie, sól soli, kość kości, krew krwi, wieś wsi, lew lwa, orzeł orła
"""
_CZECH = """
být je jsou byl byla bylo bude budou, jít jde šel šla šli, jet jede jel jízda, mít má mají měl, moci
může mohou mohl, chtít chce chtěl, vědět ví věda, jíst jí jedl jídlo, dát dává, brát bere bral vzít,
psát píše psal písmo, říci řekl řeč, vidět vidí, člověk lidé lidí lidem, rok roky let léta, dítě děti
dětí, bratr bratři, přítel přátelé přátel, pes psa psi psů, otec otce, den dne dny dnů, sen snu, ruka
ruce rukou, oko oči očí, ucho uši, dům domu domy domě, stůl stolu stoly, vůz vozu, kůň koně, sůl soli,
nůž nože, led ledu, zub zuby, muž muže, město městě, svět světě, kniha knize knih, noha noze, dobrý
lepší dobře lépe, špatný horší, velký větší, malý menší, práce pracovat pracovník, smrt zemřít zemřel,
krev krve, lev lva, sníh sněhu, chléb chleba, kámen kamene, hrad hradu, víra věřit, míra měřit, bílý
bělost, díl dělit, dílo dělat, léčba lék lékař, soud soudce
"""
_TURKISH = """
kitap kitabı kitaba, ağaç ağacı, çocuk çocuğu, renk rengi, kanat kanadı, ad adı, oğul oğlu, ağız ağzı,
burun burnu, şehir şehri, isim ismi, beyin beyni, akıl aklı, fikir fikri, vakit vakti, demek diyor dedi,
yemek yiyor yedi, gitmek gidiyor gitti, etmek ediyor etti, bilmek bilgi bilim, su suyu
"""
_ARABIC = """
لغة لغات لغوي, بيت بيوت, رجل رجال, ولد أولاد, كلب كلاب, قلب قلوب, قلم أقلام, باب أبواب, يوم أيام,
شهر شهور أشهر, سنة سنوات سنين, عام أعوام, طفل أطفال, عمل أعمال, علم علوم, خبر أخبار, سعر أسعار,
مرض أمراض, دواء أدوية, طبيب أطباء, صديق أصدقاء, عدد أعداد, نهر أنهار, بحر بحار, جبل جبال, مدينة مدن,
قرية قرى, دولة دول, شركة شركات, مال أموال, حق حقوق, درس دروس, حرب حروب, ملك ملوك, نفس نفوس أنفس,
عين عيون, يد أيدي, أخ إخوة, أب آباء, أم أمهات, ابن أبناء, بنت بنات, امرأة نساء, كبير كبار, صغير صغار,
قال يقول قول أقوال, كان يكون, رأى يرى رؤية, ماء مياه, شجرة أشجار, صورة صور, كلمة كلمات كلام, ثمن أثمان
"""

FAMILIES: Mapping[str, str] = MappingProxyType(
    {
        "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH, "it": _ITALIAN, "pt": _PORTUGUESE, "nl": _DUTCH,
        "sv": _SWEDISH, "ru": _RUSSIAN, "fi": _FINNISH, "pl": _POLISH, "cs": _CZECH, "tr": _TURKISH,
        "ar": _ARABIC,
    }
)  # fmt: skip
