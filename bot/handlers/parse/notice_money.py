"""The sums of money in a message: each number with its currency and what its surroundings say it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot.domain.errors import Refused, UnknownCurrency
from bot.domain.money import Currency, currency
from bot.handlers.parse.amounts import SYMBOLS, Amount, parse_amount
from bot.handlers.parse.notice_text import Part, Role, Text, sentence_around

# Words and symbols beside an amount, beyond those that people type, and what each may stand for.
_NAMES: dict[str, tuple[str, ...]] = {
    **{symbol.casefold(): codes for symbol, codes in SYMBOLS.items()},
    "sg$": ("SGD",),
    "rs": ("INR", "PKR", "LKR", "NPR", "MUR"),
    "rs.": ("INR", "PKR", "LKR", "NPR", "MUR"),
    "rp.": ("IDR",),
    "fr.": ("CHF",),
    "sfr.": ("CHF",),
    "sfr": ("CHF",),
    "dhs": ("AED", "MAD"),
    "rmb": ("CNY",),
    "人民币": ("CNY",),
    "元": ("CNY", "TWD", "HKD"),
    "円": ("JPY",),
    "yen": ("JPY",),
    "บาท": ("THB",),
    "baht": ("THB",),
    "euro": ("EUR",),
    "euros": ("EUR",),
    "dollar": SYMBOLS["$"],
    "dollars": SYMBOLS["$"],
    "singapore dollars": ("SGD",),
    "us dollars": ("USD",),
    "pounds": ("GBP", "EGP"),
    "ringgit": ("MYR",),
    "rupiah": ("IDR",),
    "rupees": ("INR", "PKR", "LKR", "NPR", "MUR"),
    "đ": ("VND",),
    "đồng": ("VND",),
    "د.إ": ("AED",),
    "درهم": ("AED", "MAD"),
    "ر.س": ("SAR",),
    "ريال": ("SAR", "QAR", "OMR", "YER", "IRR"),
}
# Codes that are words of English too: read as a currency only where the book keeps it.
_WORDS = frozenset("ALL TRY TOP SOS GEL CUP PEN MOP LAK AMD BAM BOB COP MAD PAB RON SLE ERN NAD ANG".split())  # noqa: SIM905  # a list of codes reads better as words
_NAME = "|".join(re.escape(each) for each in sorted(_NAMES, key=len, reverse=True))
_BEFORE = re.compile(rf"(?:(?P<name>{_NAME})|(?P<code>[A-Za-z]{{3}}))[ .:]{{0,2}}(?P<sign>[-+−]?) ?$", re.IGNORECASE)
_AFTER = re.compile(rf" ?(?:(?P<name>{_NAME})|(?P<code>[A-Za-z]{{3}})(?![\w$]))(?![a-z])", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?<!\d)(?<!\d[.,'])(?P<digits>\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?(?![\d]|[.,]\d)|\d(?:[\d.,']*\d)?)"
    r"(?P<dash>,?/-|[.,][-–—]{1,2}|,(?=\s|$))?(?P<suffix>[kKmM](?![^\W_]))?"
)
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d{1,2})?")
_SHOUTED = re.compile(
    r" ?(?:million|mio|mln|mn|lakhs?|lacs?|crores?|thousand|tsd|mrd|bn|billion|juta|ribu|rb\b|jt\b|triệu|"
    r"万|萬|億|亿|千|"
    r"ล้าน|แสน|"
    r"(?:each|apiece|per)\b|times\b)",
    re.IGNORECASE,
)
_ROUGHLY = re.compile(
    r"(?:about|around|approx\.?|approximately|roughly|circa|ca\.|almost|nearly|up to|at least|some|~|≈|>|<|\bx|×)\s*$",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"(?:received|receive|credited|credited with|paid|pays?|paid us|paid you|sent us|sent|payment of|payment|"
    r"transfer of|transferred|"
    r"deposit of|deposited|amount|amt|amount of|sum of|credit of|settled|wired|remitted|cheque for|"
    r"check for)\s*(?:of|:|is|was)?\s*$",
    re.IGNORECASE,
)
_THEN = re.compile(
    (
        r"\s*(?:$|[.,;)!]|(?:from|by|on|for|to|into|via|today|yesterday|this|in|ref|against|was|has|just|with|as|"
        r"towards)\b)"
    ),
    re.IGNORECASE,
)
_NOT_IT = re.compile(
    r"(?:\bbal(?:ance|s)?\b|\bavail|\bavl\b|\bsaldo\b|\bkontostand\b|\bsolde\b|残高|余额|餘額|คงเหลือ|số dư|الرصيد|"
    r"\blimit\b|\bfees?\b|"
    r"\bcharges?\b|\bcommission\b|gebühr|\bentgelt\b|\bfrais\b|\bcomisi[oó]n\b|手数料|手续费|ค่าธรรมเนียม|\brates?\b|"
    r"\boverdraft\b|\boutstanding\b|"
    r"\bowing\b|\bowed?\b|\bdue\b|\bminimum\b|\bremain(?:s|ing|der)?\b|\bunpaid\b|\bshort(?:fall)?\b(?! pa)|\bleft\b|"
    r"\bdiscount\b|\bwithh(?:e|o)ld(?:ing)?\b|"
    r"\btax\b|\bgst\b|\bvat\b|\binvoice (?:amount|total|value|is|was)\b|\bstill\b|\bless\b|\bminus\b|\bdeduct(?:ed|"
    r"ing|ion)?\b|\bcost(?:s)?\b|\bpoints\b|"
    r"\bcashback\b|\bkurs\b|\bplafond\b|\bthreshold\b|\bexceed(?:s|ed|ing)?\b|\babove\b|\bover\b|\binstead of\b|"
    r"\brather than\b|\bnot\b|\bof total\b|"
    r"\bout of\b|\btoday's total\b|\btotal (?:credits|deposits)\b|\btarget\b|\bquote[d]?\b|\bprice\b|\bsalary\b|"
    r"\breserve\b)",
    re.IGNORECASE,
)
_NOT_IT_AFTER = re.compile(
    r"\s*(?:\(?(?:bal(?:ance)?|fees?|charges?|commission|available|limit|short|outstanding|remaining|left|less|"
    r"too much|too little|open|due|"
    r"overdue|gst|tax|discount|was deducted|(?:is|are|was|were) (?:still )?(?:outstanding|open|due|left|withheld|"
    r"deducted|owed|missing))\b|"
    r"(?:[a-z]+ ){1,3}(?:fees?|charges?|charged|commission)\b|gebühr|frais|手数料|手续费)",
    re.IGNORECASE,
)
_CAME_IN = re.compile(
    r"credited|\breceived?\b|\bcredit\b|\bcr\b|\bdeposit(?:ed)?\b|paid (?:us|you|in)\b|sent (?:us|you)\b|"
    r"\bincoming\b|\binward\b|gutgeschrieben|gutschrift|"
    r"\beingang|eingegangen|crédité|\breçu|\babono|abonad|recibid|ingreso|accreditat|ricevut|入金|振込|到账|收到|收入|入账|存入|"
    r"เงินเข้า|รับโอน|ได้รับ|"
    r"diterima|masuk|nhận|إيداع|استلام|\bnet\b",
    re.IGNORECASE,
)
_FIRST_SENT = re.compile(
    (
        r"\binstructed\b|\boriginal(?:ly)?\b|\bgross\b|\bequivalent\b|\bconverted\b|\bordered\b|\bsent amount\b|"
        r"\bexchanged\b"
    ),
    re.IGNORECASE,
)
_ALL_OF_IT = re.compile(
    r"\btotal(?:s|ling|ing)?\b|\bin all\b|\bgesamt|\bsumme\b|\baltogether\b|合計|合计", re.IGNORECASE
)
_NUMBERED = re.compile(
    (
        r"(?:\b(?:inv(?:oice)?s?|ref|no|nr|number|rechnung|facture|ending|a/c|acc|acct|account|konto|bill|po|so|"
        r"order|unit|block)|#|n°)[ .:]*$"
    ),
    re.IGNORECASE,
)
_SWIFT = re.compile(r"(?:\d{6})?(?P<code>[A-Z]{3}) ?(?P<digits>\d+(?:,\d*)?)")
_TIGHT = frozenset("-−+ $€£¥฿₹₩₫₱₺₪₽₴(:=\t\n\"'“「〈<")
_LONGEST_LOOK = 60


@dataclass(frozen=True, slots=True)
class Sum:
    """One sum of money: where it stands, what it may be, how it is labelled; without a value, why it cannot be read."""

    start: int
    end: int
    value: Decimal | None
    codes: tuple[str, ...]
    role: Role
    sign: str = ""
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """What the book says about amounts: how it writes them, and the currencies it keeps."""

    locale: str
    codes: tuple[str, ...]


def sums_of(text: Text, parts: Sequence[Part], dates: Sequence[tuple[int, int]], book: Book) -> list[Sum]:
    """Every sum of money, in order; balances, fees, limits and the like are `Role.OTHER`."""
    found: list[Sum] = []
    for part in parts:
        if part.label[:2].isdigit():
            found += _of_swift(text, part)
            continue
        end_before = part.start
        for number in _NUMBER.finditer(text.plain, part.start, part.end):
            if any(start < number.end() and number.start() < end for start, end in dates):
                continue
            made = _sum(text, part, number, end_before, book)
            if made is not None:
                found.append(made)
                end_before = number.end()
    return _each_with_its_code(text.plain, found)


def _of_swift(text: Text, part: Part) -> list[Sum]:
    """The amount of a SWIFT field: its comma always stands before decimals."""
    wanted = part.role in {Role.SETTLED, Role.AMOUNT, Role.SECOND}
    found = _SWIFT.match(text.plain, part.start, part.end) if wanted else None
    if found is None:
        return []
    try:
        of = currency(found["code"])
        value = parse_amount(found["digits"].rstrip(",").replace(",", ".") + "0" * ("," in found["digits"][:-1])).money(
            of
        )
    except Refused as refusal:
        return [
            Sum(
                found.start("code"),
                found.end(),
                None,
                (found["code"],),
                Role.CREDITED,
                "",
                refusal.sentence.rstrip("."),
            )
        ]
    role = Role.SECOND if part.role is Role.SECOND else Role.CREDITED
    return [Sum(found.start("code"), found.end(), value.decimal(), (of.code,), role)]


def _sum(text: Text, part: Part, number: "re.Match[str]", after: int, book: Book) -> Sum | None:
    """A number as a sum of money, if it has a currency, or stands where only money stands."""
    plain, (start, end) = text.plain, number.span()
    before, follows = plain[max(after, start - _LONGEST_LOOK) : start], plain[end : part.end]
    led = _codes(_BEFORE.search(before), before, book)
    trailed = _AFTER.match(follows)
    codes_after = _codes(trailed, follows, book)
    of_label = _codes_in(part.label, book)
    if not led.codes and not codes_after.codes and not of_label and not _is_said(part, before, follows, number, plain):
        return None
    if (
        not led.codes
        and plain[start - 1 : start] not in _TIGHT
        and start > part.start
        and not plain[start - 1].isspace()
    ):
        return None
    first = start - led.length
    last = end + (codes_after.length if codes_after.codes else 0)
    codes = _common([each for each in (led.codes, codes_after.codes, of_label) if each])
    role = _role(text, part, (first, last), after)
    sign = led.sign or _sign(plain, first, last, part)
    asked = _why_not(plain, number, first, last, codes, part)
    of = currency(codes[0]) if codes and len(codes) == 1 else None
    value = None
    if not asked:
        value, asked = _read(text, number, of, book)
    return Sum(first, last, value, codes or (), role, sign, asked)


@dataclass(frozen=True, slots=True)
class _Named:
    codes: tuple[str, ...] = ()
    length: int = 0
    sign: str = ""


def _codes(found: "re.Match[str] | None", around: str, book: Book) -> _Named:
    """The currencies that a word or symbol beside a number may stand for."""
    if found is None:
        return _Named()
    typed = found["name"] or found["code"]
    at = found.start("name") if found["name"] else found.start("code")
    if typed[0].isalpha() and typed[0].isascii() and at > 0 and around[at - 1].isalpha():
        return _Named()
    codes = _NAMES.get(typed.casefold(), ()) if found["name"] else _code(typed, book)
    if found["name"] and typed.casefold() == "kr" and typed == "KR":
        codes = ()
    return _Named(codes, len(found[0]), found.groupdict().get("sign") or "")


def _code(typed: str, book: Book) -> tuple[str, ...]:
    """An ISO code: in capitals if the book does not keep it, and no word of English."""
    upper = typed.upper()
    if upper in book.codes:
        return (upper,)
    if typed != upper or upper in _WORDS:
        return ()
    try:
        return (currency(upper).code,)
    except UnknownCurrency:
        return ()


def _codes_in(label: str, book: Book) -> tuple[str, ...]:
    """The currency in a label such as `Amount (SGD)`."""
    found = re.search(r"\(([A-Z]{3})\)|\b([A-Z]{3})$", label)
    return _code(found[1] or found[2], book) if found else ()


def _common(several: Sequence[tuple[str, ...]]) -> tuple[str, ...] | None:
    """What all names beside a number agree on; nothing when they contradict each other."""
    if not several:
        return ()
    common = tuple(code for code in several[0] if all(code in others for others in several))
    return common or None


def _is_said(part: Part, before: str, follows: str, number: "re.Match[str]", plain: str) -> bool:
    """Whether a number without a currency stands where an amount is said."""
    if part.role in {Role.AMOUNT, Role.CREDITED, Role.TOTAL, Role.SETTLED}:
        return not plain[part.start : number.start()].strip(" -+−$")
    if number["digits"].startswith("0") and number["digits"][1:2].isdigit():
        return False
    return part.role is None and _SAID.search(before) is not None and _THEN.match(follows) is not None


def _role(text: Text, part: Part, place: tuple[int, int], after: int) -> Role:
    """What a sum is, by its label or by the words around it in its sentence."""
    plain, (start, end) = text.plain, place
    first, last = sentence_around(plain, part, start, end)
    before = plain[max(first, after, start - _LONGEST_LOOK) : start]
    behind = plain[end : min(last, end + _LONGEST_LOOK)]
    if part.role is not None and part.role not in {
        Role.AMOUNT,
        Role.CREDITED,
        Role.TOTAL,
        Role.SETTLED,
        Role.SECOND,
        Role.PURPOSE,
    }:
        return Role.OTHER
    if _NOT_IT.search(before) or _NOT_IT_AFTER.match(behind):
        return Role.OTHER
    if part.role is Role.PURPOSE:
        return Role.SECOND
    if part.role is not None:
        return part.role
    if _ALL_OF_IT.search(before) or re.match(r"\s*(?:in total|altogether|in all)\b", behind, re.IGNORECASE):
        return Role.TOTAL
    if _FIRST_SENT.search(before):
        return Role.SECOND
    return Role.CREDITED if _CAME_IN.search(before) or _CAME_IN.search(behind.split(",")[0]) else Role.AMOUNT


def _sign(plain: str, start: int, end: int, part: Part) -> str:
    """A minus before, a minus or DR behind, or brackets: money that went out."""
    before, behind = plain[max(part.start, start - 2) : start], plain[end : min(part.end, end + 4)]
    if before[-1:] in {"-", "−"} and not before[:-1].strip():
        return "-"
    if re.match(r"[-−](?!\S)| ?DR\b", behind, re.IGNORECASE):
        return "-"
    if before[-1:] == "(" and behind[:1] == ")" and start - 1 <= part.start:
        return "-"
    return before[-1:] if before[-1:] == "+" else ""


def _why_not(
    plain: str, number: "re.Match[str]", start: int, end: int, codes: tuple[str, ...] | None, part: Part
) -> str:
    """What keeps a number from being read as one exact amount."""
    shown, follows = plain[start:end].strip(), plain[number.end() : part.end]
    if codes is None:
        return f"{shown} names two currencies"
    if _SHOUTED.match(follows) or _SHOUTED.match(plain[end : part.end]):
        return f"{shown} is not written out in figures"
    if re.match(r" ?cr\b", follows, re.IGNORECASE) and "INR" in codes and "." not in number["digits"]:
        return f"{shown} can be in crores"
    if _ROUGHLY.search(plain[max(part.start, start - 20) : start]):
        return f"{shown} is said to be a rough figure or several times"
    if (
        re.match(r"[-–/:x×%#]\d|%|[^\W\d_]", follows)
        and not plain[number.end() : end].strip()
        and number["dash"] is None
    ):
        return f"{shown} is part of something longer"
    if re.match(r" ?[-–] ?(?:[^\W\d]{1,3}\$? ?)?\d| (?:or|to) (?:[^\W\d]{0,3}\$? ?)?\d", plain[end : part.end]):
        return f"{shown} is one of two figures"
    return ""


def _read(text: Text, number: "re.Match[str]", of: Currency | None, book: Book) -> tuple[Decimal | None, str]:
    """The exact number, or why there are two readings. A bank's own marks count; what a person would be asked, is."""
    digits = number["digits"]
    if _INDIAN.fullmatch(digits):
        digits = digits.replace(",", "")
    elif " " in digits and _is_doubtful_group(text, number):
        return None, f"{digits} can be two numbers"
    try:
        value = parse_amount(f"{digits}{number['suffix'] or ''}", locale=book.locale, default=of).decimal
        if of is not None:
            Amount(value, of).money(of)
    except Refused as refusal:
        return None, refusal.sentence.rstrip(".")
    return (value, "") if value > 0 else (None, f"{digits} is nothing")


def _is_doubtful_group(text: Text, number: "re.Match[str]") -> bool:
    """A common space may part two numbers where the first could be a document's; a narrow or fixed one groups."""
    first, last = number.span("digits")
    spaces = {text.message[text.places[place]] for place in range(first, last) if text.plain[place] == " "}
    return spaces == {" "} and _NUMBERED.search(text.plain[max(0, first - 20) : first]) is not None


def _each_with_its_code(plain: str, sums: Sequence[Sum]) -> list[Sum]:
    """A code between two numbers belongs to the one that is money: to the second, if the first numbers something or has
    no decimals while the second has.
    """
    kept: list[Sum] = []
    for sum_, following in zip(sums, [*sums[1:], None], strict=False):
        if following is not None and sum_.end > following.start:
            numbered = _NUMBERED.search(plain[max(0, sum_.start - 20) : sum_.start]) is not None
            if numbered or (
                _has_cents(plain[following.start : following.end]) and not _has_cents(plain[sum_.start : sum_.end])
            ):
                continue
        kept.append(sum_)
    return kept


def _has_cents(shown: str) -> bool:
    return re.search(r"\d[.,]\d\d(?!\d)", shown) is not None
