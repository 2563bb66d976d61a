"""Language models, and the search that decides by signal and language together."""
