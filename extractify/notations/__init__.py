"""How documents write what values mean: numbers, dates, times, quantities, names, identifiers.

Each module finds one kind of notation in a folded text; `extractify.sightings` asks them.
"""
