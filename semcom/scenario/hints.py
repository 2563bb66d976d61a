"""Hints: what people type who come from other tools, and what it is called here; near misses of names."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Foreign:
    """Keys of other tools.

    Args:
        words: as they are typed elsewhere; case, spaces, `_`, `-` and `/` count for nothing.
        key: what it is called here, or an option of the command line, or "" where there is no such thing.
        why: what to know about it.
        here: whether the hint holds only beside that key, since the words mean much elsewhere.
    """

    words: str
    key: str
    why: str = ""
    here: bool = False


_NO_BITS = "there is no such key: codecs send meaning, so no symbol has a number of bits"
_NO_CHOICE = "there is no such key:"

FOREIGN = (
    # The air
    Foreign("snr snrs snr_range snr_list snr_values snr_train snr_test esno esno_db es_n0_db", "snr_db"),
    Foreign(
        "cnr cnr_db noise_power noise_std noise_var noise_variance n0 n_var sigma", "snr_db", "a codec sends unit power"
    ),
    Foreign("sir sir_db", "level_db", "level_db is -sir_db for one interferer: an SIR of 6 dB is level_db: -6"),
    Foreign("inr inr_db", "level_db", "level_db is inr_db - snr_db, for each interferer"),
    Foreign(
        "sinr sinr_db sindr",
        "",
        "there is no such axis: SINR follows from snr_db, level_db and interferers, and stands in every row of the "
        "results; set these",
    ),
    Foreign(
        "ebno ebno_db eb_n0 ebn0 eb_n0_db ebn0_db",
        "",
        "there is no such axis: symbols carry meaning and no number of bits, so there is no energy per bit; set "
        "snr_db, the power of a complex symbol over the noise (Es/N0)",
    ),
    Foreign("power_db tx_power power tx_power_db", "", f"{_NO_CHOICE} every codec sends unit power; set snr_db"),
    Foreign("users num_users n_users nusers", "interferers", "it counts the other users, without the wanted one"),
    Foreign("interferer num_interferers n_interferers neighbors num_neighbors", "interferers"),
    Foreign("channel channels channel_type channel_model", "fading"),
    Foreign("num_antennas n_antennas n_rx rx_antennas num_rx nr", "antennas", "those of the receiver"),
    Foreign("equaliser equalization receiver_type", "equalizer"),
    Foreign("k k_factor rician_k rician_factor", "k_factor_db", here=True),
    Foreign("modulation modulations mod constellation", "", f"{_NO_BITS}; `interference: qam` is a QAM interferer"),
    Foreign("code_rate coderate ldpc bits_per_symbol num_bits", "", _NO_BITS),
    # Training
    Foreign("epochs epoch num_epochs n_epochs max_epochs", "steps", "one batch each; an epoch is sentences / batch"),
    Foreign("iterations iters num_iterations max_steps num_steps n_steps train_steps max_iters updates", "steps"),
    Foreign("lr max_lr base_lr init_lr lr_max step_size", "learning_rate", "its peak"),
    Foreign("batch_size bs minibatch batchsz per_device_train_batch_size", "batch"),
    Foreign("warmup_steps warmup_ratio num_warmup_steps", "warmup", "it counts steps"),
    Foreign("wd l2 decay", "weight_decay"),
    Foreign("grad_clip clip_grad clip_norm max_grad_norm gradient_clip_val clip_grad_norm", "clip"),
    Foreign("amp fp16 bf16 mixed_precision dtype half", "precision", "'32' or 'bf16'"),
    Foreign("val_every eval_every eval_interval eval_steps val_check_interval val_interval", "validate_every"),
    Foreign("optimizer optim optimiser", "", f"{_NO_CHOICE} all train with AdamW; set learning_rate and weight_decay"),
    Foreign(
        "scheduler lr_scheduler schedule lr_schedule",
        "",
        f"{_NO_CHOICE} the rate goes up over warmup steps and then down in a straight line to 0",
    ),
    Foreign("early_stopping patience", "", f"{_NO_CHOICE} training lasts as many steps as `steps` says"),
    Foreign("data_fraction fraction subset train_fraction data_share", "share", "0.01 is 1 % of the text"),
    # Where and by whom it is computed: nothing that may change a number, so options rather than keys
    Foreign("device accelerator cuda gpu use_gpu use_cuda", "--device", "auto, cpu or cuda"),
    Foreign("gpus num_gpus n_gpus world_size nproc_per_node", "training.devices"),
    Foreign("workers num_workers n_workers n_jobs jobs processes num_processes parallel", "--workers"),
    Foreign("threads num_threads n_threads", "threads", "or --threads; more processes are --workers"),
    Foreign("out output output_dir out_dir save_dir run_dir log_dir results_dir", "--out"),
    Foreign("seeds random_seed rng_seed manual_seed random_state", "seed", "several go in sweep.seed"),
    # Codecs and what they learn from
    Foreign("models networks systems", "codecs"),
    Foreign("model arch architecture backbone preset", "size", "`semcom list sizes` names them"),
    Foreign("d_model hidden_size hidden_dim embed_dim embedding_dim dim model_dim", "width"),
    Foreign("n_layers num_layers depth num_hidden_layers blocks n_blocks", "layers"),
    Foreign("n_heads num_heads nhead num_attention_heads", "heads"),
    Foreign("d_ff dff ffn_dim dim_feedforward intermediate_size", "feedforward"),
    Foreign("encoder", "transmitter", here=True),
    Foreign("decoder", "receiver", here=True),
    Foreign("channel_uses symbols_per_word symbols bandwidth compression_ratio", "symbols_per_token"),
    Foreign("init init_from pretrained checkpoint weights resume_from load_from", "start", "the name of another codec"),
    Foreign("distillation kd distil teacher_student", "distill"),
    Foreign("loss losses objectives method", "methods"),
    Foreign("alpha lambda ce_weight hard_weight kd_alpha task_weight", "label_weight", "methods have a weight each"),
    Foreign("temp tau", "temperature"),
    Foreign("student", "", "the student is the codec that holds `distill`; teacher names the other", here=True),
    Foreign("pruning sparsity", "prune", "in a codec that has a start"),
    Foreign("quantize quantization", "", f"{_NO_CHOICE} a codec is made smaller by its size or by prune"),
    # Text and measuring
    Foreign("dataset data text", "corpus"),
    Foreign("max_len max_length seq_len max_words maxlen max_sentence_length", "longest"),
    Foreign("min_len min_length min_words minlen", "shortest"),
    Foreign("vocab vocab_size vocabulary_size", "vocabulary"),
    Foreign("evaluation eval evaluate test testing", "measure"),
    Foreign("train", "training"),
    Foreign("metric scores", "metrics"),
    Foreign("num_samples n_samples samples num_sentences n_sentences test_size", "sentences"),
    Foreign("bootstrap n_boot n_bootstrap num_bootstrap bootstraps", "resamples"),
    Foreign("trials n_trials num_trials monte_carlo n_runs runs realizations", "repeats"),
    Foreign("beam_size num_beams beam_width", "beam"),
    # The variant of a part, and the points of an axis
    Foreign("type name variant model", "kind", here=True),
    Foreign("type name dataset corpus", "source", here=True),
    Foreign("end to until max high last", "stop", here=True),
    Foreign("from begin min low first", "start", here=True),
    Foreign("by increment delta stride spacing", "step", here=True),
    Foreign("num n count points", "step", "how far apart the points are, not how many", here=True),
)

# Other people's names of what there is here, the likeliest first; a name that is none where it is typed is passed over.
NAMES = {
    # The air
    "awgn": ("none", "gaussian"),
    **dict.fromkeys(("off", "no", "false", "nothing", "identity", "static"), ("none",)),
    **dict.fromkeys(("rice", "ricean", "los"), ("rician",)),
    **dict.fromkeys(("noise", "white"), ("gaussian",)),
    **dict.fromkeys(("qpsk", "bpsk", "psk", "16qam", "64qam", "modulated"), ("qam",)),
    **dict.fromkeys(("jammer", "cw", "carrier", "sine"), ("tone",)),
    **dict.fromkeys(("impulsive", "pulsed", "pulses"), ("bursts",)),
    **dict.fromkeys(("users", "codec", "multiuser", "semantic"), ("neighbors",)),
    **dict.fromkeys(("zf", "ls", "inverse"), ("zero_forcing", "noisy")),
    "lmmse": ("mmse",),
    **dict.fromkeys(("irc", "mmseirc"), ("interference_rejecting",)),
    **dict.fromkeys(("ideal", "known", "full", "genie"), ("perfect", "teacher")),
    **dict.fromkeys(("estimated", "imperfect", "pilots", "pilot"), ("noisy",)),
    "blind": ("none",),
    "fast": ("symbol",),
    **dict.fromkeys(("slow", "quasistatic"), ("sentence",)),
    # Text
    **dict.fromkeys(("bpe", "bytes", "subword"), ("byte_pairs",)),
    **dict.fromkeys(("wordlevel", "whitespace"), ("words",)),
    **dict.fromkeys(("text", "txt", "textfile", "path", "custom"), ("file",)),
    # Learning from a teacher, by paper
    **dict.fromkeys(("kd", "kl", "hinton", "logits", "softlabels", "softtargets", "vanilla"), ("soft_logits",)),
    **dict.fromkeys(("rkl", "reversekl", "minillm"), ("reverse_logits",)),
    "dkd": ("decoupled_logits",),
    "seqkd": ("sequence_level",),
    **dict.fromkeys(("fitnet", "fitnets", "hints", "hint", "features", "pkd"), ("hidden_hints",)),
    **dict.fromkeys(("attention", "minilm"), ("attention_maps",)),
    **dict.fromkeys(("at", "attentiontransfer"), ("stage_attention",)),
    **dict.fromkeys(("stages", "featuremaps"), ("stage_hints",)),
    "rkd": ("relations",),
    **dict.fromkeys(("sp", "spkd"), ("similarity_preserving",)),
    # Scores and sizes
    "bleu": ("bleu_4",),
    **dict.fromkeys(("cosine", "sbert", "bert", "bertscore", "sts", "sentencesimilarity"), ("similarity",)),
    "wer": ("word_error_rate",),
    **dict.fromkeys(("exact", "em", "ser", "fer", "bler"), ("exact_match",)),
    **dict.fromkeys(("acc", "top1", "oa"), ("accuracy",)),
    **dict.fromkeys(("recall", "uar", "bac"), ("balanced_accuracy",)),
    **dict.fromkeys(("f1", "fscore"), ("macro_f1",)),
    **dict.fromkeys(("large", "big", "base"), ("teacher",)),
    **dict.fromkeys(("small", "medium", "half", "student"), ("student_half",)),
    "quarter": ("student_quarter",),
    **dict.fromkeys(("toy", "nano", "micro", "mini"), ("tiny",)),
}


def suggestion(word: object, options: Iterable[str]) -> str:
    """A trailing question if a word is nearly one of the options, or what other tools call one of them."""
    near = nearest(word, options)
    return f"; did you mean '{near}'?" if near and near != word else ""


def nearest(word: object, options: Iterable[str], cutoff: float = 0.6) -> str:
    """The option that was most likely meant, or nothing."""
    plain = {_plain(option): option for option in options}
    asked = _plain(str(word))
    known = [name for name in NAMES.get(asked, ()) if name in plain.values()]
    if asked in plain or known:
        return plain.get(asked) or known[0]
    near = difflib.get_close_matches(asked, plain, cutoff=cutoff)

    def likeness(option: str) -> tuple[float, int]:
        # Of those that are as near, the one that begins alike: slips are rare at the beginning of a word.
        begins = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(option, asked, strict=False))
        return difflib.SequenceMatcher(None, option, asked).ratio(), sum(1 for _ in begins)

    return plain[max(near, key=likeness)] if near else ""


def key_hint(word: str, beside: Sequence[str], elsewhere: dict[str, list[str]]) -> str:
    """What to write instead of a key that no one knows; nothing where there is no telling.

    Args:
        word: the key.
        beside: the keys that there are in its place.
        elsewhere: by key, where in the scenario it may stand, the nearest place first.
    """
    found = [each for each in FOREIGN if _plain(word) in map(_plain, each.words.split())]
    found = [each for each in found if each.key in beside] + [each for each in found if not each.here]
    if found:
        return _said(found[0], beside, elsewhere)
    # A slip beside the very key, codecs for codec, weighs more than a key of that name far off.
    if word in elsewhere and not nearest(word, beside, cutoff=0.85):
        return f"write {either(elsewhere[word])}"
    if near := nearest(word, beside):
        return f"did you mean '{near}'?"
    near = nearest(word, elsewhere, cutoff=0.75)
    return f"did you mean {either(elsewhere[near])}?" if near else ""


def _said(foreign: Foreign, beside: Sequence[str], elsewhere: dict[str, list[str]]) -> str:
    key = foreign.key
    places = [key] if key in beside else elsewhere.get(key, [key])
    if not key:
        return foreign.why
    told = f"write {either(places)}" + (" on the command line" if key.startswith("--") else "")
    return f"{told} ({foreign.why})" if foreign.why else told


def _plain(word: str) -> str:
    """A word without what writers differ in."""
    return re.sub(r"[\s_/.-]", "", word).casefold()


def either(words: Sequence[str]) -> str:
    """a, b or c."""
    return " or ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)
