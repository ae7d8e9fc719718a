"""Forms of words that are left alone, in other languages than English."""

import pytest

import intentx as ix
from intentx.explainers.change.kept import Kept

FORMS = {
    "german": {
        "Atheist": ("Atheismus", "Atheisten"), "Haus": ("Häuser", "Hauses"), "laufen": ("lief", "läuft"),
        "sprechen": ("Sprache", "gesprochen"), "versprechen": ("versprach",), "Arzt": ("Ärzte",),
        "überwachen": ("Überwachung",), "Wald": ("Wälder",),
    },
    "french": {
        "athée": ("athéisme",), "cheval": ("chevaux",), "aller": ("va", "allait"), "œil": ("yeux",),
        "économie": ("économique",), "élection": ("électoral",), "beau": ("belle",),
    },
    "spanish": {
        "ateo": ("ateísmo",), "poder": ("puede", "pudo"), "luz": ("luces",), "decir": ("dijo",),
        "canción": ("canciones",), "país": ("países",),
    },
    "russian": {
        "книга": ("книги", "книгой"), "атеист": ("атеизм",), "человек": ("люди",), "шел": ("идти",),
        "врач": ("врачи",), "экономика": ("экономический",),
    },
    "arabic": {
        "كتاب": ("كتب", "الكتاب"), "ملحد": ("الإلحاد",), "مدرسة": ("مدارس",), "طالب": ("طلاب",),
        "السيارات": ("سيارة",), "سيارة": ("سيارات",), "ماء": ("الماء",), "بنك": ("بنوك",),
        "لغة": ("لغات", "اللغات"), "بيت": ("بيوت",), "مدينة": ("المدن",),
    },
    "czech": {
        "ateista": ("ateismus", "ateisté"), "kniha": ("knihu",), "škola": ("školní",),
        "dům": ("domu", "domy"), "pes": ("psa",),
    },
    "turkish": {
        "ateist": ("ateizm", "ateistler"), "kitap": ("kitaplar",), "ev": ("evler", "evde"),
        "oğul": ("oğlu",),
    },
    "swedish": {"ateist": ("ateism",), "bok": ("böcker",), "skola": ("skolor",), "stad": ("städer",)},
    "thai": {"แมว": ("แมวดำ",)},
    "chinese": {"手机": ("手机店",)},
    "korean": {"학교": ("학교에서",)},
    "finnish": {
        "ateisti": ("ateismi",), "vesi": ("veden",), "kaupunki": ("kaupungissa",), "kissa": ("kissoja",),
        "tyttö": ("tytöt",),
    },
    "polish": {  # without a stemmer
        "książka": ("książki",), "ateista": ("ateizm", "ateistyczny"), "szkoła": ("szkolny",),
        "praca": ("pracować", "pracownik"), "pisać": ("pisarz",), "pies": ("psa", "psów"),
        "stół": ("stołu",),
    },
    "english": {
        "книга": ("книги",), "café": ("cafe",), "surveillance": ("survey",), "السيارات": ("سيارة",),
    },
}  # fmt: skip
OTHERS = {
    "german": "Wasser Berg Musik Hund Kind Kino Bank Baum leben lesen Stadt Strasse",
    "french": "eau montagne chemin cheval travail train pain main guerre",
    "spanish": "luz luna poder pobre casa carta gato garra",
    "russian": "книга кино банк город голос дом дым вода гора кот который домкрат рис рисунок",
    "arabic": "كتاب كلب مدرسة مدينة بنك بيت جبل ماء سماء طالب طائر سيارة سياسة قلب قمر لغة لعبة",
    "polish": "kot kość dom dobry praca prawo bank bark szkoła szkoda droga drugi książka księżyc rynek",
    "czech": "kniha kněz dům duch město maso škola škoda banka barva práce právo voda vada",
    "turkish": "kitap kilit evet okul okey banka bahçe şehir şeker doktor dokuz elma kedi kendi",
    "swedish": "bok bokstav hus hund skola skog bank barn läkare läsare stad start katt karta",
    "thai": "แมว หมา บ้าน",
    "chinese": "手机 汽车 电脑",
    "finnish": "talo talvi vesi veli kirja kirkko mies mieli",
    "english": "survey surgeon contract contrast tea team",
}


@pytest.mark.parametrize("language", FORMS)
def test_other_forms_of_a_word_are_left_alone_with_it(language):
    analyzer = ix.Analyzer(language=language)
    missed = [
        (word, form)
        for word, forms in FORMS[language].items()
        for form in forms
        if form not in Kept([word], analyzer) or word not in Kept([form], analyzer)
    ]
    assert missed == []


@pytest.mark.parametrize("language", OTHERS)
def test_other_words_are_not(language):
    words, analyzer = OTHERS[language].split(), ix.Analyzer(language=language)
    wrong = [(a, b) for a in words for b in words if a != b and b in Kept([a], analyzer)]
    assert wrong == []


def test_no_form_of_a_german_query_comes_back():
    def scorer(query, texts):
        return [
            text.lower().count("athei") + text.lower().count("rot") + 0.001 * len(text) for text in texts
        ]

    texts = {
        "a": "der Atheismus ist rot", "b": "ein Atheist liest", "c": "Atheisten und rote Bäume",
        "d": "blau wie das Meer",
    }  # fmt: skip
    ranking = ix.rank(scorer, "Atheist", texts)
    method = ix.Counterfactual(
        goal="enter",
        k=2,
        keep="query",
        analyzer=ix.Analyzer(language="german"),
        edits=("insert-top-words",),
    )
    found = method.explain(ranking, "d")
    assert found.changes
    assert not any("athei" in one.text.lower() for one in found.changes)
