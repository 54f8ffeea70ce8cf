"""The colours of the style sheet, as eyes see them: contrast of texts, and bars that can be told apart."""

import itertools
import math
import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "assets/css/base/1-tokens.css").read_text()
THEMES = ("light", "dark")
BARS = ("ok-bar", "bad-bar", "warn-bar", "accent-bar")
# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear sRGB
EYES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}


def tokens(theme):
    """Colours by name, as linear sRGB."""
    found = {}
    for name, value in re.findall(r"--([\w-]+):\s*(light-dark\([^;]+\)|oklch\([^;]+\));", TOKENS):
        texts = re.findall(r"oklch\(([\d. ]+)\)", value)
        chosen = texts[0] if len(texts) == 1 else texts[THEMES.index(theme)]
        found[name] = linear(*map(float, chosen.split()))
    return found


def linear(lightness, chroma, hue):
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long, middle, short = (
        (lightness + x * a + y * b) ** 3
        for x, y in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    )
    rows = (
        (4.0767416621, -3.3077115913, 0.2309699292),
        (-1.2684380046, 2.6097574011, -0.3413193965),
        (-0.0041960863, -0.7034186147, 1.7076147010),
    )
    return tuple(min(1.0, max(0.0, x * long + y * middle + z * short)) for x, y, z in rows)


def oklab(rgb):
    rows = (
        (0.4122214708, 0.5363325363, 0.0514459929),
        (0.2119034982, 0.6806995451, 0.1073969566),
        (0.0883024619, 0.2817188376, 0.6299787005),
    )
    long, middle, short = (max(0.0, sum(x * y for x, y in zip(row, rgb, strict=True))) ** (1 / 3) for row in rows)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def contrast(one, other):
    lights = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_texts_can_be_read(theme):
    """Text has 4.5 to 1 on every ground that it stands on, in both themes."""
    colours = tokens(theme)
    grounds = ("ground", "sheet", "float", "well", "touch")
    for text, ground in itertools.product(("text", "text-2", "text-3", "accent", "ok", "bad", "warn", "idle"), grounds):
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for hue in ("accent", "ok", "bad", "warn"):
        for text in ("text", "text-2", hue):
            assert contrast(colours[text], colours[f"{hue}-soft"]) >= 4.5, (text, hue)
    for fill in ("accent-fill", "danger-fill"):
        assert contrast(colours["on-fill"], colours[fill]) >= 4.5, fill


@pytest.mark.parametrize("theme", THEMES)
def test_marks_can_be_seen(theme):
    """What is no text and must be seen has 3 to 1: bars that say something bad, boxes to tick, the focus."""
    colours = tokens(theme)
    for mark, ground in itertools.product(("bad-bar", "accent-bar", "box", "accent", "bad-fill"), ("ground", "sheet")):
        assert contrast(colours[mark], colours[ground]) >= 3, (mark, ground)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("eye", EYES)
def test_bars_can_be_told_apart(theme, eye):
    """Any two bars differ by 10 (100 times the distance in OK Lab), for protan and deutan eyes, too."""
    colours = tokens(theme)
    seen = {
        name: oklab(
            [min(1.0, max(0.0, sum(x * y for x, y in zip(row, colours[name], strict=True)))) for row in EYES[eye]]
        )
        for name in BARS
    }
    for one, other in itertools.combinations(BARS, 2):
        assert 100 * math.dist(seen[one], seen[other]) >= 10, (one, other)
