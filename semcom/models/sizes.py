"""Named codec sizes, from one a toy can run to one worth learning from."""

from __future__ import annotations

from dataclasses import replace

from semcom.models.semantic_spec import SemanticSpec, symmetric

# From name to name the body (without embeddings) grows four- to sevenfold: 10 k, 38 k, 245 k, 1.76 M parameters. The
# small end visibly falls short when trained alone: a student that loses nothing has nothing to learn.
SIZES: dict[str, SemanticSpec] = {
    "tiny": symmetric(16, 1, heads=2),
    "student_quarter": symmetric(32, 1, heads=4),
    "student_half": symmetric(64, 2, heads=8),
    "teacher": symmetric(128, 4, heads=8),
    # The body of the official DeepSC code (repository 13274086/DeepSC), parameter for parameter: post-norm, untied,
    # autoregressive, dropout 0.1. Two things differ: its decoder is not handed the channel decoder's vector of its own
    # position (see `Receiver`), and its output layer has a bias.
    "deepsc": replace(symmetric(128, 4, heads=8), decoding="autoregressive", tied=False, norm="post", dropout=0.1),
}
