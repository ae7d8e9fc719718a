"""Models over features from files: LightGBM's, XGBoost's, ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from intentx.errors import InputError, MissingExtraError
from intentx.files import read_text
from intentx.rankers.features.learned import refuse_undefined_leaves

__all__ = ["lightgbm_model", "onnx_model", "xgboost_model"]


def lightgbm_model(path: str | Path) -> Any:
    """A booster of LightGBM from the text file that its ``save_model`` wrote.

    Raises
    ------
    MissingExtraError
        Without LightGBM.
    InputError
        If the file cannot be read, is no such model, or is cut off.
    """
    try:
        import lightgbm
    except ImportError as error:
        raise MissingExtraError("lightgbm", "ltr") from error
    text = read_text(path)
    # LightGBM's reader aborts the whole process on a truncated model.
    written = _tree_bytes(text)
    if written is None:
        raise InputError(f"{path} is no model of LightGBM as save_model writes it, or is cut off")
    refuse_undefined_leaves(text)
    try:
        return lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise InputError(f"{path} holds no model that LightGBM can read: {error}") from error


def _tree_bytes(text: str) -> int | None:
    """How many bytes the trees of a model have; None where they are not as many as it says."""
    head, found, _ = text.partition("end of trees")
    if not found or not text.startswith("tree\n"):
        return None
    said = [line for line in head.splitlines() if line.startswith("tree_sizes=")]
    start = head.find("Tree=0\n")
    if not said or start < 0:
        return None
    total = sum(int(size) for size in said[0].partition("=")[2].split())
    return total if len(head[start:].encode().rstrip()) <= total <= len(head[start:].encode()) else None


def xgboost_model(path: str | Path) -> Any:
    """A booster of XGBoost from a file of JSON or UBJSON that its ``save_model`` wrote.

    Raises
    ------
    MissingExtraError
        Without XGBoost.
    InputError
        If the file cannot be read, or is no such model.
    """
    try:
        import xgboost
    except ImportError as error:
        raise MissingExtraError("xgboost", "xgboost") from error
    _check_file(path)
    try:
        return xgboost.Booster(model_file=str(path))
    except xgboost.core.XGBoostError as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"{path} holds no model that XGBoost can read: {first}") from error


def onnx_model(path: str | Path) -> Any:
    """A session of ONNX Runtime, on the processor, from a file.

    Raises
    ------
    MissingExtraError
        Without ONNX Runtime.
    InputError
        If the file cannot be read, or is no such model.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError("onnxruntime", "onnx") from error
    _check_file(path)
    try:
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # its own errors share no class
        raise InputError(f"{path} holds no model that ONNX Runtime can read: {error}") from error


def _check_file(path: str | Path) -> None:
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
