"""Which workspace has which book, and with which token Slack is asked for it; a database beside all books."""
