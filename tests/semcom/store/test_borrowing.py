"""Borrowing: another folder's codecs serve as if they had been trained here, and nothing else is taken."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from semcom.experiment import build as building
from semcom.files import digest_of
from semcom.mistakes import UserMistake
from semcom.store.folder import RunFolder
from semcom.store.store import Store


@pytest.fixture
def trained(monkeypatch) -> list[str]:
    """Names of what is really trained."""
    names: list[str] = []
    build = building.carry_out_build

    def noted(plan, *rest, **options):
        names.append(plan.name)
        return build(plan, *rest, **options)

    monkeypatch.setattr(building, "carry_out_build", noted)
    return names


def test_borrowed_codecs_give_the_same_table_without_training(carry_out, finished, tmp_path, trained) -> None:
    carried = carry_out(tmp_path / "new", lenders=(finished,))
    assert carried.failures == 0 and trained == []
    assert "borrowed: big, small" in carried.said
    assert (tmp_path / "new" / "results.csv").read_bytes() == (finished / "results.csv").read_bytes()


def test_what_differs_is_trained(carry_out, finished, tmp_path, trained) -> None:
    carry_out(tmp_path / "new", "codecs.small.training={steps: 4}", lenders=(finished,))
    assert trained == ["small"]


def test_a_tokenizer_other_than_that_of_the_borrower_s_own_codecs_is_not_taken(carry_out, finished, tmp_path) -> None:
    """As where another version of tokenizers trained the lender's, which is as its run wrote it."""
    lender, ours = (RunFolder(Path(shutil.copytree(finished, tmp_path / name))) for name in ("lender", "ours"))
    (theirs,) = lender.tokenizers.iterdir()
    theirs.write_text(theirs.read_text() + " ")
    with Store(lender.store_file) as store:
        store.noted.note_file(f"tokenizers/{theirs.name}", digest_of(theirs))
    (ours.tokenizers / theirs.name).unlink()
    with Store(ours.store_file) as store:
        small = next(key for key, build in store.builds().items() if build.name == "small")
        store.noted.forget("build", [small])
    with pytest.raises(UserMistake, match=rf"{theirs.name}: must be as its run wrote it to be borrowed"):
        carry_out(ours.path, lenders=(lender.path,))
    assert not (ours.tokenizers / theirs.name).exists()


def test_latencies_are_not_borrowed(carry_out, finished, tmp_path) -> None:
    """They are of the lender's machine, and all alike, so that nothing else would have them measured here."""
    carry_out(tmp_path / "new", lenders=(finished,))
    when = []
    for folder in (finished, tmp_path / "new"):
        with Store(folder / "results.sqlite", reading=True) as store:
            when.append({build.record["latency"]["together"] for build in store.builds().values()})
    assert len(when[0]) == len(when[1]) == 1 and when[0] != when[1]


def test_a_second_call_borrows_nothing(carry_out, finished, tmp_path) -> None:
    carry_out(tmp_path / "new", lenders=(finished,))
    assert "borrowed" not in carry_out(tmp_path / "new", lenders=(finished,)).said


def test_a_lender_is_left_as_it_was(carry_out, finished, tmp_path) -> None:
    lender = Path(shutil.copytree(finished, tmp_path / "lender"))
    before = {path: path.read_bytes() for path in lender.rglob("*") if path.is_file()}
    carry_out(tmp_path / "new", lenders=(lender,))
    after = {path: path.read_bytes() for path in lender.rglob("*") if path.is_file()}
    assert {path: after[path] for path in before} == before


def test_failed_builds_and_lost_weights_are_not_borrowed(carry_out, finished, tmp_path, trained) -> None:
    lender = RunFolder(Path(shutil.copytree(finished, tmp_path / "lender")))
    with Store(lender.store_file) as store:
        names = {build.name: key for key, build in store.builds().items()}
        store.finish_build(names["big"], name="big", status="failed", message="a test")
    lender.weights(names["small"]).unlink()
    carry_out(tmp_path / "new", lenders=(lender.path,))
    assert sorted(trained) == ["big", "small"]


@pytest.mark.parametrize("spoilt", ["weights", "tokenizer"])
def test_damaged_files_are_not_borrowed_and_the_lender_is_named(carry_out, finished, tmp_path, spoilt: str) -> None:
    lender = RunFolder(Path(shutil.copytree(finished, tmp_path / "lender")))
    file = next((lender.path / "models").rglob("*.safetensors") if spoilt == "weights" else lender.tokenizers.glob("*"))
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(UserMistake) as caught:
        carry_out(tmp_path / "new", lenders=(lender.path,))
    assert str(file) in str(caught.value)
    # Running the borrower again would only meet the same file.
    assert str(caught.value).endswith("; run the lender again, or borrow from another")
    kept = [path.name for path in (tmp_path / "new").rglob(file.name) if path.parent.name == file.parent.name]
    assert not kept, "and no damaged copy is left behind"


def test_a_lender_with_nothing_to_lend_is_said_to_have_nothing(carry_out, finished, tmp_path) -> None:
    assert "borrowed: nothing" in carry_out(tmp_path / "new", "seed=4", lenders=(finished,)).said


def test_a_lender_of_nothing_gives_no_tokenizers_either(carry_out, finished, tmp_path) -> None:
    stranger = RunFolder(Path(shutil.copytree(finished, tmp_path / "stranger")))
    (stranger.tokenizers / "strange.json").write_text("{}")
    carry_out(tmp_path / "new", lenders=(finished, stranger.path))
    assert not (tmp_path / "new" / "tokenizers" / "strange.json").exists()


def test_a_folder_without_a_run_cannot_lend(carry_out, tmp_path) -> None:
    with pytest.raises(UserMistake, match="--borrow must name a run folder"):
        carry_out(tmp_path / "new", lenders=(tmp_path,))
    assert not (tmp_path / "new").exists(), "and the borrower has left nothing behind"
