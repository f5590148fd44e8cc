"""Brings a foreign permit log (XES, IEEE 1849) into the event store: ``jejak import``.

``xes`` reads the file trace by trace, ``mapping`` says what its words mean, ``cases`` makes one
trace a case, ``facts`` writes a case as our events, ``importer`` appends them, ``report`` counts,
``console`` shows. Nothing is decided on the way: what happened years ago is recorded as it was.
"""
