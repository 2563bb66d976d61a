"""How much of the message arrived: BLEU, sentence similarity, word errors, and what chance leaves uncertain."""
