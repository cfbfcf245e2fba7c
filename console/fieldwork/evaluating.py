"""A bundle's score on labelled pictures as evidence of a campaign."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from console.campaigns.campaign import Campaign
from console.record.entries import Evaluated
from console.tables.held import digest_of_file
from remote.errors import Trouble


class Score(msgspec.Struct, frozen=True):
    """What `fieldgate-agent eval --json` says, as far as it is kept: shares in [0, 1]."""

    bundle: str
    map: float
    ap50: float
    images: int


def record_score(campaign: Campaign, score: Score, images: Path, labels: Path, person: str) -> int:
    """Keep the score with the digest of pictures and labels; the entry's number. Raises Trouble (`other_bundle`)."""
    if score.bundle != campaign.bundle:
        what = f"the bundle {score.bundle[:12]} was scored, the campaign is about {campaign.bundle[:12] or 'none'}"
        raise Trouble(what, cure="score the campaign's bundle, or `fieldgate campaign revise` it", code="other_bundle")
    figures = {"map_50_95": round(100 * score.map, 4), "map_50": round(100 * score.ap50, 4)}
    body = Evaluated(
        bundle=score.bundle,
        figures=figures,
        pictures=score.images,
        labels=_digest(images, labels),
        method="COCO evaluation (pycocotools), 101 recall points",
    )
    return campaign.record.append(person, body).entry.seq


def _digest(*folders: Path) -> str:
    """SHA-256 over every file's name and digest, in order of the names."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(one for one in folder.iterdir() if one.is_file()):
            digest.update(f"{path.name}\0{digest_of_file(path)}\n".encode())
    return digest.hexdigest()
