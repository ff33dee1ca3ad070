"""The pictures of a selection: what is stored of it, and where what is solved lies on that."""

from collections.abc import Mapping, Sequence

from odeflow.report.live.course_view import course_marks, course_picture
from odeflow.report.live.metric_view import metric_marks, metric_picture
from odeflow.report.live.phase_view import phase_marks, phase_picture
from odeflow.report.live.picture import Marks, Picture
from odeflow.report.live.selection import Selection
from odeflow.report.live.solved import Solved
from odeflow.report.live.space_view import space_cells, space_pictures
from odeflow.report.live.stored import Stored


def pictures(stored: Stored, selection: Selection) -> list[Picture]:
    """What is stored of a selection, one picture for each panel.

    Arguments:
        stored: the experiment.
        selection: what is chosen.
    """
    match selection.view:
        case "courses":
            return [course_picture(stored, selection, name) for name in selection.variables]
        case "phase":
            return [phase_picture(stored, selection)] if len(selection.variables) > 1 else []
        case "metric":
            return (
                [metric_picture(stored, selection)] if selection.metric and selection.axes else []
            )
        case "space":
            return space_pictures(stored, selection) if selection.variables else []


def marks(
    stored: Stored,
    selection: Selection,
    picture: Picture,
    solved: Sequence[Solved],
    values: Mapping[str, float],
    nearest: int | None,
) -> Marks:
    """What is solved, on one of the pictures.

    Arguments:
        stored: the experiment.
        selection: what is chosen.
        picture: one of `pictures`.
        solved: trajectories, one for each condition that is shown.
        values: what is set, by coordinate of the design.
        nearest: the row of the stored trajectory that is nearest to that.
    """
    match selection.view:
        case "courses":
            return course_marks(stored, selection, picture, solved, nearest)
        case "phase":
            return phase_marks(stored, selection, picture, solved, nearest)
        case "metric":
            return metric_marks(stored, selection, solved, values)
        case "space":
            return Marks([], [], space_cells(stored, selection, picture, solved, nearest))
