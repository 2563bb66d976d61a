"""The corpora and tokenizers that a scenario may name."""

from __future__ import annotations

from semcom.sources.docstrings import Docstrings
from semcom.sources.europarl import Europarl
from semcom.sources.textfile import TextFile
from semcom.sources.tokenizer import BytePairs, Words

CORPORA = (Docstrings, Europarl, TextFile)
TOKENIZERS = (BytePairs, Words)

AnyCorpus = Docstrings | Europarl | TextFile
AnyTokenizer = BytePairs | Words
