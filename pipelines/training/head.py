"""Few drawings: of the network that training starts from the last layers are fitted.

What the hidden dense layer reads are features of a drawing. A logistic regression on
them, or of the network's own answer, becomes the last two layers: whichever tells
persons apart best who are left out, so that nothing gets worse than the network as it
came. It takes seconds, and no drawing is shown twice.
"""

import dataclasses
import time
import warnings

import click
import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from commands.cli import InputError
from commands.files import write_rows

from ..recipe import origin
from ..run import answers, calibration, handover
from ..run.claim import claim
from ..run.folder import HISTORY, read_history
from .training import Training

STRENGTHS = (1.0, 0.3, 0.1, 0.03, 0.01)
"""Inverse weights of the squared coefficients, of features of unit spread."""

_ANSWER = "its answer"
_FOLDS = 5  # to choose among them, or as many as the rarest class has persons


@dataclasses.dataclass(frozen=True)
class Regression:
    """A logistic regression: logits are x @ kernel + bias.

    Attributes:
        kernel: shape (features, classes).
        bias: shape (classes,).
    """

    kernel: np.ndarray
    bias: np.ndarray

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Returns those of each class, shape (n, classes)."""
        return softmax(x @ self.kernel + self.bias, axis=1)


def fitted(x: np.ndarray, label: np.ndarray, strength: float) -> Regression:
    """Fits a logistic regression on features that are brought to unit spread.

    Args:
        x: shape (n, features).
        label: shape (n,).
        strength: see `STRENGTHS`.
    """
    scaler = StandardScaler().fit(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough, by then
        found = LogisticRegression(C=strength, max_iter=2000)
        found.fit(scaler.transform(x), label)
    kernel, bias = found.coef_.T / scaler.scale_[:, None], found.intercept_
    bias = bias - scaler.mean_ @ kernel
    if kernel.shape[1] == 1:  # of two classes scikit-learn gives the second one's
        kernel, bias = kernel * [-0.5, 0.5], bias * [-0.5, 0.5]
    return Regression(kernel, bias)


def unseen(
    x: np.ndarray, label: np.ndarray, person: np.ndarray, strength: float, seed: int
) -> np.ndarray:
    """Returns what regressions say of persons whom they were not fitted to.

    Args:
        x: shape (n, features).
        label: shape (n,).
        person: shape (n,).
        strength: see `STRENGTHS`.
        seed: of the division into folds.

    Returns:
        probabilities, shape (n, classes); NaN of those that nothing could be fitted
        for, as where a class has a single person.
    """
    classes = np.unique(label)
    told = np.full((len(x), len(classes)), np.nan)
    persons = min(len(np.unique(person[label == k])) for k in classes)
    if persons < 2:
        return told
    folds = StratifiedGroupKFold(min(_FOLDS, persons), shuffle=True, random_state=seed)
    for train, test in folds.split(x, label, person):
        if len(np.unique(label[train])) == len(classes):
            told[test] = fitted(x[train], label[train], strength).probabilities(x[test])
    return told


def _loss(told: np.ndarray, label: np.ndarray) -> float:
    """Returns the log loss of what is told, infinite where nothing is."""
    there = np.isfinite(told[:, 0])
    if not there.any():
        return float("inf")
    return float(log_loss(label[there], told[there], labels=range(told.shape[1])))


class Head(Training):
    """A run that fits the last two layers. One that was killed starts anew."""

    def _trained(self) -> tuple[keras.Model, keras.Model]:
        config, start = self.config, time.perf_counter()
        claim(self.output, config)
        # It would warn that several networks are traced one after the other.
        tf.get_logger().setLevel("ERROR")
        model, classes = self._recipe.network(), self._source.classes
        hidden, last = model.layers[-2:]
        if 2 * len(classes) > hidden.units:
            raise InputError(
                f"--tune head tells at most {hidden.units // 2} classes apart, and "
                f"{config.dataset!r} has {len(classes)}: give --tune all"
            )
        # Whatever its classes are called: how they go together is fitted.
        labels = handover.read_labels(config.origin)
        same = len(labels) == len(classes)
        origin.begin(model, config.origin, labels if same else classes)
        # Nothing is watched here: those who validate elsewhere are fitted to, too.
        seen = [self._train, self._validation]
        features = keras.Model(model.input, hidden.input)
        x = np.concatenate([answers.outputs(features, images) for images in seen])
        own = np.asarray(hidden(x)) @ np.asarray(last.kernel) + np.asarray(last.bias)
        label, person = (
            np.concatenate([getattr(images, name) for images in seen])
            for name in ("label", "person")
        )
        given = {_ANSWER: own, "its features": x}
        told = {
            (name, strength): unseen(value, label, person, strength, config.seed)
            for name, value in given.items()
            for strength in STRENGTHS
        }
        losses = {key: _loss(said, label) for key, said in told.items()}
        best = min(losses, key=lambda key: losses[key])
        found = fitted(given[best[0]], label, best[1])
        if best[0] == _ANSWER:
            _rescale(last, found)
        else:
            _replace(hidden, last, found)
        self._told, self._label = told[best], label
        self._record(model, time.perf_counter() - start, losses[best])
        if not self.quiet:
            least = min(losses[_ANSWER, s] for s in STRENGTHS)
            click.echo(
                f"{config.from_}: the last layers are fitted to {best[0]}; log loss "
                f"{losses[best]:.3f} on persons left out, {least:.3f} where its answer "
                "is rescaled"
            )
        self._draw_weights(model)
        return model, model

    def _temperature(self, final: keras.Model) -> float:
        there = np.isfinite(self._told[:, 0])
        if not there.any():
            return 1.0
        return calibration.temperature(self._told[there], self._label[there])

    def _history(self) -> list[dict[str, float]]:
        return read_history(self.output, 1)

    def _record(self, model: keras.Model, seconds: float, loss: float) -> None:
        """Writes the history of what took no epochs: a row."""
        images, there = self._train, np.isfinite(self._told[:, 0])
        said = answers.outputs(model, images)
        right = self._told[there].argmax(1) == self._label[there]
        row = {
            "epoch": 1,
            "seconds": seconds,
            "images": len(self._label),
            "sparsity": self._sparsity(model),
            "accuracy": float((said.argmax(1) == images.label).mean()),
            "loss": _loss(said, images.label),
            "val_accuracy": float(right.mean()) if there.any() else 0.0,
            "val_loss": loss,
        }
        write_rows(self.output / HISTORY, [row])


def _rescale(last: keras.layers.Dense, found: Regression) -> None:
    """Makes a regression on a network's logits part of its last layer."""
    kernel, bias = last.get_weights()
    last.set_weights([kernel @ found.kernel, bias @ found.kernel + found.bias])


def _replace(
    hidden: keras.layers.Dense, last: keras.layers.Dense, found: Regression
) -> None:
    """Makes a regression on features the last two layers.

    ReLU lies between them: two units of a class have its logit and the negative of it,
    so that their difference is the logit again. All other units stay zero.
    """
    kernel, bias = (np.zeros_like(w) for w in hidden.get_weights())
    classes = len(found.bias)
    kernel[:, : 2 * classes] = np.repeat(found.kernel, 2, axis=1)
    bias[: 2 * classes] = np.repeat(found.bias, 2)
    kernel[:, 1 : 2 * classes : 2] *= -1
    bias[1 : 2 * classes : 2] *= -1
    hidden.set_weights([kernel, bias])
    kernel, bias = (np.zeros_like(w) for w in last.get_weights())
    kernel[: 2 * classes] = np.kron(np.eye(classes), [[1], [-1]])
    last.set_weights([kernel, bias])
