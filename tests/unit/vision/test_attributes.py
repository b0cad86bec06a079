"""Crops for the attribute models, and their answers read."""

import cv2
import numpy as np
import pytest

from beholden.core.attributes import AgeRange, EmotionType
from beholden.core.faces import DetectedFace, Landmarks, Pose, Quality
from beholden.core.geometry import Box, Point
from beholden.vision import attributes


def face(box: tuple[float, float, float, float], roll: float = 0.0) -> DetectedFace:
    middle = Point((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    return DetectedFace(
        Box(*box), 0.9, Landmarks(*[middle] * 5), Pose(roll, 0, 0), Quality(0.5, 0.5), 40
    )


def gradient(width: int, height: int) -> np.ndarray:
    """Red tells the column and green the row."""
    rows, columns = np.indices((height, width))
    return np.stack((columns, rows, np.full_like(rows, 200)), axis=2).astype(np.uint8)


def test_a_crop_is_the_square_around_the_box() -> None:
    picture = gradient(200, 100)
    (crop,) = attributes.crops(picture, [face((0.4, 0.3, 0.6, 0.7))], 40, 1.0)
    np.testing.assert_array_equal(crop, picture[30:70, 80:120])
    (wide,) = attributes.crops(picture, [face((0.4, 0.3, 0.6, 0.7))], 60, 1.5)
    np.testing.assert_array_equal(wide, picture[20:80, 70:130])


def test_the_longer_side_counts_and_the_middle_stays() -> None:
    picture = gradient(200, 200)
    (crop,) = attributes.crops(picture, [face((0.45, 0.3, 0.55, 0.5))], 40, 1.0)
    np.testing.assert_array_equal(crop, picture[60:100, 80:120])


def test_a_large_face_is_averaged_down() -> None:
    picture = np.zeros((200, 200, 3), np.uint8)
    picture[:, ::2] = 200
    (crop,) = attributes.crops(picture, [face((0.1, 0.1, 0.9, 0.9))], 16, 1.0)
    np.testing.assert_allclose(crop, 100, atol=4)


def test_outside_the_picture_is_black() -> None:
    picture = np.full((50, 50, 3), 255, np.uint8)
    (crop,) = attributes.crops(picture, [face((0, 0, 1, 1))], 100, 2.0)
    assert (crop[30:70, 30:70] == 255).all()
    assert not crop[:20].any()
    assert not crop[:, 80:].any()


@pytest.mark.parametrize("roll", [30.0, -75.0, 180.0])
def test_a_rolled_head_is_turned_upright(roll: float) -> None:
    upright = np.zeros((120, 120, 3), np.uint8)
    upright[20:50, 50:70] = 255
    # Clockwise in the picture, where OpenCV's angles are counter-clockwise.
    turn = cv2.getRotationMatrix2D((59.5, 59.5), -roll, 1)
    rolled = cv2.warpAffine(upright, turn, (120, 120))
    (crop,) = attributes.crops(rolled, [face((0.1, 0.1, 0.9, 0.9), roll)], 96, 1.0)
    assert np.abs(crop.astype(int) - upright[12:108, 12:108]).mean() < 5


def test_no_faces_are_no_crops() -> None:
    assert attributes.crops(gradient(40, 40), [], 64, 1.0).shape == (0, 64, 64, 3)


def test_a_face_without_extent_still_has_a_crop() -> None:
    crops = attributes.crops(gradient(40, 40), [face((0.5, 0.5, 0.5, 0.5))], 32, 1.0)
    assert crops.shape == (1, 32, 32, 3)


def test_ages_hold_the_middle_of_what_is_likely() -> None:
    assert attributes.age_range(np.full(100, 0.01), 0.81) == AgeRange(10, 91)
    sure = np.zeros(100)
    sure[29] = 1
    assert attributes.age_range(sure, 0.8) == AgeRange(30, 30)
    oldest = np.zeros(100)
    oldest[99] = 1
    assert attributes.age_range(oldest, 1.0) == AgeRange(1, 100)


def test_presentations_have_the_confidence_of_the_likelier() -> None:
    assert attributes.gender_presentation(0.75).masculine
    assert attributes.gender_presentation(0.75).confidence == 0.75
    assert not attributes.gender_presentation(0.25).masculine
    assert attributes.gender_presentation(0.25).confidence == 0.75


def test_emotions_come_likeliest_first() -> None:
    told = attributes.emotions(np.array([0.2, 0.7, 0.1]), ["angry", "happy", "calm"])
    assert [one.type for one in told] == [EmotionType.HAPPY, EmotionType.ANGRY, EmotionType.CALM]
    assert [one.confidence for one in told] == pytest.approx([0.7, 0.2, 0.1])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -0.1, 1.1])
def test_what_is_no_probability_is_no_answer(wrong: float) -> None:
    for read in (
        lambda: attributes.probability(wrong),
        lambda: attributes.gender_presentation(wrong),
        lambda: attributes.age_range(np.array([0.5, wrong]), 0.8),
        lambda: attributes.emotions(np.array([0.5, wrong]), ["happy", "sad"]),
    ):
        with pytest.raises(ValueError, match="probabilities"):
            read()


def test_emotions_that_do_not_fit_their_names_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        attributes.emotions(np.array([0.5, 0.5]), ["happy"])
    with pytest.raises(ValueError, match="PUZZLED"):
        attributes.emotions(np.array([1.0]), ["puzzled"])
