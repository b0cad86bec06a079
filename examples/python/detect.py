"""Finds the faces in a picture and compares them with each other, and shows what the law says.

    python detect.py picture.jpg

BEHOLDEN_SERVER is host:port, BEHOLDEN_TOKEN says who asks, BEHOLDEN_PURPOSE what for.
"""

import os
import sys
from pathlib import Path

from beholden.client import Client, Denied


def main(picture: Path) -> None:
    """Raises beholden.client.Error."""
    address = os.environ.get("BEHOLDEN_SERVER", "127.0.0.1:50051")
    token, purpose = os.environ["BEHOLDEN_TOKEN"], os.environ.get("BEHOLDEN_PURPOSE", "")
    with Client(address, token=token, purpose=purpose) as client:
        found = client.detect_faces(picture)
        for face in found.message.faces:
            box = face.bounding_box
            place = f"{box.x_min:.3f} {box.y_min:.3f} {box.x_max:.3f} {box.y_max:.3f}"
            print(f"face {face.confidence:.2f} at {place}")
        print("decision", found.decision_id)
        try:
            compared = client.compare_faces(picture, picture).message
        except Denied as denied:
            print("refused:", denied)
            for name in ("law", "since", "until", "lifted_by", "decision_id"):
                if said := denied.details.get(name):
                    print(" ", name, said)
            return
        for match in compared.matches:
            print(f"similarity {match.similarity:.2f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python detect.py PICTURE")
    main(Path(sys.argv[1]))
