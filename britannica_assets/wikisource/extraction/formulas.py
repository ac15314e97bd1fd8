"""Formulas: TeX of a `<math>` element → what can stand in a sentence, or None where it cannot be read as text."""

import re
from collections.abc import Callable

from britannica_assets.wikisource.extraction.dom import Element, fold
from britannica_assets.wikisource.extraction.numbers import fraction, superscript

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|[{}^_&~]|\s+|.", re.DOTALL)
_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "omicron": "ο", "pi": "π", "varpi": "ϖ", "rho": "ρ", "varrho": "ϱ", "sigma": "σ", "varsigma": "ς", "tau": "τ",
    "upsilon": "υ", "phi": "φ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω", "ell": "ℓ", "infty": "∞", "partial": "∂", "nabla": "∇", "hbar": "ħ", "prime": "′", "circ": "°",
    "degree": "°", "angle": "∠", "aleph": "ℵ", "dots": "…", "ldots": "…", "cdots": "…", "colon": ":",
    "lbrace": "{", "rbrace": "}", "{": "{", "}": "}", "%": "%", "$": "$", "#": "#", "&": "&", "_": "_", "|": "‖",
}  # fmt: skip
_OPERATORS = {
    "times": "×", "cdot": "·", "div": "÷", "pm": "±", "mp": "∓", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥",
    "neq": "≠", "ne": "≠", "approx": "≈", "equiv": "≡", "sim": "~", "propto": "∝", "to": "→", "rightarrow": "→",
    "lt": "<", "gt": ">", "ll": "≪", "gg": "≫", "in": "∈", "perp": "⊥", "parallel": "∥",
}  # fmt: skip
_FUNCTIONS = "sin cos tan cot sec csc sinh cosh tanh log ln lg exp arcsin arccos arctan max min det deg gcd mod"
_SPACING = ", ; : quad qquad enspace thinspace nbsp"
_NOTHING = "displaystyle textstyle scriptstyle limits nolimits left right big Big bigl bigr ! / rm it bf mathstrut"
_WORDS = {
    **_SYMBOLS,
    **{name: f" {sign} " for name, sign in _OPERATORS.items()},
    **{name: f" {name} " for name in _FUNCTIONS.split()},
    **dict.fromkeys(_SPACING.split(), " "),
    **dict.fromkeys(_NOTHING.split(), ""),
    " ": " ",
}
_RAW_TEXT = frozenset(("text", "textrm", "textit", "textbf", "mbox", "hbox"))
_FONTS = "mathrm mathit mathbf mathsf mathcal mathbb mathfrak operatorname operatorname* boldsymbol ce"
_TEXT = frozenset(_FONTS.split())
_PLAIN = {"~": " ", "'": "′"}
_FRACTIONS = frozenset(("frac", "tfrac", "dfrac", "sfrac", "nicefrac"))
_RELATIONS = frozenset("=<>≤≥≠≈≡≪≫→∝")
_PAIRS: dict[str, Callable[[str, str], str]] = {
    "msub": lambda base, script: base + script,
    "msup": lambda base, script: base + superscript(script),
    "mfrac": lambda numerator, denominator: fraction(numerator, denominator, "/"),
}
_MAX_DEPTH = 20
_MAX_LENGTH = 120  # characters of what still stands in a sentence


class _UnreadableError(Exception):
    """The formula holds what no line of text can show."""


def is_formula(element: Element, classes: str) -> bool:
    """Whether an element is a formula: MathML, the box around it, or the picture of earlier versions of MediaWiki."""
    return element.tag == "math" or "mwe-math" in classes or (element.tag == "img" and "tex" in classes.split())


def formula_text(element: Element) -> str | None:
    """What of a formula's element can stand in the sentence; None where it cannot be read."""
    tex = _tex_of(element)
    if tex is not None:
        return read_tex(tex)
    math = element if element.tag == "math" else element.find(".//math")
    text = None if math is None else _mathml_text(math, 0)
    return None if text is None or len(text) > _MAX_LENGTH else fold(text) or None


def _tex_of(element: Element) -> str | None:
    math = element if element.tag == "math" else element.find(".//math")
    if math is not None and math.get("alttext"):
        return str(math.get("alttext"))
    for annotation in element.iter("annotation"):
        if annotation.get("encoding") == "application/x-tex" and annotation.text:
            return str(annotation.text)
    for image in element.iter("img"):
        if image.get("alt"):
            return str(image.get("alt"))
    return None


def read_tex(tex: str) -> str | None:
    """A formula of letters, numbers, signs, simple fractions, sub- and superscripts as text; None for all others.

    >>> read_tex(r"{\\displaystyle x^{2}+y_{1}=\\pi }")
    'x² + y1 = π'
    >>> read_tex(r"\\int _{0}^{1}f(x)\\,dx") is None
    True
    """
    tokens = _TOKEN.findall(tex.strip().removeprefix("$").removesuffix("$"))
    try:
        text = _Reader(tokens).sequence(0)
    except _UnreadableError:
        return None
    text = re.sub(r"\s+", " ", text).strip()
    return text if text and len(text) <= _MAX_LENGTH else None


def _mathml_text(element: Element, depth: int) -> str | None:
    """MathML without TeX: rows of letters, numbers and signs, with simple fractions, sub- and superscripts."""
    if element.tag in ("mi", "mn", "mo", "mtext"):
        return element.text or ""
    children = element[:1] if element.tag == "semantics" else element
    texts = [_mathml_text(child, depth + 1) for child in children] if depth < _MAX_DEPTH else [None]
    parts = [text for text in texts if text is not None]
    if len(parts) != len(texts):
        return None
    if element.tag in ("math", "mrow", "mstyle", "mpadded", "semantics"):
        return "".join(parts)
    if element.tag == "msubsup" and len(parts) == 3:
        return parts[0] + parts[1] + superscript(parts[2])
    return _PAIRS[str(element.tag)](*parts) if element.tag in _PAIRS and len(parts) == 2 else None


class _Reader:
    """Reads tokens from left to right; each method leaves the place after what it read."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0

    def sequence(self, depth: int) -> str:
        """The text up to the closing brace of this group, or the end."""
        if depth > _MAX_DEPTH:
            raise _UnreadableError
        text = ""
        while self._place < len(self._tokens) and self._tokens[self._place] != "}":
            token = self._tokens[self._place]
            if token in "^_":
                self._place += 1
                script = self._argument(depth).strip()
                text = text.rstrip() + self._script(token, script)
                continue
            text += self._item(depth, after=text)
        return text

    def _script(self, kind: str, script: str) -> str:
        if kind == "_" or set(script) <= {"′", "°"}:
            return script
        return superscript(script)

    def _argument(self, depth: int) -> str:
        while self._place < len(self._tokens) and self._tokens[self._place].isspace():
            self._place += 1
        if self._place == len(self._tokens) or self._tokens[self._place] in "}^_":
            raise _UnreadableError
        return self._item(depth, after="")

    def _item(self, depth: int, *, after: str) -> str:
        token = self._tokens[self._place]
        self._place += 1
        if token == "{":
            text = self.sequence(depth + 1)
            if self._place == len(self._tokens):
                raise _UnreadableError
            self._place += 1
            return text
        if token.startswith("\\"):
            return self._command(token[1:], depth)
        if token == "&":
            raise _UnreadableError
        if token.isspace() or token in _PLAIN:
            return _PLAIN.get(token, "")
        # A sign between two terms stands between spaces; one before a term does not.
        if token in _RELATIONS or (token in "+-−" and after.strip() and after.rstrip()[-1] not in "(=,+-−×·<>"):
            return f" {'−' if token == '-' else token} "
        return "−" if token == "-" else token

    def _command(self, name: str, depth: int) -> str:
        if name in _WORDS:
            return _WORDS[name]
        if name in _RAW_TEXT:
            return self._text_argument()
        if name in _TEXT:
            return self._argument(depth)
        if name in _FRACTIONS:
            numerator, denominator = self._argument(depth).strip(), self._argument(depth).strip()
            return fraction(numerator, denominator, "/")
        root = self._argument(depth).strip() if name == "sqrt" else "["
        if root == "[":  # of another degree than the second, or another command
            raise _UnreadableError
        return f"√{root}" if len(root) == 1 or root.isdigit() else f"√({root})"

    def _text_argument(self) -> str:
        """The words of `\\text{…}`, whose spaces count."""
        if self._place == len(self._tokens) or self._tokens[self._place] != "{":
            raise _UnreadableError
        end = self._place + 1
        while end < len(self._tokens) and self._tokens[end] not in "{}":
            end += 1
        if end == len(self._tokens) or self._tokens[end] == "{":
            raise _UnreadableError
        words = "".join(self._tokens[self._place + 1 : end])
        self._place = end + 1
        if "\\" in words or "$" in words:
            raise _UnreadableError
        return words
