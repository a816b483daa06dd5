"""Checks of what was sold and given without an invoice: usage, refunds, issued credit, the master account; and of debts
that are disputed or given up.
"""

# Each check selects rows that must not exist: where, what is kept, what it was recomputed to.
SOLD_AND_GIVEN: dict[str, str] = {
    "tax_unbilled equals usage not invoiced": """SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.posted) FROM (
        SELECT currency, tax_micros AS kept, 0 AS posted FROM charge WHERE mode = 'postpaid' AND invoice_id IS NULL
        UNION ALL SELECT currency, -tax_micros, 0 FROM usage_refund WHERE unbilled AND invoice_id IS NULL UNION ALL
        SELECT e.currency, 0, -p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'tax_unbilled') x GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.posted)""",
    "unbilled equals usage not invoiced": """SELECT 'customer ' || c.code, c.unbilled_micros, COALESCE(x.total, 0)
        FROM customer c LEFT JOIN (SELECT customer_id, SUM(amount) AS total FROM (
        SELECT customer_id, net_micros + tax_micros AS amount FROM charge WHERE mode = 'postpaid'
        AND invoice_id IS NULL UNION ALL SELECT customer_id, -net_micros - tax_micros FROM usage_refund
        WHERE unbilled AND invoice_id IS NULL) u GROUP BY customer_id) x ON x.customer_id = c.id
        WHERE c.unbilled_micros <> COALESCE(x.total, 0)""",
    "what is unbilled of a month": """SELECT 'customer ' || c.code, c.month_micros, COALESCE(x.total, 0) FROM customer c
        LEFT JOIN (SELECT customer_id, SUM(amount) AS total FROM (SELECT k.customer_id, k.net_micros + k.tax_micros AS
        amount FROM charge k JOIN customer o ON o.id = k.customer_id AND k.posted_on >= o.month_starts_on
        WHERE k.mode = 'postpaid' AND k.invoice_id IS NULL UNION ALL
        SELECT r.customer_id, -r.net_micros - r.tax_micros FROM usage_refund r JOIN charge k ON k.id = r.charge_id
        JOIN customer o ON o.id = k.customer_id AND k.posted_on >= o.month_starts_on
        WHERE r.unbilled AND r.invoice_id IS NULL) u GROUP BY customer_id) x ON x.customer_id = c.id
        WHERE c.month_micros <> COALESCE(x.total, 0)""",
    "an invoice of usage is its charges": """SELECT 'invoice ' || i.number, i.usage_net_micros, COALESCE(x.net, 0)
        FROM invoice i LEFT JOIN (SELECT invoice_id, SUM(net_micros) AS net FROM (
        SELECT invoice_id, net_micros FROM charge UNION ALL SELECT invoice_id, -net_micros FROM usage_refund) u
        WHERE invoice_id IS NOT NULL GROUP BY invoice_id) x ON x.invoice_id = i.id
        WHERE COALESCE(i.usage_net_micros, 0) <> COALESCE(x.net, 0)
        OR (i.usage_net_micros IS NULL AND x.invoice_id IS NOT NULL)""",
    "rounding is that of usage": """SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.posted) FROM (
        SELECT currency, usage_net_micros - net_micros AS kept, 0 AS posted FROM invoice
        WHERE usage_mode = 'postpaid' UNION ALL
        SELECT currency, settled_micros - total_micros, 0 FROM invoice WHERE usage_mode = 'prepaid' UNION ALL
        SELECT c.currency, d.moved_micros, 0 FROM usage_day d JOIN customer c ON c.id = d.customer_id UNION ALL
        SELECT e.currency, 0, p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'rounding') x GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.posted)""",
    "cost equals usage": """SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.posted) FROM (
        SELECT currency, cost_micros AS kept, 0 AS posted FROM charge UNION ALL
        SELECT currency, -cost_micros, 0 FROM usage_refund UNION ALL
        SELECT currency, cost_micros, 0 FROM invoice WHERE kind = 'tax' UNION ALL
        SELECT e.currency, 0, p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'cost') x GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.posted)""",
    "a day of usage is its charges": """SELECT 'usage of ' || d.used_on, d.total_micros || ' open ' || d.open_micros,
        COALESCE(x.total, 0) || ' open ' || (d.total_micros - d.moved_micros - COALESCE(y.total, 0)) FROM usage_day d
        LEFT JOIN (
        SELECT usage_day_id, SUM(net_micros + tax_micros) AS total FROM charge GROUP BY usage_day_id) x
        ON x.usage_day_id = d.id LEFT JOIN (SELECT usage_day_id, SUM(amount_micros) AS total FROM allocation
        GROUP BY usage_day_id) y ON y.usage_day_id = d.id WHERE d.total_micros <> COALESCE(x.total, 0)
        OR d.open_micros <> d.total_micros - d.moved_micros - COALESCE(y.total, 0)""",
    "a charge is on an invoice of its mode": """SELECT 'usage ' || c.external_id, c.mode || ' ' || c.posted_on,
        COALESCE(i.usage_mode || ' ' || i.usage_through, 'none') FROM charge c LEFT JOIN invoice i
        ON i.id = c.invoice_id AND i.customer_id = c.customer_id WHERE c.invoice_id IS NOT NULL
        AND (i.id IS NULL OR i.usage_mode IS NULL OR i.usage_mode <> c.mode OR i.usage_through < c.posted_on)""",
    "an invoice of usage has its lines": """SELECT 'invoice ' || i.number, i.usage_lines, COALESCE(x.lines, 0)
        FROM invoice i LEFT JOIN (SELECT invoice_id, COUNT(*) AS lines FROM invoice_line GROUP BY invoice_id) x
        ON x.invoice_id = i.id WHERE i.usage_mode IS NOT NULL AND i.usage_lines <> COALESCE(x.lines, 0)""",
    "a summary has the days of its charges": """SELECT 'usage of ' || d.used_on, COALESCE(d.summary_invoice_id, 0)
        || ' on ' || COALESCE(CAST(d.moved_on AS TEXT), 'no day') || ', open ' || d.open_micros,
        COALESCE(c.invoice_id, 0) || ' on ' || COALESCE(CAST(i.posted_on AS TEXT), 'no day')
        FROM charge c JOIN usage_day d ON d.id = c.usage_day_id LEFT JOIN invoice i
        ON i.id = d.summary_invoice_id WHERE COALESCE(c.invoice_id, 0) <> COALESCE(d.summary_invoice_id, 0)
        OR (i.id IS NULL) <> (d.moved_on IS NULL) OR d.moved_on <> i.posted_on
        OR (i.id IS NULL AND d.moved_micros <> 0) OR (i.id IS NOT NULL AND d.open_micros <> 0)""",
    "a negative invoice gave its credit": """SELECT 'invoice ' || i.number, -i.total_micros, COALESCE(x.total, 0)
        FROM invoice i LEFT JOIN (SELECT invoice_id, customer_id, SUM(amount_micros) AS total FROM lot
        WHERE kind = 'negative_invoice' GROUP BY invoice_id, customer_id) x
        ON x.invoice_id = i.id AND x.customer_id = i.customer_id
        WHERE (i.total_micros < 0 AND (i.settled_micros <> i.total_micros OR -i.total_micros <> COALESCE(x.total, 0)))
        OR (i.total_micros >= 0 AND x.total IS NOT NULL)""",
    "usage never over-allocated": """SELECT 'usage of ' || d.used_on, d.total_micros, x.used FROM usage_day d JOIN (
        SELECT usage_day_id, effective_on, SUM(SUM(amount_micros)) OVER (PARTITION BY usage_day_id ORDER BY
        effective_on) AS used FROM allocation WHERE usage_day_id IS NOT NULL GROUP BY usage_day_id, effective_on) x
        ON x.usage_day_id = d.id WHERE x.used > d.total_micros OR x.used < 0""",
    "a charge is as its entry": """SELECT 'usage ' || c.external_id, c.posted_on, e.effective_on FROM charge c
        JOIN entry e ON e.id = c.entry_id WHERE e.effective_on <> c.posted_on OR e.currency <> c.currency""",
    "a refund has its usage": """SELECT 'credit ' || k.number, k.amount_micros,
        COALESCE(r.net_micros + r.tax_micros, 0) FROM credit k LEFT JOIN usage_refund r ON r.credit_id = k.id
        AND r.customer_id = k.customer_id WHERE (k.kind = 'refund' AND (r.id IS NULL
        OR r.net_micros + r.tax_micros <> k.amount_micros OR (NOT r.unbilled AND k.amount_micros <> (
        SELECT COALESCE(SUM(l.amount_micros), 0) FROM lot l WHERE l.number = k.number AND l.customer_id =
        k.customer_id)))) OR (k.kind <> 'refund' AND r.id IS NOT NULL)""",
    "never refunded more than charged": """SELECT 'usage ' || c.external_id, c.net_micros + c.tax_micros, SUM(
        r.net_micros + r.tax_micros) FROM charge c JOIN usage_refund r ON r.charge_id = c.id GROUP BY c.id,
        c.external_id, c.net_micros, c.tax_micros, c.cost_micros HAVING SUM(r.net_micros + r.tax_micros) >
        c.net_micros + c.tax_micros OR SUM(r.tax_micros) > c.tax_micros OR SUM(r.cost_micros) > c.cost_micros""",
    "credit_notes equal open notes": """SELECT 'customer ' || c.code, c.credit_notes_micros, COALESCE(x.total, 0)
        FROM customer c LEFT JOIN (SELECT customer_id, SUM(open_micros) AS total FROM credit_note
        GROUP BY customer_id) x ON x.customer_id = c.id WHERE c.credit_notes_micros <> COALESCE(x.total, 0)""",
    "note open amount": """SELECT 'note ' || COALESCE(n.number, n.draft_reference), n.open_micros,
        CASE WHEN n.state = 'sent' THEN n.total_micros ELSE 0 END - COALESCE(x.total, 0) FROM credit_note n
        LEFT JOIN (SELECT credit_note_id, SUM(amount_micros) AS total FROM allocation GROUP BY credit_note_id) x
        ON x.credit_note_id = n.id
        WHERE n.open_micros <> CASE WHEN n.state = 'sent' THEN n.total_micros ELSE 0 END - COALESCE(x.total, 0)""",
    "note lines add up": """SELECT 'note ' || COALESCE(n.number, n.draft_reference), n.total_micros || ' tax ' ||
        n.tax_micros, COALESCE(x.total, 0) || ' tax ' || COALESCE(x.tax, 0) FROM credit_note n LEFT JOIN (
        SELECT note_id, SUM(net_micros + tax_micros) AS total, SUM(tax_micros) AS tax FROM credit_note_line
        GROUP BY note_id) x ON x.note_id = n.id WHERE n.total_micros <> COALESCE(x.total, 0)
        OR n.tax_micros <> COALESCE(x.tax, 0) OR n.total_micros <> n.net_micros + n.tax_micros""",
    "note never over-allocated": """SELECT 'note ' || n.number, n.total_micros, x.used FROM credit_note n JOIN (
        SELECT credit_note_id, effective_on, SUM(SUM(amount_micros)) OVER (PARTITION BY credit_note_id ORDER BY
        effective_on) AS used FROM allocation WHERE credit_note_id IS NOT NULL GROUP BY credit_note_id, effective_on) x
        ON x.credit_note_id = n.id WHERE x.used > n.total_micros OR x.used < 0""",
    "sales_returns equal notes": """SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.posted) FROM (
        SELECT currency, net_micros AS kept, 0 AS posted FROM credit_note WHERE state = 'sent' UNION ALL
        SELECT e.currency, 0, p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'sales_returns') x GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.posted)""",
    "never credited more than invoiced": """SELECT 'invoice ' || i.number, l.net_micros || ' tax ' || l.tax_micros,
        SUM(nl.net_micros) || ' tax ' || SUM(nl.tax_micros) FROM credit_note n
        JOIN credit_note_line nl ON nl.note_id = n.id JOIN invoice i ON i.id = n.invoice_id
        JOIN invoice_line l ON l.invoice_id = i.id AND l.position = nl.of_position WHERE n.state = 'sent'
        GROUP BY i.number, l.id, l.net_micros, l.tax_micros
        HAVING SUM(nl.net_micros) > l.net_micros OR SUM(nl.tax_micros) > l.tax_micros""",
    "a note is of its customer's invoice": """SELECT 'note ' || COALESCE(n.number, n.draft_reference), n.invoice_id,
        COALESCE(i.id, 0) FROM credit_note n LEFT JOIN invoice i ON i.id = n.invoice_id
        AND i.customer_id = n.customer_id AND i.currency = n.currency WHERE n.invoice_id IS NOT NULL
        AND i.id IS NULL""",
    "a note is as its approval": """SELECT 'note ' || COALESCE(n.number, n.draft_reference), n.state, a.state
        FROM credit_note n JOIN approval a ON a.document_kind = 'credit_note' AND a.document_id = n.id
        WHERE a.amount_micros <> n.total_micros OR a.customer_id <> n.customer_id OR (n.state = 'draft') <>
        (a.state = 'waiting') OR (n.state = 'sent' AND a.state <> 'approved')""",
    "terms are as their approval": """SELECT 'request ' || r.number, r.state, a.state FROM terms_request r
        LEFT JOIN approval a ON a.document_kind = 'terms' AND a.document_id = r.id AND a.customer_id = r.customer_id
        AND (r.limit_micros IS NULL OR a.amount_micros IN (r.limit_micros, 1)) WHERE a.id IS NULL
        OR r.state <> CASE a.state WHEN 'waiting' THEN 'requested' ELSE a.state END""",
    "approved terms are in the history": """SELECT 'request ' || r.number, r.state, 'no row' FROM terms_request r
        JOIN approval a ON a.document_kind = 'terms' AND a.document_id = r.id LEFT JOIN approval_execution x
        ON x.approval_id = a.id WHERE r.state = 'approved' AND (x.approval_id IS NULL
        OR (r.kind = 'switch' AND NOT EXISTS (SELECT 1 FROM mode_history m WHERE m.operation_id = x.operation_id
        AND m.customer_id = r.customer_id AND m.mode = r.mode)) OR (r.limit_micros IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM credit_limit l WHERE l.operation_id = x.operation_id AND l.customer_id = r.customer_id
        AND l.amount_micros = r.limit_micros)))""",
    "request numbers have no hole": """SELECT 'series request', s.last, COUNT(r.id) FROM series s
        LEFT JOIN terms_request r ON r.id IS NOT NULL
        WHERE s.name = 'request' GROUP BY s.last HAVING s.last <> COUNT(r.id)""",
    "nobody counts twice": """SELECT 'request ' || a.label, v.person || ' counted again', 'once' FROM approval_vote v
        JOIN approval a ON a.id = v.approval_id JOIN approval_vote w ON w.approval_id = v.approval_id
        WHERE v.person = a.requester OR v.in_place_of = a.requester OR (v.id < w.id AND (v.in_place_of = w.person
        OR w.in_place_of = v.person OR (v.in_place_of <> '' AND v.in_place_of = w.in_place_of)))""",
    "note numbers have no hole": """SELECT 'series note', s.last, COUNT(n.id) FROM series s
        LEFT JOIN credit_note n ON n.number IS NOT NULL
        WHERE s.name = 'note' GROUP BY s.last HAVING s.last <> COUNT(n.id)""",
    "a limit is its newest row": """SELECT 'customer ' || c.code, c.limit_micros || ' until ' ||
        COALESCE(CAST(c.limit_ends_at AS TEXT), 'another'), x.amount_micros || ' until ' ||
        COALESCE(CAST(x.ends_at AS TEXT), 'another') FROM customer c JOIN credit_limit x ON x.customer_id = c.id
        WHERE NOT EXISTS (SELECT 1 FROM credit_limit y WHERE y.customer_id = c.id AND (y.starts_at > x.starts_at
        OR (y.starts_at = x.starts_at AND y.id > x.id))) AND (x.amount_micros <> c.limit_micros
        OR COALESCE(CAST(x.ends_at AS TEXT), '') <> COALESCE(CAST(c.limit_ends_at AS TEXT), ''))""",
    "a mode is its newest row": """SELECT 'customer ' || c.code, c.mode, x.mode FROM customer c
        JOIN mode_history x ON x.customer_id = c.id WHERE x.mode <> c.mode AND NOT EXISTS (SELECT 1 FROM mode_history y
        WHERE y.customer_id = c.id AND (y.starts_at > x.starts_at OR (y.starts_at = x.starts_at AND y.id > x.id)))""",
    "a top-up threshold is that of the settings": """SELECT 'customer ' || c.code,
        COALESCE(CAST(c.top_up_at_micros AS TEXT), 'none'), COALESCE(CAST(x.level AS TEXT), 'none') FROM customer c
        LEFT JOIN (SELECT s.customer_id, CASE WHEN s.auto AND s.method <> 'stripe' THEN s.threshold_micros END AS level
        FROM payment_settings s WHERE NOT EXISTS (SELECT 1 FROM payment_settings y WHERE y.customer_id = s.customer_id
        AND y.version > s.version)) x ON x.customer_id = c.id
        WHERE COALESCE(c.top_up_at_micros, -1) <> COALESCE(x.level, -1)
        OR (c.top_up_at_micros IS NOT NULL AND c.mode <> 'prepaid')""",
    "a top-up is as its document": """SELECT 'top-up ' || t.id, t.amount_micros || ' of customer ' || t.customer_id,
        COALESCE(k.amount_micros, i.total_micros, 0) || ' of customer ' || COALESCE(k.customer_id, i.customer_id, 0)
        FROM top_up_attempt t LEFT JOIN credit k ON k.id = t.credit_id LEFT JOIN invoice i ON i.id = t.invoice_id
        WHERE t.code = 'done' AND (COALESCE(k.amount_micros, i.total_micros, 0) <> t.amount_micros
        OR COALESCE(k.customer_id, i.customer_id, 0) <> t.customer_id
        OR (t.method = 'master') <> (t.credit_id IS NOT NULL))""",
    "top-ups of a day add up": """SELECT 'top-ups of ' || x.currency || ' ' || x.day, SUM(x.kept), SUM(x.made) FROM (
        SELECT currency, day, total_micros AS kept, 0 AS made FROM top_up_day UNION ALL
        SELECT currency, day, 0, amount_micros FROM top_up_attempt WHERE code = 'done') x
        GROUP BY x.currency, x.day HAVING SUM(x.kept) <> SUM(x.made)""",
    "a master account equals its entries": """SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.posted) FROM (
        SELECT currency, balance_micros AS kept, 0 AS posted FROM master_account UNION ALL
        SELECT e.currency, 0, p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'master') x GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.posted)""",
    "master account equals its documents": """SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.told) FROM (
        SELECT currency, balance_micros AS kept, 0 AS told FROM master_account UNION ALL
        SELECT currency, 0, amount_micros FROM master_top_up UNION ALL
        SELECT currency, 0, amount_micros FROM payment WHERE state = 'recorded' AND intake_id IS NULL
        AND method = 'platform' UNION ALL
        SELECT currency, 0, -cost_micros FROM charge UNION ALL
        SELECT currency, 0, -cost_micros FROM invoice UNION ALL SELECT currency, 0, cost_micros FROM usage_refund
        UNION ALL SELECT currency, 0, -amount_micros FROM credit WHERE kind = 'payout') x
        GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.told)""",
    "credit issued equals its documents": """SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.posted) FROM (
        SELECT currency, CASE kind WHEN 'issue' THEN amount_micros ELSE -amount_micros END AS kept, 0 AS posted
        FROM credit WHERE state = 'made' AND kind IN ('issue', 'take-back') UNION ALL
        SELECT e.currency, 0, p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'credit_issued') x GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.posted)""",
    "issued credit has its lot": """SELECT 'credit ' || c.number, c.state || ' ' || c.amount_micros,
        COALESCE(l.number || ' ' || l.amount_micros, 'none') FROM credit c LEFT JOIN lot l ON l.id = c.lot_id
        WHERE c.kind = 'issue' AND (l.id IS NULL OR l.number <> c.number OR l.customer_id <> c.customer_id
        OR l.amount_micros <> c.amount_micros OR l.kind <> c.purpose OR l.opened_on <> c.made_on
        OR (c.state = 'undone') <> (l.closed_on IS NOT NULL))""",
    "taken is what the document says": """SELECT 'credit ' || c.number,
        CASE WHEN c.state = 'made' THEN c.amount_micros ELSE 0 END, COALESCE(x.total, 0) FROM credit c LEFT JOIN (
        SELECT t.credit_id, SUM(t.amount_micros) AS total FROM taken t JOIN credit o ON o.id = t.credit_id
        JOIN lot l ON l.id = t.lot_id AND l.customer_id = t.customer_id AND l.opened_on = t.credit_on AND l.kind IN (
        'commission', CASE WHEN o.kind = 'payout' THEN 'payment' ELSE 'goodwill' END,
        CASE WHEN o.kind = 'payout' THEN 'top_up' ELSE 'correction' END) GROUP BY t.credit_id) x ON x.credit_id = c.id
        WHERE c.kind IN ('take-back', 'payout')
        AND COALESCE(x.total, 0) <> CASE WHEN c.state = 'made' THEN c.amount_micros ELSE 0 END""",
    "credit numbers have no hole": """SELECT 'series credit', s.last, COUNT(c.id) FROM series s
        LEFT JOIN credit c ON c.id IS NOT NULL
        WHERE s.name = 'credit' GROUP BY s.last HAVING s.last <> COUNT(c.id)""",
    "master numbers have no hole": """SELECT 'series master', s.last, COUNT(m.id) FROM series s
        LEFT JOIN master_top_up m ON m.id IS NOT NULL
        WHERE s.name = 'master' GROUP BY s.last HAVING s.last <> COUNT(m.id)""",
}

GIVEN_UP: dict[str, str] = {
    "write_off equals its documents": """SELECT 'currency ' || x.currency, SUM(x.kept), SUM(x.posted) FROM (
        SELECT currency, amount_micros AS kept, 0 AS posted FROM write_off WHERE state = 'made' UNION ALL
        SELECT e.currency, 0, p.amount_micros FROM posting p JOIN entry e ON e.id = p.entry_id
        WHERE p.account = 'write_off') x GROUP BY x.currency HAVING SUM(x.kept) <> SUM(x.posted)""",
    "written off is what the document says": """SELECT 'write-off ' || COALESCE(w.number, w.draft_reference),
        CASE WHEN w.state = 'made' THEN w.amount_micros ELSE 0 END || ' on ' || COALESCE(CAST(w.made_on AS TEXT), ''),
        COALESCE(x.total, 0) || ' on ' || COALESCE(CAST(x.since AS TEXT), '') FROM write_off w LEFT JOIN (
        SELECT o.write_off_id, SUM(o.amount_micros) AS total, MIN(o.effective_on) AS since,
        MAX(o.effective_on) AS until FROM written_off o
        JOIN write_off d ON d.id = o.write_off_id AND d.invoice_id = o.invoice_id AND d.customer_id = o.customer_id
        JOIN invoice i ON i.id = o.invoice_id AND i.customer_id = o.customer_id AND i.currency = d.currency
        AND i.due_on = o.due_on AND i.issue_on = o.issue_on AND i.posted_on = o.posted_on
        GROUP BY o.write_off_id) x ON x.write_off_id = w.id
        WHERE COALESCE(x.total, 0) <> CASE WHEN w.state = 'made' THEN w.amount_micros ELSE 0 END
        OR COALESCE(CAST(x.since AS TEXT), '') <> COALESCE(CAST(w.made_on AS TEXT), '')
        OR (w.state = 'undone' AND x.until <> w.undone_on)""",
    "written off matches its entry": """SELECT 'written off ' || o.id, o.amount_micros || ' on ' || o.effective_on,
        COALESCE(-p.amount_micros || ' on ' || e.effective_on, 'none') FROM written_off o
        LEFT JOIN posting p ON p.entry_id = o.entry_id AND p.account = 'receivable'
        LEFT JOIN entry e ON e.id = o.entry_id WHERE p.id IS NULL OR e.id IS NULL
        OR -p.amount_micros <> o.amount_micros OR p.customer_id <> o.customer_id
        OR e.effective_on <> o.effective_on""",
    "an invoice is written off by its document": """SELECT 'invoice ' || i.number, i.state || ' open ' || i.open_micros,
        COALESCE(x.documents, 0) || ' write-offs' FROM invoice i LEFT JOIN (SELECT invoice_id, COUNT(*) AS documents
        FROM write_off WHERE state = 'made' GROUP BY invoice_id) x ON x.invoice_id = i.id
        WHERE i.state = 'written_off' AND (i.open_micros <> 0 OR x.documents IS NULL)""",
    "a write-off is as its approval": """SELECT 'write-off ' || COALESCE(w.number, w.draft_reference), w.state,
        COALESCE(a.state, 'none') FROM write_off w
        LEFT JOIN approval a ON a.document_kind = 'write_off' AND a.document_id = w.id WHERE a.id IS NULL
        OR a.amount_micros <> w.amount_micros OR a.customer_id <> w.customer_id OR a.needed = 0
        OR a.state <> CASE w.state WHEN 'requested' THEN 'waiting' WHEN 'made' THEN 'approved'
        WHEN 'undone' THEN 'approved' ELSE w.state END""",
    "write-off numbers have no hole": """SELECT 'series write_off', s.last, COUNT(w.id) FROM series s
        LEFT JOIN write_off w ON w.number IS NOT NULL
        WHERE s.name = 'write_off' GROUP BY s.last HAVING s.last <> COUNT(w.id)""",
    "an invoice is disputed as was said last": """SELECT 'invoice ' || i.number,
        CASE WHEN i.disputed THEN 'disputed' ELSE 'not disputed' END, COALESCE(d.step, 'never') FROM invoice i
        LEFT JOIN dispute d ON d.invoice_id = i.id AND NOT EXISTS (SELECT 1 FROM dispute n
        WHERE n.invoice_id = i.id AND n.id > d.id) WHERE (i.disputed AND COALESCE(d.step, '') <> 'opened')
        OR (NOT i.disputed AND d.step = 'opened') OR d.customer_id <> i.customer_id""",
    "one promise for one debt": """SELECT 'promise of ' || c.code, '1', COUNT(p.id) FROM promise p
        JOIN customer c ON c.id = p.customer_id WHERE p.ended_at IS NULL
        GROUP BY c.code, p.customer_id, p.invoice_id HAVING COUNT(p.id) > 1""",
    "a promise is of its customer's debt": """SELECT 'promise ' || p.id, p.customer_id, COALESCE(i.customer_id, 0)
        FROM promise p LEFT JOIN invoice i ON i.id = p.invoice_id WHERE p.invoice_id IS NOT NULL
        AND (i.id IS NULL OR i.customer_id <> p.customer_id OR i.currency <> p.currency)""",
}
