"""Who paid, under which reference and for which invoices, as a message says it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.handlers.parse.notice_text import Part, Role, Text

_FROM = re.compile(
    r"(?:\b(?:from|(?<=recd )fr|(?<=rcvd )fr|by order of|(?<=[€\d–] )von|(?<=EUR )von|b/o|sender|remitter|ordered by|"
    r"payer|paid by|sent by|transferred by|deposited by|made by|credited by|"
    r"reçu de|virement de|paiement de|(?:eingang|gutschrift|zahlung|überweisung|betrag|eur|eingegangen) von|"
    r"(?:transferencia|pago|abono|ingreso|pix|transferência|pagamento|depósito) (?:recibid[oa] )?de|"
    r"bonifico (?:ricevuto )?da|accredito da|dari|van)\b|จาก|来自|付款人|由)[ :]*",
    re.IGNORECASE,
)
_DID = re.compile(
    r"(?:^|[.!?:,]\s+|^\W*| [-–] )(?P<name>[^\s.!?:,][^.!?:,\n]{0,60}?),? (?:has |have |had |just |has just |"
    r"already )*(?P<verb>paid|sent|transferred|settled|deposited|wired|"
    r"remitted|made (?:a |the |its |their )?payment)\b(?! by\b| to\b(?! (?:us|you|our|your)\b))",
    re.IGNORECASE,
)
_WHOSE = re.compile(
    r"(?:^|[.!?:,(]\s*|\b(?:that|and|the) )(?P<name>[A-Z][^.!?:,\n]{0,60}?)['’]s (?:payment|transfer|money|wire|"
    r"deposit|remittance)\b"
)
_HONOURED = re.compile(r"(?P<name>[^\s。、:：,「」]{2,40}) ?様(?:より|から|の)")
_GREETED = re.compile(
    (
        r"\W*(?:hi|hello|hey|fyi|good (?:morning|afternoon|evening|news)|dear|morning|team|all|guys|heads up|update|"
        r"note|psa|btw)\b[^,:!\n]{0,30}[,:!\n]\s*|\W*(?:fwd?|re): *"
    ),
    re.IGNORECASE,
)
_SUFFIX = (
    r"(?:inc|ltd|llc|co|corp|s\.? ?a|gmbh|llp|lp|plc|pte|limited|n\.? ?v|b\.? ?v|s\.? ?r\.? ?l|s\.? ?p\.? ?a|pty|"
    r"k\.? ?k|tbk|sdn|bhd|jr|sr)\b"
)
_NEXT_DAY = (
    r"(?:\d|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|today|yesterday|your|our|"
    r"account|a/c)"
)
_RAILS = (
    r"(?:paynow|fast|giro|neft|rtgs|imps|upi|sepa|ach|wire|swift|fps|chaps|bacs|pix|promptpay|duitnow|transfer|bank|"
    r"online|internet|e-?transfer|interac|zelle|cheque|check|cash|card|telegraphic|tt\b|mobile|m2u|instapay|pesonet|"
    r"faster|bi-?fast)"
)
_STOPS = (
    rf",(?!\s*{_SUFFIX})",
    (
        r"\.(?=\s|$)(?<!\b(?:co)\.)(?<!\b(?:pte|ltd|inc|bhd|sdn|mrs|pty|cia)\.)(?<!\b(?:corp|intl|"
        r"bros)\.)(?<!\b(?:mr|ms|dr|st|pt|cv|kk)\.)(?<!\b[a-z]\.)"
    ),
    r"[!?:~\t\n<>\"“”「」。、]",
    r"(?<=ltd|inc|bhd|llc)\.(?=\s*$)",
    r"\s[-–—]+(?=\s|$)",
    (
        r"\s+\((?=[^)]*[\d@]|(?:uen|a/c|acc|ref|via|iban|dbs|ocbc|uob|posb|hsbc|scb|citi|maybank|chase|the |our |"
        r"your |for |new |see |as )\b)"
    ),
    rf"\s(?:on|am|le|pada|tgl|at|dated|dtd|el|il|em)\s+(?:the\s+)?{_NEXT_DAY}",
    (
        r"\s(?:to|into|in|on|onto)\s+(?:your|our|my|ur|a/c|ac|acc\w*|acct|the|x+\d|\*|us\b|uen|my\b|account|favour|"
        r"full|part|sgd|usd|eur|bank|dbs|ocbc|uob|iban|rekening|dbs)"
    ),
    rf"\s(?:via|by|through|using|with|thru|per|lewat|melalui|par|per)\s+(?:an?\s+)?(?:{_RAILS}|ref|utr|txn)",
    (
        r"\s(?:for|against|towards|re|regarding|covering|para|für|pour|untuk)\s+(?:the\s+|our\s+|your\s+|their\s+|all\s+|"
        r"its\s+)?(?:inv\w*|ref\b|\d|#|bill\w*|payment|services?|consult\w*|so\b|po\b|order\w*|"
        r"rechnung|facture|factura|fattura|rent|deposit|november|october|work|project|goods|subscription|outstanding|"
        r"open|settlement)"
    ),
    (
        r"\s(?:has|have|had|is|was|were|will|paid|sent|been|credited|received|just|came|succeeded|posted|arrived|"
        r"cleared|landed|went|got|deposited|settled|ist|wurde|ha|est|a été|sebesar|sejumlah|masuk|over|vom|zum|ke|zu|"
        r"über|por|de importe|per un|di (?:eur|€))(?=[\s.,!;]|$)"
    ),
    (
        r"\s(?:ref|reference|referenz|réf|rif|utr|txn|trx|trans|transaction|inv|invoice|invoices|rechnung|facture|rg|re|"
        r"bal|balance|avl|avail|available|amt|amount|a/c|acc|"
        r"acct|account|value|your|please|thank\w*|view|log|info|iban|bic|uen|vpa|verwendungszweck|concepto|causale|"
        r"motif|otherref|berita|no|mobile|tel|end|rrn|upi|saldo|message|note|details)\b[\s.:#]"
    ),
    r"\s(?:and|&)\s+(?:your|the balance|is|was|has|\d)",
    r"\s[A-Za-z]?[xX*•]{2,}\d",
    r"/(?=inv|ref|\d)",
    r"\s\+?\d[\d*•xX -]{4,}",
    r"\s(?:date|time|desc|info|ref|amt|amount|bal|acct|currency|ccy|status|branch|mode|trx|txn|remarks?|purpose):",
    r"\s(?:today|yesterday|this (?:morning|afternoon|evening)|just now)\b",
    r"\s?(?:様|さん|より|から|เข้า|โอน|已|向您|转入|汇入|เมื่อ|ผ่าน|ยอด)",
)
_STOP = re.compile("|".join(_STOPS), re.IGNORECASE)
_DANGLING = re.compile(
    (
        r"(?:\s+(?:on|at|am|le|el|il|dated|dtd|of|for|in|pada|tgl|vom|with|over|über|de|em|di|da|du|d'un montant|the|"
        r"val|value|วันที่|เมื่อ))+\W*$"
    ),
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"(?:your|our|my|the|a|an|this|that|another|us|you|we|i|it|he|she|they|who|customer|client|buyer|someone|"
    r"somebody|they've|payment|money|transfer|account|a/c|acc|acct|"
    r"invoice|inv|funds|cash|deposit|own|which|when|all|overseas|abroad|local|outside|now|here|there|today|yesterday|"
    r"debit|credit|savings?|current|ending|online|mobile|"
    r"sender|payer|unknown|total|sum|amount|balance|both|each|if|not|yet|so|also|fyi|as|has|"
    r"have)\b(?![-&.'’])(?!\s+(?:[A-Z]\S*\s+)*(?:pte|ltd|inc|llc|gmbh|limited|co)\b)",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(
    r"(?:[Yy]our|[Oo]ur|[Tt]he|[Ww]alk-in) (?:customer|client|tenant|buyer|debtor|payer)s? (?=[A-Z0-9])"
)
_CONTACT = re.compile(r"\S@\S|https?:|www\.|^\W*[+\d][\d\s()x*X-]{5,}$|\*\*|\bx{2,}\d", re.IGNORECASE)
_BANK = re.compile(
    r"(?:\bbank(?:ing)?(?: (?:ltd|limited|plc|ag|n\.?a\.?|berhad|pte|singapore|of \w+|sg))*|^(?:dbs|ocbc|uob|posb|"
    r"hsbc|citi(?:bank)?|scb|maybank|chase|wise|paypal|stripe|sepa|paynow|fast|giro|"
    r"wells fargo|barclays|bca|mandiri|bni|bri|kbank|icici|hdfc|sbi|axis|revolut|giropay|swift|ach|sparkasse|"
    r"commerzbank|bnp|ubs)(?:/\w+)?|銀行|银行)$",
    re.IGNORECASE,
)
_SMALL = frozenset(
    [
        "and",
        "of",
        "the",
        "for",
        "de",
        "la",
        "le",
        "du",
        "des",
        "van",
        "von",
        "der",
        "den",
        "und",
        "et",
        "y",
        "e",
        "di",
        "da",
        "bin",
        "binte",
        "d/o",
        "s/o",
        "a/l",
        "a/p",
        "al",
        "el",
        "del",
        "&",
        "pte",
        "ltd",
        "co",
        "inc",
        "llc",
        "gmbh",
        "dan",
        "ag",
        "sa",
    ]
)
_REFERENCE = re.compile(
    r"\b(?P<kind>(?:payment |bank |customer |our |your |transfer |their |with |under )?ref(?:erence|erenz)?|"
    r"réf(?:érence)?|kenmerk|referencia|rif(?:erimento)?|"
    r"(?:txn|trx|transaction|trans)(?: ?(?:id|no|number|ref(?:erence)?))|utr|rrn|(?:upi|imps|neft|rtgs|trx|"
    r"txn)(?: (?:ref(?:erence)?|txn|id))?(?=(?: no\.?| number)?\s*[:#])|upi ref(?:erence)?|confirmation (?:no|number|"
    r"code|id)|trace(?: no)?)\b"
    r"\.?\s*(?:no\b|nr\b|number\b|id\b|code\b|#)?\.?\s*(?:is\b|was\b)?\s*[:#=-]?\s*(?=(?P<value>\S[^\n|;]{0,80}))",
    re.IGNORECASE,
)
_BANK_OWN = re.compile(r"txn|trx|trans|utr|rrn|upi|imps|neft|rtgs|confirmation|trace", re.IGNORECASE)
_TOKEN = re.compile(r"[\w][\w/.\-_&#]*")
_INVOICE_WORD = (
    r"(?:invoices?|inv|rechnung(?:en|s-?nr|snummer)?|rech\.?-?nr|facturen?|factures?|fact|facturas?|fatture|fattura|"
    r"fatura|tax invoice|bills?|rg-?nr|re-?nr|"
    r"請求書(?:番号)?|发票(?:号|号码)?|ใบแจ้งหนี้(?:เลขที่)?|hóa đơn)"
)
_INVOICE = re.compile(
    rf"(?<![\w-]){_INVOICE_WORD}\(?s?\)?(?:[ .:#-]*(?:no\b|nos\b|nr\b|nummer\b|number\b|numbers\b|num\b|numéro\b|n°|"
    rf"nº|#))?[ .:#]*(?P<ids>(?=[A-Z/-]*\d|[A-Z]+[ -]?\d)"
    r"[A-Z]{0,6}[/-]?\d[\w/-]*(?![\w/-]|[.:,]\d)(?:(?:,? (?:and|und|et|y|e|&|dan) |, | ?& ?| ?\+ ?| )(?:(?:inv|"
    r"invoice|re|rg)[ -]?)?#?(?=[A-Z]*[/-]?\d)[A-Z]{0,6}[/-]?\d[\w/-]*(?![\w/-]|[.:]\d|,\d))*)",
    re.IGNORECASE,
)
_PREFIXED = re.compile(
    r"(?<![\w-])(?P<id>(?:INV|RE|RG|FAC|FACT|BILL)[-/ ]?#?\d[\w-]*(?:/\d[\w-]*)*)(?![\w])", re.IGNORECASE
)
_RANGE = re.compile(
    r"(?:inv\w*|invoices?)\W*\w*\d\w*\s*(?:to|through|thru|until|bis|–|—|\.\.+| - |~)\s*(?:inv\w*\W?)?\d{2,}(?![/.])",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r" ?\([^)\n]{1,20}\),? ?(?:and|&|,|\+|und|et) ?#?\d{3}", re.IGNORECASE
)  # another number behind a remark
_LONGEST_NAME, _MOST_WORDS, _MOST_TOKENS, _MOST_WORDS_OF_A_BANK, _MOST_SMALL = 140, 8, 5, 4, 3


@dataclass(frozen=True, slots=True)
class Named:
    """A word or words in the message: where, as what, and why it is asked instead of taken."""

    start: int
    end: int
    value: str
    role: Role
    asked: str = ""


def payers_of(text: Text, parts: Sequence[Part], taken: Sequence[tuple[int, int]]) -> list[Named]:
    """Whoever is said to have paid; dates and sums end a name."""
    found: list[Named] = []
    for part in parts:
        if part.role is Role.PAYER:
            found += _labelled_payer(text, part, taken)
        elif part.role in {None, Role.AMOUNT, Role.CREDITED, Role.TOTAL}:
            for start, end in _payer_places(text.plain, part):
                if not any(first <= start < last for first, last in taken):
                    found += _payer(text, start, _until(text.plain, start, end, taken), is_certain=False)
    return found


def _labelled_payer(text: Text, part: Part, taken: Sequence[tuple[int, int]]) -> list[Named]:
    """A value after a label; a SWIFT field begins with the account, the name stands on the next line."""
    start, plain = part.start, text.plain
    if plain.startswith("/", start):
        line = plain.find("\n", start)
        if line < 0:
            return []
        start = line + 1
        start += 2 if re.match(r"\d/", plain[start : start + 2]) else 0
        end = plain.find("\n", start)
        end = len(plain) if end < 0 else end
        return _payer(text, start, end, is_certain=True)
    numbered = re.match(r"\d/", plain[start : start + 2])
    return _payer(
        text,
        start + (2 if numbered else 0),
        min([part.end, *(first for first, _ in taken if first > start)]),
        is_certain=True,
    )


def _payer_places(plain: str, part: Part) -> Iterator[tuple[int, int]]:
    """Where names may begin, and where they end at the latest."""
    for found in _FROM.finditer(plain, part.start, part.end):
        yield found.end(), part.end
    greeting = _GREETED.match(plain, part.start, part.end)
    start = greeting.end() if greeting else part.start
    for pattern in (_DID, _WHOSE, _HONOURED):
        for found in pattern.finditer(plain[start : part.end]):
            yield start + found.start("name"), start + found.end("name")


def _until(plain: str, start: int, end: int, taken: Sequence[tuple[int, int]]) -> int:
    """Where a name ends: at a date, a sum, or a word that cannot be part of it."""
    limit = min([end, start + _LONGEST_NAME + 1, *(first for first, _ in taken if start < first)])
    stop = _STOP.search(plain[:limit] + " ", start)
    name = plain[start : min(limit, stop.start()) if stop else limit]
    return start + len(_DANGLING.sub("", name))


def _payer(text: Text, start: int, end: int, *, is_certain: bool) -> list[Named]:
    """A name cleaned of what stands around it; nobody if it is no name, asked if it cannot be told where it ends."""
    piece = text.plain[start:end]
    end -= len(piece) - len(piece.rstrip(" \t\n,;:-–'\"(“”。、，"))
    start += len(piece) - len(piece.lstrip(" \t\n,;:-–'\"(“”#/"))
    name = text.plain[start:end]
    if not any(letter.isalpha() for letter in name) or end <= start:
        return []
    if _CONTACT.search(name):
        return (
            [Named(start, end, "", Role.PAYER, f"{name[:40]} is an address or number, not a name")]
            if is_certain
            else []
        )
    introduced = _INTRODUCED.match(name)
    if introduced and not is_certain:
        return _payer(text, start + introduced.end(), end, is_certain=False)
    if not is_certain and _NOBODY.match(name):
        return []
    shown = " ".join(text.piece(start, end).split())
    if _BANK.search(name) and len(name.split()) <= _MOST_WORDS_OF_A_BANK:
        return [Named(start, end, "", Role.PAYER, f"{shown[:40]} reads like a bank")]
    if not is_certain and _is_unclear(name):
        return [Named(start, end, "", Role.PAYER, f"it cannot be told where the name in “{shown[:40]}” ends")]
    return [Named(start, end, shown[:_LONGEST_NAME], Role.PAYER)]


def _is_unclear(name: str) -> bool:
    """Too long, or running on into a sentence."""
    words = name.split()
    small = [word for word in words if word.islower() and word.strip(".") not in _SMALL]
    is_all_small = name == name.lower()
    joins = re.search(
        r"\s(?:for|and his|but|because|so|who|which|that|with|if|when|after|about|as)\s", name, re.IGNORECASE
    )
    return len(words) > _MOST_WORDS or joins is not None or (len(small) > _MOST_SMALL if is_all_small else bool(small))


def references_of(text: Text, parts: Sequence[Part]) -> list[Named]:
    """References by their labels, then transaction numbers, then what the payment is said to be for."""
    found: list[Named] = []
    for part in parts:
        if part.role in {Role.REFERENCE, Role.TRANSACTION, Role.PURPOSE}:
            end = part.end
            value = " ".join(text.plain[part.start : end].split()).strip(" .,;")
            if value and value.casefold() not in {"-", "none", "n/a", "na", "nil", "notprovided"}:
                found.append(Named(part.start, end, value, part.role))
        elif part.role not in {Role.OTHER, Role.PAYER}:
            found += _said_references(text, part)
    return found


def _said_references(text: Text, part: Part) -> Iterator[Named]:
    for found in _REFERENCE.finditer(text.plain, part.start, part.end):
        role = Role.TRANSACTION if _BANK_OWN.search(found["kind"]) else Role.REFERENCE
        start = found.start("value")
        tokens = _tokens(text.plain, start, found.end("value"))
        if tokens:
            end = tokens[-1]
            yield Named(start, end, " ".join(text.plain[start:end].split()).strip(" .,;"), role)


def _tokens(plain: str, start: int, end: int) -> list[int]:
    """Where each word of a reference ends: up to the first with a digit; none if there is no digit in a few words."""
    ends: list[int] = []
    place = start
    for found in _TOKEN.finditer(plain, start, end):
        if plain[place : found.start()].strip(" ") or (found[0].islower() and not any(map(str.isdigit, found[0]))):
            return []
        ends.append(found.start() + len(found[0].rstrip(".,-_/&#")))
        if any(letter.isdigit() for letter in found[0]):
            return ends
        place = found.end()
        if len(ends) == _MOST_TOKENS:
            return []
    return []


def invoices_of(text: Text, parts: Sequence[Part], sums: Sequence[tuple[int, int]]) -> tuple[list[Named], bool]:
    """The invoice numbers in order, and whether a range of them is named, which says too little."""
    found: dict[str, Named] = {}
    for part in parts:
        if part.role is Role.OTHER:
            continue
        for start, end, value in _numbers(text.plain, part):
            if any(first < end and start < last for first, last in sums):
                continue
            found.setdefault(re.sub(r"[\s#-]", "", value).casefold(), Named(start, end, value, Role.PURPOSE))
    is_range = (
        any(_GOES_ON.match(text.plain, each.end) for each in found.values())
        or any("/" in each.value and _PREFIXED.fullmatch(each.value) for each in found.values())
        or any(_RANGE.search(text.plain, part.start, part.end) for part in parts)
    )
    return sorted(found.values(), key=lambda each: each.start), is_range


def _numbers(plain: str, part: Part) -> Iterator[tuple[int, int, str]]:
    taken: list[tuple[int, int]] = []
    for found in _PREFIXED.finditer(plain, part.start, part.end):
        taken.append(found.span())
        yield (*found.span(), found["id"])
    for found in _INVOICE.finditer(plain, part.start, part.end):
        start = found.start("ids")
        for each in re.finditer(r"[A-Z]{0,6}[/-]?\d[\w/-]*", found["ids"], re.IGNORECASE):
            place = (start + each.start(), start + each.end())
            if not any(place[0] < last and first < place[1] for first, last in taken):
                yield (*place, each[0])
