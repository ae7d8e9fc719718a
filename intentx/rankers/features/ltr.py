"""Learning to rank: a learned model over features of texts, as a scorer."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from intentx.errors import InputError, MissingExtraError
from intentx.files import json_object, read_text
from intentx.folders import refuse_other_kinds
from intentx.models import booster_of, check_model, raw_scores
from intentx.rankers.features.learned import mark_of_model, quick_mark, refuse_undefined_leaves
from intentx.rankers.features.matches import CollectionStatistics
from intentx.rankers.features.text_features import TextFeatures
from intentx.rankers.fingerprint import fingerprint_of
from intentx.rankers.watch import Same, Watch
from intentx.text import Analyzer

if TYPE_CHECKING:
    pass

__all__ = ["FeatureRanker", "Features"]

Floats = npt.NDArray[np.float64]

SETTINGS, MODEL, STATISTICS = "ltr.json", "model.txt", "statistics.json.gz"
FORMAT = 1


class Features(Protocol):
    """What describes texts to a model: one row of numbers per text, one name per column."""

    @property
    def names(self) -> Sequence[str]: ...

    def __call__(self, query: str, texts: Sequence[str], /) -> Any: ...


class FeatureRanker:
    """A model over features of texts, as a scorer: ``score_features(features(query, texts))``.

    Parameters
    ----------
    features
        Callable ``(query, texts) -> (N, F)`` with ``names``, such as `TextFeatures`.
    model
        A fitted model of scikit-learn, of LightGBM (also a plain ``Booster``), or with their
        methods. The score is, by the first of these that the model has: from ``predict_proba``
        the probability of the second of two classes, or the expected class of more, which must
        be numbers; ``decision_function``; ``predict``.
    background
        (F,) value that stands for "nothing known" of each feature, such as its mean; needed for
        scoring with masked features.

    Raises
    ------
    InputError
        If the model has none of these methods, or was fitted on another number of features or on
        features of other names.

    Examples
    --------
    A tree that mimics the ranker is fitted on its features and its scores:

    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> texts = ["green tea", "a grand piano", "tea, tea and more tea", "two boats", "piano and tea"]
    >>> features = TextFeatures(texts, names=["coverage", "length"])
    >>> X = features("green tea", texts)
    >>> ranker = FeatureRanker(features, LinearRegression().fit(X, [3, 0, 2, 0, 1]))
    >>> mimic = DecisionTreeRegressor(max_depth=2).fit(X, ranker.score_features(X))
    >>> dict(zip(ranker.names, mimic.feature_importances_.round(1).tolist()))
    {'coverage': 1.0, 'length': 0.0}
    """

    def __init__(self, features: Features, model: Any, *, background: Sequence[float] | None = None):
        names = getattr(features, "names", None)
        if not callable(features) or names is None or isinstance(names, str):
            raise InputError(
                "features must be a callable (query, texts) -> (N, F) with names, such as "
                f"TextFeatures, not {type(features).__name__}"
            )
        self.features = features
        self.names = tuple(names)
        self.model = model
        self._watch = Watch()
        check_model(model, self.names)
        self.background = None if background is None else np.array(background, dtype=np.float64)
        if self.background is not None and (
            self.background.shape != (len(self.names),) or not np.isfinite(self.background).all()
        ):
            raise InputError(
                f"background must have one finite value for each of {len(self.names)} features, "
                f"not {self.background}"
            )

    def __repr__(self) -> str:
        return f"<FeatureRanker {type(self.model).__name__} over {len(self.names)} features>"

    def __call__(self, query: str, texts: Sequence[str]) -> Floats:
        if not len(texts):
            return np.empty(0)
        X = np.asarray(self.features(query, texts))
        if X.shape != (len(texts), len(self.names)):
            raise InputError(
                f"features must return shape ({len(texts)}, {len(self.names)}), texts x features, "
                f"not {X.shape}"
            )
        return self.score_features(X)

    def score_features(self, X: Any, *, masked: Iterable[str] = ()) -> Floats:
        """Scores of texts from their features.

        Parameters
        ----------
        X
            (N, F) finite numbers, columns as ``names``; left as it is.
        masked
            Names of features that are set to their background value first.

        Returns
        -------
        (N,) finite numbers, higher is better.

        Raises
        ------
        InputError
            If X has another number of columns or holds values that are not finite, if a masked
            feature is unknown or there is no background, or if the model returns anything but one
            finite number per row.
        """
        X = np.array(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.names):
            raise InputError(
                f"a feature matrix has shape (N, {len(self.names)}), one column for each of "
                f"{', '.join(self.names)}; this one has {X.shape}"
            )
        finite = np.isfinite(X)
        if not finite.all():
            row, column = np.argwhere(~finite)[0]
            raise InputError(
                f"feature {self.names[column]!r} of text {row + 1} is {X[row, column]}; "
                "models need finite numbers"
            )
        columns = self._columns(masked)
        if columns:
            if self.background is None:
                raise InputError("masking needs background values: FeatureRanker(…, background=…)")
            X[:, columns] = self.background[columns]
        if not len(X):
            return np.empty(0)
        answer = raw_scores(self.model, X, self.names)
        try:
            scores = np.asarray(answer).astype(np.float64)
        except ValueError as error:
            raise InputError(f"{type(self.model).__name__} must give numbers: {error}") from error
        if scores.shape != (len(X),) or not np.isfinite(scores).all():
            gave = f"shape {scores.shape}" if scores.shape != (len(X),) else "values that are not finite"
            raise InputError(
                f"{type(self.model).__name__} must give one finite score per text; for {len(X)} "
                f"texts it gave {gave}"
            )
        return scores

    def _columns(self, names: Iterable[str]) -> list[int]:
        names = [names] if isinstance(names, str) else list(names)
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise InputError(f"no feature {unknown[0]!r}; there are: {', '.join(self.names)}")
        return [self.names.index(name) for name in names]

    @property
    def fingerprint(self) -> str:
        """Stands for features and model as they are now.

        Raises
        ------
        AttributeError
            If the features have no fingerprint of their own, or the model is nothing that joblib
            can make one of.
        """
        return self._watch.text(self.state_mark(thorough=True), self._fingerprint)

    def _fingerprint(self) -> str:
        settings = {"ranker": "LTR", "class": type(self).__qualname__, "names": list(self.names)}
        features = self.features.fingerprint  # type: ignore[attr-defined]
        return fingerprint_of({**settings, "features": features, "model": mark_of_model(self.model)})

    def state_mark(self, thorough: bool = False) -> int:
        """Another number once features or model have changed; see `intentx.capabilities.StateMarked`."""
        features: Any = None
        with contextlib.suppress(AttributeError):
            features = self.features.fingerprint  # type: ignore[attr-defined]
        quick = self.names, Same(self.model), Same(self.features), features, quick_mark(self.model)

        def full() -> str | None:
            with contextlib.suppress(AttributeError):
                return mark_of_model(self.model)
            return None  # nothing that can be looked into

        return self._watch.look(quick, full, thorough=thorough)

    def save(self, folder: str | Path) -> Path:
        """Write the ranker to a folder: the model as LightGBM's text, the rest as JSON.

        Raises
        ------
        InputError
            If the model is not of LightGBM or the features are not `TextFeatures`: these know no
            form that can be loaded without running code from the file.
        """
        booster = booster_of(self.model)
        if booster is None or not isinstance(self.features, TextFeatures):
            raise InputError(
                "only LightGBM models over TextFeatures are saved, as text and JSON; this is "
                f"{type(self.model).__name__} over {type(self.features).__name__}"
            )
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        statistics = json.dumps(self.features.statistics.to_dict(), ensure_ascii=False)
        parts = {
            MODEL: booster.model_to_string().encode(),
            STATISTICS: gzip.compress(statistics.encode(), mtime=0),
        }
        settings = {
            "format": FORMAT,
            **self.features.settings(),
            "background": None if self.background is None else self.background.tolist(),
            "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()},
        }
        for name, data in parts.items():
            (folder / name).write_bytes(data)
        text = json.dumps(settings, ensure_ascii=False, indent=1)
        (folder / SETTINGS).write_text(text + "\n", encoding="utf-8")
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> FeatureRanker:
        """A ranker that `save` wrote; it gives the same scores.

        Load only folders from people you trust: LightGBM's reader may crash on a made-up model.

        Raises
        ------
        MissingExtraError
            If LightGBM is not installed.
        InputError
            If a file is missing, broken or not the one that was saved.
        """
        try:
            import lightgbm
        except ImportError as error:
            raise MissingExtraError("lightgbm", "ltr") from error
        folder = Path(folder)
        refuse_other_kinds("ltr", folder)
        settings = _settings_of(folder)
        # LightGBM's reader aborts the whole process on a truncated model, hence the digests.
        parts = {name: _part_of(folder, name, settings) for name in (MODEL, STATISTICS)}
        try:
            plain = json_object(gzip.decompress(parts[STATISTICS]).decode(), STATISTICS)
            features = TextFeatures(
                CollectionStatistics.from_dict(plain),
                analyzer=Analyzer.from_dict(settings["analyzer"]),
                names=settings["names"],
            )
            text = parts[MODEL].decode()
            refuse_undefined_leaves(text)
            model = lightgbm.Booster(model_str=text)
            return cls(features, model, background=settings["background"])
        except (
            KeyError,
            TypeError,
            ValueError,
            OSError,
            EOFError,
            ArithmeticError,
            zlib.error,
            lightgbm.basic.LightGBMError,
        ) as error:
            raise InputError(f"{folder} holds no ranker that can be read: {error!r}") from error


def _settings_of(folder: Path) -> dict[str, Any]:
    try:
        settings = json_object(read_text(folder / SETTINGS), str(folder / SETTINGS))
    except InputError as error:
        raise InputError(f"no ranker in folder {folder}: {error}") from error
    if settings.get("format") != FORMAT:
        raise InputError(f"{folder / SETTINGS} must be a JSON object with format {FORMAT}")
    return settings


def _part_of(folder: Path, name: str, settings: dict[str, Any]) -> bytes:
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {folder / name}: {error.strerror or error}") from error
    digests = settings.get("sha256")
    if not isinstance(digests, dict) or digests.get(name) != hashlib.sha256(data).hexdigest():
        raise InputError(f"{folder / name} is not the file that was saved: its sha256 differs")
    return data
