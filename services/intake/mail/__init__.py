"""The mail room: e-mails with documents come in, the counter makes applications of them."""
