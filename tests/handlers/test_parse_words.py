"""Command text to words and clauses: quotes keep together, references keep their ids, nothing is decoded twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Refused
from bot.handlers.parse.errors import WordsNotUnderstood
from bot.handlers.parse.words import Phrase, Word, clauses, join, phrase, split, unescape

KEYWORDS = {
    "bank": "method",
    "transfer": "method",
    "bank transfer": "method",
    "ref": "reference",
    "reference": "reference",
    "inv": "invoices",
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("  Acme\n 500 ", [Word("Acme"), Word("500")]),
        ('"Acme Pte Ltd" 500', [Word("Acme Pte Ltd", quoted=True), Word("500")]),
        ("“Acme Pte Ltd” 500", [Word("Acme Pte Ltd", quoted=True), Word("500")]),
        ('""', [Word("", quoted=True)]),
        ('"Acme 500', [Word('"Acme'), Word("500")]),
        ('5" pipe', [Word('5"'), Word("pipe")]),
        ("Tom &amp; Co &lt;x&gt;", [Word("Tom"), Word("&"), Word("Co"), Word("<x>")]),
        ("&amp;lt;", [Word("&lt;")]),
        ('"a &amp;amp; b"', [Word("a &amp; b", quoted=True)]),
        ("<@U123|ann> hi", [Word("ann", user="U123"), Word("hi")]),
        ("<@W123>", [Word("W123", user="W123")]),
        ("<#C123|general>", [Word("general", channel="C123")]),
        ("<#C123|>", [Word("C123", channel="C123")]),
        ("<https://x.example/a|x.example>", [Word("x.example", url="https://x.example/a")]),
        ("<https://x.example/?a=1&amp;b=2>", [Word("https://x.example/?a=1&b=2", url="https://x.example/?a=1&b=2")]),
        ("<mailto:ann@x.example|ann@x.example>", [Word("ann@x.example")]),
        ("<mailto:ann@x.example>", [Word("ann@x.example")]),
        ("<tel:+6561234567|6123 4567>", [Word("6123 4567")]),
        ('"call <tel:+65612|+65612> now"', [Word("call +65612 now", quoted=True)]),
        ('"&lt;@U123&gt;"', [Word("<@U123>", quoted=True)]),
        ("<!channel>", [Word("!channel")]),
    ],
)
def test_text_is_split_into_words(text: str, words: list[Word]) -> None:
    assert split(text) == words


def test_an_escaped_reference_is_text_and_refers_to_nobody() -> None:
    assert split("&lt;@U123|ann&gt;") == [Word("<@U123|ann>")]


def test_keywords_open_clauses_and_what_comes_before_leads() -> None:
    spoken = phrase("Acme Pte 500 bank ref TT-881 inv INV-0042 INV-0043", KEYWORDS)
    assert join(spoken.lead) == "Acme Pte 500"
    assert {name: join(words) for name, words in spoken.clauses.items()} == {
        "method": "",
        "reference": "TT-881",
        "invoices": "INV-0042 INV-0043",
    }
    assert spoken.text("reference") == "TT-881"
    assert spoken.text("remark") == ""


def test_keywords_are_read_in_any_case_and_with_a_colon() -> None:
    assert phrase("REF: TT-881", KEYWORDS) == Phrase((), {"reference": (Word("TT-881"),)})


def test_quoted_words_and_names_of_people_are_never_keywords() -> None:
    assert phrase('"Bank" "ref" <@U1|inv>', KEYWORDS).clauses == {}
    assert phrase('"bank" transfer x', KEYWORDS) == Phrase((Word("bank", quoted=True),), {"method": (Word("x"),)})


def test_a_keyword_of_several_words_is_one_keyword() -> None:
    spoken = phrase("Acme 500 Bank Transfer ref A", KEYWORDS)
    assert spoken == Phrase((Word("Acme"), Word("500")), {"method": (), "reference": (Word("A"),)})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ref A ref B", "ref was typed twice; type it once, or in quotes if it is a name."),
        ("ref A Ref: B", "Ref: was typed twice; type it once, or in quotes if it is a name."),
        ("ref A reference B", "ref and reference say the same thing; type one of them."),
    ],
)
def test_a_repeated_keyword_is_refused(text: str, says: str) -> None:
    with pytest.raises(WordsNotUnderstood) as caught:
        phrase(text, KEYWORDS)
    assert caught.value.sentence == says


def assert_sentence(refusal: Refused) -> None:
    assert 0 < len(refusal.sentence) < 200
    assert refusal.sentence.endswith(".")


plain_words = st.lists(st.text(alphabet="abcXYZ019&<>|@#'é", min_size=1, max_size=8), max_size=8)


@given(words=plain_words, quoted=st.booleans())
def test_what_slack_escaped_is_read_back_as_it_was_typed(words: list[str], quoted: bool) -> None:
    sent = [word.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for word in words]
    text = " ".join(f'"{word}"' if quoted else word for word in sent)
    assert split(text) == [Word(word, quoted=quoted) for word in words]
    assert [unescape(word) for word in sent] == words


pieces = st.sampled_from([*KEYWORDS, "Acme", '"ref"', "500", "Bank", "inv:", "“x y”", "<@U1|ann>"])


@given(text=st.lists(pieces, max_size=6).map(" ".join))
def test_every_word_that_is_no_keyword_lands_in_the_lead_or_in_one_clause(text: str) -> None:
    words = split(text)
    try:
        spoken = clauses(words, KEYWORDS)
    except WordsNotUnderstood as refusal:
        assert_sentence(refusal)
        return
    kept = [*spoken.lead, *(word for clause in spoken.clauses.values() for word in clause)]
    assert kept == [word for word in words if word.quoted or word.text.lower().rstrip(":") not in KEYWORDS]


@given(text=st.text(max_size=80))
def test_any_text_is_split_without_an_accident(text: str) -> None:
    assert all(word.text or word.quoted for word in split(text))
