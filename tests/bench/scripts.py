"""`python -m tests.bench.scripts [FONTS]`: what DetectText makes of 26 scripts, and of every angle.

Needs fonts for all of them, such as those of Debian's fonts-noto-core and fonts-noto-cjk, in FONTS
(/usr/share/fonts where absent). Each line is the beginning of the Universal Declaration of Human
Rights, 44 pixels high, black on white.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.table import Table

from beholden.v1 import detection_pb2, detection_pb2_grpc, image_pb2, text_pb2
from tests.house import House, house
from tests.pictures import encode

LINES = {
    "Latin": ("NotoSans", "All human beings are born free"),
    "Latin with marks": ("NotoSans", "Tous les êtres humains naissent égaux"),
    "Greek": ("NotoSans", "Όλοι οι άνθρωποι γεννιούνται"),
    "Chinese": ("NotoSansCJK", "人人生而自由在尊严和权利上一律平等"),
    "Japanese": ("NotoSansCJK", "すべての人間は生まれながらにして自由"),
    "Korean": ("NotoSansCJK", "모든 인간은 태어날 때부터 자유로우며"),
    "Cyrillic": ("NotoSans", "Все люди рождаются свободными"),
    "Armenian": ("NotoSansArmenian", "Բոլոր մարդիկ ծնվում են ազատ"),
    "Georgian": ("NotoSansGeorgian", "ყველა ადამიანი იბადება თავისუფალი"),
    "Hebrew": ("NotoSansHebrew", "כל בני האדם נולדו בני חורין"),
    "Arabic": ("NotoSansArabic", "يولد جميع الناس أحرارا متساوين"),
    "Devanagari": ("NotoSansDevanagari", "सभी मनुष्यों को गौरव और अधिकारों"),
    "Bengali": ("NotoSansBengali", "সমস্ত মানুষ স্বাধীনভাবে সমান"),
    "Gurmukhi": ("NotoSansGurmukhi", "ਸਾਰਾ ਮਨੁੱਖੀ ਪਰਿਵਾਰ ਆਪਣੀ"),
    "Gujarati": ("NotoSansGujarati", "પ્રતિષ્ઠા અને અધિકારોની દૃષ્ટિએ"),
    "Tamil": ("NotoSansTamil", "மனிதப் பிறவியினர் சகலரும்"),
    "Telugu": ("NotoSansTelugu", "ప్రతిపత్తిస్వత్వముల విషయమున"),
    "Kannada": ("NotoSansKannada", "ಎಲ್ಲಾ ಮಾನವರೂ ಸ್ವತಂತ್ರರಾಗಿಯೇ"),
    "Malayalam": ("NotoSansMalayalam", "മനുഷ്യരെല്ലാവരും തുല്യാവകാശങ്ങളോടും"),
    "Sinhala": ("NotoSansSinhala", "සියලු මනුෂ්‍යයෝ නිදහස්ව උපත"),
    "Thai": ("NotoSansThai", "มนุษย์ทั้งหลายเกิดมามีอิสระ"),
    "Lao": ("NotoSansLao", "ມະນຸດທຸກຄົນເກີດມາມີສິດເສລີພາບ"),
    "Khmer": ("NotoSansKhmer", "មនុស្សទាំងអស់កើតមកមានសេរីភាព"),
    "Burmese": ("NotoSansMyanmar", "လူတိုင်းသည် တူညီ လွတ်လပ်သော"),
    "Tibetan": ("NotoSerifTibetan", "འགྲོ་བ་མིའི་རིགས་རྒྱུད་ཡོངས"),
    "Ethiopic": ("NotoSansEthiopic", "የሰው ልጅ ሁሉ ሲወለድ ነጻና"),
}  # fmt: skip
ANGLES = range(0, 360, 15)
FONTS = Path("/usr/share/fonts")


def drawn(text: str, font: Path, angle: float = 0) -> bytes:
    """The line in the middle of a white PNG, turned counter-clockwise."""
    letters = ImageFont.truetype(font, 44)
    width = round(letters.getlength(text)) + 80
    strip = Image.new("RGB", (width, 140), "white")
    ImageDraw.Draw(strip).text((40, 30), text, "black", letters)
    return encode(
        strip.rotate(angle, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    )


def found(folder: Path, family: str) -> Path | None:
    """The family's regular font."""
    return next(iter(sorted(folder.rglob(f"{family}-Regular.tt?"))), None)


def alike(text: str, words: Sequence[text_pb2.DetectedText]) -> float:
    """The share of letters that are right, of all that are there or told; spaces count for nothing."""
    told = "".join(word.text for word in words)
    return SequenceMatcher(None, "".join(text.split()), told, autojunk=False).ratio()


@dataclass(frozen=True, slots=True)
class Line:
    """What was read of a script's line at the default confidence, and the surest word of all."""

    script: str
    right: float
    told: int
    unsure: int
    surest: str


@dataclass(frozen=True, slots=True)
class Turned:
    """A line at `angles` angles; `others` are those at which not every letter is right."""

    script: str
    angles: int
    others: Mapping[int, float]


def measured(home: House, fonts: Path) -> tuple[list[Line], list[Turned]]:
    """Each script, and two at every angle; those that `fonts` has."""
    with home.channel() as channel:
        stub = detection_pb2_grpc.DetectionServiceStub(channel)

        def read(content: bytes) -> list[text_pb2.DetectedText]:
            request = detection_pb2.DetectTextRequest(
                image=image_pb2.Image(content=content),
                word_filter=text_pb2.WordFilter(min_confidence=0.0),
            )
            answer = stub.DetectText(request, metadata=home.headers("daily-herald"))
            return [one for one in answer.texts if one.type == text_pb2.TEXT_TYPE_WORD]

        there = {script: (text, font) for script, (family, text) in LINES.items()
                 if (font := found(fonts, family))}  # fmt: skip
        lines, turned = [], []
        for script, (text, font) in there.items():
            words = read(drawn(text, font))
            sure = [word for word in words if word.confidence >= 0.8]
            best = max(words, key=lambda word: word.confidence, default=None)
            surest = f"{best.text} {best.confidence:.2f}" if best else ""
            lines.append(Line(script, alike(text, sure), len(sure), len(words) - len(sure), surest))
        for script in ("Latin", "Chinese"):
            if script in there:
                text, font = there[script]
                right = {angle: alike(text, read(drawn(text, font, angle))) for angle in ANGLES}
                others = {angle: share for angle, share in right.items() if share < 1}
                turned.append(Turned(script, len(right), others))
    return lines, turned


def tables(lines: Sequence[Line], turned: Sequence[Turned]) -> tuple[Table, Table]:
    """What was read, and at which angles not all."""
    scripts = Table("script", "right", "told", "unsure", "the surest", title="Scripts")
    for line in lines:
        scripts.add_row(
            line.script, f"{line.right:.2f}", str(line.told), str(line.unsure), line.surest
        )
    angles = Table("script", "angles", "all right", "the others", title="Angles")
    for one in turned:
        others = ", ".join(f"{angle}°: {share:.2f}" for angle, share in one.others.items())
        angles.add_row(one.script, str(one.angles), str(one.angles - len(one.others)), others)
    return scripts, angles


def main() -> None:
    """Asks for each script and angle, and shows what was told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fonts", type=Path, nargs="?", default=FONTS)
    fonts = parser.parse_args().fonts
    with tempfile.TemporaryDirectory() as folder, house(Path(folder), ["detection"]) as home:
        lines, turned = measured(home, fonts)
    if not lines:
        raise SystemExit(f"no Noto fonts in {fonts}")
    Console(width=160).print(*tables(lines, turned))


if __name__ == "__main__":
    main()
