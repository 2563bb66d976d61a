"""What there is to say: corpora, tokenizers and batches of sentences, and labelled IQ frames."""
