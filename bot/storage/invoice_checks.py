"""Checks of invoices that ask for money: what is advanced on proformas, and the credit of paid top-up invoices."""

# Each check selects rows that must not exist: where, what is kept, what it was recomputed to.
ASKED_FOR: dict[str, str] = {
    "advances equal matches of proformas": """SELECT 'customer ' || c.code, c.advances_micros, COALESCE(x.total, 0)
        FROM customer c LEFT JOIN (SELECT a.customer_id, SUM(a.amount_micros) AS total FROM allocation a
        JOIN invoice i ON i.id = a.invoice_id AND i.kind = 'proforma' WHERE a.advance GROUP BY a.customer_id) x
        ON x.customer_id = c.id WHERE c.advances_micros <> COALESCE(x.total, 0)""",
    "nothing is advanced on what was provisioned": """SELECT 'invoice ' || i.number, i.kind, SUM(a.amount_micros)
        FROM allocation a JOIN invoice i ON i.id = a.invoice_id WHERE a.advance AND i.kind <> 'proforma'
        GROUP BY i.number, i.kind HAVING SUM(a.amount_micros) <> 0""",
    "a top-up is credit once paid": """SELECT 'invoice ' || i.number, i.total_micros - i.open_micros,
        COALESCE(x.total, 0) FROM invoice i LEFT JOIN (SELECT l.invoice_id, SUM(l.amount_micros) AS total FROM lot l
        WHERE l.invoice_id IS NOT NULL AND l.closed_on IS NULL GROUP BY l.invoice_id) x ON x.invoice_id = i.id
        WHERE i.kind = 'top_up' AND i.state = 'sent' AND i.total_micros - i.open_micros <> COALESCE(x.total, 0)""",
    "a top-up is paid whole or not": """SELECT 'invoice ' || number, total_micros, open_micros FROM invoice
        WHERE kind = 'top_up' AND state = 'sent' AND open_micros NOT IN (0, total_micros)""",
    "credit of a top-up names it": """SELECT 'lot of ' || l.number, l.amount_micros || ' of ' || l.customer_id,
        COALESCE(i.number || ' ' || i.total_micros || ' of ' || i.customer_id, 'none') FROM lot l
        LEFT JOIN invoice i ON i.id = l.invoice_id AND i.kind = 'top_up' WHERE (l.kind = 'top_up' AND l.intake_id
        IS NULL OR (l.invoice_id IS NOT NULL AND l.kind <> 'negative_invoice'))
        AND (i.id IS NULL OR i.number <> l.number OR i.total_micros <>
        l.amount_micros OR i.customer_id <> l.customer_id OR i.currency <> l.currency OR l.kind <> 'top_up'
        OR i.state <> 'sent' AND l.closed_on IS NULL)""",
    "what nobody owes is not posted": """SELECT 'invoice ' || COALESCE(number, draft_reference), kind,
        COALESCE(CAST(posted_on AS TEXT), 'no day') FROM invoice WHERE (kind <> 'tax' AND (posted_on IS NOT NULL
        OR proforma_number IS NOT NULL OR cost_micros <> 0 OR usage_net_micros IS NOT NULL))
        OR (kind = 'tax' AND state <> 'draft' AND posted_on IS NULL)""",
    "void is whole": """SELECT 'invoice ' || number, state, open_micros FROM invoice WHERE state = 'void'
        AND (open_micros <> 0 OR (kind = 'tax' AND intake_id IS NULL))""",
    "a provisioned cost is of its lines": """SELECT 'invoice ' || i.number, i.cost_micros, COALESCE(x.total, 0)
        FROM invoice i LEFT JOIN (SELECT invoice_id, SUM(cost_micros) AS total FROM invoice_line GROUP BY invoice_id) x
        ON x.invoice_id = i.id WHERE i.cost_micros <> 0 AND i.cost_micros <> COALESCE(x.total, 0)""",
    "top-up invoice numbers have no hole": """SELECT 'series top_up', s.last, COUNT(i.id) FROM series s
        LEFT JOIN invoice i ON i.number IS NOT NULL AND i.kind = 'top_up'
        WHERE s.name = 'top_up' GROUP BY s.last HAVING s.last <> COUNT(i.id)""",
    "proforma numbers have no hole": """SELECT 'series proforma', s.last, COUNT(i.id) FROM series s
        LEFT JOIN invoice i ON (i.kind = 'proforma' AND i.number IS NOT NULL) OR i.proforma_number IS NOT NULL
        WHERE s.name = 'proforma' GROUP BY s.last HAVING s.last <> COUNT(i.id)""",
}
