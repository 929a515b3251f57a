"""XML signatures (W3C XML-DSig) of e-invoices: RSA with SHA-256 over the elements that are named, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from marketplace.calendar import VIETNAM
from marketplace.einvoices.identity import Identity

if TYPE_CHECKING:
    from lxml.etree import _Element

SIGNING_TIME = "{http://example.org/#signatureProperties}SigningTime"
"""In the namespace that the tax department's own examples have."""


class NotSigned(Exception):
    """The signature is none, is another's, or does not hold."""


class NotXml(Exception):
    """The bytes are no XML that is read here: not well formed, or with a DTD."""


def parse(xml: bytes) -> _Element:
    """The root; no entity is expanded, nothing is fetched. Raises NotXml."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise NotXml from wrong
    if root.getroottree().docinfo.doctype:
        raise NotXml
    return root


def written(root: _Element) -> bytes:
    """UTF-8, with a declaration."""
    from lxml import etree

    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def canonical(element: _Element) -> bytes:
    """C14N 1.0, without comments."""
    from lxml import etree

    return bytes(etree.tostring(element, method="c14n", exclusive=False, with_comments=False))


def signature(root: _Element, ids: Sequence[str], identity: Identity, *, at: datetime | None = None) -> _Element:
    """A Signature over the elements of `root` with these Ids, and over the time of signing if it is given."""
    from lxml import etree
    from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod
    from signxml.signer import XMLSigner

    detached = SignatureConstructionMethod.detached
    signer = XMLSigner(method=detached, c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0)
    time = etree.Element(SIGNING_TIME)
    time.text = at.astimezone(VIETNAM).isoformat(timespec="seconds") if at else None
    made: _Element = signer.sign(
        root,
        key=identity.key,
        cert=identity.certificate.decode(),
        reference_uri=[f"#{each}" for each in ids],
        id_attribute="Id",
        signature_properties=[time] if at else None,
    )
    return made


def signed_elements(root: _Element, location: str, certificate: bytes) -> dict[str, _Element]:
    """What the Signature in the element at `location` covers, by name, as it was signed: trust nothing but these.

    Raises NotSigned unless it is of `certificate`.
    """
    from cryptography.exceptions import InvalidSignature as Broken
    from lxml import etree
    from signxml.algorithms import DigestAlgorithm, SignatureMethod
    from signxml.exceptions import SignXMLException
    from signxml.verifier import SignatureConfiguration, XMLVerifier

    expected = SignatureConfiguration(
        location=location,
        expect_references=True,  # any number: the caller looks for those it needs
        signature_methods=frozenset({SignatureMethod.RSA_SHA256}),
        digest_algorithms=frozenset({DigestAlgorithm.SHA256}),
    )
    try:
        found = XMLVerifier().verify(
            root, x509_cert=certificate.decode(), expect_config=expected, id_attribute="Id"
        )
    except (SignXMLException, Broken, etree.LxmlError, ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise NotSigned from wrong
    results = found if isinstance(found, list) else [found]
    return {str(one.signed_xml.tag): one.signed_xml for one in results if one.signed_xml is not None}
