"""Model in, smaller model out; and what a model costs."""
