"""8-bit networks of a student without torch: static quantization by ONNX Runtime, calibrated on looks at piles."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pickclutter_lang.errors import ExportError, InvalidArgumentError
from pickclutter_lang.policy.config import StudentSpec, Thresholds
from pickclutter_lang.policy.detectors import StudentDetector
from pickclutter_lang.policy.manifest import NETWORK_FILE
from pickclutter_lang.policy.name_features import NameFeatures
from pickclutter_lang.policy.onnx_student import SCORES, OnnxStudent

Inputs = dict[str, NDArray[Any]]
_OPERATORS = ["Conv", "Add", "Relu", "MaxPool", "AveragePool"]


class _Recorder(OnnxStudent):
    """A student that keeps what its networks are given."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.seen: dict[str, list[Inputs]] = defaultdict(list)

    def _run(self, name: str, outputs: Sequence[str], given: Inputs) -> list[NDArray[np.float32]]:
        self.seen[name].append(given)
        return super()._run(name, outputs, given)


def quantize_student(
    spec: StudentSpec,
    thresholds: Thresholds,
    networks: Mapping[str, bytes],
    text: NameFeatures,
    looks: Iterable[Mapping[str, Any]],
) -> tuple[dict[str, bytes], float]:
    """Return the networks of a student with 8-bit integers, and the mean difference of its scores on the looks.

    The student looks for a name in each, as in use. What its networks are given then calibrates them.

    :param spec: of the student, as the other arguments before the looks; see `OnnxStudent`
    :param looks: observations of `FlatObservation`, at least one
    :raises InvalidArgumentError: for a student of two cameras, images of another size, or a network that no look needs
    """
    student = _Recorder(spec, thresholds, networks, text)
    detector = StudentDetector(student)
    for number, look in enumerate(looks):
        detector(look, spec.names[number % len(spec.names)])
    images = list(student.seen[NETWORK_FILE])
    unseen = [name for name in networks if name not in student.seen]
    if unseen:
        raise InvalidArgumentError(
            f"expected scenes that calibrate {', '.join(unseen)}, but in none of these was it asked; calibrate on more "
            "scenes, in which the student finds objects"
        )
    small = {name: quantize(networks[name], given) for name, given in student.seen.items()}
    quantized = OnnxStudent(spec, thresholds, small, text)
    both = [[one._run(NETWORK_FILE, SCORES[:1], given)[0] for one in (student, quantized)] for given in images]
    return small, float(np.mean([np.abs(ours - theirs).mean() for ours, theirs in both]))


def quantize(data: bytes, inputs: Iterable[Inputs]) -> bytes:
    """Return an ONNX model whose layers up to its last convolution compute with 8-bit integers.

    Activations are rounded within the range that they have on the inputs, weights within that of their channel. What
    follows the last convolution stays float32.

    :param inputs: of the model, with which it is calibrated
    :raises ExportError: for a model without a convolution
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.inputs = iter(inputs)

        def get_next(self) -> Inputs | None:
            return next(self.inputs, None)

    with tempfile.TemporaryDirectory() as folder:
        source, prepared, result = (Path(folder) / name for name in ("source", "prepared", "result"))
        source.write_bytes(data)
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        nodes = onnx.load(prepared).graph.node
        last = max((number for number, node in enumerate(nodes) if node.op_type == "Conv"), default=-1)
        if last < 0:
            raise ExportError("expected a network with convolutions, but there is none to compute with 8-bit integers")
        head = [node.name for node in nodes[last + 1 :]]
        quantize_static(
            prepared, result, Reader(), op_types_to_quantize=_OPERATORS, nodes_to_exclude=head, per_channel=True
        )
        return result.read_bytes()
