"""A page of the catalogue as CKAN's own harvester reads it. Run by the environment `ckanext-dcat`.

Reads RDF/XML from standard input; writes its datasets and the address of the next page.
"""

from __future__ import annotations

import json
import sys

from ckanext.dcat.processors import RDFParser

if __name__ == "__main__":
    parser = RDFParser(profiles=["euro_dcat_ap_3"])
    parser.parse(sys.stdin.read(), _format="xml")
    json.dump({"datasets": list(parser.datasets()), "next": parser.next_page()}, sys.stdout)
