import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers import SGD

import rvsm_tf as rvsm

LAM, BETA = 0.02, 0.5
KEYS = {"loss", "sparsity", "gap", "lam", "lagrangian"}


@pytest.fixture
def model(make_net):
    split = {"dense": rvsm.L0(), "out": (rvsm.L1(), 0.05)}
    model = rvsm.RVSM(make_net(), split, LAM, BETA)
    model.compile(SGD(0.1), "mse", jit_compile=False)
    return model


def test_the_figures_equal_numpy(model, data):
    expected = []

    class Computes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert "sparsity" not in logs  # it stands before RVSMCallback
            w1, _, w2, _ = (w.astype("float64") for w in self.model.net.get_weights())
            u1 = np.where(np.abs(w1) > np.sqrt(2 * LAM / BETA), w1, 0)
            u2 = np.sign(w2) * np.maximum(np.abs(w2) - 0.05 / BETA, 0)
            gap = np.sqrt(np.sum((w1 - u1) ** 2) + np.sum((w2 - u2) ** 2))
            zeros = (u1 == 0).sum() + (u2 == 0).sum()
            cost = LAM * (u1 != 0).sum() + 0.05 * np.abs(u2).sum()
            expected.append(
                {
                    "sparsity": zeros / (w1.size + w2.size),
                    "gap": gap,
                    "lam": LAM,
                    "lam_out": 0.05,
                    "lagrangian": logs["loss"] + cost + BETA / 2 * gap**2,
                }
            )

    callbacks = [Computes(), rvsm.RVSMCallback()]
    history = model.fit(
        *data, epochs=3, validation_data=data, callbacks=callbacks, verbose=0
    ).history
    assert set(history) == KEYS | {"lam_out", "val_loss"}
    for epoch, figures in enumerate(expected):
        for name, value in figures.items():
            assert history[name][epoch] == pytest.approx(value, rel=1e-5), name


def test_tensorboard_and_csv_show_the_figures(model, data, tmp_path):
    callbacks = [
        rvsm.RVSMCallback(),
        keras.callbacks.TensorBoard(tmp_path, write_graph=False),
        keras.callbacks.CSVLogger(tmp_path / "history.csv"),
    ]
    history = model.fit(*data, epochs=2, callbacks=callbacks, verbose=0).history

    (events,) = (tmp_path / "train").glob("events*")
    written = {}
    for record in tf.data.TFRecordDataset(str(events)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            written.setdefault(value.tag, []).append(tf.make_ndarray(value.tensor))
    for name in KEYS | {"lam_out"}:
        np.testing.assert_allclose(written[f"epoch_{name}"], history[name], rtol=1e-6)
    header = (tmp_path / "history.csv").read_text().splitlines()[0].split(",")
    assert KEYS | {"lam_out"} <= set(header)


def test_other_callbacks_can_watch_the_sparsity(make_net, data, tmp_path):
    model = rvsm.RVSM(
        make_net(), {"dense": rvsm.L0()}, rvsm.TargetSparsity(0.75, 6, every=1), BETA
    )
    model.compile(SGD(0.1), "mse", jit_compile=False)
    checkpoint = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch}-{sparsity:.4f}.weights.h5", save_weights_only=True
    )
    history = model.fit(
        *data, epochs=7, callbacks=[rvsm.RVSMCallback(), checkpoint], verbose=0
    ).history["sparsity"]
    assert history[-1] == 0.75
    assert {path.name for path in tmp_path.iterdir()} == {
        f"{epoch}-{sparsity:.4f}.weights.h5"
        for epoch, sparsity in enumerate(history, 1)
    }


def test_a_plain_model_is_refused(make_net, data):
    net = make_net()
    net.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"wrap the network in rvsm_tf.RVSM, got Seq"):
        net.fit(*data, callbacks=[rvsm.RVSMCallback()], verbose=0)
