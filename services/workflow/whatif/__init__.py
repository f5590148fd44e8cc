"""What-if: an office's past events once more, under rules that it did not have.

``rules`` are what may differ, ``files`` and ``form`` where they come from, ``engine`` the pure
fold, ``report`` what it came to, ``reading`` the way through the log, ``runs`` and ``page`` what a
supervisor and an auditor see. Nothing here writes an event.
"""
