"""Which encoding a text is in, and the same text as UTF-8; what cannot be read is named by its lines."""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from catalog.jailed.bounded import NulByte, unfolded
from catalog.jailed.lost_letters import require_letters, require_read_once
from catalog.jailed.old_letters import CONVERT, Letters, old_letters, share_of_syllables
from catalog.jailed.refused import Refused

_PROBE_BYTES = 1024 * 1024
_SEARCH_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 1024 * 1024
_LINES_NAMED = 10
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x19\x1c-\x1f]")
_BELIEVED = 0.5
"""Share of words that must be Vietnamese syllables before bytes are taken for an old encoding."""
_FEW_WORDS = 3


@dataclass(frozen=True, slots=True)
class Encoding:
    """`codec` turns bytes into characters, `letters` those of an old font into Vietnamese."""

    codec: str
    letters: Letters = ""

    @property
    def name(self) -> str:
        """As the report and the manifest have it."""
        if not self.letters:
            return self.codec
        return self.letters if self.codec == "latin-1" else f"{self.codec}+{self.letters}"

    @property
    def is_plain(self) -> bool:
        """Whether the bytes can be read as they stand."""
        return self.codec == "utf-8" and not self.letters


DECLARED = {
    "utf-8": Encoding("utf-8"), "utf-16": Encoding("utf-16"), "windows-1258": Encoding("cp1258"),
    "windows-1252": Encoding("cp1252"), "tcvn3": Encoding("latin-1", "tcvn3"), "vni": Encoding("latin-1", "vni"),
}  # fmt: skip


class Text:
    """A file that is text. `encoding` is found, unless it is declared. Raises Refused."""

    def __init__(self, file: BinaryIO, *, max_bytes: int, declared: str | None = None) -> None:
        self.file, self.max_bytes = file, max_bytes
        self.probe = unfolded(file, max_bytes).read(_PROBE_BYTES)
        if not self.probe.strip():
            raise Refused("ingest.empty")
        self.encoding = DECLARED[declared] if declared else self._found()

    def beginning(self) -> str:
        """The first characters, without a mark."""
        codec = "utf-8-sig" if self.encoding.codec == "utf-8" else self.encoding.codec
        text = codecs.getincrementaldecoder(codec)(errors="replace").decode(self.probe)
        return unicodedata.normalize("NFC", CONVERT[self.encoding.letters](text))

    @property
    def is_one_line(self) -> bool:
        """Whether it ends before a line does."""
        return len(self.probe) < _PROBE_BYTES and not any(end in self.probe for end in (b"\n", b"\r"))

    def utf8(self) -> io.BufferedReader:
        """The whole text in UTF-8. Reading may raise Refused, NulByte or UnicodeDecodeError: see `explained`."""
        wide = self.encoding.codec.startswith("utf-16")
        stream = unfolded(self.file, self.max_bytes, text=not wide)
        if self.encoding.is_plain:
            return stream
        return io.BufferedReader(_Utf8(stream, self.encoding), _CHUNK_BYTES)

    def explained(self, cause: NulByte | UnicodeDecodeError | None) -> Refused:
        """Why it cannot be read, with lines; None: something that is no UTF-8 was found by another."""
        if isinstance(cause, NulByte):
            return Refused("ingest.nul_bytes", line=self._line_of(cause.offset))
        if not self.encoding.is_plain:
            return Refused("ingest.encoding", encoding=self.encoding.name)
        lines, count, proper = self._not_utf8()
        code = "ingest.encoding_mixed" if proper else "ingest.encoding_lines"
        return Refused(code, count=count, lines=", ".join(map(str, lines)))

    def _found(self) -> Encoding:
        for mark, name in _BOMS:
            if self.probe.startswith(mark):
                return self._with_letters(name)
        if b"\0" in self.probe:
            even, odd = self.probe[0:4096:2].count(0), self.probe[1:4096:2].count(0)
            if max(even, odd) * 8 > min(len(self.probe), 4096) and min(even, odd) * 10 < max(even, odd):
                return self._with_letters("utf-16-le" if odd > even else "utf-16-be")
            if self.probe.count(0) * 20 > len(self.probe) or _CONTROL.search(self.probe):
                raise Refused("ingest.not_text")
        telling = self._telling()
        try:
            codecs.getincrementaldecoder("utf-8")().decode(telling)
        except UnicodeDecodeError:
            # Stray bytes among lines of UTF-8 are faults of their lines, not another encoding.
            return Encoding("utf-8") if _mostly_utf8(telling) else _old_encoding(telling[:_PROBE_BYTES])
        return self._with_letters("utf-8", telling)

    def _telling(self) -> bytes:
        """A piece with letters outside ASCII, if there is one in the first megabytes."""
        if not self.probe.isascii():
            return self.probe
        stream = unfolded(self.file, self.max_bytes)
        for _ in range(_SEARCH_BYTES // _CHUNK_BYTES):
            chunk = stream.read(_CHUNK_BYTES)
            if not chunk.isascii():
                begin = chunk.find(b"\n") + 1
                return chunk[begin:] if not chunk[begin:].isascii() else chunk
            if not chunk:
                break
        return self.probe

    def _with_letters(self, codec: str, telling: bytes | None = None) -> Encoding:
        text = codecs.getincrementaldecoder(codec)(errors="replace").decode(telling or self.probe)
        text = text[:_PROBE_BYTES]
        require_letters(text)
        require_read_once(text)
        return Encoding(codec, old_letters(text))

    def _line_of(self, offset: int) -> int:
        stream, line = unfolded(self.file, self.max_bytes), 1
        while offset > 0 and (chunk := stream.read(min(offset, _CHUNK_BYTES))):
            line += chunk.count(b"\n")
            offset -= len(chunk)
        return line

    def _not_utf8(self) -> tuple[list[int], int, bool]:
        """The first lines that are no UTF-8, how many there are, and whether others hold letters in UTF-8."""
        lines: list[int] = []
        count, proper = 0, False
        for number, line in _lines(unfolded(self.file, self.max_bytes)):
            if line.isascii():
                continue
            if _is_utf8(line):
                proper = True
                continue
            count += 1
            if len(lines) < _LINES_NAMED:
                lines.append(number)
        return lines, count, proper


def _lines(stream: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    number, whole = 1, True
    while line := stream.readline(_CHUNK_BYTES):
        if whole:
            yield number, line if line.endswith(b"\n") else line.rsplit(b" ", 1)[0]
        whole = line.endswith(b"\n")
        number += whole


def _mostly_utf8(telling: bytes) -> bool:
    lines = [line for line in telling.splitlines()[:-1] or [telling] if not line.isascii()]
    return sum(_is_utf8(line) for line in lines) * 20 > len(lines)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _old_encoding(telling: bytes) -> Encoding:
    """What makes most of the words Vietnamese; with few words the one of Windows."""
    require_letters(telling.decode("cp1252", "replace").replace("\ufffd", ""))
    scored = []
    for candidate in (DECLARED["windows-1258"], DECLARED["tcvn3"], DECLARED["vni"]):
        text = CONVERT[candidate.letters](telling.decode(candidate.codec, "replace"))
        share, words = share_of_syllables(text)
        scored.append((share, words, candidate))
    share, _, best = max(scored, key=lambda one: one[0])
    words = max(words for _, words, _ in scored)
    if share >= _BELIEVED:
        return best
    if words <= _FEW_WORDS:
        return DECLARED["windows-1258"]
    raise Refused("ingest.encoding_unknown", encodings=", ".join(DECLARED))


class _Utf8(io.RawIOBase):
    """Another encoding's bytes as UTF-8, composed (NFC), a chunk at a time, cut where no letter is cut."""

    def __init__(self, stream: io.BufferedReader, encoding: Encoding) -> None:
        self.stream, self.convert = stream, CONVERT[encoding.letters]
        codec = "utf-8-sig" if encoding.codec == "utf-8" else encoding.codec
        self.decoder = codecs.getincrementaldecoder(codec)("strict")
        self.rest, self.ready, self.ended = "", b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self.ready and not self.ended:
            self._fill()
        count = min(len(buffer), len(self.ready))
        buffer[:count] = self.ready[:count]
        self.ready = self.ready[count:]
        return count

    def _fill(self) -> None:
        chunk = self.stream.read(_CHUNK_BYTES // 4)
        self.ended = not chunk
        text = self.rest + self.decoder.decode(chunk, final=self.ended)
        if "\0" in text:
            raise NulByte(0)
        # A mark may follow in the next chunk: what stands after the last line waits for it.
        cut = len(text) if self.ended else text.rfind("\n") + 1 or text.rfind(" ") + 1 or len(text)
        self.rest = text[cut:]
        self.ready = unicodedata.normalize("NFC", self.convert(text[:cut])).encode("utf-8")
