"""XML 1.0 from strangers, read into a small tree.

No document type declaration is accepted, so there are no entities to expand, nothing external to
fetch and no defaults to inherit; size and depth are bounded before anything is built.
"""

from __future__ import annotations

from xml.parsers import expat

from attrs import define, field

from virtreg.errors import IntegrityError

MAX_BYTES = 5 * 1024 * 1024
MAX_DEPTH = 16
MAX_ELEMENTS = 100_000
MAX_ATTRIBUTES = 100_000


@define
class Element:
    """One element: attributes, elements inside in order, and the texts between those."""

    name: str
    attributes: dict[str, str] = field(factory=dict)
    children: list[Element] = field(factory=list)
    texts: list[str] = field(factory=list)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def all(self, name: str) -> list[Element]:
        """The elements directly inside that have this name."""
        return [child for child in self.children if child.name == name]

    def value(self, name: str) -> str | None:
        """The trimmed text of the first such element inside; None when absent or blank."""
        for child in self.all(name):
            return child.text.strip(" \t\r\n") or None
        return None


def parse(document: bytes) -> Element:
    """The root element. Raises IntegrityError, with the reason, for anything that is not a
    well-formed document within the bounds."""
    if len(document) > MAX_BYTES:
        raise IntegrityError(f"the document has {len(document)} bytes, more than {MAX_BYTES}")
    # Before anything is made of it: those of one element come together. The sign is this byte in
    # every encoding that is read.
    if document.count(b"=") > MAX_ATTRIBUTES:
        raise IntegrityError(f"the document may have more than {MAX_ATTRIBUTES} attributes")
    tree = _Tree()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise IntegrityError(f"not well-formed XML: {error}") from error
    except (LookupError, ValueError) as error:
        # Whose message quotes the encoding, however long.
        raise IntegrityError("not XML in a known encoding") from error
    return tree.root


def _refuse_doctype(name: str, system: str | None, public: str | None, internal: bool) -> None:
    del name, system, public, internal
    raise IntegrityError("the document has a DOCTYPE, which is not accepted")


class _Tree:
    def __init__(self) -> None:
        self._document = Element("")
        self._open = [self._document]
        self._elements = 0

    @property
    def root(self) -> Element:
        return self._document.children[0]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise IntegrityError(f"elements are nested more than {MAX_DEPTH} deep")
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise IntegrityError(f"the document has more than {MAX_ELEMENTS} elements")
        element = Element(name, attributes)
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, name: str) -> None:
        del name
        self._open.pop()

    def text(self, text: str) -> None:
        self._open[-1].texts.append(text)
