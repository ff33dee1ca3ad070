"""The user's words (titles, units, names of things): text that is printed and drawn as it is."""

from typing import Annotated

from pydantic import AfterValidator

from odeflow.files.plain_text import is_hidden


def _plain(text: str) -> str:
    hidden = next((c for c in text if is_hidden(c)), None)
    if hidden is not None:
        raise ValueError(
            f"it has the control character {hidden!r}, which is obeyed and not printed; remove it"
        )
    return text


#: Text for figures, pages and the dataset.
Text = Annotated[str, AfterValidator(_plain)]
