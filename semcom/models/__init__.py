"""Networks: what a codec is made of, its named sizes, and the trace one trip leaves behind."""
