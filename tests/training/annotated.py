"""Pictures with known scratches, written as each annotation tool would."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import cv2
import numpy as np

WIDTH, HEIGHT = 320, 240
FINE = 16
"""Sub-pixels along a side of a pixel, from which the known pixels are counted."""


@dataclass(frozen=True)
class Drawn:
    """A shape in a tool's coordinates (the corner of the first pixel is 0, 0)."""

    kind: str
    points: tuple[tuple[float, float], ...]
    width: float | None = None
    label: str = "scratch"

    def pixels(self, default_width: float = 3) -> np.ndarray:
        """What it covers, (HEIGHT, WIDTH)."""
        if self.kind == "polygon":
            canvas = np.zeros((HEIGHT * FINE, WIDTH * FINE), np.uint8)
            corners = np.rint(np.array(self.points) * FINE - 0.5).astype(np.int32)
            cv2.fillPoly(canvas, [corners], 255)
            return cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) > 127
        ys, xs = np.mgrid[:HEIGHT, :WIDTH] + 0.5
        nearest = np.full((HEIGHT, WIDTH), np.inf)
        last = len(self.points) - 2
        for k, (a, b) in enumerate(pairwise(np.array(self.points))):
            along = ((xs - a[0]) * (b - a)[0] + (ys - a[1]) * (b - a)[1]) / ((b - a) @ (b - a))
            at = a + np.clip(along, 0, 1)[..., None] * (b - a)
            distance = np.hypot(xs - at[..., 0], ys - at[..., 1])
            distance[(along < 0) & (k == 0) | (along > 1) & (k == last)] = np.inf
            nearest = np.minimum(nearest, distance)
        return nearest <= (self.width or default_width) / 2


BAR = Drawn("polygon", ((30.3, 40.2), (180.1, 95.7), (178.0, 101.2), (28.4, 45.9)))
BLADE = Drawn("polygon", ((200, 30), (215.5, 60), (209, 145.5), (204, 110)))
BEND = Drawn("polyline", ((40.5, 210.5), (120.2, 150.3), (190.5, 180.5), (290.7, 130.1)), 6)
HAIR = Drawn("polyline", ((20.5, 130.5), (140.5, 110.5)))
PATCH = Drawn("polygon", ((240, 20), (300, 20), (300, 60), (240, 60)), label="ignore")

SHAPES: dict[str, tuple[Drawn, ...]] = {
    "A_1.png": (BAR, HAIR), "A_2.png": (), "B_1.png": (BLADE, BEND), "B_2.png": (PATCH,),
    "C_1.png": (BAR, BLADE, PATCH), "C_2.png": (BEND,), "D_1.png": (), "E_1.png": (HAIR,),
}  # fmt: skip


def known(name: str, shapes: dict[str, tuple[Drawn, ...]] = SHAPES) -> tuple[Any, Any]:
    """Pixels of scratches and ignored pixels of a picture."""
    marks = {"scratch": np.zeros((HEIGHT, WIDTH), bool), "ignore": np.zeros((HEIGHT, WIDTH), bool)}
    for shape in shapes[name]:
        marks["ignore" if shape.label == "ignore" else "scratch"] |= shape.pixels()
    return marks["scratch"], marks["ignore"] & ~marks["scratch"]


def draw_pictures(folder: Path, names: Any = SHAPES) -> None:
    """Write a plain picture under each name, each another one."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 40 + number, np.uint8))


def via(shapes: dict[str, tuple[Drawn, ...]] = SHAPES) -> dict[str, Any]:
    """The annotations as VIA 2 exports them."""
    return {
        f"{name}123": {
            "filename": name, "size": 123, "file_attributes": {},
            "regions": [
                {
                    "shape_attributes": {
                        "name": s.kind,
                        "all_points_x": [x for x, _ in s.points],
                        "all_points_y": [y for _, y in s.points],
                    },
                    "region_attributes": {"defect": s.label}
                    | ({"width": str(s.width)} if s.width else {}),
                }
                for s in drawn
            ],
        }
        for name, drawn in shapes.items()
    }  # fmt: skip


def via_project(shapes: dict[str, tuple[Drawn, ...]] = SHAPES) -> dict[str, Any]:
    """The project file of VIA 2."""
    return {
        "_via_settings": {"core": {}}, "_via_img_metadata": via(shapes), "_via_attributes": {},
        "_via_data_format_version": "2.0.10", "_via_image_id_list": list(via(shapes)),
    }  # fmt: skip


def coco(shapes: dict[str, tuple[Drawn, ...]] = SHAPES, runs: str = "list") -> dict[str, Any]:
    """COCO: polygons as polygons, polylines as run lengths, as a list or as `text`."""
    annotations = []
    for image, drawn in enumerate(shapes.values()):
        for s in drawn:
            if s.kind == "polygon":
                segmentation: Any = [[v for xy in s.points for v in xy]]
            else:
                counts = run_lengths(s.pixels().T)
                segmentation = {
                    "counts": counts if runs == "list" else compressed(counts),
                    "size": [HEIGHT, WIDTH],
                }
            annotations.append({
                "id": len(annotations), "image_id": image, "segmentation": segmentation,
                "category_id": {"scratch": 7, "ignore": 9}[s.label],
                "iscrowd": int(s.kind != "polygon"),
            })  # fmt: skip
    return {
        "images": [
            {"id": k, "file_name": name, "width": WIDTH, "height": HEIGHT}
            for k, name in enumerate(shapes)
        ],
        "annotations": annotations,
        "categories": [{"id": 7, "name": "scratch"}, {"id": 9, "name": "ignore"}],
    }


def labelme(name: str, drawn: tuple[Drawn, ...]) -> dict[str, Any]:
    """LabelMe's file for one picture."""
    kinds = {"polygon": "polygon", "polyline": "linestrip"}
    return {
        "version": "5.4.1", "flags": {}, "imagePath": name, "imageData": None,
        "imageHeight": HEIGHT, "imageWidth": WIDTH,
        "shapes": [
            {
                "label": s.label, "points": [list(xy) for xy in s.points], "group_id": None,
                "shape_type": "line" if s is HAIR else kinds[s.kind], "flags": {},
                "description": f"seen twice, width={s.width}" if s.width else "",
            }
            for s in drawn
        ],
    }  # fmt: skip


def cvat(shapes: dict[str, tuple[Drawn, ...]] = SHAPES, masks: bool = False) -> str:
    """CVAT for images 1.1; with `masks` the polygons are painted masks."""
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    for number, (name, drawn) in enumerate(shapes.items()):
        size = {"width": str(WIDTH), "height": str(HEIGHT)}
        image = ET.SubElement(root, "image", {"id": str(number), "name": name, **size})
        for s in drawn:
            points = ";".join(f"{x:.2f},{y:.2f}" for x, y in s.points)
            if masks and s.kind == "polygon":
                ET.SubElement(image, "mask", {"label": s.label, **_boxed_runs(s.pixels())})
                continue
            element = ET.SubElement(image, s.kind, {"label": s.label, "points": points})
            if s.width:
                ET.SubElement(element, "attribute", {"name": "width"}).text = str(s.width)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def write(form: str, folder: Path) -> Path:
    """Pictures and annotations as the tool lays them out; returns what to import."""
    if form == "masks":
        draw_pictures(folder / "images")
        (folder / "masks").mkdir()
        for name in SHAPES:
            scratch, ignore = known(name)
            marks = np.where(scratch, 255, np.where(ignore, 128, 0)).astype(np.uint8)
            cv2.imwrite(str(folder / "masks" / name), marks)
        return folder
    draw_pictures(folder / "images" if form in ("cvat", "cvat masks") else folder)
    if form == "labelme":
        for name, drawn in SHAPES.items():
            file = folder / name.replace(".png", ".json")
            file.write_text(json.dumps(labelme(name, drawn)))
        return folder
    if form.startswith("cvat"):
        (folder / "annotations.xml").write_text(cvat(masks=form == "cvat masks"))
        return folder / "annotations.xml"
    data = {
        "via": via, "via project": via_project, "coco": coco,
        "coco text": lambda: coco(runs="text"),
    }[form]()  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(data))
    return folder / "annotations.json"


FORMS = (
    "via", "via project", "coco", "coco text", "labelme", "cvat", "cvat masks", "masks",
)  # fmt: skip


def run_lengths(mask: np.ndarray) -> list[int]:
    """Lengths of the runs of a mask row by row, the first of them False."""
    flat = np.concatenate([[False], mask.ravel(), [not mask.ravel()[-1]]])
    return np.diff(np.flatnonzero(np.diff(flat)), prepend=0).tolist()


def compressed(counts: list[int]) -> str:
    """COCO's spelling of run lengths."""
    out = ""
    for k, count in enumerate(counts):
        left = count - counts[k - 2] if k > 2 else count
        while True:
            code, left = left & 0x1F, left >> 5
            more = left != (-1 if code & 0x10 else 0)
            out += chr(48 + code + 0x20 * more)
            if not more:
                break
    return out


def _boxed_runs(mask: np.ndarray) -> dict[str, str]:
    rows, columns = np.nonzero(mask)
    top, left, bottom, right = rows.min(), columns.min(), rows.max() + 1, columns.max() + 1
    box = mask[top:bottom, left:right]
    return {
        "rle": ", ".join(map(str, run_lengths(box))), "left": str(left), "top": str(top),
        "width": str(right - left), "height": str(bottom - top),
    }  # fmt: skip
