"""Where XNNPACK, the runtime's default delegate, would compute with sparse weights.

A DENSIFY operator makes XNNPACK look for convolutions that it could run sparsely: on
ARM and in WebAssembly, never on an x86 processor with AVX. It then stores feature maps
channel by channel from a first convolution to a global average pooling. Behind such a
start it goes wrong where anything else stands before the end, such as max pooling: it
does not notice that the order was not turned back, and answers garbage without an
error. One sparse kernel is enough, and zeros stored densely count too.

Read in XNNPACK's `subgraph.c` and the delegate's `xnnpack_delegate.cc`, and confirmed
by running: `tests/rvsm_tf/litert/test_sparse_path.py`.
"""

from ai_edge_litert import schema_py_generated as schema

from .base import flatbuffer

_START = (3, 3, 3)  # height, width and input channels of the first kernel


def may_go_sparse(model: schema.ModelT) -> bool:
    """Returns whether XNNPACK finds a start in a model: whether DENSIFY is dangerous.

    That is a 3 × 3 convolution of stride 2 on 3 channels; nothing else turns the order.
    It must have a padding of 1 on every side to be one, and two thirds of the weights
    behind it must be zero. Neither is asked here: what counts as such a padding, and
    which weights, is the delegate's affair.
    """
    graph = model.subgraphs[0]
    for operator in graph.operators:
        if flatbuffer.builtin(model, operator) == schema.BuiltinOperator.CONV_2D:
            kernel, options = graph.tensors[operator.inputs[1]], operator.builtinOptions
            if tuple(kernel.shape[1:]) == _START and options.strideH == 2:
                return True
    return False
