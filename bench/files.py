"""The files that a model consists of."""

import fcntl
import os
import struct
from pathlib import Path

import onnx

FIEMAP = 0xC020660B  # FS_IOC_FIEMAP of linux/fs.h
HEADER, EXTENT = "=QQIIII", "=QQQQQIIII"
SHARED = 0x2000  # FIEMAP_EXTENT_SHARED
EXTENTS = 10_000


def of_model(path: Path) -> list[Path]:
    model = onnx.load(str(path), load_external_data=False)
    names = {entry.value for tensor in model.graph.initializer for entry in tensor.external_data if entry.key == "location"}
    return [path, *(path.parent / name for name in sorted(names))]


def sizes(path: Path) -> tuple[int, int]:
    """Bytes of all files, and of what is no weight."""
    model = onnx.load(str(path), load_external_data=False)
    inside = sum(len(tensor.raw_data) for tensor in model.graph.initializer)
    return sum(file.stat().st_size for file in of_model(path)), path.stat().st_size - inside


def shared_with(outputs: list[Path], sources: list[Path]) -> list[str]:
    """Ways in which the outputs hang on the source's files."""
    faults = []
    known = {(path.stat().st_dev, path.stat().st_ino) for path in sources}
    for path in outputs:
        state = path.lstat()
        if path.is_symlink() or state.st_nlink != 1 or (state.st_dev, state.st_ino) in known:
            faults.append(f"{path.name} is a link")
        if clones(path):
            faults.append(f"{path.name} shares blocks with another file")
    return faults


def clones(path: Path) -> bool:
    """Blocks that belong to another file as well, where the file system tells."""
    request = struct.pack(HEADER, 0, 2**64 - 1, 1, 0, EXTENTS, 0)
    buffer = bytearray(request + bytes(EXTENTS * struct.calcsize(EXTENT)))
    with open(path, "rb") as file:
        try:
            fcntl.ioctl(file.fileno(), FIEMAP, buffer)
        except OSError:
            return False
    found = struct.unpack_from(HEADER, buffer)[3]
    start, step = struct.calcsize(HEADER), struct.calcsize(EXTENT)
    flags = (struct.unpack_from(EXTENT, buffer, start + i * step)[5] for i in range(found))
    return any(flag & SHARED for flag in flags)
