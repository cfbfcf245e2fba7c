"""The figures that a campaign is judged by are those of its pack: the text is kept when it is opened and when it is revised."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.campaigns.opening import campaigns_dir
from console.record.entries import Opened
from remote.errors import Trouble
from tests.console.checklist.campaign_world import last
from tests.console.fieldwork.field_world import PACK, FieldWorld

KPIS = (Path(__file__).parents[3] / "checklists" / "perception" / "kpis.yaml").read_text()


def _kept(world: FieldWorld) -> Opened:
    opened = last(world.field().campaign, "opened")
    assert isinstance(opened, Opened)
    return opened


def test_the_kpis_beside_the_pack_are_kept_with_the_record(world: FieldWorld) -> None:
    assert _kept(world).kpis is None
    (world.folder / "kpis.yaml").write_text(KPIS)
    campaign = world.field().campaign
    kpis = last(campaign, "opened").kpis
    assert campaign.record.attachment(kpis.digest).decode() == KPIS


def test_a_revision_keeps_them_only_where_they_changed(world: FieldWorld) -> None:
    (world.folder / "kpis.yaml").write_text(KPIS)
    campaign = world.field().campaign
    world.pack.write_text(PACK.replace("A pack with phases", "The same pack"))
    campaign.revise("the pack has a new title", "anna", pack=world.pack)
    assert last(campaign, "revised").kpis is None
    (world.folder / "kpis.yaml").write_text(KPIS + "\n# other limits\n")
    campaign.revise("the limits are other ones", "anna", pack=world.pack)
    assert campaign.record.attachment(last(campaign, "revised").kpis.digest).decode().endswith("# other limits\n")


def test_kpis_that_can_not_be_read_are_refused_before_anything_is_written(world: FieldWorld) -> None:
    (world.folder / "kpis.yaml").write_text("kpis: [")
    with pytest.raises(Trouble) as refused:
        world.field(name="broken")
    assert refused.value.code == "bad_kpis"
    assert not (campaigns_dir() / "broken").exists()
