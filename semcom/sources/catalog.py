"""The corpora, tokenizers and sources of frames, pictures and speech that a scenario may name."""

from __future__ import annotations

from semcom.sources.cifar import Cifar
from semcom.sources.digits import Digits
from semcom.sources.docstrings import Docstrings
from semcom.sources.europarl import Europarl
from semcom.sources.fashion_mnist import FashionMnist
from semcom.sources.formant_words import FormantWords
from semcom.sources.generated_frames import GeneratedFrames
from semcom.sources.picture_folder import PictureFolder
from semcom.sources.rml2016 import Rml2016
from semcom.sources.rml2018 import Rml2018
from semcom.sources.sigmf import SigMfFrames
from semcom.sources.spoken_digits import SpokenDigits
from semcom.sources.textfile import TextFile
from semcom.sources.tokenizer import BytePairs, Words
from semcom.sources.wav_folder import WavFolder

CORPORA = (Docstrings, Europarl, TextFile)
TOKENIZERS = (BytePairs, Words)
FRAMES = (GeneratedFrames, Rml2016, Rml2018, SigMfFrames)
PICTURES = (Digits, FashionMnist, Cifar, PictureFolder)
SPEECH = (FormantWords, SpokenDigits, WavFolder)

AnyCorpus = Docstrings | Europarl | TextFile
AnyTokenizer = BytePairs | Words
AnyFrames = GeneratedFrames | Rml2016 | Rml2018 | SigMfFrames
AnyPictures = Digits | FashionMnist | Cifar | PictureFolder
AnySpeech = FormantWords | SpokenDigits | WavFolder
