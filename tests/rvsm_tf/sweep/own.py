"""Networks that train by steps of their own: VAE, GAN, distillation, and others.

Their losses differ from those that they are compiled with, so that another step than
theirs would be seen.
"""

import keras
from keras import layers, ops

from .networks import CLASSES, NUMBERS, Network, dense, head

BACKEND = keras.backend.backend()


def descend(loss, variables, optimizer):
    """Makes a step of an optimizer on TensorFlow or PyTorch, and returns the loss."""
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss()
        gradients = tape.gradient(value, [v.value for v in variables])
        optimizer.apply(gradients, variables)
        return value
    import torch

    for variable in variables:
        variable.value.grad = None
    value = loss()
    value.backward()
    with torch.no_grad():
        optimizer.apply([v.value.grad for v in variables], variables)
    return value.detach()


@keras.saving.register_keras_serializable("sweep")
class OwnStep(keras.Model):
    """Built as `OwnStep(inputs, outputs)`; its training step has a loss of its own."""

    def train_step(self, *arguments):
        if BACKEND == "jax":
            return self._stateless(*arguments)
        x, y, _ = keras.utils.unpack_x_y_sample_weight(arguments[0])
        variables = self.trainable_variables
        loss = descend(
            lambda: ops.mean(ops.abs(y - self(x, training=True))),
            variables,
            self.optimizer,
        )
        return {"loss": loss}

    def _stateless(self, state, data):
        import jax

        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        trainable, others, of_optimizer, of_metrics = state

        def loss(trainable, others):
            found, others = self.stateless_call(trainable, others, x, training=True)
            return ops.mean(ops.abs(y - found)), others

        with_rest = jax.value_and_grad(loss, has_aux=True)
        (value, others), gradients = with_rest(trainable, others)
        trainable, of_optimizer = self.optimizer.stateless_apply(
            of_optimizer, gradients, trainable
        )
        return {"loss": value}, (trainable, others, of_optimizer, of_metrics)


def own_step():
    x = keras.Input((6,))
    return OwnStep(x, head()(dense()(x)), name="net")


@keras.saving.register_keras_serializable("sweep")
class VAE(keras.Model):
    """It is compiled without a loss: what it costs is computed here."""

    def __init__(self, size=2, **arguments):
        super().__init__(**arguments)
        self.size = size
        self.means = layers.Dense(size, name="means")
        self.spreads = layers.Dense(size, name="spreads")
        self.decoder = keras.Sequential(
            [keras.Input((size,)), dense("hidden"), head(6)], name="decoder"
        )
        self.seed = keras.random.SeedGenerator(1)

    def call(self, x, training=False):
        mean, spread = self.means(x), ops.exp(self.spreads(x) / 2)
        if training:
            noise = keras.random.normal(ops.shape(mean), seed=self.seed)
            return mean, spread, self.decoder(mean + spread * noise)
        return mean, spread, self.decoder(mean)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        mean, spread, found = y_pred
        divergence = mean**2 + spread**2 - 2 * ops.log(spread) - 1
        return ops.mean((x - found) ** 2) + 0.1 * ops.mean(divergence)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


class GAN(keras.Model):
    """Two networks, an optimizer for each, and no loss or metric that Keras knows."""

    def __init__(self):
        super().__init__(name="net")
        self.generator = keras.Sequential(
            [keras.Input((6,)), dense("made"), head(6)], name="generator"
        )
        self.judge = keras.Sequential(
            [keras.Input((6,)), dense("judged"), layers.Dense(1, name="verdict")],
            name="judge",
        )
        self.seed = keras.random.SeedGenerator(1)

    def compile(self, d_optimizer, g_optimizer, **arguments):
        super().compile(**arguments)
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    def call(self, latent):
        return self.generator(latent)

    def train_step(self, real):
        noise = keras.random.normal(ops.shape(real), seed=self.seed)

        def of_judge():
            made = self.generator(noise)
            return ops.mean((self.judge(real) - 1) ** 2 + self.judge(made) ** 2)

        def of_generator():
            return ops.mean((self.judge(self.generator(noise)) - 1) ** 2)

        judge, generator = (
            model.trainable_variables for model in (self.judge, self.generator)
        )
        return {
            "d_loss": descend(of_judge, judge, self.d_optimizer),
            "g_loss": descend(of_generator, generator, self.g_optimizer),
        }


class Distiller(keras.Model):
    """The example of keras.io: a student that learns from a teacher."""

    def __init__(self, student, teacher):
        super().__init__(name="net")
        self.teacher, self.student = teacher, student
        teacher.trainable = False

    def compile(self, optimizer, metrics, student_loss, distillation_loss, alpha, **k):
        super().compile(optimizer=optimizer, metrics=metrics, **k)
        self.student_loss, self.distillation_loss = student_loss, distillation_loss
        self.alpha = alpha

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, allow_empty=False
    ):
        taught = self.distillation_loss(
            ops.softmax(self.teacher(x, training=False) / 3), ops.softmax(y_pred / 3)
        )
        return self.alpha * self.student_loss(y, y_pred) + (1 - self.alpha) * taught

    def call(self, x):
        return self.student(x)


def distiller():
    teacher = keras.Sequential(
        [keras.Input((6,)), dense("wise"), layers.Dense(3, name="wiser")],
        name="teacher",
    )
    student = keras.Sequential([keras.Input((6,)), dense(), head()], name="student")
    return Distiller(student, teacher)


def distilling():
    return {
        "metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        "student_loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        "distillation_loss": keras.losses.KLDivergence(),
        "alpha": 0.3,
    }


@keras.saving.register_keras_serializable("sweep")
class OwnCompile(keras.Model):
    """Its `compile` takes one argument more, and its metrics are its own, too."""

    def __init__(self, units=8, **arguments):
        super().__init__(**arguments)
        self.units = units
        self.dense, self.head = dense(units=units), head()
        self.largest = keras.metrics.Mean(name="largest")

    def compile(self, optimizer, strength=1.0, **arguments):
        super().compile(optimizer, loss="mae", **arguments)
        self.strength = strength

    def get_compile_config(self):
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "strength": self.strength,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def compute_loss(self, *args, **kwargs):
        return self.strength * super().compute_loss(*args, **kwargs)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.largest.update_state(ops.max(y_pred, axis=-1))
        return super().compute_metrics(x, y, y_pred, sample_weight)

    @property
    def metrics(self):
        return [*super().metrics, self.largest]

    def call(self, x):
        return self.head(self.dense(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


OWN = {
    "own step": Network(own_step),
    "vae": Network(lambda: VAE(name="net"), y=None, compiling=dict),
    "gan": Network(
        GAN,
        y=None,
        split=("generator/*",),
        compiling=dict,
        optimizers=("d_optimizer", "g_optimizer"),
        backends=("tensorflow", "torch"),
        validates=False,
    ),
    "distiller": Network(
        distiller,
        x=NUMBERS,
        y=CLASSES,
        compiling=distilling,
        frozen=("wise",),
    ),
    "own compile": Network(
        lambda: OwnCompile(name="net"), compiling=lambda: {"strength": 0.5}
    ),
}
