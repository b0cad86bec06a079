"""Follows faces; each is kept once, at its best, and searched once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from beholden.core.faces import DetectedFace
from beholden.core.gallery import Face
from beholden.core.jobs import Annotation
from beholden.core.law import Json
from beholden.core.ports import FaceFinder, FaceMatcher
from beholden.video.features import Feature, Spec
from beholden.video.following import Best, Following, prominence
from beholden.video.sample import Sample
from beholden.vision.crops import crop, jpeg, png, unpacked, within
from beholden.vision.tracks import Sighting, Track

FEATURES = frozenset((Feature.FACES, Feature.FACE_SEARCH, Feature.REDACTION))

_FACE = "Face"
_MARGIN = 0.6  # an aligned chip reaches beyond the box, and further where the head is tilted
_PICTURE = 256

MAX_RESULTS = 10
"""How many candidates a face has at most where nothing else is asked."""


@dataclass(slots=True)
class Kept:
    """A track's best face: as it lies in the frame, as it lies in its own picture, and that picture."""

    seen: DetectedFace
    cut: DetectedFace
    picture: bytes


@dataclass(slots=True)
class FacesState:
    """The faces that are followed."""

    following: Following[Kept] = field(default_factory=Following)


class Faces:
    """The features FACES, FACE_SEARCH and REDACTION, of one tenant."""

    def __init__(
        self,
        spec: Spec,
        tenant: str,
        finder: FaceFinder,
        matcher: FaceMatcher,
        state: FacesState,
        *,
        searched: bool = True,
    ) -> None:
        self.state = state
        self._told = [one for one in (Feature.FACES, Feature.REDACTION) if one in spec.features]
        self._kept = self._told != [Feature.REDACTION] or Feature.FACE_SEARCH in spec.features
        self._searches = searched and Feature.FACE_SEARCH in spec.features
        self._spec = spec
        self._tenant = tenant
        self._finder = finder
        self._matcher = matcher

    async def see(self, samples: Sequence[Sample]) -> list[Annotation]:
        """What is found in these frames, and of tracks that are over."""
        told = await asyncio.gather(
            *(self._finder.find(one.pixels, scale=one.scale) for one in samples)
        )
        found: list[Annotation] = []
        for sample, faces in zip(samples, told, strict=True):
            if sample.shot:
                found += await self.finish(sample.time_us)
            found += await self._follow(sample, faces)
        return found

    async def finish(self, time_us: int) -> list[Annotation]:
        """What is told once a shot or the video ends at `time_us`."""
        following = self.state.following
        over = [await self._over(track, end_us) for track, end_us in following.finish(time_us)]
        following.bests.clear()
        return [one for found in over for one in found]

    async def _follow(self, sample: Sample, faces: Sequence[DetectedFace]) -> list[Annotation]:
        by_box = {face.box: face for face in faces}
        sightings = [Sighting(_FACE, face.box, face.confidence) for face in faces]
        matched, told, over = self.state.following.update(
            sample.time_us, sample.length_us, sightings
        )
        for track, sighting in matched:
            self._keep(sample, track, sighting, by_box[sighting.box])
        seen = [(time_us, track.id, sighting) for time_us, track, sighting in told]
        if self._spec.every_frame:
            followed = {sighting.box: track.id for track, sighting in matched}
            seen = [(sample.time_us, followed.get(one.box, 0), one) for one in sightings]
        found = [
            Annotation(
                feature=feature,
                name=_FACE,
                start_us=time_us,
                end_us=time_us + sample.length_us,
                confidence=sighting.confidence,
                track=number,
                box=sighting.box,
            )
            for time_us, number, sighting in seen
            if self._sure(sighting.confidence)
            for feature in self._told
        ]
        for track in over:
            found += await self._over(track, track.gone_us)
        return found

    def _keep(self, sample: Sample, track: Track, sighting: Sighting, face: DetectedFace) -> None:
        if not self._kept:
            return  # who hides faces wants no pictures of them
        score = prominence(sighting) * face.quality.sharpness * _frontal(face)
        if not self.state.following.improves(track, score):
            return
        cut, place = crop(sample.pixels, face.box, margin=_MARGIN, most=_PICTURE)
        kept = Kept(face, within(face, place), png(cut))
        self.state.following.bests[track.id] = Best(score, sample.time_us, face.box, b"", kept)

    async def _over(self, track: Track, end_us: int) -> list[Annotation]:
        best = self.state.following.bests.pop(track.id, None)
        if best is None or not self._sure(track.confidence):
            return []
        found = []
        if Feature.FACES in self._spec.features:
            picture = jpeg(unpacked(best.detail.picture))
            detail: dict[str, Json] = {"best_us": best.time_us, "face": _document(best.detail.seen)}
            found.append(
                self._span(Feature.FACES, track, end_us, best, detail=detail, picture=picture)
            )
        if self._searches:
            found.append(await self._searched(track, end_us, best))
        return found

    async def _searched(self, track: Track, end_us: int, best: Best[Kept]) -> Annotation:
        template = await self._matcher.embed(unpacked(best.detail.picture), best.detail.cut)
        matches = await self._matcher.search(
            template,
            tenant=self._tenant,
            collection=self._spec.collection,
            limit=self._spec.max_results or MAX_RESULTS,
            least=self._spec.min_similarity,
        )
        candidates: list[Json] = [candidate(*match) for match in matches]
        detail: dict[str, Json] = {"best_us": best.time_us, "candidates": candidates}
        return self._span(Feature.FACE_SEARCH, track, end_us, best, detail=detail)

    def _span(
        self,
        feature: Feature,
        track: Track,
        end_us: int,
        best: Best[Kept],
        *,
        detail: dict[str, Json],
        picture: bytes = b"",
    ) -> Annotation:
        return Annotation(
            feature=feature,
            name=_FACE,
            start_us=track.first_us,
            end_us=end_us,
            confidence=track.confidence,
            span=True,
            track=track.id,
            box=best.box,
            detail=detail,
            picture=picture,
        )

    def _sure(self, confidence: float) -> bool:
        return confidence >= (self._spec.min_confidence or 0.0)


def candidate(face: Face, similarity: float) -> Json:
    """An enrolled face that is like one in a video, as it is kept."""
    return {
        "face": face.id,
        "external_image_id": face.external_image_id,
        "similarity": similarity,
    }


def _frontal(face: DetectedFace) -> float:
    """1 for a face that looks into the camera, less the further it turns away."""
    turned = max(abs(face.pose.yaw), abs(face.pose.pitch))
    return max(0.1, 1 - turned / 90)


def _document(face: DetectedFace) -> Json:
    return {
        "size": face.size,
        "landmarks": [[point.x, point.y] for point in face.landmarks.points()],
        "pose": [face.pose.roll, face.pose.yaw, face.pose.pitch],
        "quality": [face.quality.brightness, face.quality.sharpness],
    }
