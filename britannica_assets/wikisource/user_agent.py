"""Who asks: the User-Agent, and the contact in it that Wikimedia's policy asks for."""

import re

MAIL_ADDRESS = re.compile(r"[^\s@()<>,;:]{1,64}@[^\s@()<>,;:]{1,190}\.[A-Za-z]{2,}")
PAGE = re.compile(r"https?://[^\s/()<>]{1,190}\.[A-Za-z]{2,}(?::\d+)?(?:/[^\s()<>]*)?")
WIKIMEDIA = re.compile(
    r"(?:^|\.)(?:wikisource|wikimedia|wikipedia|wiktionary|wikibooks|wikiquote|wikidata|mediawiki)\.org$"
)


class ContactError(Exception):
    """The contact is missing where a wiki requires one, or is neither a mail address nor a page."""


def is_wikimedia(hostname: str) -> bool:
    """Whether a host is one of Wikimedia's, whose policies hold there."""
    return bool(WIKIMEDIA.search(hostname))


def validate_contact(contact: str | None, *, hostname: str) -> None:
    """Checks a contact before anything is sent in its name.

    Raises:
        ContactError: there is none and the host is one of Wikimedia's, or it is no mail address and no page.
    """
    if not contact:
        if is_wikimedia(hostname):
            raise ContactError(
                f"{hostname} is a live Wikimedia wiki, whose User-Agent policy asks who is reading: set"
                " BRITANNICA_CONTACT to a mail address or a page about you"
            )
        return
    if not contact.isascii() or not (MAIL_ADDRESS.fullmatch(contact) or PAGE.fullmatch(contact)):
        raise ContactError(
            f"BRITANNICA_CONTACT is {contact!r}, which is neither a mail address nor the address of a page: set it to"
            " one like me@example.org or https://example.org/about"
        )


def user_agent(version: str, contact: str | None, library: str) -> str:
    """The User-Agent in the form of Wikimedia's policy: client, contact, library."""
    return " ".join(part for part in (f"britannica-assets/{version}", contact and f"({contact})", library) if part)
