"""A FAKE tax office: a real HTTP server in its own process that checks a message, gives codes, and can misbehave.

python -m tests.marketplace.einvoices.office CERTIFICATE.pem

It writes its certificate there and prints its address. POST /mode sets how it answers; GET /seen what it got.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier

from marketplace.einvoices.identity import Identity, self_signed, split_pem
from marketplace.einvoices.xmlsig import signature

DS = "{http://www.w3.org/2000/09/xmldsig#}"
LAUGHS = b"""<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><TDiep><TTChung>&b;</TTChung></TDiep>"""
SECRETS = b"""<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><TDiep><TTChung>&a;</TTChung></TDiep>"""
RAW = {
    "garbage": b"\x00\xff not xml",
    "empty": b"",
    "laughs": LAUGHS,
    "secrets": SECRETS,
    "html": b"<html><body>maintenance</body></html>",
    "too_long": b"<TDiep>" + b" " * (5 * 1024 * 1024) + b"</TDiep>",
}
STATUS = {"error": 500, "not_yet": 202}


class Office(BaseHTTPRequestHandler):
    identity: Identity
    stranger: Identity
    mode = "good"
    seen: ClassVar[Counter[str]] = Counter()
    codes: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/mode":
            type(self).mode = body.decode()
            self._send(204)
            return
        message = etree.fromstring(body)
        name = message.findtext("TTChung/MTDiep") or ""
        self.seen[name] += 1
        if self.mode == "hang_up":
            self.connection.close()
        elif self.mode == "lost":
            self._answer(message, name)  # the code is given, and nobody hears of it
            self.connection.close()
        elif self.mode in RAW:
            self._send(200, RAW[self.mode])
        elif self.mode in STATUS:
            self._send(STATUS[self.mode])
        else:
            self._send(200, self._answer(message, name))

    def do_GET(self) -> None:
        self._send(200, json.dumps({"seen": self.seen, "codes": self.codes}).encode())

    def _answer(self, message: Any, name: str) -> bytes:
        document = message.find("DLieu/HDon")
        wrong = _wrong(document)
        if message.findtext("TTChung/MST") != (document.findtext("DLHDon/NDHDon/NBan/MST") or ""):
            wrong = "30003 Mã số thuế người gửi không phải của người bán"
        if self.mode == "refuse" or wrong:
            return self._refusal(name, wrong or "30001 Trùng số hóa đơn")
        document = copy.deepcopy(document)
        code = self.codes.setdefault(name, hashlib.sha256(name.encode()).hexdigest()[:34].upper())
        if self.mode == "other_document":
            document.find("DLHDon/NDHDon/NMua/Ten").text = "Người khác"
        place = document.find("DLHDon")
        element = etree.Element("MCCQT", Id="MCCQT")
        element.text = "x" if self.mode == "malformed" else code
        place.addnext(element)
        signer = self.stranger if self.mode == "stranger" else self.identity
        made = signature(document, [place.get("Id"), "MCCQT"], signer)
        etree.SubElement(document.find("DSCKS"), "CQT").append(made)
        if self.mode == "changed_after":
            element.text = "0" * 34
        if self.mode == "unsigned":
            document.find("DSCKS").remove(document.find("DSCKS/CQT"))
        return _wrapped(document, "202", "V0" if self.mode == "other_message" else name)

    def _refusal(self, name: str, why: str) -> bytes:
        notice = etree.Element("TBao")
        data = etree.SubElement(notice, "DLTBao", Id="DLTBao")
        etree.SubElement(data, "MTDiep").text = name
        reason = etree.SubElement(etree.SubElement(data, "DSLDo"), "LDo")
        etree.SubElement(reason, "MLoi").text, etree.SubElement(reason, "MTLoi").text = why.split(" ", 1)
        made = signature(notice, ["DLTBao"], self.identity)
        etree.SubElement(etree.SubElement(notice, "DSCKS"), "CQT").append(made)
        return _wrapped(notice, "204", name)

    def _send(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _wrapped(content: Any, kind: str, about: str) -> bytes:
    root = etree.Element("TDiep")
    common = etree.SubElement(root, "TTChung")
    for name, value in (("MLTDiep", kind), ("MTDTChieu", about)):
        etree.SubElement(common, name).text = value
    etree.SubElement(root, "DLieu").append(content)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _wrong(document: Any) -> str | None:
    """What the tax office finds wrong with a document: signature, sums, parties."""
    made = document.find(f"DSCKS/NBan/{DS}Signature")
    given = base64.b64decode(made.findtext(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate"))
    pem = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(given).decode()}-----END CERTIFICATE-----\n"
    expected = SignatureConfiguration(location="./DSCKS/NBan/", expect_references=2)
    XMLVerifier().verify(document, x509_cert=pem, expect_config=expected, id_attribute="Id")
    total = document.find("DLHDon/NDHDon/TToan")
    net, tax, gross = (int(total.findtext(name)) for name in ("TgTCThue", "TgTThue", "TgTTTBSo"))
    lines = sum(int(each.text) for each in document.iterfind("DLHDon/NDHDon/DSHHDVu/HHDVu/ThTien"))
    if net + tax != gross or lines != net:
        return "40001 Sai tổng tiền"
    return None


if __name__ == "__main__":
    own = self_signed("Cơ quan thuế GIẢ")
    Office.identity, Office.stranger = split_pem(own), split_pem(self_signed("Ai đó"))
    Path(sys.argv[1]).write_bytes(Office.identity.certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Office)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
