"""The journeys of the five offices, told once and walked in both modes."""
