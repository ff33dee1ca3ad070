"""Why a stage is done again, in a phrase."""

from collections.abc import Collection, Iterable
from pathlib import Path

from odeflow.provenance.records import Stage, has_files, read_record
from odeflow.workflow.terminal.changes import changes, is_setting


def reasons(stages: Iterable[Stage], study: Path) -> list[str]:
    """What has changed since the files of some stages were made, each change once.

    Arguments:
        stages: stages of one experiment whose files are not what is asked for.
        study: the folder that their files are relative to.

    Returns:
        Phrases, settings first. What follows from another of these stages is left out.
    """
    due = list(stages)
    renewed = {file for stage in due for file in stage.outputs}
    found: dict[str, None] = {}
    for stage in due:
        found |= dict.fromkeys(_own_reasons(stage, study, renewed))
    return sorted(found, key=lambda phrase: not is_setting(phrase))


def _own_reasons(stage: Stage, study: Path, renewed: Collection[str]) -> list[str]:
    """What has changed for one stage, besides files that other stages make again."""
    if not has_files(stage, study):
        return []
    record = read_record(study / stage.record)
    if not record:
        return ["no record of how it was made"]
    if record.get("plan") != stage.plan:
        asked = record.get("asked") or {}
        return changes(asked, stage.asked) if asked else ["made by another version"]
    read = record["inputs"]
    return [
        f"{Path(file).name} changed"
        for file, made_by in stage.inputs.items()
        if file not in renewed
        and read.get(file) != read_record(study / made_by).get("outputs", {}).get(file)
    ]
