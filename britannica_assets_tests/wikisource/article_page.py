"""An article's page around a body of our own."""

from britannica_assets.wikisource.extract import ArticleText, extract_article

BEGIN = '<html><body><div class="mw-parser-output"><div class="prp-pages-output">'
END = "</div></div></body></html>"


def read(body: str, *, styles: str = "") -> ArticleText:
    """What the extraction reads of an article with this body."""
    return extract_article(f"{styles}{BEGIN}{body}{END}")


def text_of(body: str, *, styles: str = "") -> str:
    """The running text of an article with this body."""
    return read(body, styles=styles).text


def formula(tex: str, *, display: str = "inline") -> str:
    """A formula as MediaWiki renders it: MathML that is not shown, and a picture."""
    shown = "{\\displaystyle " + tex + "}"
    return (
        f'<span class="mwe-math-element mwe-math-element-{display}"><span class="mwe-math-mathml-inline"'
        f' style="display: none;"><math alttext="{shown}"><mi>y</mi><annotation encoding="application/x-tex">'
        f'{shown}</annotation></math></span><img class="mwe-math-fallback-image-inline" alt="{shown}"></span>'
    )
