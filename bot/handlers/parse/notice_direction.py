"""Whether a message tells of money that came in: what went out, or has not come yet, is said and nothing is filled."""

import re

from bot.handlers.parse.notice_text import Text

_OUT = re.compile(
    r"\bdebited\b|\bdebit\b(?![ -](?:card|account|a/c|/|acct|memo no))(?<!direct debit)|\b(?:you|we|i)(?:'ve|'d|"
    r" have| had)? (?:just |successfully |also )*"
    r"(?:paid|sent|transferred|spent|made|authori[sz]ed|withdrew|wired|remitted|refunded|returned)\b|"
    r"\b(?:paid|sent|transfer(?:red)?|payment|remittance|wired?|remitted|fund transfer) to (?!you\b|us\b|your\b|"
    r"our\b|my\b|me\b|a/c\b|acc\w*\b|the account\b|x+\d|\*)|"
    r"\bfrom (?:your|my|our) (?:[\w-]+ ){0,3}(?:account|a/c|acc|acct|card|wallet|balance)\b|"
    r"\byour (?:[\w-]+ ){0,3}(?:payment|transfer|remittance|purchase|bill payment|giro payment|order) (?:of|to|for|"
    r"at|was|has|is|\w{3} ?\d)|"
    r"\bthank you for your (?:payment|purchase|order)|\bwithdraw(?:al|n|als)?\b|\bwithdrew\b|\bpurchase[ds]?\b|"
    r"\bspent\b|\brefund(?:ed|s|ing)?\b|\brevers(?:ed|al|e|ing)\b|"
    r"\bsent (?:rs|inr|[a-z$]{1,3})? ?\.? ?[\d,.]+ (?:from|to) (?!you\b|us\b)|\bgiro deduction\b|"
    r"\bdeduction\b[^\n]{0,40} to (?!you\b|us\b|your\b|our\b)|\bwritten off\b|\bwrite-?off\b|"
    r"\bcredit note\b[^\n]{0,60}\b(?:issued|sent|given|raised)\b|"
    r"\breturned\b|\bchargeback\b|\bdisputed?\b|\bdeclin\w+|\breject\w+|\bfail(?:ed|ure|s)\b|\bunsuccessful\b|"
    r"\bcancel(?:led|ed|lation)\b|\bbounced\b|\bdishono\w+|\boutgoing\b|\boutward\b|"
    r"\bpayout\b|\bmoney out\b|\bclawed back\b|\brecalled\b|\bstopped\b|\bnot honou?red\b|\binsufficient\b|"
    r"\bunpaid\b|\bvoided\b|\bstorn\w+|\babgebucht|\bbelast\w+|\blastschrift\b(?! gutgeschrieben)|"
    r"\brückerstattung|\brücklastschrift|\berstattet|\babbuchung|\bsie haben .{0,40}(?:überwiesen|gesendet|bezahlt)|"
    r"\bprélèvement|\bdébit\w*|\bvirement émis|\bremboursement|\brejet\w*|"
    r"\bvous avez (?:envoyé|payé|viré)|\bcargo\b|\badeudo|\bhas (?:enviado|pagado|transferido)|\bdevoluci[oó]n|"
    r"\breembolso|\baddebit\w+|\bhai (?:inviato|pagato)|\bstorno|\bafgeschreven|"
    r"\bterugbetaling|\bkeluar\b|\btransfer ke (?!rekening anda)|\bpengembalian|\bgagal\b|\bdidebet|\bpendebetan|出金|"
    r"引落|引き落とし|返金|支出|转出|扣款|退款|退回|付款成功|支付成功|已扣|消费|"
    r"เงินออก|โอนออก|หักบัญชี|คืนเงิน|ถอน|โอนเงินไป|ไม่สำเร็จ|chuyển đi|ghi nợ|خصم|سحب|استرداد|مرفوض|"
    r"\bDR\b(?=[ .,;)]|$)",
    re.IGNORECASE,
)
_NOT_YET = re.compile(
    r"\bpending\b|\bscheduled?\b|\bin process\b|\b(?:is|are|being|under) process(?:ing|ed)\b|\bprocessing\b(?! fee)|"
    r"\bwill (?:be |have |arrive|pay|send|transfer|settle|come|reach|clear|credit|remit|do|make|wire)|\bgoing to\b|"
    r"['’]ll (?:pay|send|transfer|settle|wire|be)|\bto be (?:credited|paid|sent|settled|received|transferred)\b|"
    r"\binitiated\b(?! by)|\bon hold\b|\bheld\b|\bexpect(?:s|ed|ing)?\b|\bpromis\w+|"
    r"\b(?:payment|money) request|\brequest(?:s|ed|ing)? (?:a |for )?(?:payment|money|\w{0,3}\$?\d)|\bplease (?:pay|"
    r"settle|remit|transfer|arrange|make payment)|\bkindly (?:pay|settle|remit|transfer|arrange)|"
    r"\b(?:is|are|was|were|falls?|now) (?:due|overdue)\b|\boverdue\b|\breminder\b|\bunder review\b|"
    r"\bnot (?:yet )?(?:paid|received|come|arrived|credited|cleared|sent|settled|been)|\bnot yet\b|\byet to\b|"
    r"\b(?:don|can|doesn|couldn)['’]?t (?:see|find)\b|\bcannot (?:see|find)\b|\bno sign\b|\bclaims?\b|"
    r"\bsays? (?:they|he|she|it)\b|"
    r"\bhas ?n['o]?t\b|\bhave ?n['o]?t\b|\bdid ?n['o]?t\b|\bhas not\b|\bhave not\b|\bdid not\b|\bno payment\b|"
    r"\bnothing (?:received|came)|\bon its way\b|\bestimated\b|\bdraft\b|\bawaiting\b|\bwaiting for\b|"
    r"\bpre-?advice\b|"
    r"\bintend\w*|\bplan(?:s|ned|ning)? to\b|\bwants? to\b|\bwould\b|\bshould\b|\bmay be\b|\bmight\b|\btomorrow\b|"
    r"\bnext (?:week|month|mon|tue|wed|thu|fri)|\bpayment due\b|\bpro ?forma\b|\bquot(?:e|ation)\b|"
    r"\bpost-?dated\b|\buncleared\b|\bsubject to clear|\bone[- ]time pass|\botp\b|\bverification code|\bvorgemerkt|"
    r"\bgeplant|\bausstehend|\berwartet|\bangekündigt|\ben attente|\bprogramm[ée]\w*|\bà venir|"
    r"\bpendiente|\bprogramad\w+|\bin attesa|\bin sospeso|\bmenunggu|\bdijadwalkan|\bakan (?:di|datang)|"
    r"予定|処理中|処理待ち|"
    r"待处理|处理中|预约|将于|รอดำเนินการ|กำหนด|đang xử lý|قيد|معلق|"
    r"\b(?:did|has|have|can|could|is|was|do|does|when|any|anyone|who|why)\b[^.!?\n]{3,120}\?",
    re.IGNORECASE,
)
_NOT_MEANT = re.compile(
    r"no (?:refunds?|chargebacks?)\b|not (?:pending|refund\w*|revers\w*|cancel\w*|debited)\b|"
    r"debit/credit(?: indicator)?\s*[:=]\s*c|d/c\s*[:=]\s*c|"
    r"funds? (?:will be|are) available (?:immediately|now)|debit (?:account|a/c)|ordering debit|remitter debited|"
    r"money out[: ]+(?:-|0\.00)",
    re.IGNORECASE,
)
OUT, NOT_YET = "money going out", "money that has not come in"


def why_nothing(text: Text) -> str:
    """What keeps a message from being a payment that came in, in a sentence; empty if nothing does."""
    plain = _NOT_MEANT.sub(lambda found: "~" * len(found[0]), text.plain)
    for pattern, kind in ((_OUT, OUT), (_NOT_YET, NOT_YET)):
        found = pattern.search(plain)
        if found is not None:
            shown = " ".join(text.piece(*found.span()).split())
            return f"This reads like {kind}: “{shown[:60]}”. Nothing is filled in from it."
    return ""
