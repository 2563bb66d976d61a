"""What there is to say: corpora, tokenizers and batches of sentences, labelled IQ frames, pictures and spoken words."""
