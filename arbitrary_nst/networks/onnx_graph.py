"""ONNX graphs made operation by operation; needs `onnx` alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 17, 8  # of 2022: what is older than the newest is read everywhere


class Graph:
    """Nodes and constants as they are added; values are known by their names.

    Args:
        kernels_outside: whether the kernels are to be handed to the runtime beside the model, by
            the names of `kernels`, which spares four copies of them.
    """

    def __init__(self, *, kernels_outside: bool = False) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.kernels: dict[str, np.ndarray] = {}
        self._kernels_outside = kernels_outside

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"constant{len(self.constants)}"
        array = np.ascontiguousarray(value, dtype).reshape(np.shape(value))
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def kernel(self, value: np.ndarray) -> str:
        """A convolution's kernel, float32 (filters, inputs, rows, columns)."""
        if not self._kernels_outside:
            return self.constant(value)
        name = f"kernel{len(self.kernels)}"
        self.kernels[name] = np.ascontiguousarray(value, np.float32)
        place = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=value.shape)
        place.data_location = TensorProto.EXTERNAL
        place.external_data.add(key="location", value="kernels")
        self.constants.append(place)
        return name

    def whole(self, *values: int) -> str:
        """A row of int64, as shapes and indices are."""
        return self.constant(values, np.int64)

    def value(self, name: str) -> np.ndarray:
        """That of a constant."""
        return next(numpy_helper.to_array(c) for c in self.constants if c.name == name)

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Adds an operation and returns the name of its only output."""
        name = output or f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def split(self, value: str, sizes: Sequence[int], axis: int = 0) -> list[str]:
        names = [f"Split{len(self.nodes)}_{i}" for i in range(len(sizes))]
        inputs = [value, self.whole(*sizes)]
        self.nodes.append(helper.make_node("Split", inputs, names, axis=axis))
        return names

    def model(self, inputs: Mapping[str, Sequence], outputs: Mapping[str, Sequence]) -> Any:
        """The graph as a model; inputs and outputs are float32, with these shapes by name."""
        first, last = (
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n, shape in v.items()]
            for v in (inputs, outputs)
        )
        return helper.make_model(
            helper.make_graph(self.nodes, "arbitrary_nst", first, last, self.constants),
            producer_name="arbitrary_nst",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
