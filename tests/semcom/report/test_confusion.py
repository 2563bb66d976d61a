"""Confusion matrices: rows as sent, columns as recognized, and nothing that is said of them is made up."""

import io

import numpy as np
import pytest

from semcom.report.confusion import confusion_drawings, confusion_matrices
from semcom.report.style import in_house_style
from semcom.store.confusions import Confusion

CLASSES = ("ant", "bee", "cat")
COUNTS = np.array([[8, 2, 0, 0], [5, 5, 0, 0], [0, 1, 3, 0]])


def matrix(snr_db=6.0, counts=COUNTS, **other):
    told = {"codec": "small", "role": "student", "seed": 3, "interferers": 0, "classes": CLASSES}
    return Confusion(**{**told, "snr_db": snr_db, "counts": counts, **other})


def fields(axes):
    """The shares that are drawn, [sent, recognized]."""
    (mesh,) = axes.collections
    return np.asarray(mesh.get_array())


def numbers(axes):
    """The numbers that are written, by place: column and row."""
    return {text.get_position(): text.get_text() for text in axes.texts}


def names(axis):
    return [each.get_text() for each in axis.get_ticklabels()]


def words(figure):
    return " ".join(text.get_text() for text in figure.texts).replace("\n", " ").replace("\u00a0", " ")


def test_rows_are_shares_of_what_was_sent():
    figure = confusion_matrices([matrix()])
    (axes,) = figure.axes
    assert fields(axes) == pytest.approx(np.array([[0.8, 0.2, 0], [0.5, 0.5, 0], [0, 0.25, 0.75]]))
    assert numbers(axes) == {(0, 0): "80", (1, 0): "20", (0, 1): "50", (1, 1): "50", (1, 2): "25", (2, 2): "75"}
    assert names(axes.xaxis) == names(axes.yaxis) == list(CLASSES)
    # The first class stands at the top.
    assert axes.get_ylim() == (2.5, -0.5)
    assert axes.get_title(loc="left").replace("\u00a0", " ") == "SNR 6 dB: 67 % right"
    assert "Confusion matrix of small (student), no interferers" in words(figure)
    assert (figure.get_supxlabel(), figure.get_supylabel()) == ("Recognized as", "Sent")
    assert "4 to 10 messages per class and panel" in words(figure)


def test_seeds_are_added_up():
    figure = confusion_matrices([matrix(), matrix(seed=4, counts=np.array([[0, 2, 0, 0], [0, 2, 0, 0], [0, 0, 4, 0]]))])
    (axes,) = figure.axes
    assert fields(axes)[0] == pytest.approx([8 / 12, 4 / 12, 0])
    assert "seeds 3, 4 added up" in words(figure)


def test_what_was_not_recognized_has_a_column_only_where_it_happened():
    lost = COUNTS + np.array([[0, 0, 0, 10], [0] * 4, [0] * 4])
    figure = confusion_matrices([matrix(), matrix(snr_db=0.0, counts=lost)])
    first, second = figure.axes
    assert names(second.xaxis) == [*CLASSES, "(none)"]
    assert fields(first)[0] == pytest.approx([0.4, 0.1, 0, 0.5])
    assert fields(second)[0] == pytest.approx([0.8, 0.2, 0, 0])
    assert "(none): nothing was recognized" in words(figure)


def test_a_panel_for_each_of_six_snrs_and_the_rest_is_told():
    figure = confusion_matrices([matrix(snr_db=float(snr)) for snr in range(-8, 9, 2)])
    assert len(figure.axes) == 6
    titles = [axes.get_title(loc="left").replace("\u00a0", " ").partition(":")[0] for axes in figure.axes]
    assert (titles[0], titles[-1]) == ("SNR \u22128 dB", "SNR 8 dB")
    assert "6 of 9 SNRs shown" in words(figure)


def test_many_classes_keep_their_color_and_lose_their_numbers():
    many = tuple(f"class {each} with a long name, number {each}" for each in range(60))
    counts = np.column_stack([2 * np.eye(60, dtype=int), np.zeros(60, dtype=int)])
    (axes,) = confusion_matrices([matrix(classes=many, counts=counts)]).axes
    assert numbers(axes) == {}
    assert fields(axes) == pytest.approx(np.eye(60))
    assert names(axes.yaxis)[0] == "class 0 wit...er 0"
    assert len(names(axes.yaxis)) <= 60


def test_nothing_sent_is_no_picture():
    assert confusion_matrices([matrix(counts=np.zeros((3, 4), dtype=int))]) is None


def test_two_codecs_are_never_one_picture():
    with pytest.raises(ValueError, match="one codec in one crowd"):
        confusion_matrices([matrix(), matrix(codec="big")])


def test_there_is_a_drawing_for_each_codec_and_crowd():
    crowd = {"interferers": 2, "level_db": -3.0, "sir_db": -0.01, "interference": "neighbors"}
    found = dict(
        confusion_drawings(
            [
                *(matrix(snr_db=snr) for snr in (0.0, 6.0)),
                matrix(**crowd),
                matrix(**{**crowd, "interference": "tone"}),
                matrix(codec="big", interference="none"),
                matrix(codec="big", user="1"),
            ]
        )
    )
    assert list(found) == [
        "confusion__small__0_interferers__air_1",
        "confusion__small__2_interferers__-3.0_db__air_2",
        "confusion__small__2_interferers__-3.0_db__air_3",
        "confusion__big__0_interferers__air_1",
        "confusion__big__0_interferers__user_1__air_1",
    ]
    figures = [draw() for draw in found.values()]
    assert [len(figure.axes) for figure in figures] == [2, 1, 1, 1, 1]
    assert "2 interferers, SIR 0 dB" in words(figures[1])
    assert "Interferers: tone, at \u22123 dB relative to the wanted user" in words(figures[2])
    assert "user 1" in words(figures[4])


def test_the_same_counts_give_the_same_bytes():
    """And a class may be called what it likes."""
    odd = matrix(classes=("$x_{1}$", "\u4f60\x1b[31m", "a&b<c>"))

    def drawn():
        with in_house_style():
            confusion_matrices([odd]).savefig(file := io.BytesIO(), format="svg", metadata={"Date": None})
        return file.getvalue()

    assert drawn() == drawn()
    assert b"\x1b" not in drawn()
