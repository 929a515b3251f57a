"""What Python, numpy and Arrow load at first use, loaded now: in the jail nothing can be opened afterwards."""

from __future__ import annotations

import _strptime  # type: ignore[import-not-found]
import encodings.cp437
import encodings.cp1252
import encodings.cp1258
import encodings.latin_1
import encodings.utf_8_sig
import encodings.utf_16
import encodings.utf_16_be
import encodings.utf_16_le
import tarfile
import zipfile

import numpy.ma
import numpy.random
import pyarrow.acero
import pyarrow.compute
import pyarrow.ipc
import pyarrow.parquet
import python_calamine

LOADED = (
    _strptime, encodings.cp437, encodings.cp1252, encodings.cp1258, encodings.latin_1, encodings.utf_8_sig,
    encodings.utf_16, encodings.utf_16_be, encodings.utf_16_le, tarfile, zipfile, numpy.ma, numpy.random,
    pyarrow.acero, pyarrow.compute, pyarrow.ipc, pyarrow.parquet, python_calamine,
)  # fmt: skip
