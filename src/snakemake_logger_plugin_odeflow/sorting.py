"""What of Snakemake's own messages a user needs."""

import re

#: Said in every run, or said by the workflow in its own words.
_NOISE = re.compile(
    r"""^(?:
    Assuming\ unrestricted | Building\ DAG | Using\ shell | Provided\ | Rules\ claiming
    | Conda\ environments | Singularity\ containers | Group\ jobs | Job\ stats | Select\ jobs
    | Execute\ \d+ | Complete\ log | Elapsed\ time | Config\ file\ | None$ | $
    | Finished\ (?:jobid|group) | Removing\ output\ files | Shutting\ down
    | Exiting\ because\ a\ job | --keep-incomplete\ mode | Touching\ output | Resources\ before
    | \d+\ jobs\ have\ (?:missing|outdated) | Updating\ checkpoint | Processed\ \d+ | Full\ Trace
    | Cannot\ restore | Storing\ output | Job\ rate\ limit | Waiting\ at\ most
    )""",
    re.VERBOSE,
)
#: Errors that say again that a job failed.
_SAID_AGAIN = re.compile(r"At least one job did not complete|CalledProcessError in file")
#: Of an error of the workflow's: where in a Snakefile it was raised, before and after its text.
_PLACE = re.compile(
    r"\AWorkflowError(?: in .*)?:?\n|^  File \".*\", line \d+, in .*$", re.MULTILINE
)


def is_noise(text: str) -> bool:
    """Whether a message of Snakemake's says nothing that a user needs."""
    return _NOISE.match(text) is not None


def error_text(text: str) -> str:
    """What is left of an error of Snakemake's for a user; empty where it was said already."""
    return "" if _SAID_AGAIN.search(text) else _PLACE.sub("", text).strip()


def reason(log: str) -> str:
    """Why a job failed, in a line.

    Arguments:
        log: the text of the job's log.

    Returns:
        What the workflow says there of an error, or else the last line of a traceback.
    """
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("odeflow: ")]
    if said:
        return said[-1].removeprefix("odeflow: ")
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        return f"{lines[-1]}, which is a mistake of odeflow's or of a package's"
    return "ended before it was done: it was killed, or there was not enough memory"
