"""Settlement: what the bank says arrived, matched with what was billed and what was reported.

A file is checked whole and then recorded (``taking_in``); its lines, the moneys of the bills and
what people said become facts in tables (``tables``); pure functions put every line and every money
into one class (``matching``, ``batches``); commands make it true (``reconciler``); a day whose sums
agree is proved (``closing``).
"""
