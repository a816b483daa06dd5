"""A message in plain characters that remembers where each stood; its parts, and the labels before values."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from bot.handlers.parse.amounts import plain_character

_BREAK = re.compile(
    r"[\n|;•·]+|[,.] (?=[A-Z][A-Za-z.]{1,24}(?: [A-Za-z.]{1,12}){0,2}:)| / (?=[A-Z][A-Za-z ]{1,24}:)|"
    r"[,.،] ?(?=[^\x00-\x7f]{2,12}(?: [^\x00-\x7f]{2,12})?:)"
)
_LABELLED = re.compile(
    r"\s*[-•]?\s*(?P<label>[^\W\d][^:=\t\n]{0,45}?)\s*(?::|=|\t| {2,}| [-–—] )[ \t]*(?P<value>.*?)\s*"
)
_FIELD = re.compile(r"\s*:?(?P<label>\d\d[A-Z]?):[ \t]*(?P<value>.*?)\s*")
_BOILERPLATE = re.compile(
    r"(?<![^\s.!?|])(?:If (?:you|this|not|un)|Never |Do not |Don't |Please do not |Not you|Didn't|To dispute|Call |"
    r"For (?:any )?"
    r"(?:quer|enquir|inquir|help|assist|more)|This is (?:a|an) (?:auto|system|computer)|Terms |Beware|Be careful|"
    r"Disclaimer|"
    r"Questions\?|Need help)[^\n]*?(?:(?<=[a-z\d])[.!?](?=\s|$)|(?=\n)|$)"
)
_MAIL_HEAD = re.compile(
    r"(?:^(?:From|To|Cc|Bcc|Date|Sent|Reply-To|Subject): [^\n]*\n){1,7}(?:(?<=\n)Subject: [^\n]*\n)(?:^(?:From|To|Cc|"
    r"Date|Sent): [^\n]*\n)*|"
    r"^Subject: [^\n]*\n(?:^(?:From|To|Cc|Date|Sent): [^\n]*\n)+",
    re.MULTILINE,
)
_SHORT = re.compile(
    r"(?:^|[\s(])(?:rs|re|ref|no|nr|pte|ltd|co|inc|bhd|sdn|acc|acct|a/c|avl|avail|bal|amt|dt|mr|ms|mrs|dr|st|approx|ca|"
    r"tel|corp|fr|sfr|rp|dhs|kk|pty|gmbh|int|intl|bros|txn|trx|tn|pt|cv|tbk|s\.a|s\.r\.l|s\.p\.a|l\.l\.c|b\.v|"
    r"n\.v|e\.k|[a-z])\.$",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?:[.!?](?=\s|$)|。|！|？)")


@dataclass(frozen=True, slots=True)
class Text:
    """What is read, character by character, and where each character stands in the message."""

    message: str
    plain: str
    places: tuple[int, ...]

    def piece(self, start: int, end: int) -> str:
        """The part of the message itself behind a part of the plain text."""
        return self.message[self.places[start] : self.places[end - 1] + 1] if end > start else ""


class Role(Enum):
    """What a label says of the value behind it."""

    PAYER = "payer"
    AMOUNT = "amount"
    CREDITED = "credited"
    TOTAL = "total"
    SECOND = "second"
    CURRENCY = "currency"
    REFERENCE = "reference"
    TRANSACTION = "transaction"
    PURPOSE = "purpose"
    DATE = "date"
    VALUE_DATE = "value date"
    SETTLED = "settled"
    OTHER = "other"


_LABELS: dict[Role, str] = {
    Role.PAYER: """payer, payer name, name of payer, payor, from, sender, sender name, name of sender, remitter,
        remitter name, name of remitter, originator, originator name, ordering customer, ordering party,
        by order of, debtor, debtor name, customer, customer name, received from, paid by, 50, 50a, 50k, 50f,
        von, auftraggeber, auftraggeber/zahler, zahler, zahlungspflichtiger, einzahler, name des auftraggebers,
        donneur d'ordre, émetteur, emetteur, payeur, de, de la part de, ordenante, remitente, pagador,
        ordinante, mittente, opdrachtgever, betaler, tegenpartij, dari, pengirim, nama pengirim, 振込依頼人,
        振込依頼人名, ご依頼人, ご依頼人名, 依頼人名, お振込人, 付款人, 付款方, 付款人名称, 付款户名, 对方户名,
        汇款人, 匯款人, จาก, ผู้โอน, ชื่อผู้โอน, người chuyển, người gửi, المرسل, اسم المرسل, company name,
        originating company, orig co name""",
    Role.AMOUNT: """amount, amt, transaction amount, txn amount, payment amount, transfer amount, amount paid,
        paid amount, amount transferred, value, sum, betrag, umsatz, überweisungsbetrag, montant, importe,
        importo, bedrag, jumlah, nominal, nilai, valor, 金額, 金额, 交易金额, จำนวนเงิน, จำนวน, số tiền, المبلغ,
        32b, settlement amount, interbank settled amount""",
    Role.CREDITED: """credit, credit amount, amount credited, credited amount, credited, amount received,
        received amount, received, you received, net amount credited, net credited, deposit, deposit amount,
        gutschrift, gutgeschriebener betrag, montant crédité, montant reçu, importe abonado,
        importo accreditato, 入金額, 振込金額, お振込金額, 入金金额, 收款金额, 到账金额, 收入金额, เงินเข้า,
        amount in""",
    Role.TOTAL: """total, total amount, total paid, total payment, payment total, amount total, total remitted,
        remittance total, total transferred, total payment amount, remittance amount, gesamtbetrag, summe,
        zahlbetrag, total payé, total pagado, totale, 合計""",
    Role.SECOND: """instructed amount, original amount, gross, gross amount, amount sent, 33b, instructed,
        sent amount, ordered amount, equivalent, equivalent amount, amount instructed, net, net amount""",
    Role.CURRENCY: """currency, ccy, währung, devise, moneda, valuta, mata uang, 通貨, 币种, สกุลเงิน""",
    Role.REFERENCE: """reference, ref, reference no, reference number, ref no, ref number, payment reference,
        payment ref, customer reference, transfer reference, remittance reference, bank reference,
        our reference, referenz, zahlungsreferenz, kundenreferenz, référence, référence du virement, referencia,
        riferimento, kenmerk, betalingskenmerk, no ref, nomor referensi, referensi, 照会番号, 参考号, 参考编号,
        附言参考, หมายเลขอ้างอิง, เลขที่อ้างอิง, mã giao dịch, المرجع, رقم المرجع, 20, recipient reference,
        bill reference""",
    Role.TRANSACTION: """transaction id, transaction no, transaction number, transaction ref,
        transaction reference, txn id, txn no, txn ref, trx id, trace no, trace number, utr, utr no, utr number,
        rrn, upi ref, upi ref no, imps ref no, confirmation no, confirmation number, end to end, end-to-end,
        end to end id, end-to-end id, end-to-end-ref, payment id, transfer id, transfer number, imad, uetr,
        sender's reference, senders reference, payment no, payment number, 交易流水号, 流水号, 取引番号, trn,
        membership number, order id""",
    Role.PURPOSE: """purpose, message, details, payment details, remittance information, remittance info,
        remittance details, description, narrative, narration, particulars, comments, comment, remarks, remark,
        note, memo, addenda, 70, 72, verwendungszweck, zweck, motif, libellé, objet, communication, concepto,
        causale, descrizione, omschrijving, mededeling, mitteilung, zahlungsgrund, invoice id, obi, berita,
        keterangan, catatan, 附言, 摘要, 备注, 用途, メッセージ, บันทึก, nội dung, purpose of payment, invoice,
        invoices, invoice no, invoice number, invoice numbers, invoice(s), for, rechnung, facture, factura,
        fattura, your invoice, regarding""",
    Role.DATE: """date, transaction date, txn date, payment date, date of payment, paid on, received on,
        date received, credit date, credited on, transfer date, date/time, date and time, datum, zahlungsdatum,
        fecha, data, tanggal, tgl, 日付, 取引日, お取引日, 入金日, 振込日, 交易时间, 交易日期, 日期, วันที่,
        ngày, ngày giao dịch, التاريخ, date & time, time, remittance date, paid at""",
    Role.VALUE_DATE: """value date, valuta, wertstellung, wert, valutadatum, date de valeur, fecha valor,
        data valuta, valutadatum, settlement date, value, interbank settlement date, effective date,
        effective entry date, 30, 入金指定日, 起算日""",
    Role.SETTLED: "32a",
    Role.OTHER: """balance, available balance, avail bal, avl bal, ledger balance, current balance,
        closing balance, opening balance, new balance, account balance, bal, saldo, neuer saldo, kontostand,
        nouveau solde, solde, 残高, 余额, 餘額, ยอดเงินคงเหลือ, คงเหลือ, số dư, الرصيد, fee, fees, charge,
        charges, bank charges, bank charge, transfer fee, service fee, commission, gebühr, gebühren, entgelt,
        frais, comisión, commissione, kosten, 手数料, 手续费, ค่าธรรมเนียม, paypal fee, stripe fee,
        processing fee, limit, credit limit, daily limit, overdraft limit, exchange rate, rate, fx rate, kurs,
        tax, vat, gst, wht, withholding tax, discount, 36, 71a, 71f, 71g, 23b, 26t, 51a, 52a, 52d, 53a, 53b,
        54a, 56a, 57a, 57d, 59, 59a, 59f, 77b, 13c, 21, 28c, to, beneficiary, beneficiary name,
        beneficiary account, payee, recipient, receiver, creditor, creditor name, an, empfänger, begünstigter,
        bénéficiaire, beneficiario, begunstigde, kepada, penerima, 受取人, 收款人, 收款方, 收款户名, ไปยัง,
        ผู้รับ, to account, account, account no, account number, your account, credit account, a/c, a/c no,
        acct, konto, kontonummer, compte, cuenta, conto, rekening, 口座, 口座番号, 账号, 账户, 收款账号,
        付款账号, บัญชี, เข้าบัญชี, from account, debit account, sender account, sender's account,
        payer account, iban, bic, swift, swift code, bank, sender bank, sending bank, sender's bank, from bank,
        ordering bank, ordering institution, remitting bank, bank name, banque, banco, banca, 銀行, 银行,
        付款行, 开户行, ธนาคาร, phone, mobile, tel, email, uen, proxy, due date, invoice date, statement date,
        booking date, order date, expiry date, expires, valid until, buchungstag, buchungsdatum, due,
        outstanding, amount due, balance due, amount owing, remaining, remaining balance, invoice amount,
        invoice total, invoice value, outstanding balance, previous balance, otp, branch, 支店, device, ip,
        card, card no, status, type, transaction type, txn type, channel, method, payment method, network,
        uhrzeit, heure, hora, minimum payment, reward points, points, mandatsreferenz, gläubiger-id,
        creditor id, bank code, branch code, sec code, purpose code, via, available, available funds, subject""",
}
_ROLES = {" ".join(label.split()): role for role, labels in _LABELS.items() for label in labels.split(",")}
_ROLES |= {"valuta": Role.VALUE_DATE, "value": Role.AMOUNT}


@dataclass(frozen=True, slots=True)
class Part:
    """A line, or a piece of one between bars; a label's part begins where its value does."""

    start: int
    end: int
    role: Role | None = None
    label: str = ""


def plain_text(message: str) -> Text:
    """The message as it is read: marks of formatting and of writing direction dropped, boilerplate blanked."""
    kept = [
        (" " if each == "\r" else plain_character(each), place)
        for place, each in enumerate(message)
        if unicodedata.category(each) != "Cf" and not _is_formatting(message, place)
    ]
    characters = "".join(each if len(each) == 1 else "\ufffd" for each, _ in kept)
    blanked = characters
    for pattern in (_MAIL_HEAD, _BOILERPLATE):
        blanked = pattern.sub(lambda found: re.sub(r"[^\n]", "~", found[0]), blanked)
    return Text(message, blanked, tuple(place for _, place in kept))


def _is_formatting(message: str, place: int) -> bool:
    """A backtick, or a star at the edge of a word; two stars mask an account's digits, one may part a bank's fields."""
    before, each, after = message[max(0, place - 1) : place], message[place], message[place + 1 : place + 2]
    return each == "`" or (each == "*" and "*" not in {before, after} and not (before.isalnum() and after.isalnum()))


def parts_of(text: Text) -> list[Part]:
    """Lines and pieces between bars, in order; a label alone belongs to what comes next, several are a table's head."""
    parts: list[Part] = []
    waiting: list[tuple[Role, str]] = []
    for start, end in _pieces(text.plain):
        found = _FIELD.fullmatch(text.plain, start, end) or _LABELLED.fullmatch(text.plain, start, end)
        role = _ROLES.get(_named(found["label"])) if found else None
        alone = _ROLES.get(_named(text.plain[start:end]))
        if role is not None and found is not None and _named(found["value"]) in _ROLES:
            waiting = []  # the head of a table
        elif found is not None and role is not None and found["value"]:
            parts += _valued(text.plain, found.start("value"), found.end("value"), (role, found["label"]))
            waiting = []
        elif alone is not None:
            waiting.append((alone, text.plain[start:end]))
        elif len(waiting) == 1:
            parts += _valued(text.plain, start, end, waiting.pop())
        else:
            parts.append(Part(start, end))
            waiting = []
    return parts


def _valued(plain: str, start: int, end: int, labelled: tuple[Role, str]) -> list[Part]:
    """A value up to the end of its sentence; what comes after that is no part of it."""
    first = next(
        (found.end() for found in _SENTENCE_END.finditer(plain, start, end) if _ends(plain, start, found)), end
    )
    rest = plain[first:end].strip(" ~")
    return [Part(start, first, *labelled), *([Part(first, end)] if rest else [])]


def _ends(plain: str, start: int, found: "re.Match[str]") -> bool:
    """Whether a mark ends a sentence rather than a shortened word."""
    return found[0] != "." or _SHORT.search(plain[max(start, found.start() - 8) : found.end()]) is None


def _pieces(plain: str) -> Iterator[tuple[int, int]]:
    place = 0
    for found in [*_BREAK.finditer(plain), None]:
        end = found.start() if found else len(plain)
        if plain[place:end].strip(" ~\t-"):
            yield place, end
        place = found.end() if found else end


def _named(label: str) -> str:
    """A label without case, brackets and marks around it."""
    bare = re.sub(r"\([^)]*\)", " ", label) if label.strip()[-3:] != "(s)" else label
    return " ".join(bare.casefold().split()).strip(" .:#-=")


def sentence_around(plain: str, part: Part, start: int, end: int) -> tuple[int, int]:
    """Where the sentence around a place begins and ends within its part."""
    first, last = part.start, part.end
    for found in _SENTENCE_END.finditer(plain, part.start, part.end):
        if not _ends(plain, part.start, found):
            continue
        if found.end() <= start:
            first = found.end()
        elif found.start() >= end:
            last = found.start()
            break
    return first, last
