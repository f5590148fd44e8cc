"""Who is told: numbers from the streams, the duty roster, and what each person wants."""
