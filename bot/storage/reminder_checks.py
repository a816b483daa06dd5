"""Checks of reminders: how far each invoice was reminded, and when a customer was written to, by what was sent."""

# Each check selects rows that must not exist: where, what is kept, what it was recomputed to.
REMINDED: dict[str, str] = {
    "an invoice reached what was sent of it": """SELECT 'invoice ' || i.number,
        COALESCE(r.level || ' x ' || r.times, 'none'),
        COALESCE(x.level || ' x ' || x.times, 'none') FROM invoice i LEFT JOIN reminder_reached r ON r.invoice_id = i.id
        LEFT JOIN (SELECT l.invoice_id, t.level,
        MAX(CASE WHEN l.level = t.level AND l.level > 0 THEN l.times + 1 ELSE 0 END) AS times
        FROM reminder_line l JOIN (SELECT invoice_id, MAX(level) AS level FROM reminder_line WHERE state = 'sent'
        GROUP BY invoice_id) t ON t.invoice_id = l.invoice_id WHERE l.state = 'sent' GROUP BY l.invoice_id, t.level) x
        ON x.invoice_id = i.id WHERE COALESCE(r.level, -1) <> COALESCE(x.level, -1)
        OR COALESCE(r.times, -1) <> COALESCE(x.times, -1)""",
    "a customer was written to when a message was sent": """SELECT 'customer ' || c.code,
        COALESCE(CAST(k.last_on AS TEXT), 'never'), COALESCE(CAST(x.last_on AS TEXT), 'never') FROM customer c
        LEFT JOIN reminder_contact k ON k.customer_id = c.id
        LEFT JOIN (SELECT customer_id, MAX(sent_on) AS last_on FROM reminder_message WHERE state = 'sent'
        GROUP BY customer_id) x ON x.customer_id = c.id
        WHERE COALESCE(CAST(k.last_on AS TEXT), '') <> COALESCE(CAST(x.last_on AS TEXT), '')""",
    "a reminder is of one customer": """SELECT 'message ' || l.message_id, COALESCE(m.customer_id, 0), i.customer_id
        FROM reminder_line l LEFT JOIN reminder_message m ON m.id = l.message_id JOIN invoice i ON i.id = l.invoice_id
        WHERE m.id IS NULL OR i.customer_id <> m.customer_id""",
}
