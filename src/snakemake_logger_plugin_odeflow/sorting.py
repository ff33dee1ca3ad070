"""What of Snakemake's own messages a user needs."""

import re

#: Said in every run, or said by the workflow in its own words.
_NOISE = re.compile(
    r"""^(?:
    Assuming\ unrestricted | Building\ DAG | Using\ shell | Provided\ | Rules\ claiming
    | Conda\ environments | Singularity\ containers | Group\ jobs | Job\ stats | Select\ jobs
    | Execute\ \d+ | Complete\ log | Elapsed\ time | Config\ file\ | None$ | $
    | Finished\ (?:jobid|group) | Trying\ to\ restart | Removing\ output\ files | Shutting\ down
    | Exiting\ because\ a\ job | --keep-incomplete\ mode | Touching\ output | Resources\ before
    | \d+\ jobs\ have\ (?:missing|outdated) | Updating\ checkpoint | Processed\ \d+ | Full\ Trace
    | Storing\ output | Job\ rate\ limit | Waiting\ at\ most
    )""",
    re.VERBOSE,
)
#: Errors that say again that a job failed.
_SAID_AGAIN = re.compile(r"At least one job did not complete|CalledProcessError in file")
#: The first line of an error of the workflow's: where in a Snakefile it was raised.
_PLACE = re.compile(r"^WorkflowError(?: in .*)?:?\n(?:  File .*\n)*")


def is_noise(text: str) -> bool:
    """Whether a message of Snakemake's says nothing that a user needs."""
    return _NOISE.match(text) is not None


def error_text(text: str) -> str:
    """What is left of an error of Snakemake's for a user; empty where it was said already."""
    return "" if _SAID_AGAIN.search(text) else _PLACE.sub("", text).strip()
