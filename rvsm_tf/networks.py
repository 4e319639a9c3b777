"""The paper's network, and one that tells tremor, as plain Keras models."""

import keras
from keras import layers
from keras.initializers import HeNormal, RandomNormal

from .turns import MeanOverTurns, QuarterTurns


def paper_cnn(
    stddev: float = 0.1,
    seed: int = 0,
    filters: tuple[int, int, int] = (32, 32, 32),
    units: int = 128,
    kernel_size: int = 3,
    classes: int = 2,
) -> keras.Model:
    """Returns the CNN of Xue and Xin (2019): three convolutions and a dense layer.

    3 × [32 filters 3×3, same padding, ReLU; max-pooling 2×2, stride 2, same padding],
    then Dense 128 ReLU (`"dense"`, 5,408 × 128 = 692,224 of the 711,200 weights) and
    Dense 2 softmax. Images are float32, 100 × 100 × 1, ink 1.0 on 0.0.

    ReLU stands behind the pooling: the maximum of the rectified is the rectified
    maximum, bit for bit and in the gradient too, on a quarter of the values.

    Initialisation belongs to the method's set-up: u starts as the thresholded initial
    weights. With λ = 5e-4 and β = 0.1 the ℓ0 threshold is 0.1, and Keras's default
    for a kernel of this size, uniform up to ±0.033, lies below it as a whole: u would
    start, and stay, zero. Convolutions and the output start as usual (He et al.
    2015, and normal with a deviation of 0.05); biases at zero.

    Args:
        stddev: standard deviation of the dense kernel's normal initialisation.
        seed: of all initial weights.
        filters: of the three convolutions; the paper has 32 each.
        units: of the hidden dense layer; the paper has 128.
        kernel_size: side of the convolutions' kernels; the paper names none, and 3 is
            what its figures of arithmetic and size are told with here.
        classes: to tell apart; the paper has 2.

    Example:
        >>> net = rvsm.networks.paper_cnn()
        >>> sum(w.size for w in net.get_weights() if w.ndim > 1)
        711200
        >>> net.count_params()  # with the biases
        711426
    """
    seeds = iter(range(1000 * seed, 1000 * seed + 5))
    stack: list[layers.Layer] = [keras.Input((100, 100, 1), name="image")]
    for i, width in enumerate(filters, 1):
        stack += [
            layers.Conv2D(
                width,
                kernel_size,
                padding="same",
                kernel_initializer=HeNormal(next(seeds)),
                name=f"conv{i}",
            ),
            layers.MaxPooling2D(2, 2, padding="same", name=f"pool{i}"),
            layers.ReLU(name=f"relu{i}"),
        ]
    stack += [
        layers.Flatten(name="flatten"),
        layers.Dense(
            units,
            activation="relu",
            kernel_initializer=RandomNormal(0.0, stddev, next(seeds)),
            name="dense",
        ),
        layers.Dense(
            classes,
            activation="softmax",
            kernel_initializer=RandomNormal(0.0, 0.05, next(seeds)),
            dtype="float32",
            name="probabilities",
        ),
    ]
    return keras.Sequential(stack, name="paper_cnn")


def tremor_cnn(
    seed: int = 0,
    filters: tuple[int, int, int, int, int] = (12, 24, 48, 64, 64),
    units: int = 32,
    classes: int = 2,
) -> keras.Model:
    """Returns a CNN for what may be anywhere in a picture, such as a tremor in a line.

    Five convolutions with ReLU, same padding (`"conv1"`, 5×5 with stride 2, then 3×3:
    `"conv2"` to `"conv4"`, max-pooling 2×2 behind each, and `"conv5"`), then the mean
    and the maximum of each channel over the whole picture, a hidden dense layer
    (`"dense"`) and a softmax. Nothing in it depends on where something is seen, and
    little on how the sheet lies: the means and maxima are averaged over the picture's
    quarter turns (`rvsm_tf.turns`), but for training, which sees a picture as it is.
    Images are float32, 128 × 128 × 1, ink 1.0 on 0.0.

    Args:
        seed: of all initial weights (He et al. 2015); biases are zero.
        filters: of the convolutions.
        units: of the hidden dense layer.
        classes: to tell apart.

    Example:
        >>> net = rvsm.networks.tremor_cnn()
        >>> sum(w.size for w in net.get_weights() if w.ndim > 1)
        81932
    """
    seeds = iter(range(1000 * seed, 1000 * seed + 7))
    image = keras.Input((128, 128, 1), name="image")
    x = QuarterTurns(name="turns")(image)
    for i, width in enumerate(filters, 1):
        x = layers.Conv2D(
            width,
            kernel_size=5 if i == 1 else 3,
            strides=2 if i == 1 else 1,
            padding="same",
            activation="relu",
            kernel_initializer=HeNormal(next(seeds)),
            name=f"conv{i}",
        )(x)
        if 1 < i < len(filters):
            x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
    seen = [
        layers.GlobalAveragePooling2D(name="mean")(x),
        layers.GlobalMaxPooling2D(name="maximum")(x),
    ]
    x = layers.Dense(
        units,
        activation="relu",
        kernel_initializer=HeNormal(next(seeds)),
        name="dense",
    )(MeanOverTurns(name="over_turns")(layers.Concatenate(name="seen")(seen)))
    probabilities = layers.Dense(
        classes,
        activation="softmax",
        kernel_initializer=RandomNormal(0.0, 0.05, next(seeds)),
        dtype="float32",
        name="probabilities",
    )(x)
    return keras.Model(image, probabilities, name="tremor_cnn")
