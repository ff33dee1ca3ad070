"""When Python looks for garbage in a process that imports a thousand modules. Without JAX.

What imports make stays until the process ends. To look through all of it again and again is a fifth
of the time that they take, and at the end of a process a third of a second.
"""

import atexit
import gc


def put_off() -> None:
    """Looks for no garbage until `take_up`, nor at the end of the process: it gives all back."""
    gc.disable()
    atexit.register(gc.freeze)


def take_up() -> None:
    """Looks for garbage as usual, but not among what is there by now."""
    gc.freeze()
    gc.enable()
