"""What stands between a message and a call: pace, circuits, stopped templates, rest."""
