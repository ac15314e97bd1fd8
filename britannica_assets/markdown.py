"""Text from outside in Markdown, where it is shown as it stands: no picture, link, HTML, list or table comes of it.

Dagster's UI renders Markdown with pictures and GitHub's extensions, and a picture's address is fetched without a click.
"""

import re

PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # a backslash escapes any of ASCII (CommonMark, 2.4)
# GitHub's autolinks are found in the text after the backslashes are gone; a word joiner, without width, parts them.
AUTOLINK = re.compile(r"(https?|ftp|mailto|xmpp|www)(?=[:.])|(?=@)", re.IGNORECASE)
WORD_JOINER = "\u2060"


def escape_markdown(text: str) -> str:
    """The text in Markdown that shows it; line breaks become spaces, so that it stays within its line or table cell.

    >>> escape_markdown("![x](/graphql)")
    '\\\\!\\\\[x\\\\]\\\\(\\\\/graphql\\\\)'
    """
    parted = AUTOLINK.sub(lambda match: match.group() + WORD_JOINER, " ".join(text.split()))
    return PUNCTUATION.sub(r"\\\1", parted)
